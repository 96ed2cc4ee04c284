//! The rules by which a jar takes and sends cookies.

use std::time::Duration;

use url::Url;

use crate::host::is_loopback;
use crate::suffix::PublicSuffixes;

/// The rules by which a [`Jar`](crate::Jar) takes and sends cookies. The default follows RFC 6265bis and the browsers.
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
    /// The public suffixes. Rule 20.
    pub suffixes: PublicSuffixes,
    /// Whether `localhost`, `*.localhost`, 127.0.0.0/8 and `[::1]` count as secure without TLS; on. Rule 24.
    pub trust_loopback: bool,
    /// Whether `SameSite=None` demands `Secure`; on. Rule 27.
    pub same_site_none_needs_secure: bool,
    /// Which prefixes of names are promises. Rule 28.
    pub prefixes: Prefixes,
    /// The longest life of a cookie, 400 days; `None` for no end. Rule 12.
    pub max_lifetime: Option<Duration>,
    /// How many cookies are kept and sent. Rule 34.
    pub limits: Limits,
    /// The hosts of a cookie that the caller put in without a domain.
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
    /// Whether `Secure` cookies may travel to and from `url`: over https and wss, and on this machine if that is trusted.
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

    /// Whether cookies travel securely to and from `url`; `None` where they do not travel at all. The RFC is silent about
    /// other schemes than HTTP's; browsers give cookies to those of WebSocket as well, and to no others.
    pub(crate) fn channel(&self, url: &Url) -> Option<bool> {
        match url.scheme() {
            "https" | "wss" => Some(true),
            "http" | "ws" => Some(self.trust_loopback && url.host_str().is_some_and(is_loopback)),
            _ => None,
        }
    }
}

/// Which prefixes of names are promises that the jar checks, whatever their case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Prefixes {
    /// `__Secure-` and `__Host-` (RFC 6265bis).
    Bis,
    /// `__Http-` and `__Host-Http-` as well (draft-ietf-httpbis-layered-cookies).
    #[default]
    Layered,
}

/// How many cookies are kept and sent.
///
/// RFC 6265bis 6.1 demands a minimum: 50 cookies a domain, 3000 in all, 4096 octets each. A lower limit is
/// raised to it where it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The most cookies of one domain, 180, at least 50. The least recently used goes first, one without `Secure` before
    /// one with it.
    pub per_domain: usize,
    /// The most cookies of the jar, 3300, at least 3000. Beyond it, the least recently used go until 10/11
    /// of it are left, but at least 3000. So the work is paid once in many insertions.
    pub total: usize,
    /// The most cookies that one response may set, 50, at least 50. Deletions do not count, but of ten times as many lines
    /// the rest is not looked at.
    pub per_response: usize,
    /// The most octets of the jar's part of a `Cookie` header, 8190, at least 4097. The cookies that would come last are
    /// left out.
    pub header_octets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_domain: 180, total: 3300, per_response: 50, header_octets: 8190 }
    }
}

impl Limits {
    /// No limits but those of memory: for a jar that is filled by its owner, not by strangers. Setting a cookie takes time in
    /// proportion to how many its domain has already.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            per_domain: usize::MAX,
            total: usize::MAX,
            per_response: usize::MAX,
            header_octets: usize::MAX,
        }
    }

    /// These limits, none below its minimum.
    pub(crate) fn raised(self) -> Self {
        Self {
            per_domain: self.per_domain.max(50),
            total: self.total.max(3000),
            per_response: self.per_response.max(50),
            header_octets: self.header_octets.max(4097),
        }
    }
}

/// The hosts of a cookie that the caller put in without a domain.
///
/// Python's requests sends such a cookie to *every* host, also to the target of a redirect. A session
/// token then reaches that host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Unscoped {
    /// It belongs to the first host that a `Cookie` header is made for, and to no other.
    #[default]
    BindToFirstHost,
    /// It is sent to any host at all, as requests does. Only for jars that hold no secret.
    DangerouslySendToAnyHost,
}
