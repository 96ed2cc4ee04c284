//! Comma-separated lists in header fields.

/// Returns `true` if a list contains this option; case does not matter.
pub(crate) fn has_option(list: &[u8], option: &[u8]) -> bool {
    list.split(|byte| *byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(option))
}
