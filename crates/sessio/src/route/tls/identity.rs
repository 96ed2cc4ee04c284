//! The client's identity: a certificate and its key.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::pem;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;

/// A client certificate with its private key, for servers that ask for one. `Debug` shows neither.
///
/// A clone shares its memory. Identities with the same bytes are equal, and share connections.
#[derive(Clone)]
pub struct Identity(Arc<Own>);

#[derive(PartialEq, Eq)]
struct Own {
    chain: Vec<Box<[u8]>>,
    format: KeyFormat,
    key: Box<[u8]>,
}

/// The encoding of a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFormat {
    /// `PRIVATE KEY` (RFC 5958).
    Pkcs8,
    /// `RSA PRIVATE KEY` (RFC 8017).
    Pkcs1,
    /// `EC PRIVATE KEY` (RFC 5915).
    Sec1,
}

impl Identity {
    /// Parses the certificates and the one private key of a PEM file, in any order. The client's
    /// own certificate is the first one (rule D-09).
    ///
    /// # Errors
    /// [`Kind::InvalidTls`] if there is no certificate, no key or more than one, or the key is
    /// encrypted. A key that does not fit the certificate is reported when a connection is opened,
    /// before anything is sent.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        let (mut chain, mut keys) = (Vec::new(), Vec::new());
        for section in pem::sections(pem.as_ref()) {
            let section = section?;
            let format = match section.label {
                "CERTIFICATE" => {
                    chain.push(section.der()?.into());
                    continue;
                }
                "PRIVATE KEY" => KeyFormat::Pkcs8,
                "RSA PRIVATE KEY" => KeyFormat::Pkcs1,
                "EC PRIVATE KEY" => KeyFormat::Sec1,
                "ENCRYPTED PRIVATE KEY" => return Err(invalid("an encrypted key: decrypt it first")),
                _ => continue,
            };
            keys.push((format, section.der()?.into()));
        }
        match <[_; 1]>::try_from(keys) {
            Ok([(format, key)]) => Self::of(chain, format, key),
            Err(keys) if keys.is_empty() => Err(invalid("no private key in the identity")),
            Err(_) => Err(invalid("more than one private key in the identity")),
        }
    }

    /// Parses two files, such as requests' `cert=(certificate, key)`.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem).
    pub fn from_pem_pair(chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self> {
        Self::from_pem([chain.as_ref(), b"\n", key.as_ref()].concat())
    }

    /// Takes a chain, the client's own certificate first, and its key, each as DER.
    ///
    /// # Errors
    /// [`Kind::InvalidTls`] if the chain is empty.
    pub fn from_der<B: AsRef<[u8]>>(
        chain: impl IntoIterator<Item = B>,
        format: KeyFormat,
        key: impl AsRef<[u8]>,
    ) -> Result<Self> {
        Self::of(chain.into_iter().map(|der| der.as_ref().into()).collect(), format, key.as_ref().into())
    }

    fn of(chain: Vec<Box<[u8]>>, format: KeyFormat, key: Box<[u8]>) -> Result<Self> {
        if chain.is_empty() {
            return Err(invalid("no certificate in the identity"));
        }
        Ok(Self(Arc::new(Own { chain, format, key })))
    }

    /// The chain, the client's own certificate first, each as DER.
    pub fn chain(&self) -> impl Iterator<Item = &[u8]> {
        self.0.chain.iter().map(|der| &**der)
    }

    /// The private key, for signing. It is secret.
    #[must_use]
    pub fn key(&self) -> (KeyFormat, &[u8]) {
        (self.0.format, &self.0.key)
    }
}

fn invalid(why: &'static str) -> Fault {
    Fault::new(Kind::InvalidTls).with_detail(why)
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(***)")
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for Identity {}

/// Hashes the chain only: the key is secret.
impl Hash for Identity {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.chain.hash(hasher);
    }
}
