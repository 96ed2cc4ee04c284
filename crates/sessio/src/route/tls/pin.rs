//! A fingerprint of a server's public key.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::escape::escape;
use crate::base::fault::Fault;
use crate::base::kind::Kind;

/// The SHA-256 of a public key, as `SubjectPublicKeyInfo` in DER (RFC 7469 section 2.4). It is
/// compared with the key of the server's own certificate; other certificates that the server sends
/// prove nothing.
///
/// The text form is that of curl's `--pinnedpubkey`:
///
/// ```
/// use sessio::tls::Pin;
///
/// let pin: Pin = "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse()?;
/// assert_eq!(pin.sha256()[1], 1);
/// assert_eq!(pin.to_string(), "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
/// # Ok::<(), sessio::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin([u8; 32]);

impl Pin {
    /// The pin with this digest.
    #[must_use]
    pub const fn from_sha256(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The digest.
    #[must_use]
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Pin {
    type Err = Fault;

    /// # Errors
    /// [`Kind::InvalidTls`] if it is not `sha256//` and 32 bytes in base64.
    fn from_str(text: &str) -> Result<Self, Fault> {
        text.strip_prefix("sha256//")
            .and_then(|text| STANDARD.decode(text).ok())
            .and_then(|digest| digest.try_into().ok())
            .map(Self)
            .ok_or_else(|| {
                let text = escape(text.as_bytes());
                let detail = format!("\"{text}\" is no pin: sha256// and 32 bytes in base64");
                Fault::new(Kind::InvalidTls).with_detail(detail)
            })
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256//{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
