//! The checks that every cookie must pass, whether a response, the caller or a file sets it.

use crate::parse::SameSite;
use crate::policy::{Policy, Prefixes};
use crate::reason::Reason;
use crate::record::Cookie;

/// Checks the flags against each other and against a prefix of the name. Rules 27 to 29.
///
/// `root` says that the path was given as `/`, rather than by default.
pub(crate) fn admit(cookie: &Cookie, root: bool, policy: &Policy) -> Result<(), Reason> {
    if cookie.same_site == SameSite::None && !cookie.secure && policy.same_site_none_needs_secure {
        return Err(Reason::SameSiteNoneInsecure);
    }
    if cookie.name().is_empty() {
        return prefix_reason(cookie.value(), policy.prefixes)
            .map_or(Ok(()), |_| Err(Reason::NamelessPrefix));
    }
    let host = cookie.secure && cookie.host_only && root;
    let http = cookie.secure && cookie.http_only;
    match prefix_reason(cookie.name(), policy.prefixes) {
        Some(broken @ Reason::SecurePrefix) if !cookie.secure => Err(broken),
        Some(broken @ Reason::HostPrefix) if !host => Err(broken),
        Some(broken @ Reason::HttpPrefix) if !http => Err(broken),
        Some(broken @ Reason::HostHttpPrefix) if !(host && http) => Err(broken),
        _ => Ok(()),
    }
}

/// The prefix that a name begins with, as the reason to refuse a cookie that lacks what the prefix
/// demands.
fn prefix_reason(name: &[u8], prefixes: Prefixes) -> Option<Reason> {
    // Nearly all names have no prefix and return here.
    let rest = name.strip_prefix(b"__")?;
    let starts =
        |prefix: &[u8]| rest.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let layered = prefixes == Prefixes::Layered;
    if starts(b"secure-") {
        Some(Reason::SecurePrefix)
    } else if layered && starts(b"host-http-") {
        Some(Reason::HostHttpPrefix)
    } else if starts(b"host-") {
        Some(Reason::HostPrefix)
    } else if layered && starts(b"http-") {
        Some(Reason::HttpPrefix)
    } else {
        None
    }
}
