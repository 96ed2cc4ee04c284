//! Storing the `Set-Cookie` lines of a response in the jar.

use std::fmt;

use url::Url;

use crate::admit::admit;
use crate::host::{MAX_NAME, named_part};
use crate::jar::Jar;
use crate::parse::{SetCookie, split_pair};
use crate::path::default_path;
use crate::policy::Policy;
use crate::reason::{InvalidCookie, Reason};
use crate::record::{Cookie, NEVER};
use crate::scan::cut;
use crate::site::Site;
use crate::store::Outcome;
use crate::unix_time::UnixTime;

/// Lines read from one response, as a multiple of the cookies that it may set. Deletions and
/// refused lines cost work, too.
const LINES_PER_COOKIE: usize = 10;

/// The outcome of the `Set-Cookie` lines of one response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extracted {
    /// How many cookies are new.
    pub stored: usize,
    /// How many replaced one of the same name, domain, path and host-only flag.
    pub replaced: usize,
    /// How many were deleted by a line that is already expired.
    pub deleted: usize,
    /// How many were removed because the policy's limits were reached.
    pub evicted: usize,
    /// Which lines were refused, and why.
    pub refused: Vec<Refused>,
}

/// A `Set-Cookie` line that was refused. It prints as a sentence without the cookie's value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The index of the line among the given ones, from 0.
    pub line: usize,
    /// The cookie's name, with escapes where it is not printable ASCII; at most 64 octets of it.
    pub name: String,
    /// The reason.
    pub reason: Reason,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, reason, .. } = self;
        let (why, rule, section) = (reason.explanation(), reason.rule(), reason.section());
        write!(f, "cookie \"{name}\" refused, {reason}: {why} (rule {rule}, {section})")
    }
}

/// The URL of a response, reduced to what its cookies need.
struct Sender<'u> {
    host: &'u str,
    directory: &'u str,
    secure: bool,
}

impl<'u> Sender<'u> {
    fn new(url: &'u Url, policy: &Policy) -> Result<Self, Reason> {
        let secure = policy.channel(url).ok_or(Reason::NoHost)?;
        let is_name = |host: &&str| (1..=MAX_NAME).contains(&host.len());
        let host = url.host_str().filter(is_name).ok_or(Reason::NoHost)?;
        Ok(Self { host, directory: default_path(url.path()), secure })
    }

    /// The cookie that a line from this URL sets. RFC 6265bis 5.7; rules 10 to 33, without 25.
    fn cookie(&self, line: &SetCookie<'_>, policy: &Policy, now: UnixTime) -> Result<Cookie, Reason> {
        let (domain, host_only) = self.scope(line.domain.unwrap_or_default(), policy)?;
        if line.path.is_some_and(|path| !path.is_ascii()) {
            return Err(Reason::InvalidPath);
        }
        if line.secure && !self.secure {
            return Err(Reason::SecureFromInsecure);
        }
        let path = line.path.unwrap_or(self.directory.as_bytes());
        let mut cookie = Cookie::new(line.name, line.value, path, domain)?;
        cookie.expires = end(line, policy, now);
        cookie.created = now;
        cookie.host_only = host_only;
        cookie.secure = line.secure;
        cookie.http_only = line.http_only;
        cookie.same_site = line.same_site;
        cookie.partitioned = line.partitioned;
        admit(&cookie, line.path == Some(b"/"), policy)?;
        Ok(cookie)
    }

    /// The domain of a cookie, and whether the cookie is for this host alone. Rules 13 and 19 to
    /// 21.
    fn scope(&self, attribute: &[u8], policy: &Policy) -> Result<(&'u str, bool), Reason> {
        if attribute.is_empty() {
            return Ok((self.host, true));
        }
        if attribute == b"." || !attribute.is_ascii() {
            return Err(Reason::InvalidDomain);
        }
        // The result is a part of the host, so it is canonical whatever the case of the attribute.
        let domain = named_part(self.host, attribute).ok_or(Reason::DomainMismatch)?;
        match policy.suffixes.reaches(domain, self.host) {
            false => Ok((domain, false)),
            true if domain == self.host => Ok((domain, true)),
            true => Err(Reason::PublicSuffix),
        }
    }
}

