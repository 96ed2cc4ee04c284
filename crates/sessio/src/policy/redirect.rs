//! The redirect decision: a pure function, and the only place with these rules.
//!
//! | status | `POST` | `GET`, `HEAD` | any other |
//! |---|---|---|---|
//! | 301, 302 | `GET` without body | as it was | as it was, with its body |
//! | 303 | `GET` without body | as it was, without body | `GET` without body |
//! | 307, 308 | as it was, with its body | as it was, with its body | as it was, with its body |
//!
//! The table follows RFC 9110 section 15.4. It differs from requests where requests loses methods
//! or bodies (row B06).
//!
//! A redirect to another origin (scheme, host and port) drops credentials, the caller's cookies and
//! the caller's Host field. They never come back on a later hop (rows B05, B12, V28). A step from
//! `http` to `https` on the same host and the default ports keeps them, unless the settings say
//! otherwise.

mod targets;

use std::sync::Arc;

use http::{Method, StatusCode};
use url::Url;

use crate::base::escape::escape;
use crate::base::kind::Kind;
use crate::message::head::Head;
use crate::message::headers::{Field, Headers};
use crate::uri::address;
use crate::uri::origin::Origin;
use crate::uri::redacted::RedactedReference;
pub use targets::AllowedTargets;

/// The settings of the redirect decision.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedirectRules {
    /// Maximal number of redirects of one call.
    pub max: u32,
    /// Further headers that are dropped on the way to another origin, beside the built-in ones.
    pub sensitive: Arc<[Box<str>]>,
    /// The URLs that redirects may lead to.
    pub targets: AllowedTargets,
    /// Keeps credentials on the step from `http` to `https` on the same host, both on their default
    /// ports, as requests does (rule R-16). Default: `true`. With `false` it is another origin. See
    /// [`Settings::keep_on_upgrade`](crate::Settings::keep_on_upgrade).
    pub keep_on_upgrade: bool,
    /// Ends a call with [`Kind::RedirectLoop`] at a request that is byte for byte equal to an
    /// earlier one of the call. Default: `false`. See
    /// [`Settings::detect_loops`](crate::Settings::detect_loops).
    pub detect_loops: bool,
    /// Schemes beside `http` and `https` that redirects may lead to: those of [mounts](crate::Mounts)
    /// with a transport. Default: none.
    pub schemes: Arc<[Box<str>]>,
}

impl Default for RedirectRules {
    fn default() -> Self {
        Self {
            max: 30,
            sensitive: Arc::default(),
            targets: AllowedTargets::default(),
            keep_on_upgrade: true,
            detect_loops: false,
            schemes: Arc::default(),
        }
    }
}

/// The request of the current response.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "built by whoever decides")]
pub struct Hop<'a> {
    /// The method.
    pub method: &'a Method,
    /// The URL, with the last fragment.
    pub url: &'a Url,
    /// The headers. Cookies of the jar are not among them: they are attached again at each hop.
    pub headers: &'a Headers,
    /// The body.
    pub body: Replay,
    /// Number of redirects that this call has followed so far.
    pub taken: u32,
}

/// The state of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// There is no body.
    None,
    /// The body can be sent again.
    Possible,
    /// The body is consumed.
    Impossible,
}

/// The decision about a response.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "a decision lives shortly; a box costs each redirect an allocation"
)]
pub enum Decision {
    /// Deliver the response to the caller.
    Stop(Stop),
    /// Send this request.
    Follow(Follow),
    /// Fail: the redirect is impossible or forbidden.
    Fail(Fail),
}

/// The reason why a response is not followed.
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

/// The reason why a redirect cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fail {
    /// The kind of the error.
    pub kind: Kind,
    /// The fault, safe to show.
    pub detail: Option<String>,
}

/// The request after a redirect.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Follow {
    /// The method.
    pub method: Method,
    /// The URL; without a fragment of its own it inherits the previous one (RFC 9110 section
    /// 10.2.2).
    pub url: Url,
    /// The headers that are kept; Host is among them only if the caller set it and it still
    /// applies.
    pub headers: Headers,
    /// Set if the body is kept.
    pub keeps_body: bool,
    /// Set if the request goes to another origin. The client certificate and the current
    /// credentials are dropped then.
    pub leaves_origin: bool,
    /// The headers that were dropped, with the reason of each.
    pub dropped: Vec<(Box<str>, Dropped)>,
}

/// The reason why a header was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dropped {
    /// It describes a body that is dropped.
    Payload,
    /// It belongs to the previous origin.
    OtherOrigin,
    /// It is for proxies, and chosen again at each hop (rule R-19).
    Proxy,
}

/// Decides by the head of a response whether and how to follow it.
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
    let url = match target(hop.url, location, &rules.schemes) {
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
        } else if !keeps_body && describes_body(field.name) {
            Some(Dropped::Payload)
        } else if leaves_origin && belongs_to_origin(field, &rules.sensitive) {
            Some(Dropped::OtherOrigin)
        } else {
            None
        };
        dropped.extend(why.map(|why| (field.name.into(), why)));
        why.is_none()
    });
    Decision::Follow(Follow { method, url, headers, keeps_body, leaves_origin, dropped })
}

/// Returns `true` if a field belongs to one origin, and must not reach another. `sensitive` are the
/// names from the settings.
pub(crate) fn belongs_to_origin(field: Field<'_>, sensitive: &[Box<str>]) -> bool {
    let is = |name: &str| field.name.eq_ignore_ascii_case(name);
    field.is_sensitive() || BOUND.iter().any(|name| is(name)) || sensitive.iter().any(|name| is(name))
}

/// Whether a field describes the body of its request.
pub(crate) fn describes_body(name: &str) -> bool {
    PAYLOAD.iter().any(|payload| name.eq_ignore_ascii_case(payload))
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

/// Headers that belong to one origin. The last three are invalid in a request; headers copied from
/// a login may contain them (row V29).
const BOUND: [&str; 6] =
    ["Authorization", "Cookie", "Host", "Cookie2", "Proxy-Authenticate", "WWW-Authenticate"];

fn change(method: &Method, status: StatusCode) -> (Method, bool) {
    match (status.as_u16(), method) {
        (303, &Method::GET | &Method::HEAD) => (method.clone(), false),
        (303, _) | (301 | 302, &Method::POST) => (Method::GET, false),
        _ => (method.clone(), true),
    }
}

/// Maximal length in bytes of a URL that a redirect leads to. It bounds the data that a session
/// stores for a URL and derives from it; servers refuse far shorter ones (row FA2).
pub const MOST_URL: usize = 64 * 1024;

fn target(base: &Url, location: &[u8], schemes: &[Box<str>]) -> Result<Url, Fail> {
    let (mut url, _) = address::parse_among(location, Some(base), schemes).map_err(|error| Fail {
        kind: match error.kind() {
            Kind::UnsupportedScheme => Kind::UnsupportedRedirectScheme,
            _ => Kind::BadLocation,
        },
        // A Location may hold a password anywhere before its last @.
        detail: location.rsplit(|b| *b == b'@').next().map(|end| RedactedReference(&escape(end)).to_string()),
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
