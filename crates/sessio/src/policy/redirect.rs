//! What follows from a redirect: a pure function, and the one place where it is decided.
//!
//! | status | `POST` | `GET`, `HEAD` | any other |
//! |---|---|---|---|
//! | 301, 302 | `GET` without body | as it was | as it was, with its body |
//! | 303 | `GET` without body | as it was, without body | `GET` without body |
//! | 307, 308 | as it was, with its body | as it was, with its body | as it was, with its body |
//!
//! That is RFC 9110 section 15.4, and differs from requests where requests loses methods or bodies (row
//! B06). A redirect to another origin, and an origin is scheme, host and port, leaves credentials, the
//! caller's cookies and the caller's Host behind; they never come back on a later hop (rows B05, B12, V28).
//! From `http` to `https` on the same host and the default ports they go along, unless the settings say otherwise.

mod targets;

use std::sync::Arc;

use http::{Method, StatusCode};
use url::Url;

use crate::base::kind::Kind;
use crate::message::head::Head;
use crate::message::headers::{Field, Headers};
use crate::uri::address;
use crate::uri::origin::Origin;
pub use targets::AllowedTargets;

/// What a redirect is decided by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedirectRules {
    /// How many redirects one call may follow.
    pub max: u32,
    /// Headers that another origin must not see, beside those that it never sees.
    pub sensitive: Arc<[Box<str>]>,
    /// Where they may lead.
    pub targets: AllowedTargets,
    /// Whether the step from `http` to `https` on the same host, both on their default ports, keeps
    /// credentials, as requests does (rule R-16); `true` at first. With `false` it is another origin. See
    /// [`Settings::keep_on_upgrade`](crate::Settings::keep_on_upgrade).
    pub keep_on_upgrade: bool,
    /// Whether a request that was already sent in this call, to the letter, ends it with
    /// [`Kind::RedirectLoop`]; `false` at first. See [`Settings::detect_loops`](crate::Settings::detect_loops).
    pub detect_loops: bool,
}

impl Default for RedirectRules {
    fn default() -> Self {
        Self {
            max: 30,
            sensitive: Arc::default(),
            targets: AllowedTargets::default(),
            keep_on_upgrade: true,
            detect_loops: false,
        }
    }
}

/// The request whose response is looked at.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "built by whoever decides")]
pub struct Hop<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its URL, with the fragment that was asked for last.
    pub url: &'a Url,
    /// Its headers. The jar's share of the Cookie line is not among them: it is written anew for each hop.
    pub headers: &'a Headers,
    /// Its body.
    pub body: Replay,
    /// How many redirects this call has followed so far.
    pub taken: u32,
}

/// What can be done with a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// There is none.
    None,
    /// It can be sent again.
    Possible,
    /// It is gone.
    Impossible,
}

/// What follows.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Nothing: the response is the answer.
    Stop(Stop),
    /// This request.
    Follow(Box<Follow>),
    /// The server wants something that cannot or must not be done.
    Fail(Fail),
}

/// Why a response is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// Its status is none of 301, 302, 303, 307, 308 (rule R-01).
    NotRedirect,
    /// It has no Location.
    NoLocation,
    /// Its Location is empty (rule R-02).
    EmptyLocation,
}

impl Stop {
    /// The reason in kebab-case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotRedirect => "not-redirect",
            Self::NoLocation => "no-location",
            Self::EmptyLocation => "empty-location",
        }
    }
}

/// Why a redirect cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fail {
    /// The kind of the error.
    pub kind: Kind,
    /// What was wrong, safe to show.
    pub detail: Option<String>,
}

/// The request that a redirect leads to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Follow {
    /// Its method.
    pub method: Method,
    /// Its URL; without a fragment of its own it has inherited the one before (RFC 9110 section 10.2.2).
    pub url: Url,
    /// The headers that go along; Host is among them only if it was the caller's and still holds.
    pub headers: Headers,
    /// Whether the body goes along.
    pub keeps_body: bool,
    /// Whether it goes to another origin. The client certificate and the credentials that the call has then stay behind.
    pub leaves_origin: bool,
    /// The headers that stayed behind, and why.
    pub dropped: Vec<(Box<str>, Dropped)>,
}

/// Why a header did not go along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dropped {
    /// It describes a body that does not go along.
    Payload,
    /// It is not for another origin to see.
    OtherOrigin,
    /// It is for proxies, and chosen anew for each hop (rule R-19).
    Proxy,
}

