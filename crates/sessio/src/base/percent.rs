//! Percent-encoding (RFC 3986 section 2.1) and hexadecimal digits.

/// The value of a hexadecimal digit of either case.
pub(crate) const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// `%` and two upper-case digits.
pub(crate) const fn encode(byte: u8) -> [u8; 3] {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    [b'%', HEX[(byte >> 4) as usize], HEX[(byte & 15) as usize]]
}

/// Appends `%` and two upper-case digits.
pub(crate) fn push(byte: u8, out: &mut String) {
    out.extend(encode(byte).map(char::from));
}

/// The byte that these bytes begin with, if they begin with `%` and two digits.
pub(crate) const fn first(bytes: &[u8]) -> Option<u8> {
    if let [b'%', high, low, ..] = bytes
        && let (Some(high), Some(low)) = (hex_digit(*high), hex_digit(*low))
    {
        return Some(high << 4 | low);
    }
    None
}

/// Decodes percent-encoding. A `%` without two digits stays (rule P-51).
pub(crate) fn decode(text: &str) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut out = Vec::with_capacity(rest.len());
    while let [byte, tail @ ..] = rest {
        let decoded = first(rest);
        out.push(decoded.unwrap_or(*byte));
        rest = if decoded.is_some() { &rest[3..] } else { tail };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_comes_back() {
        for byte in 0..=u8::MAX {
            let mut text = String::new();
            push(byte, &mut text);
            assert_eq!(text, format!("%{byte:02X}"));
            assert_eq!(first(&encode(byte)), Some(byte));
            assert_eq!(decode(&text), [byte]);
            assert_eq!(decode(&text.to_lowercase()), [byte]);
            assert_eq!(hex_digit(byte).map(u32::from), char::from(byte).to_digit(16));
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in ["", "%", "%4", "%4g", "%g4", "%+4", "% 4", "a%", "100%"] {
            assert_eq!(decode(text), text.as_bytes());
        }
        assert_eq!(decode("p%40ss%zz%"), b"p@ss%zz%");
        assert_eq!(decode("%%41"), b"%A");
        assert_eq!(decode("\u{e9}%c3%a9"), "\u{e9}\u{e9}".as_bytes());
    }
}
