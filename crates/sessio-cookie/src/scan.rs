//! Searching the bytes of a header, eight at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The position of the first `wanted`, which is an ASCII byte.
pub(crate) fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    let pattern = ONES * u64::from(wanted);
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        // A byte of `zeros` is zero if the byte is the wanted one. Only the lowest mark is always
        // exact.
        let zeros = u64::from_le_bytes(*word) ^ pattern;
        let marks = zeros.wrapping_sub(ONES) & !zeros & HIGHS;
        if marks != 0 {
            return Some(at * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    let tail = bytes.len() - rest.len();
    rest.iter().position(|&byte| byte == wanted).map(|at| tail + at)
}

/// The bytes before and after the first `separator`.
pub(crate) fn cut(bytes: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match find(bytes, separator) {
        Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
        None => (bytes, None),
    }
}

/// Whether there is a control character other than HTAB. It has no early exit within a block, so
/// that the compiler can vectorise it.
pub(crate) fn has_control(bytes: &[u8]) -> bool {
    let control = |byte: &u8| (*byte < 0x20 && *byte != b'\t') | (*byte == 0x7f);
    let (blocks, rest) = bytes.as_chunks::<32>();
    blocks.iter().any(|block| block.iter().fold(false, |found, byte| found | control(byte)))
        | rest.iter().fold(false, |found, byte| found | control(byte))
}

/// The bytes without SP and HTAB at both ends.
pub(crate) const fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finding_is_position() {
        let text: Vec<u8> = (0..=255u8).chain(b"aaaa;;;;=:;<:;<".iter().copied()).collect();
        for start in 0..40 {
            for wanted in [b';', b'=', 0, 0x7f] {
                for end in start..text.len() {
                    let part = &text[start..end];
                    assert_eq!(find(part, wanted), part.iter().position(|&byte| byte == wanted));
                }
            }
        }
    }

    #[test]
    fn controls_at_every_place() {
        for length in 0..70 {
            let mut text = vec![b'\t'; length];
            assert!(!has_control(&text));
            for at in 0..length {
                for byte in 0..=255u8 {
                    text[at] = byte;
                    assert_eq!(has_control(&text), byte.is_ascii_control() && byte != b'\t', "{byte}");
                }
                text[at] = 0xff;
            }
        }
    }

    #[test]
    fn only_blanks_are_trimmed() {
        assert_eq!(trim(b" \t a \t b\t "), b"a \t b");
        assert_eq!(trim(b" \t "), b"");
        assert_eq!(trim(b"\x0ba\xa0"), b"\x0ba\xa0");
    }
}
