//! The mark that some editors put in front of a text.

/// The text without a byte order mark of UTF-8 in front of it.
pub(crate) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text)
}
