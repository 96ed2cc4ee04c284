//! PEM, the text encoding of DER (RFC 7468).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::byte_order_mark::without_mark;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;

/// One section of a file, still encoded.
pub(super) struct Section<'a> {
    pub(super) label: &'a str,
    /// Its lines without line ends.
    text: Vec<u8>,
    /// The section has headers, as old encrypted keys do.
    has_headers: bool,
    ends: Ends<'a>,
}

/// The end of a section.
enum Ends<'a> {
    /// A line with this name.
    With(&'a str),
    /// The section is cut off: another one begins, or the file ends.
    Never,
}

impl Section<'_> {
    /// Decodes the section.
    ///
    /// # Errors
    /// [`Kind::InvalidTls`] if it is cut off, encrypted or no base64. It is called only for
    /// sections that are needed: others in the file may hold anything.
    pub(super) fn der(&self) -> Result<Vec<u8>> {
        match self.ends {
            Ends::With(label) if label == self.label => {}
            Ends::With(_) => return Err(broken("a section of PEM ends under another name")),
            Ends::Never => return Err(broken("a section of PEM has no end")),
        }
        if self.has_headers {
            return Err(broken("an encrypted key: decrypt it first"));
        }
        STANDARD.decode(&self.text).map_err(|_| broken("a section of PEM is not base64"))
    }
}

/// The sections of a file in their order. Lines outside of them are skipped, such as the notes
/// above certificates. Lines end with LF, CRLF or CR, and a byte order mark may come first.
///
/// # Errors
/// [`Kind::InvalidTls`] at the end of a section that has not begun: its first line is broken, and
/// the section would be lost silently.
pub(super) fn sections(pem: &[u8]) -> impl Iterator<Item = Result<Section<'_>>> {
    let mut lines = pem.split(|b| matches!(b, b'\n' | b'\r')).map(|line| without_mark(line.trim_ascii()));
    // A line that ended a section because it begins the next one.
    let mut held = None;
    std::iter::from_fn(move || {
        let label = match held.take() {
            Some(label) => label,
            None => loop {
                let line = lines.next()?;
                if marker(line, "-----END ").is_some() {
                    return Some(Err(broken("a section of PEM ends and has not begun")));
                }
                if let Some(label) = marker(line, "-----BEGIN ") {
                    break label;
                }
            },
        };
        let mut section = Section { label, text: Vec::new(), has_headers: false, ends: Ends::Never };
        for line in lines.by_ref() {
            if let Some(end) = marker(line, "-----END ") {
                section.ends = Ends::With(end);
                break;
            }
            held = marker(line, "-----BEGIN ");
            if held.is_some() {
                break;
            }
            section.has_headers |= line.contains(&b':');
            section.text.extend_from_slice(line);
        }
        Some(Ok(section))
    })
}

fn marker<'a>(line: &'a [u8], begins: &str) -> Option<&'a str> {
    let label = line.strip_prefix(begins.as_bytes())?.strip_suffix(b"-----")?;
    std::str::from_utf8(label).ok()
}

fn broken(why: &'static str) -> Fault {
    Fault::new(Kind::InvalidTls).with_detail(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pem: &str) -> Result<Vec<(String, Vec<u8>)>> {
        sections(pem.as_bytes())
            .map(|section| section.and_then(|section| Ok((section.label.to_owned(), section.der()?))))
            .collect()
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
    fn fb10_a_byte_order_mark_and_every_line_end() {
        let one = "-----BEGIN A-----\nAAEC\nAw==\n-----END A-----\n";
        let section = ("A".to_owned(), vec![0, 1, 2, 3]);
        for end in ["\n", "\r\n", "\r"] {
            // Joined files have a byte order mark in the middle.
            let all = format!("\u{feff}{one}\u{feff}{one}").replace('\n', end);
            assert_eq!(read(&all).unwrap(), [section.clone(), section.clone()], "{end:?}");
        }
    }

    #[test]
    fn what_is_broken_is_an_error() {
        for pem in [
            "-----BEGIN A-----\nAAEC",
            "-----BEGIN A-----\nAAEC\n-----END B-----",
            "-----BEGIN A-----\n!\n-----END A-----",
            "-----BEGIN A-----\nAAE\n-----END A-----",
            "-----BEGIN A-----\nAAEC\n-----BEGIN A-----\nAAEC\n-----END A-----",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAEC\n-----END RSA PRIVATE KEY-----",
            "x-----BEGIN A-----\nAAEC\n-----END A-----",
            "-----END A-----",
        ] {
            assert_eq!(read(pem).unwrap_err().kind(), Kind::InvalidTls, "{pem}");
        }
    }
}
