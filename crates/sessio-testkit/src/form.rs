//! Forms and queries: `name=value&name=value`, percent-encoded.

/// The pairs of a form or query in order, as bytes.
pub(crate) fn pairs(encoded: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    encoded
        .split(|b| *b == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut halves = pair.splitn(2, |b| *b == b'=');
            let mut half = || decode(halves.next().unwrap_or_default(), true);
            (half(), half())
        })
        .collect()
}

/// The pairs as text. Invalid UTF-8 is replaced.
pub(crate) fn text_pairs(encoded: &[u8]) -> Vec<(String, String)> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    pairs(encoded).into_iter().map(|(name, value)| (text(name), text(value))).collect()
}

/// Decodes percent-encoding. A percent sign that encodes nothing stays. A plus sign is a space in
/// forms, but not in paths.
pub(crate) fn decode(encoded: &[u8], plus: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let [first, tail @ ..] = rest {
        (rest, _) = match (first, tail) {
            (b'%', [high, low, tail @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (tail, out.push(hex(*high) << 4 | hex(*low)))
            }
            (b'+', _) if plus => (tail, out.push(b' ')),
            _ => (tail, out.push(*first)),
        };
    }
    out
}

/// Decodes a segment of a path to text.
pub(crate) fn decode_segment(segment: &str) -> String {
    String::from_utf8_lossy(&decode(segment.as_bytes(), false)).into_owned()
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_and_the_rest_stays() {
        assert_eq!(decode(b"a%20b+c%2B%e9%zz%", true), b"a b c+\xe9%zz%");
        assert_eq!(decode(b"a+b", false), b"a+b");
        let expected = [("a", "1"), ("b", ""), ("c", "=")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(text_pairs(b"a=1&&b&c=%3D"), expected);
    }
}
