//! Bodies as text.

/// The charset that a Content-Type names (RFC 9110 section 8.3.2); names of types and parameters have no
/// case, and of several charsets the last one holds (rule S-05).
///
/// ```
/// assert_eq!(sessio::text::charset("text/html; Charset=\"UTF-8\""), Some("UTF-8"));
/// ```
#[must_use]
pub fn charset(content_type: &str) -> Option<&str> {
    let parameters = content_type.split(';').skip(1);
    let values = parameters.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim_matches([' ', '\t', '"', '\'']))
    });
    values.filter(|value| !value.is_empty()).last()
}

/// Text from bytes: by the byte order mark if there is one, else by `charset`, else as UTF-8 (row B37).
/// ISO 8859-1 is known beside UTF-8; what is not valid becomes U+FFFD.
///
/// ```
/// assert_eq!(sessio::text::decode(None, b"\xef\xbb\xbfa\xff"), "a\u{fffd}");
/// assert_eq!(sessio::text::decode(Some("ISO-8859-1"), b"a\xff"), "a\u{ff}");
/// ```
#[must_use]
pub fn decode(charset: Option<&str>, bytes: &[u8]) -> String {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return String::from_utf8_lossy(rest).into_owned();
    }
    let is_latin =
        charset.is_some_and(|name| ["iso-8859-1", "latin1"].iter().any(|n| name.eq_ignore_ascii_case(n)));
    if is_latin {
        return bytes.iter().map(|b| char::from(*b)).collect();
    }
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s05_b37_the_charset_of_a_content_type() {
        for (kind, named) in [
            ("text/html", None),
            ("text/html; charset=utf-8", Some("utf-8")),
            ("TEXT/HTML;CHARSET=Latin1", Some("Latin1")),
            ("text/html; charset='x'; charset=\"y\"", Some("y")),
            ("text/html; charset = a ", Some("a")),
            ("text/html; charset=", None),
            ("text/html; charset=\"\"; x=charset", None),
            ("text/html; xcharset=a", None),
            ("charset=a", None),
            ("", None),
        ] {
            assert_eq!(charset(kind), named, "{kind}");
        }
    }

    #[test]
    fn s06_b37_a_byte_order_mark_wins_over_the_charset_and_nothing_fails() {
        for (charset, bytes, text) in [
            (Some("latin1"), &b"\xef\xbb\xbf\xc3\xa9"[..], "\u{e9}"),
            (Some("LATIN1"), b"\xe9", "\u{e9}"),
            (Some("no-such-charset"), b"\xc3\xa9\xff", "\u{e9}\u{fffd}"),
            (None, b"\xe9", "\u{fffd}"),
            (None, b"", ""),
        ] {
            assert_eq!(decode(charset, bytes), text, "{charset:?}");
        }
    }
}
