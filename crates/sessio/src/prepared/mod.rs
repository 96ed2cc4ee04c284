//! The exact request, before it is sent.

pub mod auth;

use std::fmt;

use http::Method;
use sessio_cookie::RequestCookies;
use url::{Position, Url};

use crate::base::kind::Kind;
use crate::base::meters::Meters;
use crate::base::timeouts::Timeouts;
use crate::call::observer::Observer;
use crate::error::{Error, Result};
use crate::message::body::{Body, Content};
use crate::message::coding::Codings;
use crate::message::headers::Headers;
use crate::policy::redirect::RedirectRules;
use crate::pool::Key;
use crate::prepared::auth::Flow;
use crate::route::proxy::{Choice, Proxy};
use crate::route::reach::Reach;
use crate::session::merge::Override;
use crate::uri::address::{self, Shown};
use crate::uri::origin::Origin;
use crate::wire::h1::{Limits, Outgoing, Sender};
use Said::{Again, Once};

/// A request as it goes over the wire: it can be read and edited, then sent (story S14).
///
/// ```
/// use sessio::{Jar, Now, Request, Settings, UnixTime, merge, prepare};
///
/// # let now = Now { mono: std::time::Instant::now(), wall: UnixTime(0) };
/// let merged = merge(&Settings::default(), Request::get("http://example.org/a?b#c"));
/// let mut prepared = prepare(merged, &mut Jar::new(), now)?;
/// prepared.headers_mut().insert("X-Late", "1")?;
/// assert_eq!(prepared.target(), "/a?b");
/// assert!(prepared.head().starts_with(b"GET /a?b HTTP/1.1\r\nHost: example.org\r\n"));
/// # Ok::<(), sessio::Error>(())
/// ```
#[derive(Clone)]
pub struct Prepared {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) target: Option<Box<str>>,
    pub(crate) headers: Headers,
    pub(crate) body: Body,
    /// The part of the Cookie line that is this request's own.
    pub(crate) cookies: RequestCookies,
    pub(crate) jar: bool,
    pub(crate) flow: Option<Box<dyn Flow>>,
    /// How many redirects to follow; `None` hands a redirect over.
    pub(crate) follow: Option<u32>,
    pub(crate) rules: RedirectRules,
    pub(crate) timeouts: Timeouts,
    pub(crate) limits: Limits,
    pub(crate) codings: Codings,
    pub(crate) decode: Option<bool>,
    pub(crate) observer: Observer,
    pub(crate) meters: Meters,
    pub(crate) reach: Reach,
    pub(crate) overrides: Vec<Override>,
    /// How the end of the body shows, while nothing was edited since that was checked.
    pub(crate) framed: Option<Framed>,
    /// What else the headers say of the exchange; known where `framed` is.
    pub(crate) says: Says,
}

/// What the headers say of how the exchange goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Says {
    /// The body waits for `100 Continue`.
    pub(crate) expects: bool,
    /// RFC 9112 section 9.6: who says close sends no further request on that connection.
    pub(crate) closes: bool,
    /// Another protocol is offered.
    pub(crate) upgrades: bool,
}

impl Prepared {
    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The URL, with its fragment, and with userinfo if it was given so.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What stands in the request line between method and version (RFC 9112 section 3.2).
    #[must_use]
    pub fn target(&self) -> &str {
        match &self.target {
            Some(target) => target,
            None => &self.url[Position::BeforePath..Position::AfterQuery],
        }
    }

    /// The header fields in the order in which they are sent.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The header fields, to be edited. Framing is checked again before a byte is sent.
    pub fn headers_mut(&mut self) -> &mut Headers {
        self.framed = None;
        &mut self.headers
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The time limits.
    #[must_use]
    pub fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// The limits on what is accepted of its answer.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How its host is reached, and those of its redirects.
    #[must_use]
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Which way it goes, and why: through which proxy, or through none. `None` where nobody says anything of proxies.
    #[must_use]
    pub fn proxy_choice(&self) -> Option<&Choice> {
        self.reach.plan.choice()
    }

    /// Which connections of a pool can carry it.
    #[must_use]
    pub fn key(&self) -> Key<'_> {
        Key::reaching(&self.url, &self.reach)
    }

