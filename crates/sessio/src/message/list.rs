//! Comma-separated lists in header fields.

/// Whether this option is among those of a list, whatever its case.
pub(crate) fn has_option(list: &[u8], option: &[u8]) -> bool {
    list.split(|byte| *byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(option))
}
