//! One cookie of a jar.

use std::fmt;

use crate::parse::SameSite;
use crate::path::path_match;
use crate::reason::Reason;
use crate::unix_time::UnixTime;

/// A stored cookie of a [`Jar`](crate::Jar).
///
/// Name and value are bytes, as servers send them. [`name_str`](Self::name_str) and
/// [`value_str`](Self::value_str) return text if the bytes are UTF-8. [`Debug`](fmt::Debug) omits
/// the value. Equality compares all that the public methods return, but neither the order in the
/// jar nor the last use.
#[derive(Clone)]
pub struct Cookie {
    /// `name=value` (the value alone if the name is empty), then path and domain without
    /// separators. This is one allocation, and the pair is ready for the header.
    text: Box<[u8]>,
    /// [`NEVER`] for a session cookie.
    pub(crate) expires: i64,
    pub(crate) created: UnixTime,
    /// The position in the order of creation. It is unique in a jar.
    pub(crate) order: u64,
    /// The last time that it was set or sent, by the jar's counter of uses.
    pub(crate) used: u64,
    path_end: u32,
    pair_end: u16,
    name_len: u16,
    pub(crate) host_only: bool,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) partitioned: bool,
    pub(crate) same_site: SameSite,
}

/// The expiry time of a session cookie.
pub(crate) const NEVER: i64 = i64::MAX;

impl Cookie {
    /// Makes a session cookie without attributes. The caller has checked that the pair is not empty
    /// and has at most 4096 octets.
    pub(crate) fn new(name: &[u8], value: &[u8], path: &[u8], domain: &str) -> Result<Self, Reason> {
        let separator: &[u8] = if name.is_empty() { b"" } else { b"=" };
        let pair_end = name.len() + separator.len() + value.len();
        let text = [name, separator, value, path, domain.as_bytes()].concat().into_boxed_slice();
        Ok(Self {
            path_end: u32::try_from(pair_end + path.len()).map_err(|_| Reason::TooLong)?,
            pair_end: u16::try_from(pair_end).map_err(|_| Reason::TooLong)?,
            name_len: u16::try_from(name.len()).map_err(|_| Reason::TooLong)?,
            text,
            expires: NEVER,
            created: UnixTime::default(),
            order: 0,
            used: 0,
            host_only: true,
            secure: false,
            http_only: false,
            partitioned: false,
            same_site: SameSite::Unset,
        })
    }

    /// The name; empty for a cookie without one.
    #[must_use]
    #[inline]
    pub fn name(&self) -> &[u8] {
        &self.text[..usize::from(self.name_len)]
    }

    /// The name, if it is UTF-8.
    #[must_use]
    pub fn name_str(&self) -> Option<&str> {
        str::from_utf8(self.name()).ok()
    }

    /// The value, exactly as it was set.
    #[must_use]
    #[inline]
    pub fn value(&self) -> &[u8] {
        let start = if self.name_len == 0 { 0 } else { usize::from(self.name_len) + 1 };
        &self.text[start..usize::from(self.pair_end)]
    }

    /// The value, if it is UTF-8.
    #[must_use]
    pub fn value_str(&self) -> Option<&str> {
        str::from_utf8(self.value()).ok()
    }

    /// The pair for the header: `name=value`, or the value alone.
    #[must_use]
    #[inline]
    pub fn pair(&self) -> &[u8] {
        &self.text[..usize::from(self.pair_end)]
    }

    /// The path. It is sent to this path and all paths below it.
    #[must_use]
    pub fn path(&self) -> &str {
        str::from_utf8(self.path_bytes()).unwrap_or_default()
    }

    pub(crate) fn path_bytes(&self) -> &[u8] {
        &self.text[usize::from(self.pair_end)..self.path_end as usize]
    }

    pub(crate) const fn path_len(&self) -> u32 {
        self.path_end - self.pair_end as u32
    }

    /// The host, or the domain whose hosts all receive it; see [`host_only`](Self::host_only).
    /// Empty for a cookie that was inserted without a domain and is not bound to a host yet.
    #[must_use]
    #[inline]
    pub fn domain(&self) -> &str {
        str::from_utf8(&self.text[self.path_end as usize..]).unwrap_or_default()
    }

    /// Whether it is sent to exactly this host, and to none below it.
    #[must_use]
    pub const fn host_only(&self) -> bool {
        self.host_only
    }

    /// Whether it is sent over secure connections only.
    #[must_use]
    pub const fn secure(&self) -> bool {
        self.secure
    }

    /// Whether it is marked `HttpOnly`, that is, hidden from scripts.
    #[must_use]
    pub const fn http_only(&self) -> bool {
        self.http_only
    }

    /// Whether it is marked `Partitioned`. The jar records this only.
    #[must_use]
    pub const fn partitioned(&self) -> bool {
        self.partitioned
    }

    /// The rule for cross-site requests.
    #[must_use]
    pub const fn same_site(&self) -> SameSite {
        self.same_site
    }

    /// The expiry time. `None` for a session cookie.
    #[must_use]
    pub fn expires(&self) -> Option<UnixTime> {
        (self.expires != NEVER).then_some(UnixTime(self.expires))
    }

    /// The time at which it was first set. Replacing it does not change this.
    #[must_use]
    pub const fn created(&self) -> UnixTime {
        self.created
    }

    /// Whether the expiry time is before `now`.
    #[must_use]
    pub const fn is_expired(&self, now: UnixTime) -> bool {
        self.expires < now.0
    }

    /// Whether both have the same name, path and host-only flag. With the domain, which all cookies
    /// of a bucket share, these identify a cookie (rule 31).
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.host_only == other.host_only
            && self.name() == other.name()
            && self.path_bytes() == other.path_bytes()
    }

    /// Whether `new`, set over an insecure connection, would shadow this `Secure` cookie. The
    /// caller has compared the domains.
    pub(crate) fn is_shadowed_by(&self, new: &Self) -> bool {
        self.secure && self.name() == new.name() && path_match(new.path_bytes(), self.path_bytes())
    }

    /// A copy that is bound to `host` alone.
    pub(crate) fn bound_to(&self, host: &str) -> Self {
        let text = [&self.text[..self.path_end as usize], host.as_bytes()].concat().into_boxed_slice();
        Self { text, host_only: true, ..self.clone() }
    }
}

impl PartialEq for Cookie {
    fn eq(&self, other: &Self) -> bool {
        let lengths = |it: &Self| (it.path_end, it.pair_end, it.name_len);
        let times = |it: &Self| (it.expires, it.created);
        let flags = |it: &Self| (it.host_only, it.secure, it.http_only, it.partitioned, it.same_site);
        self.text == other.text
            && lengths(self) == lengths(other)
            && times(self) == times(other)
            && flags(self) == flags(other)
    }
}

impl Eq for Cookie {}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie")
            .field("name", &format_args!("{}", self.name().escape_ascii()))
            .field("value", &format_args!("<{} bytes>", self.value().len()))
            .field("domain", &self.domain())
            .field("host_only", &self.host_only)
            .field("path", &self.path())
            .field("expires", &self.expires())
            .field("secure", &self.secure)
            .field("http_only", &self.http_only)
            .field("same_site", &self.same_site)
            .field("partitioned", &self.partitioned)
            .field("created", &self.created)
            .finish()
    }
}
