//! Comma-separated lists in header fields (RFC 9110 section 5.6.1).

/// The elements of a list, without the blanks around them. Empty elements are among them.
pub(crate) fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',').map(trim)
}

/// Returns `true` if a list contains this option; case does not matter.
pub(crate) fn has_option(list: &[u8], option: &[u8]) -> bool {
    elements(list).any(|element| element.eq_ignore_ascii_case(option))
}

/// The value without the blanks around it (`OWS`: spaces and tabs).
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !is_blank(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &value[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_lose_the_blanks_around_them() {
        let list = |text: &'static str| elements(text.as_bytes()).collect::<Vec<_>>();
        assert_eq!(list("a, b\t,c d , ,"), [&b"a"[..], b"b", b"c d", b"", b""]);
        assert_eq!(list(""), [b""]);
        assert_eq!(list(" \t "), [b""]);
        // A form feed is no blank of a field: an element that has one is another element.
        assert_eq!(list("close\x0c"), [b"close\x0c"]);
    }

    #[test]
    fn an_option_is_a_whole_element() {
        assert!(has_option(b"keep-alive, CLOSE", b"close"));
        assert!(!has_option(b"keep-alive, closed", b"close"));
        assert!(!has_option(b"clo se", b"close"));
    }
}
