//! Certificates and revocation lists, as DER.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::pem;
use crate::error::{Error, Kind, Result};

/// A number that no other bundle or identity of the process has. It stands for their bytes in the pool's key.
pub(super) fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

macro_rules! bundle {
    ($(#[$doc:meta])* $name:ident $label:literal $what:literal) => {
        $(#[$doc])*
        ///
        /// Read it once and keep it: a clone costs nothing and is the same bundle, while one that is read anew is another
        /// to the pool, and gets connections of its own.
        #[derive(Clone)]
        pub struct $name(Arc<(u64, Vec<Box<[u8]>>)>);

        impl $name {
            #[doc = concat!("All of the ", $what, " in a PEM file (RFC 7468); what else stands in it is passed over.")]
            ///
            /// # Errors
            /// [`Kind::InvalidTls`] if there are none, or the text of one is broken.
            pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
                let mut all = Vec::new();
                for section in pem::sections(pem.as_ref()) {
                    let section = section?;
                    if section.label == $label {
                        all.push(section.der.into());
                    }
                }
                Self::some(all)
            }

            #[doc = concat!("These ", $what, ", each as DER.")]
            ///
            /// # Errors
            /// [`Kind::InvalidTls`] if there are none.
            pub fn from_der<B: AsRef<[u8]>>(all: impl IntoIterator<Item = B>) -> Result<Self> {
                Self::some(all.into_iter().map(|der| der.as_ref().into()).collect())
            }

            fn some(all: Vec<Box<[u8]>>) -> Result<Self> {
                if all.is_empty() {
                    return Err(Error::new(Kind::InvalidTls).with_detail(concat!("no ", $what, " in the bundle")));
                }
                Ok(Self(Arc::new((next_number(), all))))
            }

            /// Each of them, as DER.
            pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
                self.0.1.iter().map(|der| &**der)
            }

            /// What tells it from every other bundle of the process.
            pub(super) fn number(&self) -> u64 {
                self.0.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} of them, number {})"), self.0.1.len(), self.number())
            }
        }

        /// A clone is the same bundle; two that were read apart are not, whatever is in them.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.number() == other.number()
            }
        }

        impl Eq for $name {}
    };
}

bundle! {
    /// Certificates of authorities.
    ///
    /// ```
    /// use sessio::{Kind, tls::Certificates};
    ///
    /// let pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    /// assert_eq!(Certificates::from_pem(pem)?.iter().count(), 1);
    /// assert_eq!(Certificates::from_pem("a letter").unwrap_err().kind(), Kind::InvalidTls);
    /// # Ok::<(), sessio::Error>(())
    /// ```
    Certificates "CERTIFICATE" "certificates"
}

bundle! {
    /// Lists of certificates that hold no longer (RFC 5280 section 5).
    RevocationLists "X509 CRL" "revocation lists"
}
