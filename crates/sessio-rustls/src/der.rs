//! A minimal DER parser. It finds the fault in a refused certificate, and the end of a validity
//! period.

/// The content of the first element, which must have this tag; `bytes` advance past it.
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
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The version of a certificate; it is omitted for version 1.
const VERSION: u8 = 0xa0;

/// OID 1.2.840.113549.1.1.1
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// OID 1.3.6.1.5.5.7.48.2, with its tag and length.
const AUTHORITY_AT: &[u8] = &[0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];

/// Bits of the modulus of an RSA key; `None` for other keys.
pub(crate) fn rsa_bits(public_key_info: &[u8]) -> Option<usize> {
    let mut info = element(&mut &*public_key_info, SEQUENCE)?;
    let algorithm = element(&mut info, SEQUENCE)?;
    if element(&mut &*algorithm, OBJECT)? != RSA {
        return None;
    }
    // The first byte of a bit string is the number of unused bits in the last one.
    let key = element(&mut info, BIT_STRING)?.get(1..)?;
    let modulus = element(&mut element(&mut &*key, SEQUENCE)?, INTEGER)?;
    let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    Some(modulus.len() * 8 - usize::try_from(modulus.first()?.leading_zeros()).unwrap_or(0))
}

/// Returns `true` if a certificate has a URL for its issuer's certificate. Certificates whose
/// issuer is no root do (RFC 5280 section 4.2.2.1).
pub(crate) fn names_authority(certificate: &[u8]) -> bool {
    certificate.windows(AUTHORITY_AT.len()).any(|window| window == AUTHORITY_AT)
}

/// The last second of a certificate's validity, since 1970 (RFC 5280 section 4.1.2.5). 0 for a time
/// before 1970.
pub(crate) fn not_after(certificate: &[u8]) -> Option<u64> {
    let mut signed = element(&mut element(&mut &*certificate, SEQUENCE)?, SEQUENCE)?;
    if signed.first() == Some(&VERSION) {
        element(&mut signed, VERSION)?;
    }
    let _serial = element(&mut signed, INTEGER)?;
    let _algorithm = element(&mut signed, SEQUENCE)?;
    let _issuer = element(&mut signed, SEQUENCE)?;
    let mut validity = element(&mut signed, SEQUENCE)?;
    let _not_before = time(&mut validity)?;
    time(&mut validity)
}

/// Parses a time of a certificate, which must have seconds and be in UTC.
fn time(bytes: &mut &[u8]) -> Option<u64> {
    let tag = *bytes.first()?;
    let digits = element(bytes, tag)?.strip_suffix(b"Z")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |digits: &[u8]| digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = digits.split_at_checked(2)?;
            let year = number(year);
            (year + if year < 50 { 2000 } else { 1900 }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = digits.split_at_checked(4)?;
            (number(year), rest)
        }
        _ => return None,
    };
    let [month, day, hour, minute, second] =
        [0, 2, 4, 6, 8].map(|at| rest.get(at..at + 2).map_or(-1, number));
    if rest.len() != 10 || !(1..=12).contains(&month) {
        return None;
    }
    // Years begin with March here, so that a leap day is the last day.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = days + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(u64::try_from(days * 86_400 + hour * 3600 + minute * 60 + second).unwrap_or(0))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
        let len = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82, len[0], len[1]], content].concat()
    }

    /// The parts of a certificate that are read.
    fn certificate(version: &[u8], not_after: &[u8]) -> Vec<u8> {
        let not_before = wrap(UTC_TIME, b"700101000000Z");
        let fields = [
            version.to_vec(),
            wrap(INTEGER, &[1]),
            wrap(SEQUENCE, b""),
            wrap(SEQUENCE, b"issuer"),
            wrap(SEQUENCE, &[&not_before, not_after].concat()),
            wrap(SEQUENCE, b"subject"),
        ];
        wrap(SEQUENCE, &wrap(SEQUENCE, &fields.concat()))
    }

    /// A certificate that ends at a second of the year 2026.
    pub(crate) fn certificate_until(second: u64) -> Vec<u8> {
        let (days, second) = ((second - 1_767_225_600) / 86_400, second % 86_400);
        assert!(days < 31, "it ends in January");
        let text =
            format!("202601{:02}{:02}{:02}{:02}Z", days + 1, second / 3600, second / 60 % 60, second % 60);
        certificate(b"", &wrap(GENERALIZED_TIME, text.as_bytes()))
    }

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let version = wrap(VERSION, &wrap(INTEGER, &[2]));
        for (tag, text, second) in [
            (UTC_TIME, "700101000000Z", Some(0)),
            (UTC_TIME, "000229235959Z", Some(951_868_799)),
            (UTC_TIME, "491231235959Z", Some(2_524_607_999)),
            (UTC_TIME, "500101000000Z", Some(0)),
            (GENERALIZED_TIME, "20260301000000Z", Some(1_772_323_200)),
            (GENERALIZED_TIME, "20500101000000Z", Some(2_524_608_000)),
            (GENERALIZED_TIME, "21000301010203Z", Some(4_107_546_123)),
            (GENERALIZED_TIME, "99991231235959Z", Some(253_402_300_799)),
            (GENERALIZED_TIME, "00000101000000Z", Some(0)),
            (GENERALIZED_TIME, "20261301000000Z", None),
            (GENERALIZED_TIME, "20260001000000Z", None),
            (GENERALIZED_TIME, "20260301000000+", None),
            (GENERALIZED_TIME, "2026030100000Z", None),
            (GENERALIZED_TIME, "202603010000000Z", None),
            (GENERALIZED_TIME, "2026030100000xZ", None),
            (UTC_TIME, "Z", None),
            (INTEGER, "20260301000000Z", None),
        ] {
            let whole = certificate(&version, &wrap(tag, text.as_bytes()));
            assert_eq!(not_after(&whole), second, "{text}");
            assert_eq!(not_after(&certificate(b"", &wrap(tag, text.as_bytes()))), second, "{text}");
            for cut in 0..whole.len() {
                assert_eq!(not_after(&whole[..cut]), None, "{text} {cut}");
            }
        }
        assert_eq!(not_after(&certificate_until(1_767_225_600 + 90_061)), Some(1_767_225_600 + 90_061));
    }

    #[test]
    fn the_size_of_rsa_keys_is_told() {
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
