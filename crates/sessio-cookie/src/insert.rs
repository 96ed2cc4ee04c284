//! Cookies that the caller adds to a jar.

use std::time::Duration;

use crate::admit::admit;
use crate::extract::capped;
use crate::jar::Jar;
use crate::parse::{SameSite, check_pair};
use crate::policy::Policy;
use crate::reason::{InvalidCookie, Reason};
use crate::record::{Cookie, NEVER};
use crate::scan::{has_control, trim};
use crate::store::Outcome;
use crate::unix_time::UnixTime;

/// A cookie made by the caller, to be [`insert`](Jar::insert)ed.
///
/// Without a [`host`](Self::host) or a [`domain`](Self::domain) it is *unscoped*. It is sent to the
/// first host that a header is made for and to no other, unless the [`Policy`]
/// [differs](crate::Unscoped).
///
/// ```
/// use std::time::Duration;
/// use sessio_cookie::{Jar, NewCookie, UnixTime, Url};
///
/// let now = UnixTime(1_767_225_600);
/// let mut jar = Jar::new();
/// jar.insert(NewCookie::new("sid", "31d4")?.domain("example.com").path("/app").max_age(Duration::from_secs(60)), now)?;
/// jar.insert(NewCookie::new("token", "t")?, now)?;
///
/// let mut out = Vec::new();
/// jar.header(&Url::parse("https://www.example.com/app/x")?, now, &mut out);
/// assert_eq!(out, b"sid=31d4; token=t");
/// // From here on, `token` belongs to www.example.com.
/// assert_eq!(jar.header(&Url::parse("https://evil.example/")?, now, &mut out), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct NewCookie {
    name: Box<[u8]>,
    value: Box<[u8]>,
    scope: Scope,
    path: String,
    end: End,
    secure: bool,
    http_only: bool,
    same_site: SameSite,
    partitioned: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Scope {
    Any,
    Host(String),
    Domain(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Session,
    At(UnixTime),
    In(Duration),
}

impl NewCookie {
    /// A session cookie for the path `/`. SP and HTAB at both ends of name and value are dropped,
    /// as in a response.
    ///
    /// # Errors
    /// The pair would break the header or be misread:
    ///
    /// - It has a control character other than HTAB, or a `;`.
    /// - The name has a `=`, or the cookie is nameless and its value has one.
    /// - It is empty, or has more than 4096 octets.
    pub fn new(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<Self, InvalidCookie> {
        let (name, value) = pair(name.as_ref(), value.as_ref())?;
        Ok(Self {
            name: name.into(),
            value: value.into(),
            scope: Scope::Any,
            path: "/".into(),
            end: End::Session,
            secure: false,
            http_only: false,
            same_site: SameSite::Unset,
            partitioned: false,
        })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Sends the cookie to this host alone. An IPv6 address may be written with or without its
    /// brackets.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.scope = Scope::Host(host.into());
        self
    }

    /// Sends the cookie to this domain and every host below it. A leading dot is ignored. An IP
    /// address means that host alone.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.scope = Scope::Domain(domain.into());
        self
    }

    /// Sends the cookie to this path and all paths in it. A path that does not begin with `/` means
    /// `/`.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Sets the expiry time. The jar's policy caps it.
    #[must_use]
    pub const fn expires(mut self, end: UnixTime) -> Self {
        self.end = End::At(end);
        self
    }

    /// Sets the lifetime, counted from the insertion. The jar's policy caps it.
    #[must_use]
    pub const fn max_age(mut self, span: Duration) -> Self {
        self.end = End::In(span);
        self
    }

    /// Sends the cookie over secure connections only.
    #[must_use]
    pub const fn secure(mut self, on: bool) -> Self {
        self.secure = on;
        self
    }

    /// Marks the cookie as `HttpOnly`, that is, hidden from scripts.
    #[must_use]
    pub const fn http_only(mut self, on: bool) -> Self {
        self.http_only = on;
        self
    }

    /// Sets the rule for cross-site requests.
    #[must_use]
    pub const fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Marks the cookie as `Partitioned`. The jar records this only.
    #[must_use]
    pub const fn partitioned(mut self, on: bool) -> Self {
        self.partitioned = on;
        self
    }

    /// Makes the cookie for a jar with this policy.
    pub(crate) fn build(&self, policy: &Policy, now: UnixTime) -> Result<Cookie, Reason> {
        let (domain, host_only) = match &self.scope {
            Scope::Any => (String::new(), false),
            Scope::Host(host) => (canonical(host)?, true),
            Scope::Domain(domain) => wide(domain, policy)?,
        };
        let path = if self.path.starts_with('/') { &self.path } else { "/" };
        check_path(path.as_bytes())?;
        let mut cookie = Cookie::new(&self.name, &self.value, path.as_bytes(), &domain)?;
        cookie.expires = match self.end {
            End::Session => NEVER,
            End::At(end) => capped(end.0, policy, now),
            End::In(span) => capped(now.after(span).0, policy, now),
        };
        cookie.created = now;
        // An unscoped cookie will belong to one host alone, as `__Host-` demands.
        cookie.host_only = host_only || self.scope == Scope::Any;
        cookie.secure = self.secure;
        cookie.http_only = self.http_only;
        cookie.same_site = self.same_site;
        cookie.partitioned = self.partitioned;
        admit(&cookie, path == "/", policy)?;
        cookie.host_only = host_only;
        Ok(cookie)
    }
}

impl std::fmt::Debug for NewCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewCookie")
            .field("name", &format_args!("{}", self.name.escape_ascii()))
            .field("value", &format_args!("<{} bytes>", self.value.len()))
            .field("scope", &self.scope)
            .field("path", &self.path)
            .field("end", &self.end)
            .field("secure", &self.secure)
            .field("http_only", &self.http_only)
            .field("same_site", &self.same_site)
            .field("partitioned", &self.partitioned)
            .finish()
    }
}