    /// Which of the session's defaults do not hold for this request.
    #[must_use]
    pub fn overrides(&self) -> &[Override] {
        &self.overrides
    }

    /// Replaces the method.
    ///
    /// # Errors
    /// [`Kind::InvalidMethod`] if it is not a token (row V42).
    pub fn set_method(&mut self, method: &str) -> Result<()> {
        self.method = Method::from_bytes(method.as_bytes()).map_err(|_| Error::new(Kind::InvalidMethod))?;
        Ok(())
    }

    /// Replaces the request target by exact bytes, such as `*` or `/%2e%2e/` (row B24). The URL goes on
    /// saying where to connect; a redirect forgets the target.
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`] if it is empty or has bytes other than visible ASCII.
    pub fn set_target(&mut self, target: &str) -> Result<()> {
        if target.is_empty() || !target.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(
                Error::new(Kind::InvalidUrl).with_detail("a blank or control character in the target")
            );
        }
        self.target = Some(target.into());
        Ok(())
    }

    /// Replaces the body and what the headers say of its length, and of a coding that the request had asked for: the new
    /// body goes out as it is.
    pub fn set_body(&mut self, body: impl Into<Body>) {
        self.framed = None;
        if self.body.coding.is_some() {
            self.headers.remove("Content-Encoding");
        }
        self.body = body.into();
        self.headers.remove("Content-Length");
        self.headers.remove("Transfer-Encoding");
        if self.body.form.is_some() {
            // What stands there describes the body before. Without it nothing contradicts the form.
            self.headers.remove("Content-Type");
            let _ = self.settle_boundary();
        }
        self.frame();
    }

    /// Tells `observer` what the call does, after those that are told already.
    pub fn observe(&mut self, observer: Observer) {
        self.observer = std::mem::take(&mut self.observer).and(observer);
    }

    /// The head as it goes over the wire: what is said to a proxy included, credentials and all.
    #[must_use]
    pub fn head(&self) -> Vec<u8> {
        let sender = match self.forwarded_by() {
            None => {
                let target = self.target().as_bytes();
                Sender::new(&self.method, target, &self.headers, Outgoing::None, Vec::new())
            }
            Some(_) => {
                let (target, headers) = self.for_proxy();
                Sender::new(&self.method, target.as_bytes(), &headers, Outgoing::None, Vec::new())
            }
        };
        sender.unsent().to_vec()
    }

    /// The proxy that passes this very request on, and not a tunnel through it.
    pub(crate) fn forwarded_by(&self) -> Option<&Proxy> {
        let proxy = self.reach.plan.proxy()?;
        (self.url.scheme() == "http" && !proxy.protocol().is_socks()).then_some(proxy)
    }

    /// Target and headers for that proxy: in absolute-form, without userinfo and fragment (RFC 9112 section 3.2.2, rule
    /// D-16), and with what only the proxy is to see.
    pub(crate) fn for_proxy(&self) -> (String, Headers) {
        let host = &self.url[Position::BeforeHost..Position::AfterPort];
        let target = match self.target() {
            // Section 3.2.4.
            "*" => format!("http://{host}"),
            path if path.starts_with('/') => format!("http://{host}{path}"),
            target => target.to_owned(),
        };
        let says = self.reach.plan.says();
        let mut headers = self.headers.clone_with_room(says.len(), 128);
        // Any other name it would pass on to the host.
        let is_for_proxies = |name: &[u8]| name.len() > 6 && name[..6].eq_ignore_ascii_case(b"proxy-");
        for field in says.iter().filter(|field| is_for_proxies(field.name.as_ref())) {
            headers.insert_known(field);
        }
        (target, headers)
    }

    /// Says how long the body is (rules P-34 to P-41, rows B18, B19): one of the two lengths, never both.
    pub(crate) fn frame(&mut self) {
        let chunked = self.headers.contains("Transfer-Encoding");
        match (&self.body.content, self.body.length()) {
            (Content::None, _) => {
                if chunked {
                    self.headers.remove("Transfer-Encoding");
                }
                let bare = matches!(self.method, Method::GET | Method::HEAD);
                if !bare && !self.headers.contains("Content-Length") {
                    self.headers.append_known("Content-Length", b"0");
                }
            }
            (_, Some(length)) if !chunked => self.set_length(length),
            (_, None) if !chunked && self.headers.contains("Content-Length") => {}
            _ => {
                self.headers.remove("Content-Length");
                if !chunked {
                    self.headers.append_known("Transfer-Encoding", b"chunked");
                }
            }
        }
        if let Some(kind) = self.body.content_type
            && !self.headers.contains("Content-Type")
        {
            self.headers.append_known("Content-Type", kind.as_bytes());
        }
    }

    fn set_length(&mut self, length: u64) {
        let mut digits = [0; 20];
        // Digits are valid in every header.
        let _ = self.headers.insert("Content-Length", decimal(length, &mut digits));
    }

    /// Puts the Host in front (rule P-27) unless the caller has one.
    pub(crate) fn address_host(&mut self) -> Result<()> {
        match self.headers.get_all("Host").count() {
            0 => {
                let url = &self.url;
                let host = &url[Position::BeforeHost..Position::AfterPort];
                self.headers.prepend_with("Host", |out| out.extend_from_slice(host.as_bytes()));
                Ok(())
            }
            1 => Ok(()),
            _ => Err(Error::new(Kind::InvalidHeader).with_detail("more than one Host")),
        }
    }

    /// Notes how the end of the body shows and whether the body is to wait. Without content there is nothing to
    /// wait with, and nothing is expected (RFC 9110 section 10.1.1).
    ///
    /// # Errors
    /// What the caller has broken by editing.
    pub(crate) fn seal(&mut self) -> Result<()> {
        let facts = Facts::of(&self.headers);
        let says = facts.says;
        self.framed = Some(self.judge(&facts)?);
        self.says = Says { expects: says.expects && self.body.length() != Some(0), ..says };
        if says.expects && !self.says.expects {
            self.headers.remove("Expect");
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn check(&self) -> Result<Framed> {
        self.judge(&Facts::of(&self.headers))
    }

    /// What the caller may have broken by editing: framing that says two things, or something else than is
    /// sent (rows V44, B19).
    fn judge(&self, facts: &Facts<'_>) -> Result<Framed> {
        let invalid =
            |why: &'static str| Err(Error::new(Kind::InvalidHeader).with_detail(why).with_url(&self.url));
        match &facts.host {
            Some(Once(host)) if host.iter().all(|b| IS_HOST_BYTE[usize::from(*b)]) => {}
            _ => return invalid("Host must be one name with an optional port"),
        }
        if !Origin::is_one(&self.url) {
            return Err(Error::new(Kind::UnsupportedScheme).with_url(&self.url));
        }
        if self.reach.tls.is_https_only() && self.url.scheme() != "https" {
            return Err(Error::new(Kind::HttpsOnly).with_url(&self.url));
        }
        if facts.is_for_proxies {
            return invalid("Proxy-Authorization is for proxies, and goes to them by `Proxy::header`");
        }
        let chunked = match &facts.coding {
            None => false,
            Some(Once(coding)) if coding.eq_ignore_ascii_case(b"chunked") => true,
            _ => return invalid("Transfer-Encoding can only be chunked"),
        };
        let declared = match &facts.length {
            None => None,
            Some(Once(digits)) => match parse_decimal(digits) {
                Some(length) => Some(length),
                None => return invalid("Content-Length is not a number"),
            },
            Some(Again) => return invalid("more than one Content-Length"),
        };
        match (chunked, declared, self.body.length()) {
            (true, Some(_), _) => invalid("both Content-Length and Transfer-Encoding"),
            (true, None, _) if self.body.is_empty() => invalid("Transfer-Encoding without a body"),
            (true, None, _) => Ok(Framed::Chunked),
            (false, Some(declared), Some(length)) if declared != length => {
                invalid("Content-Length is not the length of the body")
            }
            (false, Some(declared), _) => Ok(Framed::Length(declared)),
            (false, None, Some(0)) => Ok(Framed::Length(0)),
            (false, None, _) => invalid("a body without Content-Length or Transfer-Encoding"),
        }
    }
}

/// The fields that say where a request goes and where it ends, gathered in one pass.
#[derive(Default)]
struct Facts<'a> {
    host: Option<Said<'a>>,
    length: Option<Said<'a>>,
    coding: Option<Said<'a>>,
    is_for_proxies: bool,
    says: Says,
}

/// What a field says.
enum Said<'a> {
    Once(&'a [u8]),
    Again,
}

impl<'a> Facts<'a> {
    fn of(headers: &'a Headers) -> Self {
        let mut facts = Self::default();
        for (name, value) in headers.pairs() {
            // The length of a name rules nearly every other field out.
            let said = match name.len() {
                4 if is_named(name, b"Host") => &mut facts.host,
                6 => {
                    facts.says.expects |= is_named(name, b"Expect") && has_option(value, b"100-continue");
                    continue;
                }
                7 => {
                    facts.says.upgrades |= is_named(name, b"Upgrade");
                    continue;
                }
                10 => {
                    // What sessions say there is known.
                    facts.says.closes |= is_named(name, b"Connection")
                        && value != b"keep-alive"
                        && has_option(value, b"close");
                    continue;
                }
                14 if is_named(name, b"Content-Length") => &mut facts.length,
                17 if is_named(name, b"Transfer-Encoding") => &mut facts.coding,
                19 => {
                    facts.is_for_proxies |= is_named(name, b"Proxy-Authorization");
                    continue;
                }
                _ => continue,
            };
            *said = Some(if said.is_none() { Once(value) } else { Again });
        }
        facts
    }
}

/// Whether a field has this name, whatever its case: nearly all are spelled like this, and then one look tells.
fn is_named<const N: usize>(name: &[u8], known: &[u8; N]) -> bool {
    name == known || name.eq_ignore_ascii_case(known)
}

/// How the end of the request's body shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framed {
    Length(u64),
    Chunked,
}

impl Prepared {
    /// How many bytes of body its head announces.
    pub(crate) fn announced(&self) -> Option<u64> {
        match self.framed {
            Some(Framed::Length(length)) => Some(length),
            _ => self.body.length(),
        }
    }

    /// The body as it goes out.
    pub(crate) fn outgoing(&self, framed: Framed) -> Outgoing {
        match (&self.body.content, framed) {
            (Content::None, _) => Outgoing::None,
            (Content::Bytes(bytes), Framed::Length(_)) => Outgoing::Bytes(bytes.clone()),
            // The caller wants chunks although the length is known (row B19): one chunk.
            (Content::Bytes(bytes), Framed::Chunked) => {
                let mut chunks = format!("{:x}\r\n", bytes.len()).into_bytes();
                if !bytes.is_empty() {
                    chunks.extend_from_slice(bytes);
                    chunks.extend_from_slice(b"\r\n0\r\n");
                }
                chunks.extend_from_slice(b"\r\n");
                Outgoing::Bytes(chunks.into())
            }
            (Content::Source { .. }, Framed::Length(length)) => Outgoing::Source { length: Some(length) },
            (Content::Source { .. }, Framed::Chunked) => Outgoing::Source { length: None },
        }
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("method", &self.method)
            .field("url", &Shown(&self.url).to_string())
            .field("headers", &self.headers)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// Whether this option is among those of a list, whatever its case.
pub(crate) fn has_option(list: &[u8], option: &[u8]) -> bool {
    list.split(|byte| *byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(option))
}

pub(crate) fn decimal(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        // A remainder of 10 fits.
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[at..];
        }
    }
}

/// What a Host may consist of: nothing that ends it, or that the request line gives a meaning.
static IS_HOST_BYTE: [bool; 256] = {
    let mut is_one = [false; 256];
    let mut at = 0;
    while at < is_one.len() {
        let byte = at as u8;
        is_one[at] = byte.is_ascii_graphic()
            && !matches!(byte, b'/' | b'\\' | b'?' | b'#' | b'@' | b'<' | b'>' | b'"');
        at += 1;
    }
    is_one
};

fn parse_decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The credentials that a URL names (rule P-51).
pub(crate) fn userinfo(url: &Url) -> (Vec<u8>, Vec<u8>) {
    (address::percent_decode(url.username()), address::percent_decode(url.password().unwrap_or_default()))
}

#[cfg(test)]
mod tests;
