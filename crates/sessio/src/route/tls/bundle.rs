//! Certificates and revocation lists, as DER.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::pem;
use crate::base::fault::{Fault, Result};
use crate::base::fnv::Fnv;
use crate::base::kind::Kind;

/// The items of a bundle, and their digest: keys of the pool are hashed for every request.
#[derive(PartialEq, Eq)]
struct Bundle {
    digest: u64,
    all: Vec<Box<[u8]>>,
}

impl Bundle {
    fn new(all: Vec<Box<[u8]>>) -> Self {
        let mut digest = Fnv::default();
        all.hash(&mut digest);
        Self { digest: digest.finish(), all }
    }
}

macro_rules! bundle {
    ($(#[$doc:meta])* $name:ident [$($label:literal)+] $what:literal) => {
        $(#[$doc])*
        ///
        /// A clone shares its memory. Bundles with the same bytes in the same order are equal, and
        /// share connections.
        #[derive(Clone)]
        pub struct $name(Arc<Bundle>);

        impl $name {
            #[doc = concat!("Parses the ", $what, " of a PEM file (RFC 7468); other sections, such as keys, are skipped.")]
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

            #[doc = concat!("Takes ", $what, ", each as DER.")]
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
                Ok(Self(Arc::new(Bundle::new(all))))
            }

            /// Iterates over the items, as DER.
            pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
                self.0.all.iter().map(|der| &**der)
            }
        }

        impl $name {
            pub(super) fn digest(&self) -> u64 {
                self.0.digest
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.all.len())
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
            }
        }

        impl Eq for $name {}

        impl Hash for $name {
            fn hash<H: Hasher>(&self, hasher: &mut H) {
                hasher.write_u64(self.0.digest);
            }
        }
    };
}

bundle! {
    /// CA certificates.
    ///
    /// ```
    /// use sessio::{Kind, tls::Certificates};
    ///
    /// let pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    /// assert_eq!(Certificates::from_pem(pem)?.iter().count(), 1);
    /// assert_eq!(Certificates::from_pem("a letter").unwrap_err().kind(), Kind::InvalidTls);
    /// # Ok::<(), sessio::Error>(())
    /// ```
    // Old tools write the second name.
    Certificates ["CERTIFICATE" "X509 CERTIFICATE"] "certificates"
}

bundle! {
    /// Certificate revocation lists (RFC 5280 section 5).
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
