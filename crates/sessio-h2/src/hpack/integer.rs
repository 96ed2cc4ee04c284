//! Integers with a prefix (RFC 7541 section 5.1).

use super::decode_error::DecodeError;

/// The largest accepted integer. Nothing in HTTP/2 needs more.
const MAX: usize = (1 << 28) - 1;

/// Reads an integer whose first `prefix` bits are the low bits of `block[*at]`.
pub(super) fn decode(block: &[u8], at: &mut usize, prefix: u32) -> Result<usize, DecodeError> {
    let mask = (1_usize << prefix) - 1;
    let mut value = usize::from(*block.get(*at).ok_or(DecodeError::Truncated)?) & mask;
    *at += 1;
    if value < mask {
        return Ok(value);
    }
    // At most four more bytes: 28 bits, any number of them zero.
    for shift in [0, 7, 14, 21] {
        let byte = *block.get(*at).ok_or(DecodeError::Truncated)?;
        *at += 1;
        value += usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return if value <= MAX { Ok(value) } else { Err(DecodeError::IntegerTooLarge) };
        }
    }
    Err(DecodeError::IntegerTooLarge)
}

/// Writes an integer; `flags` are the bits above the prefix.
pub(super) fn encode(value: usize, flags: u8, prefix: u32, out: &mut Vec<u8>) {
    let mask = (1_usize << prefix) - 1;
    if value < mask {
        return out.push(flags | value as u8);
    }
    out.push(flags | mask as u8);
    let mut rest = value - mask;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_back() {
        for prefix in 1..=8 {
            for value in [0, 1, 2, 30, 31, 32, 126, 127, 128, 254, 255, 256, 1337, 16_383, 16_384, MAX] {
                let mut out = Vec::new();
                encode(value, 0, prefix, &mut out);
                let mut at = 0;
                assert_eq!(decode(&out, &mut at, prefix), Ok(value));
                assert_eq!(at, out.len());
                for cut in 0..out.len() {
                    assert_eq!(decode(&out[..cut], &mut 0, prefix), Err(DecodeError::Truncated));
                }
            }
        }
    }

    #[test]
    fn integers_without_end_are_refused() {
        assert_eq!(
            decode(&[0xff, 0x80, 0x80, 0x80, 0x80, 0x01], &mut 0, 7),
            Err(DecodeError::IntegerTooLarge)
        );
        assert_eq!(decode(&[0xff, 0xff, 0xff, 0xff, 0x7f], &mut 0, 8), Err(DecodeError::IntegerTooLarge));
    }
}
