//! Classes of failures.

use crate::base::kind::{Kind, Timeout};

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident $text:literal;)*) => {
        /// A class of failures: the attempt brought no whole head of a response.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum FailureClass {
            $($(#[$doc])* $name,)*
        }

        impl FailureClass {
            const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in kebab-case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

classes! {
    /// The host's name has no address, or was not resolved in time.
    Resolve "resolve";
    /// No connection could be made, or not in time. The peer closed it within the TLS handshake.
    Connect "connect";
    /// A proxy refused the connection.
    Proxy "proxy";
    /// The TLS handshake failed: a certificate, an alert, no common version.
    Tls "tls";
    /// The connection ended before the head of the response was complete.
    Closed "closed";
    /// The peer did not take the request in time, or did not respond in time.
    Timeout "timeout";
}

impl FailureClass {
    /// The class of an error. `None` for errors that another attempt cannot mend: those of the
    /// caller, malformed responses, and the time limit of the whole call.
    ///
    /// ```
    /// use sessio::Kind;
    /// use sessio::retry::FailureClass;
    ///
    /// assert_eq!(FailureClass::of(Kind::ClosedBeforeResponse), Some(FailureClass::Closed));
    /// assert_eq!(FailureClass::of(Kind::InvalidHeader), None);
    /// ```
    #[must_use]
    pub const fn of(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::Resolve | Kind::Timeout(Timeout::Resolve) => Self::Resolve,
            Kind::Connect | Kind::TlsClosed | Kind::Timeout(Timeout::Connect) => Self::Connect,
            Kind::ProxyRefused => Self::Proxy,
            Kind::CertificateExpired
            | Kind::CertificateNotYetValid
            | Kind::CertificateWrongHost
            | Kind::CertificateSelfSigned
            | Kind::CertificateUnknownRoot
            | Kind::CertificateIncompleteChain
            | Kind::CertificateRevoked
            | Kind::CertificateRevocationUnknown
            | Kind::CertificateWeak
            | Kind::CertificateWrongPurpose
            | Kind::CertificateConstraint
            | Kind::CertificateNotPinned
            | Kind::InvalidPeerCertificate
            | Kind::ClientCertificate
            | Kind::TlsMismatch
            | Kind::TlsAlert
            | Kind::TlsBroken
            | Kind::NotTls => Self::Tls,
            Kind::ClosedBeforeResponse | Kind::IncompleteHead | Kind::Io => Self::Closed,
            Kind::Timeout(Timeout::Send | Timeout::Head) => Self::Timeout,
            _ => return None,
        })
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of classes of failures.
///
/// ```
/// use sessio::retry::{FailureClass, FailureSet};
///
/// let mut failures = FailureSet::default();
/// assert!(failures.contains(FailureClass::Connect) && !failures.contains(FailureClass::Tls));
/// failures.remove(FailureClass::Resolve);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FailureSet(u8);

impl FailureSet {
    /// No failure.
    pub const EMPTY: Self = Self(0);

    /// The set of these classes.
    #[must_use]
    pub fn new(classes: impl IntoIterator<Item = FailureClass>) -> Self {
        let mut set = Self::EMPTY;
        classes.into_iter().for_each(|class| set.insert(class));
        set
    }

    /// Adds a class.
    pub const fn insert(&mut self, class: FailureClass) {
        self.0 |= class.bit();
    }

    /// Removes a class.
    pub const fn remove(&mut self, class: FailureClass) {
        self.0 &= !class.bit();
    }

    /// Whether the set has this class.
    #[must_use]
    pub const fn contains(self, class: FailureClass) -> bool {
        self.0 & class.bit() != 0
    }

    /// The classes of the set.
    pub fn iter(self) -> impl Iterator<Item = FailureClass> {
        FailureClass::ALL.iter().copied().filter(move |class| self.contains(*class))
    }
}

/// Failures that often pass: `Resolve`, `Connect`, `Closed` and `Timeout`. A certificate and the
/// refusal of a proxy rarely change within seconds.
impl Default for FailureSet {
    fn default() -> Self {
        use FailureClass::{Closed, Connect, Resolve, Timeout};
        Self::new([Resolve, Connect, Closed, Timeout])
    }
}

impl std::fmt::Debug for FailureSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_the_classes_that_it_was_given() {
        for bits in 0..1 << FailureClass::ALL.len() {
            let has = |class: FailureClass| bits & class.bit() != 0;
            let set = FailureSet::new(FailureClass::ALL.iter().copied().filter(|class| has(*class)));
            assert!(FailureClass::ALL.iter().all(|class| set.contains(*class) == has(*class)), "{set:?}");
            let mut none = set;
            set.iter().for_each(|class| none.remove(class));
            assert_eq!(none, FailureSet::EMPTY);
        }
        assert_eq!(format!("{:?}", FailureSet::default()), "{Resolve, Connect, Closed, Timeout}");
    }

    /// No limit of the whole call, and no error that another attempt repeats, has a class.
    #[test]
    fn lasting_errors_have_no_class() {
        for kind in [
            Kind::Timeout(Timeout::Total),
            Kind::Timeout(Timeout::Pool),
            Kind::BodySource,
            Kind::Misuse,
            Kind::BadHead,
            Kind::BlockedAddress,
            Kind::InvalidTls,
        ] {
            assert_eq!(FailureClass::of(kind), None, "{kind}");
        }
    }
}
