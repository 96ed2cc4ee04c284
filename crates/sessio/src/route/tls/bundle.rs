//! Certificates and revocation lists, as DER.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::pem;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;

/// A number that no other bundle or identity of the process has. It stands for their bytes in the pool's key.
pub(super) fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

macro_rules! bundle {
    ($(#[$doc:meta])* $name:ident [$($label:literal)+] $what:literal) => {
        $(#[$doc])*
        ///
        /// Read it once and keep it: a clone costs nothing and is the same bundle, while one that is read anew is another
        /// to the pool, and gets connections of its own.
        #[derive(Clone)]
        pub struct $name(Arc<(u64, Vec<Box<[u8]>>)>);

        impl $name {
            #[doc = concat!("All of the ", $what, " in a PEM file (RFC 7468); what else stands in it, such as keys, is passed over.")]
            ///
            /// # Errors
            /// [`Kind::InvalidTls`] if there are none, or the text of one is broken.
            pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
                let mut all = Vec::new();
                for section in pem::sections(pem.as_ref()) {
                    let section = section?;
                    if [$($label),+].contains(&section.label) {
                        all.push(section.der()?.into());
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
                    return Err(Fault::new(Kind::InvalidTls).with_detail(concat!("no ", $what, " in the bundle")));
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
    // The second name is that of old tools.
    Certificates ["CERTIFICATE" "X509 CERTIFICATE"] "certificates"
}

bundle! {
    /// Lists of certificates that hold no longer (RFC 5280 section 5).
    RevocationLists ["X509 CRL"] "revocation lists"
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";

    #[test]
    fn fb5_what_is_no_certificate_is_passed_over() {
        for other in [
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n\nAAEC\n-----END RSA PRIVATE KEY-----\n",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAEC\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: 1\n\nAAEC\n=AAEC\n-----END PGP PUBLIC KEY BLOCK-----\n",
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n-----BEGIN PGP SIGNATURE-----\n\nAAEC\n=x\n-----END PGP SIGNATURE-----\n",
            "-----BEGIN PRIVATE KEY-----\ncut\n",
            "-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n",
            "a letter\n",
        ] {
            for pem in [
                format!("{other}{GOOD}{GOOD}"),
                format!("{GOOD}{other}{GOOD}"),
                format!("{GOOD}{GOOD}{other}"),
            ] {
                assert_eq!(Certificates::from_pem(&pem).unwrap().iter().count(), 2, "{pem}");
            }
            let error = Certificates::from_pem(other).unwrap_err();
            assert!(error.to_string().contains("no certificates in the bundle"), "{error}");
        }
    }

    #[test]
    fn fb5_fb10_no_certificate_is_lost_without_a_word() {
        for (pem, count) in [
            (format!("\u{feff}{GOOD}"), 1),
            (GOOD.replace('\n', "\r"), 1),
            (format!("{GOOD}{}", GOOD.replace("CERTIFICATE", "X509 CERTIFICATE")), 2),
        ] {
            assert_eq!(Certificates::from_pem(&pem).unwrap().iter().count(), count, "{pem}");
        }
        let half = &GOOD[..GOOD.len() - 10];
        for pem in [
            format!("{GOOD}{half}"),
            format!("{half}\n{GOOD}"),
            format!("{GOOD}x{GOOD}"),
            GOOD.replace("MAA=", "MA"),
        ] {
            let error = Certificates::from_pem(&pem).unwrap_err();
            assert!(error.to_string().contains("a section of PEM"), "{pem}: {error}");
        }
    }
}
