//! Changes to the session's TLS settings.

use super::identity::Identity;
use super::options::{Roots, Tls};
use crate::base::change::Change;

/// Changes to the session's [`Tls`], by a request or a mount. They apply first to all of it, then to
/// the parts that requests' `verify` and `cert` set (rules M-22, D-08, D-09).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsChanges {
    /// All settings; [`Change::Remove`] is the [default](Tls::default).
    pub all: Change<Tls>,
    /// Trusted roots; [`Change::Remove`] is those of the platform alone.
    pub roots: Change<Roots>,
    /// Client certificate; [`Change::Remove`] is none.
    pub identity: Change<Identity>,
    /// Acceptance of any certificate; [`Change::Remove`] is `false`.
    pub danger_accept_invalid_certs: Change<bool>,
}

impl TlsChanges {
    /// These changes, and then the later ones.
    pub(crate) fn then(self, later: Self) -> Self {
        let before = match later.all {
            Change::Inherit => self,
            Change::Set(_) | Change::Remove => Self::default(),
        };
        let danger = before.danger_accept_invalid_certs.then(later.danger_accept_invalid_certs);
        Self {
            all: before.all.then(later.all),
            roots: before.roots.then(later.roots),
            identity: before.identity.then(later.identity),
            danger_accept_invalid_certs: danger,
        }
    }

    /// Whether they say which client certificate is sent.
    pub(crate) fn changes_identity(&self) -> bool {
        self.all != Change::Inherit || self.identity != Change::Inherit
    }

    /// Applies the changes to the session's settings.
    pub(crate) fn applied(self, session: Tls) -> Tls {
        let Self { all, roots, identity, danger_accept_invalid_certs } = self;
        let mut tls = all.applied(Some(session)).unwrap_or_default();
        if roots != Change::Inherit {
            // Roots of a request replace all roots, the extra ones of the session included.
            tls = tls.without_extra_roots().roots(roots.applied(None).unwrap_or_default());
        }
        if identity != Change::Inherit {
            tls = tls.identity(identity.applied(None));
        }
        if danger_accept_invalid_certs != Change::Inherit {
            tls = tls.danger_accept_invalid_certs(danger_accept_invalid_certs.applied(None).unwrap_or(false));
        }
        tls
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::tls::{Certificates, KeyFormat, Version};

    #[test]
    fn m22_a_request_changes_what_it_names_and_keeps_the_rest() {
        let certificates = || Certificates::from_der([b"x"]).unwrap();
        let identity = || Identity::from_der([b"x"], KeyFormat::Pkcs8, b"k").unwrap();
        let (mine, theirs) = (certificates(), certificates());
        let session = Tls::default().min_version(Version::Tls13).add_roots(mine).identity(identity());
        let apply = |changes: TlsChanges| changes.applied(session.clone());
        assert_eq!(apply(TlsChanges::default()), session);

        let open = apply(TlsChanges { danger_accept_invalid_certs: Change::Set(true), ..Default::default() });
        assert_eq!(open, session.clone().danger_accept_invalid_certs(true));
        let closed =
            TlsChanges { danger_accept_invalid_certs: Change::Remove, ..Default::default() }.applied(open);
        assert_eq!(closed, session);

        let tls = apply(TlsChanges { roots: Change::Set(theirs.clone().into()), ..Default::default() });
        assert_eq!((&tls.options().roots, &tls.options().extra_roots[..]), (&Roots::Only(theirs), &[][..]));
        let tls = apply(TlsChanges { roots: Change::Remove, ..Default::default() });
        assert_eq!((&tls.options().roots, &tls.options().extra_roots[..]), (&Roots::Platform, &[][..]));
        assert!(tls.options().identity.is_some());

        let tls = apply(TlsChanges { identity: Change::Remove, ..Default::default() });
        assert_eq!(tls, session.clone().identity(None));
        assert_eq!(apply(TlsChanges { all: Change::Remove, ..Default::default() }), Tls::default());
        let all = Tls::default().sni(false);
        assert_eq!(apply(TlsChanges { all: Change::Set(all.clone()), ..Default::default() }), all);
    }
}
