//! The rules by which a jar accepts and sends cookies.

use std::time::Duration;

use url::Url;

use crate::host::is_loopback;
use crate::suffix::PublicSuffixes;

/// The rules by which a [`Jar`](crate::Jar) accepts and sends cookies. The default follows RFC
/// 6265bis and the browsers.
///
/// ```
/// use std::time::Duration;
/// use sessio_cookie::{Jar, Policy};
///
/// let mut policy = Policy::default();
/// policy.max_lifetime = Some(Duration::from_secs(7 * 86_400));
/// policy.limits.per_domain = 60;
/// let jar = Jar::with_policy(policy);
/// assert_eq!(jar.policy().limits.per_domain, 60);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// The public suffixes. Default: the compiled-in list, or single labels without the feature
    /// `psl`. Rule 20.
    pub suffixes: PublicSuffixes,
    /// Whether `localhost`, `*.localhost`, 127.0.0.0/8 and `[::1]` count as secure without TLS.
    /// Default: `true`. Rule 24.
    pub trust_loopback: bool,
    /// Whether `SameSite=None` demands `Secure`. Default: `true`. Rule 27.
    pub same_site_none_needs_secure: bool,
    /// The prefixes of names that demand attributes, such as `__Host-`. Default:
    /// `Prefixes::Layered`. Rule 28.
    pub prefixes: Prefixes,
    /// The longest lifetime of a cookie. `None` means no limit. Default: 400 days. Rule 12.
    pub max_lifetime: Option<Duration>,
    /// The most cookies to store and send. Rule 34.
    pub limits: Limits,
    /// The hosts of a cookie that the caller inserted without a domain. Default:
    /// `Unscoped::BindToFirstHost`.
    pub unscoped: Unscoped,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            suffixes: PublicSuffixes::default(),
            trust_loopback: true,
            same_site_none_needs_secure: true,
            prefixes: Prefixes::default(),
            max_lifetime: Some(Duration::from_secs(400 * 86_400)),
            limits: Limits::default(),
            unscoped: Unscoped::default(),
        }
    }
}

impl Policy {
    /// Whether `Secure` cookies may be received from and sent to `url`. This is so over https and
    /// wss, and on loopback hosts if `trust_loopback` is set.
    ///
    /// ```
    /// use sessio_cookie::{Policy, Url};
    ///
    /// let policy = Policy::default();
    /// assert!(policy.is_secure(&Url::parse("https://example.com")?));
    /// assert!(policy.is_secure(&Url::parse("http://localhost:8080")?));
    /// assert!(!policy.is_secure(&Url::parse("http://example.com")?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_secure(&self, url: &Url) -> bool {
        self.channel(url) == Some(true)
    }

    /// Whether the connection to `url` counts as secure. `None` if its scheme has no cookies. The
    /// RFC names no schemes but those of HTTP. Browsers add those of WebSocket, and no others.
    pub(crate) fn channel(&self, url: &Url) -> Option<bool> {
        match url.scheme() {
            "https" | "wss" => Some(true),
            "http" | "ws" => Some(self.trust_loopback && url.host_str().is_some_and(is_loopback)),
            _ => None,
        }
    }
}

/// The prefixes of names that demand attributes. They are compared without regard to case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Prefixes {
    /// `__Secure-` and `__Host-` (RFC 6265bis).
    Bis,
    /// These, and `__Http-` and `__Host-Http-` (draft-ietf-httpbis-layered-cookies).
    #[default]
    Layered,
}

/// The most cookies to store and send.
///
/// RFC 6265bis 6.1 demands a minimum: 50 cookies a domain, 3000 in all, 4096 octets each. A limit
/// below it counts as that minimum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most cookies of one domain. Default: 180. Minimum: 50. Expired cookies are removed
    /// first, then those without `Secure`, and among equals the least recently used one.
    pub per_domain: usize,
    /// The most cookies of the jar. Default: 3300. Minimum: 3000. Beyond it, the least recently
    /// used ones are removed until 10/11 of the limit are left, but at least 3000. So only one of
    /// many insertions has this cost.
    pub total: usize,
    /// The most cookies that one response may set. Default: 50. Minimum: 50. Deletions do not
    /// count. Lines beyond ten times this number are refused unread.
    pub per_response: usize,
    /// The most octets of the jar's part of a `Cookie` header. Default: 8190. Minimum: 4097. The
    /// last cookies of the order are left out.
    pub header_octets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_domain: 180, total: 3300, per_response: 50, header_octets: 8190 }
    }
}

impl Limits {
    /// No limits except memory, for a jar that its owner fills, not strangers. The time to set a
    /// cookie grows with the number of cookies of its domain.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            per_domain: usize::MAX,
            total: usize::MAX,
            per_response: usize::MAX,
            header_octets: usize::MAX,
        }
    }

    /// These limits, raised to their minimum.
    pub(crate) fn raised(self) -> Self {
        Self {
            per_domain: self.per_domain.max(50),
            total: self.total.max(3000),
            per_response: self.per_response.max(50),
            header_octets: self.header_octets.max(4097),
        }
    }
}

/// The hosts of a cookie that the caller inserted without a domain.
///
/// Python's requests sends such a cookie to *every* host, also to the target of a redirect. That
/// host then receives a session token that was not meant for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Unscoped {
    /// It belongs to the first host that a `Cookie` header is made for, and to no other.
    #[default]
    BindToFirstHost,
    /// It is sent to every host, as requests does. Use it only for jars that hold no secret.
    DangerouslySendToAnyHost,
}
