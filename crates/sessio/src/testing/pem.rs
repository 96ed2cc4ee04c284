//! Fuzz body for PEM: a valid section of a file is read, or the file is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::kind::Kind;
use crate::route::tls::{Certificates, Identity, KeyFormat, RevocationLists};

/// A parser of one kind of section.
type Parser = fn(&[u8]) -> Result<Vec<Vec<u8>>, Kind>;

/// The content of the good section that is put before and after the input.
const GOOD: &[u8] = b"good";

fn certificates(pem: &[u8]) -> Result<Vec<Vec<u8>>, Kind> {
    let all = Certificates::from_pem(pem).map_err(|fault| fault.kind())?;
    let items: Vec<Vec<u8>> = all.iter().map(<[u8]>::to_vec).collect();
    assert_eq!(all, Certificates::from_der(&items).expect("there are some"));
    Ok(items)
}

fn revocation_lists(pem: &[u8]) -> Result<Vec<Vec<u8>>, Kind> {
    let all = RevocationLists::from_pem(pem).map_err(|fault| fault.kind())?;
    Ok(all.iter().map(<[u8]>::to_vec).collect())
}

/// One section, with lines of 64 characters (RFC 7468 section 2).
fn section(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line)).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Checks a bundle. A good section after any data is the last one, and one before it is the first.
/// The items parse again from a file of their own. Line ends make no difference.
fn bundle(label: &str, parse: Parser, data: &[u8]) {
    let good = section(label, GOOD);
    let alone = parse(data);
    if let Ok(items) = &alone {
        assert!(items.iter().map(Vec::len).sum::<usize>() <= data.len(), "more bytes than the file");
        let written: String = items.iter().map(|der| section(label, der)).collect();
        assert_eq!(parse(written.as_bytes()).as_ref(), Ok(items));
    }
    let before = parse(&[good.as_bytes(), data].concat());
    let after = parse(&[data, b"\n", good.as_bytes()].concat());
    for all in [&before, &after] {
        assert!(all.is_ok() || *all == Err(Kind::InvalidTls));
    }
    if let Ok(all) = &before {
        assert_eq!(all[0], GOOD);
        assert!(alone.as_ref().map_or(all.len() == 1, |items| all[1..] == items[..]));
    }
    if let Ok(all) = &after {
        assert_eq!(all[all.len() - 1], GOOD);
    }
    let other_ends: Vec<u8> = data
        .iter()
        .flat_map(|byte| match byte {
            b'\n' => &b"\r\n"[..],
            byte => std::slice::from_ref(byte),
        })
        .copied()
        .collect();
    assert_eq!(parse(&other_ends), alone);
}

/// Checks an identity: its chain and its one key, in any order. Its debug text shows neither.
fn identity(data: &[u8]) {
    let (chain, key) = (section("CERTIFICATE", GOOD), section("EC PRIVATE KEY", b"key"));
    if let Ok(identity) = Identity::from_pem(data) {
        assert_eq!(format!("{identity:?}"), "Identity(***)");
        let (format, key) = identity.key();
        let label = match format {
            KeyFormat::Pkcs8 => "PRIVATE KEY",
            KeyFormat::Pkcs1 => "RSA PRIVATE KEY",
            KeyFormat::Sec1 => "EC PRIVATE KEY",
        };
        let chain: String = identity.chain().map(|der| section("CERTIFICATE", der)).collect();
        let again = Identity::from_pem_pair(section(label, key), chain).expect("the same identity");
        assert!(again == identity);
        // A second key makes it ambiguous.
        assert!(Identity::from_pem_pair(data, section(label, b"another")).is_err());
    }
    if let Ok(identity) = Identity::from_pem([chain.as_bytes(), key.as_bytes(), data].concat()) {
        assert_eq!(identity.key(), (KeyFormat::Sec1, &b"key"[..]));
        assert_eq!(identity.chain().next(), Some(GOOD));
    }
}

/// Parses one file as certificates, as revocation lists and as an identity.
pub fn pem(data: &[u8]) {
    bundle("CERTIFICATE", certificates, data);
    bundle("X509 CRL", revocation_lists, data);
    identity(data);
}