/// Decides what follows from the head of a response.
///
/// ```
/// use sessio::http::{Method, StatusCode};
/// use sessio::redirect::{Decision, Hop, RedirectRules, Replay, decide};
/// use sessio::{Head, Headers, Url};
///
/// let (url, mut sent, mut got) = (Url::parse("http://a/x#part")?, Headers::new(), Headers::new());
/// sent.insert("Authorization", "Bearer abc")?;
/// got.insert("Location", "http://b/y")?;
/// let hop = Hop { method: &Method::GET, url: &url, headers: &sent, body: Replay::None, taken: 0 };
/// let decision = decide(&hop, &Head::new(StatusCode::FOUND, got), &RedirectRules::default());
/// let Decision::Follow(next) = decision else { panic!("{decision:?}") };
/// assert_eq!(next.url.as_str(), "http://b/y#part");
/// assert!(next.headers.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn decide(hop: &Hop<'_>, head: &Head, rules: &RedirectRules) -> Decision {
    if !is_redirect(head.status) {
        return Decision::Stop(Stop::NotRedirect);
    }
    let mut locations = head.headers.get_all("Location");
    let Some(location) = locations.next() else {
        return Decision::Stop(Stop::NoLocation);
    };
    if locations.any(|other| other != location) {
        return fail(Kind::ConflictingLocation);
    }
    if location.is_empty() {
        return Decision::Stop(Stop::EmptyLocation);
    }
    if hop.taken >= rules.max {
        return fail(Kind::TooManyRedirects);
    }
    let url = match target(hop.url, location) {
        Ok(url) => url,
        Err(fail) => return Decision::Fail(fail),
    };
    if let Some(why) = rules.targets.refuses(&url) {
        return Decision::Fail(Fail { kind: Kind::RedirectForbidden, detail: Some(why) });
    }
    let (method, keeps_body) = change(hop.method, head.status);
    if keeps_body && hop.body == Replay::Impossible {
        return fail(Kind::NotReplayable);
    }
    let leaves_origin =
        !(Origin::is_same(hop.url, &url) || (rules.keep_on_upgrade && is_upgrade(hop.url, &url)));
    let mut headers = hop.headers.clone_with_room(2, 128);
    let mut dropped = Vec::new();
    headers.retain(|field| {
        let is = |names: &[&str]| names.iter().any(|name| field.name.eq_ignore_ascii_case(name));
        let why = if is(&["Proxy-Authorization"]) {
            Some(Dropped::Proxy)
        } else if !keeps_body && is(&PAYLOAD) {
            Some(Dropped::Payload)
        } else if leaves_origin && belongs_to_origin(field, &rules.sensitive) {
            Some(Dropped::OtherOrigin)
        } else {
            None
        };
        dropped.extend(why.map(|why| (field.name.into(), why)));
        why.is_none()
    });
    Decision::Follow(Box::new(Follow { method, url, headers, keeps_body, leaves_origin, dropped }))
}

/// Whether a field belongs to one origin, and another one must not see it. `sensitive` has the names that the settings
/// list.
pub(crate) fn belongs_to_origin(field: Field<'_>, sensitive: &[Box<str>]) -> bool {
    let is = |name: &str| field.name.eq_ignore_ascii_case(name);
    field.is_sensitive() || BOUND.iter().any(|name| is(name)) || sensitive.iter().any(|name| is(name))
}

/// Rule R-01: 300, 304, 305 and 306 are never followed.
pub(crate) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Headers that describe a body (RFC 9110 section 15.4).
const PAYLOAD: [&str; 9] = [
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Location",
    "Content-Type",
    "Digest",
    "Expect",
    "Last-Modified",
    "Transfer-Encoding",
];

/// Headers that belong to one origin. The last three no request should have; what was copied out of a login has them
/// (row V29).
const BOUND: [&str; 6] =
    ["Authorization", "Cookie", "Host", "Cookie2", "Proxy-Authenticate", "WWW-Authenticate"];

fn change(method: &Method, status: StatusCode) -> (Method, bool) {
    match (status.as_u16(), method) {
        (303, &Method::GET | &Method::HEAD) => (method.clone(), false),
        (303, _) | (301 | 302, &Method::POST) => (Method::GET, false),
        _ => (method.clone(), true),
    }
}

/// The longest URL that a redirect leads to, in bytes. What a session keeps of a URL, and derives from it, is bounded by
/// this; servers refuse far shorter ones (row FA2).
pub const MOST_URL: usize = 64 * 1024;

fn target(base: &Url, location: &[u8]) -> Result<Url, Fail> {
    let (mut url, _) = address::parse(location, Some(base)).map_err(|error| Fail {
        kind: match error.kind() {
            Kind::UnsupportedScheme => Kind::UnsupportedRedirectScheme,
            _ => Kind::BadLocation,
        },
        // A Location may hold a password anywhere before its last @.
        detail: location.rsplit(|b| *b == b'@').next().map(crate::base::escape::escape),
    })?;
    if url.fragment().is_none() {
        url.set_fragment(base.fragment());
    }
    let length = url.as_str().len();
    if length > MOST_URL {
        let detail = format!("a URL of {length} bytes, and at most {MOST_URL} are followed");
        return Err(Fail { kind: Kind::BadLocation, detail: Some(detail) });
    }
    Ok(url)
}

fn is_upgrade(from: &Url, to: &Url) -> bool {
    let own_port = |url: &Url| url.port().is_none();
    from.scheme() == "http"
        && to.scheme() == "https"
        && from.host_str() == to.host_str()
        && own_port(from)
        && own_port(to)
}

fn fail(kind: Kind) -> Decision {
    Decision::Fail(Fail { kind, detail: None })
}

#[cfg(test)]
mod tests;
