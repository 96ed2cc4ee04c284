//! Which fields may stand behind a body.

use crate::error::{Error, Kind, Result};
use crate::headers::Headers;

/// What frames, routes, modifies or authenticates a request, or says what its content is, has to be known before the
/// content comes (RFC 9110 section 6.5.1).
const BEFORE: [&str; 38] = [
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Location",
    "Content-Range",
    "Content-Type",
    "Cookie",
    "Expect",
    "From",
    "Host",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Max-Forwards",
    "Origin",
    "Pragma",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "Referer",
    "Set-Cookie",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "Via",
    "WWW-Authenticate",
];

/// Refuses what may not.
pub(super) fn check(trailers: &Headers) -> Result<()> {
    match trailers.iter().find(|field| BEFORE.iter().any(|name| field.name.eq_ignore_ascii_case(name))) {
        Some(field) => {
            let detail = format!("{} cannot come behind the body (RFC 9110 section 6.5.1)", field.name);
            Err(Error::new(Kind::InvalidHeader).with_detail(detail))
        }
        None => Ok(()),
    }
}
