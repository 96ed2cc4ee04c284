//! The secrets, their owners, and their forms on the wire.

use base64::prelude::{BASE64_STANDARD, Engine as _};

/// A secret.
pub(crate) struct Secret {
    /// Its mark.
    pub(crate) mark: &'static str,
    /// Its owner.
    pub(crate) owner: Owner,
}

/// The parties that may read a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The origin that the request was made for, until the first redirect that leaves it.
    First,
    /// Like `First`, if that origin is the one of the base URL, or if there is no base URL.
    Session,
    /// Like `Session`, if the origin is https.
    SecureSession,
    /// Every origin of this host.
    Host(&'static str),
    /// Every https origin of this host.
    SecureHost(&'static str),
    /// Every origin of this host and of the hosts below it.
    Domain(&'static str),
    /// This proxy.
    Proxy(&'static str),
    /// Like `First`, if the origin is https.
    SecureFirst,
    /// This origin.
    Origin(&'static str),
    /// Like `Origin`, while no redirect has left that origin.
    FirstMount(&'static str),
    /// Like `FirstMount`, and only a request for the first path.
    MountPath(&'static str),
    /// No party.
    Nobody,
}

impl Owner {
    /// Whether `who` may read it. `first` is the origin of the request, `is_home` whether no
    /// redirect has left it, and `is_sessions` whether the session's credentials apply to it.
    pub(crate) fn is(self, who: &str, first: &str, is_home: bool, is_sessions: bool) -> bool {
        let host = || who.split("://").nth(1).and_then(|rest| rest.rsplit_once(':')).map(|(host, _)| host);
        match self {
            Self::First => is_home && who == first,
            Self::Session => is_sessions && is_home && who == first,
            Self::SecureFirst => is_home && who == first && who.starts_with("https://"),
            Self::SecureSession => is_sessions && is_home && who == first && who.starts_with("https://"),
            Self::Host(name) => host() == Some(name),
            Self::SecureHost(name) => who.starts_with("https://") && host() == Some(name),
            Self::Domain(name) => host().is_some_and(|host| {
                host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }),
            Self::Proxy(name) | Self::Origin(name) => who == name,
            Self::FirstMount(origin) | Self::MountPath(origin) => is_home && who == first && who == origin,
            Self::Nobody => false,
        }
    }

    /// Whether it may be in this request, by the path of the request.
    pub(crate) fn is_path_of(self, request: &str) -> bool {
        !matches!(self, Self::MountPath(_)) || request.contains("/0 HTTP/1.1")
    }
}

/// All secrets. Credentials are sent as base64 of `user:password`, so each pair is a mark of its
/// own.
pub(crate) const SECRETS: [Secret; 34] = [
    Secret { mark: "MARK-session:MARK-session-password", owner: Owner::Session },
    Secret { mark: "MARK-session-key", owner: Owner::Session },
    Secret { mark: "MARK-session-line", owner: Owner::Session },
    Secret { mark: "MARK-request:MARK-request-password", owner: Owner::First },
    Secret { mark: "MARK-bearer", owner: Owner::First },
    Secret { mark: "MARK-by-hand", owner: Owner::First },
    Secret { mark: "MARK-url:MARK-url-password", owner: Owner::First },
    Secret { mark: "MARK-cookie", owner: Owner::First },
    Secret { mark: "MARK-line", owner: Owner::First },
    Secret { mark: "MARK-key", owner: Owner::First },
    Secret { mark: "MARK-listed", owner: Owner::First },
    Secret { mark: "MARK-jar-a.test.", owner: Owner::Host("a.test") },
    Secret { mark: "MARK-jar-b.test.", owner: Owner::Host("b.test") },
    Secret { mark: "MARK-jar-sub.a.test.", owner: Owner::Host("sub.a.test") },
    Secret { mark: "MARK-secure-a.test.", owner: Owner::SecureHost("a.test") },
    Secret { mark: "MARK-secure-b.test.", owner: Owner::SecureHost("b.test") },
    Secret { mark: "MARK-secure-sub.a.test.", owner: Owner::SecureHost("sub.a.test") },
    Secret { mark: "MARK-domain", owner: Owner::Domain("a.test") },
    Secret { mark: "MARK-netrc-a:MARK-netrc-a-password", owner: Owner::Host("a.test") },
    Secret { mark: "MARK-netrc-b:MARK-netrc-b-password", owner: Owner::Host("b.test") },
    Secret { mark: "MARK-one:MARK-one-password", owner: Owner::Proxy("one.proxy") },
    Secret { mark: "MARK-two:MARK-two-password", owner: Owner::Proxy("two.proxy") },
    Secret { mark: "MARK-two-header", owner: Owner::Proxy("two.proxy") },
    Secret { mark: "MARK-three:MARK-three-password", owner: Owner::Proxy("three.proxy") },
    Secret { mark: "MARK-certificate", owner: Owner::SecureSession },
    Secret { mark: "MARK-own-certificate", owner: Owner::SecureFirst },
    Secret { mark: "MARK-private-key", owner: Owner::Nobody },
    Secret { mark: "MARK-client:MARK-client-password", owner: Owner::Origin("https://auth.test:443") },
    Secret { mark: "MARK-token", owner: Owner::First },
    Secret { mark: "MARK-jar-auth.test.", owner: Owner::Host("auth.test") },
    Secret { mark: "MARK-mount-token", owner: Owner::Origin("https://b.test:443") },
    Secret { mark: "MARK-mount-key", owner: Owner::FirstMount("https://b.test:443") },
    Secret { mark: "MARK-mount-bearer", owner: Owner::FirstMount("https://b.test:443") },
    Secret { mark: "MARK-path:MARK-path-password", owner: Owner::MountPath("http://a.test:8080") },
];

impl Secret {
    /// Whether these bytes contain it.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        let Some((user, password)) = self.mark.split_once(':') else { return text.contains(self.mark) };
        // SOCKS sends them in sequence, each after its length.
        text.contains(user) || text.contains(password) || text.contains(&BASE64_STANDARD.encode(self.mark))
    }
}
