//! Secret bytes, and the credentials made of them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes that are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(crate) Box<[u8]>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The value of Basic credentials (RFC 7617 section 2).
pub(crate) fn basic(user: &[u8], password: &[u8]) -> Vec<u8> {
    let mut value = String::from("Basic ");
    STANDARD.encode_string([user, b":", password].concat(), &mut value);
    value.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a01_b13_basic_is_utf8() {
        assert_eq!(basic(b"user", b"pass"), b"Basic dXNlcjpwYXNz");
        assert_eq!(basic("\u{fc}".as_bytes(), b""), b"Basic w7w6");
    }
}