/// The expiry time of a cookie: `Max-Age` beats `Expires`, and the policy caps both. Rules 10 to
/// 12.
fn end(line: &SetCookie<'_>, policy: &Policy, now: UnixTime) -> i64 {
    let end = match (line.max_age, line.expires) {
        (Some(..=0), _) => return i64::MIN,
        (Some(age), _) => now.0.saturating_add(age),
        (None, Some(date)) => date.0,
        (None, None) => return NEVER,
    };
    capped(end, policy, now)
}

/// An expiry time, capped by the policy's longest lifetime.
pub(crate) fn capped(end: i64, policy: &Policy, now: UnixTime) -> i64 {
    let last = policy.max_lifetime.map_or(NEVER, |span| now.after(span).0);
    end.min(last).min(NEVER - 1)
}

/// Checks one line by itself, without the cookies of the jar.
fn judge(
    at: usize,
    line: &[u8],
    sender: &Result<Sender<'_>, Reason>,
    policy: &Policy,
    now: UnixTime,
) -> Result<Cookie, Reason> {
    if at >= policy.limits.raised().per_response.saturating_mul(LINES_PER_COOKIE) {
        return Err(Reason::TooMany);
    }
    let parsed = SetCookie::parse(line)?;
    sender.as_ref().map_err(|&reason| reason)?.cookie(&parsed, policy, now)
}

struct Judged<'a> {
    line: &'a [u8],
    cookie: Result<Cookie, Reason>,
    /// Whether the cookie's domain is a public suffix. `None` if that is not known.
    suffix: Option<bool>,
}

/// The cookies of one response, checked against a policy without access to the jar.
///
/// If the list of public suffixes is a function, it is called here and not by [`Jar::accept`]. So a
/// jar behind a lock is locked only while it stores, and the lock is not held while the caller's
/// code runs.
///
/// ```
/// use sessio_cookie::{Jar, Policy, PublicSuffixes, ResponseCookies, UnixTime, Url};
///
/// let mut policy = Policy::default();
/// policy.suffixes = PublicSuffixes::from_fn(|domain| domain == "internal");
/// let shared = std::sync::Mutex::new(Jar::with_policy(policy.clone()));
///
/// let url = Url::parse("https://a.internal/")?;
/// let lines = [&b"sid=31d4"[..], b"wide=1; Domain=internal"];
/// let checked = ResponseCookies::new(&url, lines, &policy, UnixTime(1_767_225_600));
/// let extracted = shared.lock().map(|mut jar| jar.accept(checked)).unwrap();
/// assert_eq!((extracted.stored, extracted.refused.len()), (1, 1));
/// # Ok::<(), url::ParseError>(())
/// ```
pub struct ResponseCookies<'a> {
    sender: Result<Sender<'a>, Reason>,
    lines: Vec<Judged<'a>>,
    now: UnixTime,
}

impl<'a> ResponseCookies<'a> {
    /// Checks the `Set-Cookie` values of one response to a request for `url`.
    #[must_use]
    pub fn new(
        url: &'a Url,
        set_cookie: impl IntoIterator<Item = &'a [u8]>,
        policy: &Policy,
        now: UnixTime,
    ) -> Self {
        let sender = Sender::new(url, policy);
        let judged = set_cookie.into_iter().enumerate().map(|(at, line)| {
            let cookie = judge(at, line, &sender, policy, now);
            // A cookie for all hosts of a public suffix was refused above.
            let suffix = cookie.as_ref().is_ok_and(|cookie| !cookie.host_only).then_some(false);
            Judged { line, cookie, suffix }
        });
        Self { lines: judged.collect(), now, sender }
    }
}

impl fmt::Debug for ResponseCookies<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cookies: Vec<_> = self.lines.iter().map(|line| &line.cookie).collect();
        f.debug_struct("ResponseCookies").field("cookies", &cookies).field("now", &self.now).finish()
    }
}

