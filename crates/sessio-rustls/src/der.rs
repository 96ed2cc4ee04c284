//! As much of DER as it takes to tell what is wrong with a certificate that was refused.

/// The content of the first element, which has this tag; `bytes` go on behind it.
fn element<'a>(bytes: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let [found, first, rest @ ..] = *bytes else { return None };
    let (len, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (digits.iter().fold(0, |len, digit| len << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    *bytes = rest;
    (*found == tag).then_some(content)
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT: u8 = 0x06;

/// 1.2.840.113549.1.1.1
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.3.6.1.5.5.7.48.2, with its tag and length.
const AUTHORITY_AT: &[u8] = &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];

/// How many bits the modulus of an RSA key has; `None` for other keys.
pub(crate) fn rsa_bits(public_key_info: &[u8]) -> Option<usize> {
    let mut info = element(&mut &*public_key_info, SEQUENCE)?;
    let algorithm = element(&mut info, SEQUENCE)?;
    if element(&mut &*algorithm, OBJECT)? != RSA {
        return None;
    }
    // The first byte of a bit string says how many bits of the last one do not count.
    let key = element(&mut info, BIT_STRING)?.get(1..)?;
    let modulus = element(&mut element(&mut &*key, SEQUENCE)?, INTEGER)?;
    let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    Some(modulus.len() * 8 - usize::try_from(modulus.first()?.leading_zeros()).unwrap_or(0))
}

/// Whether a certificate says where that of its authority can be had, as those do whose authority is no root
/// (RFC 5280 section 4.2.2.1).
pub(crate) fn names_authority(certificate: &[u8]) -> bool {
    certificate.windows(AUTHORITY_AT.len()).any(|window| window == AUTHORITY_AT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_rsa_keys_is_told() {
        let wrap = |tag: u8, content: &[u8]| {
            let len = u16::try_from(content.len()).unwrap().to_be_bytes();
            [&[tag, 0x82, len[0], len[1]], content].concat()
        };
        let key = |modulus: &[u8], algorithm: &[u8]| {
            let key = wrap(SEQUENCE, &[wrap(INTEGER, modulus), vec![INTEGER, 1, 3]].concat());
            let algorithm = wrap(SEQUENCE, &wrap(OBJECT, algorithm));
            wrap(SEQUENCE, &[algorithm, wrap(BIT_STRING, &[vec![0], key].concat())].concat())
        };
        let bits = |bytes: usize| [vec![0], vec![0xff; bytes]].concat();
        assert_eq!(rsa_bits(&key(&bits(128), RSA)), Some(1024));
        assert_eq!(rsa_bits(&key(&bits(256), RSA)), Some(2048));
        assert_eq!(rsa_bits(&key(&[0x7f], RSA)), Some(7));
        assert_eq!(rsa_bits(&key(&bits(256), &RSA[1..])), None);
        let whole = key(&bits(128), RSA);
        for cut in 0..whole.len() {
            assert_eq!(rsa_bits(&whole[..cut]), None, "{cut}");
        }
    }
}