impl Jar {
    /// Adds a cookie, or replaces the one with the same name, domain, path and host-only flag. If
    /// the new cookie is expired, it deletes the stored one.
    ///
    /// # Errors
    /// The caller can set no cookie that a response could not:
    ///
    /// - The domain is not a host name, or is a public suffix.
    /// - The path is not ASCII, or has a control character or a `;`.
    /// - The cookie lacks what the prefix of its name demands.
    /// - A cookie without a name has a value that begins with such a prefix.
    /// - `SameSite=None` comes without `Secure`.
    pub fn insert(&mut self, cookie: NewCookie, now: UnixTime) -> Result<Outcome, InvalidCookie> {
        let cookie = cookie.build(self.policy(), now)?;
        Ok(self.put(cookie, now).0)
    }
}

/// The trimmed name and value of a cookie of the caller, checked for a header.
pub(crate) fn pair<'a>(name: &'a [u8], value: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), InvalidCookie> {
    if has_control(name) || has_control(value) {
        return Err(Reason::ControlCharacter.into());
    }
    let (name, value) = (trim(name), trim(value));
    check_pair(name, value)?;
    let misread = name.iter().any(|byte| matches!(byte, b'=' | b';'))
        || value.contains(&b';')
        || (name.is_empty() && value.contains(&b'='));
    if misread { Err(Reason::Separator.into()) } else { Ok((name, value)) }
}

/// The canonical form of a domain given for all its hosts, and whether it means one host alone. A
/// public suffix without a dot, such as `localhost`, does.
pub(crate) fn wide(domain: &str, policy: &Policy) -> Result<(String, bool), Reason> {
    let domain = canonical(domain.strip_prefix('.').unwrap_or(domain))?;
    match policy.suffixes.contains(&domain) {
        true if domain.contains('.') => Err(Reason::PublicSuffix),
        alone => Ok((domain, alone)),
    }
}

/// Checks a path that the caller or a file gives.
pub(crate) fn check_path(path: &[u8]) -> Result<(), Reason> {
    let fits = path.starts_with(b"/") && path.is_ascii() && !has_control(path) && !path.contains(&b';');
    if fits { Ok(()) } else { Err(Reason::InvalidPath) }
}

/// The canonical form of a host, as in a URL. An IPv6 address may have no brackets: curl and wget
/// write it so.
pub(crate) fn canonical(host: &str) -> Result<String, Reason> {
    let host = host.parse().map(url::Host::Ipv6).or_else(|_| url::Host::parse(host));
    host.map(|host| host.to_string()).map_err(|_| Reason::InvalidDomain)
}