impl Jar {
    /// Stores the `Set-Cookie` values of one response, whatever its status. `url` is the URL of the
    /// request: in a chain of redirects, call this for each response with its own URL.
    ///
    /// A value is never split at a comma. A refused line changes nothing and is reported.
    ///
    /// ```
    /// use sessio_cookie::{Jar, Reason, UnixTime, Url};
    ///
    /// let now = UnixTime(1_767_225_600);
    /// let url = Url::parse("http://www.example.com/")?;
    /// let mut jar = Jar::new();
    /// let lines = [&b"sid=31d4; Domain=example.com"[..], b"super=1; Domain=com", b"safe=1; Secure"];
    /// let extracted = jar.extract(&url, lines, now);
    ///
    /// assert_eq!((extracted.stored, jar.len()), (1, 1));
    /// assert_eq!(extracted.refused[0].reason, Reason::PublicSuffix);
    /// assert_eq!(
    ///     extracted.refused[1].to_string(),
    ///     "cookie \"safe\" refused, secure-from-insecure: Secure cookies are only taken over a secure connection \
    ///      (rule 24, RFC 6265bis 5.7)"
    /// );
    /// # Ok::<(), url::ParseError>(())
    /// ```
    pub fn extract<'a>(
        &mut self,
        url: &Url,
        set_cookie: impl IntoIterator<Item = &'a [u8]>,
        now: UnixTime,
    ) -> Extracted {
        self.extract_from(url, Site::Same, set_cookie, now)
    }

    /// [`extract`](Self::extract) for a request that came from `site`.
    pub fn extract_from<'a>(
        &mut self,
        url: &Url,
        site: Site,
        set_cookie: impl IntoIterator<Item = &'a [u8]>,
        now: UnixTime,
    ) -> Extracted {
        let mut lines = set_cookie.into_iter().enumerate().peekable();
        let mut extracted = Extracted::default();
        if lines.peek().is_none() {
            return extracted;
        }
        let sender = Sender::new(url, self.policy());
        for (at, line) in lines {
            let judged = judge(at, line, &sender, self.policy(), now);
            self.take(Judged { line, cookie: judged, suffix: None }, at, &sender, site, now, &mut extracted);
        }
        extracted
    }

    /// Stores cookies that were already checked. It calls no code of the caller. The limits are
    /// those of this jar.
    pub fn accept(&mut self, cookies: ResponseCookies<'_>) -> Extracted {
        let mut extracted = Extracted::default();
        let ResponseCookies { sender, lines, now } = cookies;
        for (at, line) in lines.into_iter().enumerate() {
            self.take(line, at, &sender, Site::Same, now, &mut extracted);
        }
        extracted
    }

    fn take(
        &mut self,
        Judged { line, cookie, suffix }: Judged<'_>,
        at: usize,
        sender: &Result<Sender<'_>, Reason>,
        site: Site,
        now: UnixTime,
        extracted: &mut Extracted,
    ) {
        let is_secure = sender.as_ref().is_ok_and(|sender| sender.secure);
        let most = self.policy().limits.raised().per_response;
        let cookie = cookie.and_then(|cookie| {
            if !cookie.secure && !is_secure && self.store().shadows_secure(&cookie, now) {
                return Err(Reason::ShadowsSecure);
            }
            if !site.takes(&cookie) {
                return Err(Reason::CrossSite);
            }
            let added = extracted.stored + extracted.replaced;
            if added >= most && !cookie.is_expired(now) { Err(Reason::TooMany) } else { Ok(cookie) }
        });
        match cookie {
            Ok(cookie) => {
                let (outcome, evicted) = self.put_judged(cookie, now, suffix);
                extracted.evicted += evicted;
                match outcome {
                    Outcome::Stored => extracted.stored += 1,
                    Outcome::Replaced => extracted.replaced += 1,
                    Outcome::Deleted => extracted.deleted += 1,
                    Outcome::NothingToDelete => {}
                }
            }
            Err(reason) => extracted.refused.push(Refused { line: at, name: shown_name(line), reason }),
        }
    }

    /// Stores one cookie as if a response from `url` had this `Set-Cookie` value.
    ///
    /// ```
    /// use sessio_cookie::{Jar, Outcome, UnixTime, Url};
    ///
    /// let now = UnixTime(1_767_225_600);
    /// let url = Url::parse("https://example.com/")?;
    /// let mut jar = Jar::new();
    /// assert_eq!(jar.insert_str("theme=dark; Path=/; Max-Age=3600", &url, now), Ok(Outcome::Stored));
    /// assert_eq!(jar.insert_str("theme=; Path=/; Max-Age=0", &url, now), Ok(Outcome::Deleted));
    /// # Ok::<(), url::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// The reason for which the line of a response would be refused.
    pub fn insert_str(
        &mut self,
        set_cookie: &str,
        url: &Url,
        now: UnixTime,
    ) -> Result<Outcome, InvalidCookie> {
        let line = SetCookie::parse(set_cookie.as_bytes())?;
        let sender = Sender::new(url, self.policy())?;
        let cookie = sender.cookie(&line, self.policy(), now)?;
        if !cookie.secure && !sender.secure && self.store().shadows_secure(&cookie, now) {
            return Err(Reason::ShadowsSecure.into());
        }
        Ok(self.put(cookie, now).0)
    }
}

