//! Text around DER (RFC 7468).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, Kind, Result};

/// One section of a file.
pub(super) struct Section<'a> {
    pub(super) label: &'a str,
    pub(super) der: Vec<u8>,
}

/// The sections of a file in their order; lines outside of them are passed over, as is what people write above their
/// certificates.
pub(super) fn sections(pem: &[u8]) -> impl Iterator<Item = Result<Section<'_>>> {
    let mut lines = pem.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    std::iter::from_fn(move || {
        let label = lines.find_map(|line| marker(line, "-----BEGIN "))?;
        let mut text = Vec::new();
        for line in lines.by_ref() {
            if let Some(end) = marker(line, "-----END ") {
                if end != label {
                    return Some(Err(broken("a section of PEM ends under another name")));
                }
                return Some(match STANDARD.decode(&text) {
                    Ok(der) => Ok(Section { label, der }),
                    Err(_) => Err(broken("a section of PEM is not base64")),
                });
            }
            // The headers of old encrypted keys; the key itself is no DER then, and its label says nothing of that.
            if line.contains(&b':') {
                return Some(Err(broken("an encrypted key: decrypt it first")));
            }
            text.extend_from_slice(line);
        }
        Some(Err(broken("a section of PEM has no end")))
    })
}

fn marker<'a>(line: &'a [u8], begins: &str) -> Option<&'a str> {
    let label = line.strip_prefix(begins.as_bytes())?.strip_suffix(b"-----")?;
    std::str::from_utf8(label).ok()
}

fn broken(why: &'static str) -> Error {
    Error::new(Kind::InvalidTls).with_detail(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pem: &str) -> Result<Vec<(String, Vec<u8>)>> {
        sections(pem.as_bytes()).map(|s| s.map(|s| (s.label.to_owned(), s.der))).collect()
    }

    #[test]
    fn sections_are_found_among_other_text() {
        let one = "-----BEGIN A B-----\r\nAAEC\r\nAw==\r\n-----END A B-----";
        let all = format!("subject: x\n{one}\n\nnoise: y\n  {one}  \n");
        let section = ("A B".to_owned(), vec![0, 1, 2, 3]);
        assert_eq!(read(&all).unwrap(), [section.clone(), section]);
        assert_eq!(read("").unwrap(), []);
    }

    #[test]
    fn what_is_broken_is_an_error() {
        for pem in [
            "-----BEGIN A-----\nAAEC",
            "-----BEGIN A-----\nAAEC\n-----END B-----",
            "-----BEGIN A-----\n!\n-----END A-----",
            "-----BEGIN A-----\nAAE\n-----END A-----",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAEC\n-----END RSA PRIVATE KEY-----",
        ] {
            assert_eq!(read(pem).unwrap_err().kind(), Kind::InvalidTls, "{pem}");
        }
    }
}
