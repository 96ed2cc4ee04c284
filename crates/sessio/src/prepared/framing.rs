//! Framing of the request's body, by its header fields.

use url::Url;

use crate::base::decimal;
use crate::base::escape::escape;
use crate::base::kind::Kind;
use crate::error::{Error, Result};
use crate::message::body::Body;
use crate::message::headers::Headers;
use crate::message::list::has_option;
use Said::{Again, Once};

/// The framing of the request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framed {
    Length(u64),
    Chunked,
}

/// Header values that decide how the exchange continues.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Says {
    /// The body waits for `100 Continue`.
    pub(crate) expects: bool,
    /// The client closes the connection after this request, and sends no further one on it (RFC
    /// 9112 section 9.6).
    pub(crate) closes: bool,
    /// The request offers another protocol.
    pub(crate) upgrades: bool,
}

/// The fields for routing and framing, gathered in one pass.
#[derive(Default)]
pub(super) struct Facts<'a> {
    host: Option<Said<'a>>,
    length: Option<Said<'a>>,
    coding: Option<Said<'a>>,
    is_for_proxies: bool,
    pub(super) says: Says,
}

/// The value of a field, or its repetition.
enum Said<'a> {
    Once(&'a [u8]),
    Again,
}

impl<'a> Facts<'a> {
    pub(super) fn of(headers: &'a Headers) -> Self {
        let mut facts = Self::default();
        for (name, value) in headers.pairs() {
            // The length of a name excludes nearly every other field.
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
                    // The session's own value, `keep-alive`, needs no parsing.
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

    /// Rejects framing that an edit made invalid (rows V44, B19): it is ambiguous, or differs from
    /// the body that is sent.
    pub(super) fn check(&self, url: &Url, body: &Body) -> Result<Framed> {
        let invalid = |why: &'static str| Err(Error::new(Kind::InvalidHeader).with_detail(why).with_url(url));
        let refused = |why: &str, value: &[u8]| {
            let detail = format!("{why}: \"{}\"", escape(value));
            Err(Error::new(Kind::InvalidHeader).with_detail(detail).with_url(url))
        };
        match &self.host {
            Some(Once(host)) if host.iter().all(|b| IS_HOST_BYTE[usize::from(*b)]) => {}
            Some(Once(host)) => return refused("Host must be one name with an optional port", host),
            _ => return invalid("Host must be one name with an optional port"),
        }
        if self.is_for_proxies {
            return invalid("Proxy-Authorization is for proxies, and goes to them by `Proxy::header`");
        }
        let chunked = match &self.coding {
            None => false,
            Some(Once(coding)) if coding.eq_ignore_ascii_case(b"chunked") => true,
            Some(Once(coding)) => return refused("Transfer-Encoding can only be chunked", coding),
            Some(Again) => return invalid("Transfer-Encoding can only be chunked"),
        };
        let declared = match &self.length {
            None => None,
            Some(Once(digits)) => match decimal::parse(digits) {
                Some(length) => Some(length),
                None => return refused("Content-Length is not a number", digits),
            },
            Some(Again) => return invalid("more than one Content-Length"),
        };
        match (chunked, declared, body.length()) {
            (true, Some(_), _) => invalid("both Content-Length and Transfer-Encoding"),
            (true, None, _) if body.is_empty() => invalid("Transfer-Encoding without a body"),
            (true, None, _) => Ok(Framed::Chunked),
            (false, Some(declared), Some(length)) if declared != length => {
                let why = format!("Content-Length is {declared}, and the body has {length} bytes");
                Err(Error::new(Kind::InvalidHeader).with_detail(why).with_url(url))
            }
            (false, Some(declared), _) => Ok(Framed::Length(declared)),
            (false, None, Some(0)) => Ok(Framed::Length(0)),
            (false, None, _) => invalid("a body without Content-Length or Transfer-Encoding"),
        }
    }
}

/// Whether a field has this name, in any case. Nearly all names have this spelling, and then one
/// comparison is enough.
fn is_named<const N: usize>(name: &[u8], known: &[u8; N]) -> bool {
    name == known || name.eq_ignore_ascii_case(known)
}

/// The bytes that a Host may have: none that ends it, and none with a meaning in the request line.
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
