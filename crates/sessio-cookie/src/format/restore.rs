//! Restoring cookies from a file: the code that all formats share.

use std::fmt;

use crate::admit::admit;
use crate::extract::capped;
use crate::insert::{canonical, check_path, wide};
use crate::jar::Jar;
use crate::parse::{SameSite, check_pair};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::record::{Cookie, NEVER};
use crate::scan::{has_control, trim};
use crate::unix_time::UnixTime;

/// The outcome of reading a file of cookies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loaded {
    /// How many cookies went into the jar.
    pub stored: usize,
    /// How many were expired.
    pub expired: usize,
    /// The unusable lines. All others were read.
    pub problems: Vec<Problem>,
}

/// An unusable line, or entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The number of the line in a text, or of the entry in JSON, from 1. 0 means the whole file.
    pub line: usize,
    /// The reason.
    pub fault: Fault,
}

/// The reason why a line of a file is unusable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The line is not in the format. The text says what was expected.
    Malformed(&'static str),
    /// The jar refuses the cookie: files pass the same checks as responses.
    Refused(Reason),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            Fault::Malformed(expected) => write!(f, "line {}: expected {expected}", self.line),
            Fault::Refused(reason) => write!(f, "line {}: {}", self.line, reason.explanation()),
        }
    }
}

/// The outcome of writing a file of cookies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Saved {
    /// How many cookies were written.
    pub written: usize,
    /// The escaped names of cookies that the format cannot represent. They were left out.
    pub unfit: Vec<String>,
}

/// The cookies to write to a file. Expired ones are never written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Keep {
    /// Cookies with an expiry time, as browsers do.
    #[default]
    Persistent,
    /// These and session cookies.
    All,
}

impl Keep {
    pub(crate) fn keeps(self, cookie: &Cookie, now: UnixTime) -> bool {
        !cookie.is_expired(now) && (self == Self::All || cookie.expires().is_some())
    }
}

/// One cookie as read from a file.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    /// With or without a leading dot. Empty means unscoped.
    pub(crate) domain: &'a str,
    pub(crate) host_only: bool,
    pub(crate) path: &'a [u8],
    pub(crate) expires: Option<i64>,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) same_site: SameSite,
    pub(crate) partitioned: bool,
    pub(crate) created: Option<i64>,
    pub(crate) used: u64,
}

impl Entry<'_> {
    fn cookie(&self, policy: &Policy, now: Option<UnixTime>) -> Result<Cookie, Reason> {
        if has_control(self.name) || has_control(self.value) {
            return Err(Reason::ControlCharacter);
        }
        let (name, value) = (trim(self.name), trim(self.value));
        check_pair(name, value)?;
        // As in a response, the value of a nameless cookie may have a `=`.
        if name.iter().any(|byte| matches!(byte, b'=' | b';')) || value.contains(&b';') {
            return Err(Reason::Separator);
        }
        check_path(self.path)?;
        let (domain, host_only) = match (self.domain, self.host_only) {
            ("", _) => (String::new(), false),
            (host, true) => (canonical(host.strip_prefix('.').unwrap_or(host))?, true),
            (domain, false) => wide(domain, policy)?,
        };
        let mut cookie = Cookie::new(name, value, self.path, &domain)?;
        cookie.expires = match (self.expires, now) {
            (None, _) => NEVER,
            (Some(end), None) => end.min(NEVER - 1),
            (Some(end), Some(now)) => capped(end, policy, now),
        };
        cookie.created = self.created.map(UnixTime).or(now).unwrap_or_default();
        // A counter of uses never reaches half of its range. So the jar can continue to count from
        // here.
        cookie.used = self.used.min(u64::MAX / 2);
        cookie.host_only = host_only || domain.is_empty();
        cookie.secure = self.secure;
        cookie.http_only = self.http_only;
        cookie.same_site = self.same_site;
        cookie.partitioned = self.partitioned;
        admit(&cookie, self.path == b"/", policy)?;
        cookie.host_only = host_only;
        Ok(cookie)
    }
}

impl Jar {
    /// Stores a cookie from a file, after the checks of responses. Without `now`, none is expired.
    pub(crate) fn restore(
        &mut self,
        entry: &Entry<'_>,
        now: Option<UnixTime>,
        line: usize,
        loaded: &mut Loaded,
    ) {
        match entry.cookie(self.policy(), now) {
            Ok(cookie) if now.is_some_and(|now| cookie.is_expired(now)) => loaded.expired += 1,
            Ok(cookie) => {
                self.place(cookie, now.unwrap_or(UnixTime(i64::MIN)));
                loaded.stored += 1;
            }
            Err(reason) => loaded.fail(line, Fault::Refused(reason)),
        }
    }
}

impl Loaded {
    pub(crate) fn fail(&mut self, line: usize, fault: Fault) {
        self.problems.push(Problem { line, fault });
    }
}

impl Saved {
    pub(crate) fn unfit(&mut self, cookie: &Cookie) {
        self.unfit.push(cookie.name().escape_ascii().to_string());
    }
}

/// The text without a byte order mark.
pub(crate) fn unmarked(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// The lines of a text, numbered from 1, without their ends and without blank lines. A line ends
/// with LF, CRLF or CR.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = Some(unmarked(text));
    let lines = std::iter::from_fn(move || {
        let (line, after) = next_line(rest?);
        rest = after;
        Some(line)
    });
    (1..).zip(lines).filter(|(_, line)| !trim(line).is_empty())
}

/// The first line of a text without its end, and the text after that end.
pub(crate) fn next_line(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some(end) = memchr::memchr2(b'\n', b'\r', text) else { return (text, None) };
    let (line, rest) = text.split_at(end);
    let rest = rest.strip_prefix(b"\r\n").unwrap_or_else(|| &rest[1..]);
    (line, Some(rest))
}

/// The host that a domain of Python's files stands for. Its `http.cookiejar` adds `.local` to a
/// name without a dot, and to an IPv6 address. `printer.local` stays: it may be a name of multicast
/// DNS.
pub(crate) fn without_local(domain: &str) -> &str {
    let host = domain.strip_suffix(".local").unwrap_or(domain);
    let bare = host.strip_prefix('.').unwrap_or(host);
    if bare == "localhost" || (bare.starts_with('[') && bare.ends_with(']')) { host } else { domain }
}
