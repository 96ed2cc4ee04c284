//! Fields that are allowed in trailers.

use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::message::headers::Headers;

/// Fields that must be known before the content (RFC 9110 section 6.5.1). They frame, route,
/// modify, control or authenticate a message, or describe its content. They are refused in sending
/// and dropped on receipt (row FA14).
const BEFORE: [&str; 43] = [
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Age",
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
    "Location",
    "Max-Forwards",
    "Origin",
    "Pragma",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Range",
    "Referer",
    "Retry-After",
    "Set-Cookie",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "Vary",
    "Via",
    "WWW-Authenticate",
];

/// Returns `true` if a field of this name is allowed in trailers.
pub(super) fn may_follow(name: &str) -> bool {
    !BEFORE.iter().any(|before| name.eq_ignore_ascii_case(before))
}

/// Refuses trailers that are not allowed.
pub(super) fn check(trailers: &Headers) -> Result<()> {
    match trailers.iter().find(|field| !may_follow(field.name)) {
        Some(field) => {
            let detail = format!("{} cannot come behind the body (RFC 9110 section 6.5.1)", field.name);
            Err(Fault::new(Kind::InvalidHeader).with_detail(detail))
        }
        None => Ok(()),
    }
}
