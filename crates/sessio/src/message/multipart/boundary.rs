//! Boundaries between parts.

use std::fmt::Write as _;

use crate::base::time::Seed;

/// Draws an unpredictable boundary: 128 bits in 32 hexadecimal digits (rule P-50, row FA3). The
/// author of a file who could predict it could end its part, and add fields.
pub(super) fn draw(seed: &mut Seed) -> String {
    let mut digits = String::with_capacity(32);
    let _ = write!(digits, "{:032x}", u128::from_le_bytes(seed.draw_bytes()));
    digits
}

/// The boundary parameter of a Content-Type.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Declared {
    /// Another media type, without a boundary.
    NotMultipart,
    /// A multipart type without a boundary: this is the whole value with one.
    Missing(String),
    /// This boundary.
    Given(String),
    /// An invalid boundary.
    Invalid,
}

impl Declared {
    /// Parses a Content-Type; `boundary` is the one that completes it.
    pub(crate) fn read(content_type: &[u8], boundary: &str) -> Self {
        let Ok(value) = std::str::from_utf8(content_type) else { return Self::Invalid };
        let (kind, parameters) = value.split_at(value.find(';').unwrap_or(value.len()));
        if !kind.trim().get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/")) {
            return Self::NotMultipart;
        }
        match parameter(parameters) {
            Ok(None) => {
                let value = value.trim_end_matches([';', ' ', '\t']);
                Self::Missing(format!("{value}; boundary={boundary}"))
            }
            Ok(Some(given)) if is_valid(&given) => Self::Given(given),
            _ => Self::Invalid,
        }
    }
}

/// Finds the parameter `boundary` among these, each of which begins with a semicolon (RFC 9110
/// section 5.6.6).
///
/// Parameters that servers may read differently are an error: quotes that do not end or are
/// missing, two boundaries.
fn parameter(mut rest: &str) -> Result<Option<String>, ()> {
    let mut found = None;
    while let Some(tail) = rest.trim_start().strip_prefix(';') {
        let tail = tail.trim_start();
        let end = tail.find(['=', ';']).unwrap_or(tail.len());
        let (name, tail) = tail.split_at(end);
        let mut value = String::new();
        rest = tail;
        if let Some(tail) = tail.strip_prefix('=') {
            rest = match tail.strip_prefix('"') {
                Some(quoted) => unquote(quoted, &mut value).ok_or(())?,
                None => {
                    let (token, tail) = tail.split_at(tail.find(';').unwrap_or(tail.len()));
                    let token = token.trim_end();
                    if !token.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)) {
                        return Err(());
                    }
                    value.push_str(token);
                    tail
                }
            };
        }
        if name.trim_end().eq_ignore_ascii_case("boundary") && found.replace(value).is_some() {
            return Err(());
        }
    }
    if rest.trim().is_empty() { Ok(found) } else { Err(()) }
}

/// Reads up to the closing quote; returns the text behind it.
fn unquote<'a>(quoted: &'a str, out: &mut String) -> Option<&'a str> {
    let mut chars = quoted.chars();
    loop {
        match chars.next()? {
            '"' => return Some(chars.as_str()),
            '\\' => out.push(chars.next()?),
            c => out.push(c),
        }
    }
}

/// RFC 2046 section 5.1.1: 1 to 70 characters of a few kinds, the last one no blank.
fn is_valid(boundary: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
    (1..=70).contains(&boundary.len()) && boundary.bytes().all(is_allowed) && !boundary.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b28_a_content_type_without_boundary_is_completed() {
        let given = |boundary: &str| Declared::Given(boundary.to_owned());
        let missing = |value: &str| Declared::Missing(value.to_owned());
        let longest = "x".repeat(70);
        for (value, declared) in [
            ("text/plain; boundary=a", Declared::NotMultipart),
            ("multipart", Declared::NotMultipart),
            ("", Declared::NotMultipart),
            ("multipart/form-data", missing("multipart/form-data; boundary=B")),
            ("Multipart/Form-Data ; ", missing("Multipart/Form-Data; boundary=B")),
            ("multipart/mixed;charset=utf-8", missing("multipart/mixed;charset=utf-8; boundary=B")),
            (
                "multipart/form-data; x=\"; boundary=a\"",
                missing("multipart/form-data; x=\"; boundary=a\"; boundary=B"),
            ),
            ("multipart/form-data; boundary=a'+_-.9", given("a'+_-.9")),
            ("multipart/form-data; boundary=\"a'()+_,-./:=?9\"", given("a'()+_,-./:=?9")),
            ("multipart/form-data;BOUNDARY=\"a b\" ; q", given("a b")),
            ("multipart/form-data; boundary=\"a\\b\"; x=y", given("ab")),
            (&format!("multipart/form-data; boundary={longest}"), given(&longest)),
            (&format!("multipart/form-data; boundary={longest}x"), Declared::Invalid),
            ("multipart/form-data; boundary=", Declared::Invalid),
            ("multipart/form-data; boundary=\"a \"", Declared::Invalid),
            ("multipart/form-data; boundary=\"a", Declared::Invalid),
            ("multipart/form-data; boundary=\"a\"b", Declared::Invalid),
            ("multipart/form-data; boundary=a*b", Declared::Invalid),
            ("multipart/form-data; boundary=a b", Declared::Invalid),
            ("multipart/form-data; boundary= a", Declared::Invalid),
            ("multipart/form-data; boundary=a/b", Declared::Invalid),
            ("multipart/form-data; boundary=a; boundary=a", Declared::Invalid),
            ("multipart/form-data; boundary=\u{e9}", Declared::Invalid),
        ] {
            assert_eq!(Declared::read(value.as_bytes(), "B"), declared, "{value}");
        }
        assert_eq!(Declared::read(b"multipart/form-data; x=\xff", "B"), Declared::Invalid);
    }

    #[test]
    fn p50_a_boundary_has_32_hexadecimal_digits() {
        let mut seed = Seed::new(0);
        let (one, two) = (draw(&mut seed), draw(&mut seed));
        assert!(one.len() == 32 && one.bytes().all(|b| b.is_ascii_hexdigit()) && is_valid(&one));
        assert_ne!(one, two);
    }
}