fn shown_name(line: &[u8]) -> String {
    const SHOWN: usize = 64;
    let (name, _) = split_pair(cut(line, b';').0);
    name[..name.len().min(SHOWN)].escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r25_an_insecure_host_cannot_shadow_a_secure_cookie_line_by_line_either() {
        let (now, shadows) = (UnixTime(1000), Reason::ShadowsSecure);
        let [secure, clear] =
            ["https://a.example/x/", "http://a.example/x/"].map(|url| Url::parse(url).unwrap());
        for (line, expected) in [
            ("sid=2; Path=/", Err(shadows)),
            ("sid=2; Path=/x/y", Err(shadows)),
            ("sid=2; Domain=a.example; Path=/", Err(shadows)),
            ("other=2; Path=/", Ok(Outcome::Stored)),
        ] {
            let mut jar = Jar::new();
            assert_eq!(jar.insert_str("sid=1; Secure; Path=/", &secure, now), Ok(Outcome::Stored));
            let one_by_one = jar.clone().insert_str(line, &clear, now).map_err(|error| error.reason());
            assert_eq!(one_by_one, expected, "{line}");
            let extracted = jar.clone().extract(&clear, [line.as_bytes()], now);
            assert_eq!(extracted.refused.first().map(|it| it.reason), expected.err(), "{line}");
            // Over a secure connection the same line is accepted.
            assert!(jar.insert_str(line, &secure, now).is_ok(), "{line}");
        }
        // A cookie for `/` does not shadow a `Secure` cookie of a deeper path.
        let mut jar = Jar::new();
        jar.insert_str("sid=1; Secure; Path=/x", &secure, now).unwrap();
        assert_eq!(jar.insert_str("sid=2; Path=/", &clear, now), Ok(Outcome::Stored));
        // An expired `Secure` cookie is not shadowed.
        let mut jar = Jar::new();
        jar.insert_str("sid=1; Secure; Path=/; Max-Age=10", &secure, now).unwrap();
        assert!(jar.insert_str("sid=2; Path=/", &clear, UnixTime(1010)).is_err());
        assert!(jar.insert_str("sid=2; Path=/", &clear, UnixTime(1011)).is_ok());
    }

    #[test]
    fn fa5_the_jar_grows_with_what_was_sent_and_not_with_the_url_times_the_cookies() {
        let url = Url::parse(&format!("http://a.example{}", "/abc".repeat(30_000))).unwrap();
        let lines: Vec<String> = (0..50).map(|number| format!("a{number}=1")).collect();
        let mut jar = Jar::new();
        let extracted = jar.extract(&url, lines.iter().map(String::as_bytes), UnixTime(0));
        assert_eq!(extracted.stored, 50);
        let held: usize = jar.iter().map(|it| it.pair().len() + it.path().len() + it.domain().len()).sum();
        assert!(held <= 50 * (1024 + 20), "{held}");
        // A request to the URL that set them sends all of them.
        assert_eq!(jar.header(&url, UnixTime(0), &mut Vec::new()), 50);
        // A host longer than 255 octets sets no cookie.
        let host = "a.".repeat(127);
        for (host, stored) in [(format!("{host}b"), 1), (format!("{host}bb"), 0)] {
            let url = Url::parse(&format!("http://{host}/")).unwrap();
            let extracted = Jar::new().extract(&url, [&b"a=1"[..]], UnixTime(0));
            assert_eq!((host.len() > 255, extracted.stored), (stored == 0, stored));
        }
    }

    #[test]
    fn the_end_of_a_cookie() {
        let (policy, now) = (Policy::default(), UnixTime(1000));
        let ends = |text: &str| end(&SetCookie::parse(text.as_bytes()).unwrap(), &policy, now);
        assert_eq!(ends("a=1"), NEVER);
        assert_eq!(ends("a=1; Max-Age=10; Expires=Thu, 1 Jan 1970 00:00:00 GMT"), 1010);
        assert_eq!(ends("a=1; Max-Age=0; Expires=Thu, 1 Jan 2037 00:00:00 GMT"), i64::MIN);
        assert_eq!(ends("a=1; Max-Age=99999999999999999999999"), 1000 + 34_560_000);
        assert_eq!(ends("a=1; Expires=Thu, 1 Jan 2037 00:00:00 GMT"), 1000 + 34_560_000);
    }
}
