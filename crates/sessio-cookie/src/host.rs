//! Hosts, their parents, and the comparison with a cookie's domain.
//!
//! Hosts are canonical here, as `url` makes them: lower case, A-labels, `[..]` around IPv6.

use std::net::Ipv4Addr;

/// The longest name in DNS. A longer host has no parents and no cookies. This bounds the lookups
/// for one host.
pub(crate) const MAX_NAME: usize = 255;

/// Whether the host is an IP address.
pub(crate) fn is_ip(host: &str) -> bool {
    // Only a name whose last label is a number can be an IPv4 address. The last byte excludes most
    // hosts.
    match host.as_bytes().last() {
        Some(b']') => host.starts_with('['),
        Some(b'0'..=b'9') => host.parse::<Ipv4Addr>().is_ok(),
        _ => false,
    }
}

/// Whether `host` is `domain` or a host below it. RFC 6265bis 5.1.3; rule 21.
pub(crate) fn domain_match(host: &str, domain: &str) -> bool {
    host == domain || (has_parents(host) && is_below(host, domain))
}

/// Whether `host` ends in `.` and `domain`.
fn is_below(host: &str, domain: &str) -> bool {
    !domain.is_empty() && host.strip_suffix(domain).is_some_and(|head| head.ends_with('.'))
}

fn has_parents(host: &str) -> bool {
    host.len() <= MAX_NAME && !is_ip(host)
}

/// The host, followed by its parents, nearest first.
pub(crate) fn lineage(host: &str) -> impl Iterator<Item = &str> {
    let mut next = Some(host);
    let has_parents = has_parents(host);
    std::iter::from_fn(move || {
        let this = next?;
        let dot = this.bytes().position(|byte| byte == b'.').filter(|_| has_parents);
        next = dot.map(|dot| &this[dot + 1..]).filter(|parent| !parent.is_empty());
        Some(this)
    })
}

/// Whether the name is `localhost` or below it (RFC 6761 section 6.3). A dot at the end is allowed.
///
/// A caller that trusts it must connect such a name to a loopback address, whatever its resolver
/// says.
fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.strip_suffix("localhost").is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether the host is always this machine: `localhost`, `*.localhost`, 127.0.0.0/8 or `[::1]`.
pub(crate) fn is_loopback(host: &str) -> bool {
    is_localhost(host)
        || host == "[::1]"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// The part of `host` that a `Domain` attribute names: the host or a parent of it. Case does not
/// matter. `None` if the attribute names something else.
pub(crate) fn named_part<'h>(host: &'h str, attribute: &[u8]) -> Option<&'h str> {
    let start = host.len().checked_sub(attribute.len())?;
    let part = host.get(start..)?;
    (part.as_bytes().eq_ignore_ascii_case(attribute) && domain_match(host, part)).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v62_v63_a_match_ends_at_a_dot_and_never_splits_an_address() {
        assert!(domain_match("www.example.com", "example.com"));
        assert!(domain_match("example.com", "example.com"));
        assert!(!domain_match("example.com", "ample.com"));
        assert!(!domain_match("example.com", "www.example.com"));
        assert!(!domain_match("192.168.0.1", "168.0.1"));
        assert!(domain_match("192.168.0.1", "192.168.0.1"));
        assert!(!domain_match("a.b", "a.b."));
        assert!(!domain_match("a.b.", ""));
        assert_eq!(named_part("www.example.com", b"EXAMPLE.com"), Some("example.com"));
        assert_eq!(named_part("www.example.com", b"ample.com"), None);
    }

    #[test]
    fn lineages() {
        let of = |host| lineage(host).collect::<Vec<_>>();
        assert_eq!(of("a.b.c"), ["a.b.c", "b.c", "c"]);
        assert_eq!(of("a.b."), ["a.b.", "b."]);
        assert_eq!(of("127.0.0.1"), ["127.0.0.1"]);
        assert_eq!(of("[::1]"), ["[::1]"]);
        assert_eq!(of(&"a.".repeat(200)).len(), 1);
    }

    #[test]
    fn every_parent_matches_and_nothing_else() {
        for host in ["a.b.c", "a..b", "10.0.0.1", "1.2.3.4.x", "localhost"] {
            for other in ["a.b.c", "b.c", "c", ".b", "b", "0.0.1", "x", "4.x", "", "localhost"] {
                assert_eq!(domain_match(host, other), lineage(host).any(|up| up == other), "{host} {other}");
            }
        }
    }

    #[test]
    fn loopback() {
        for host in ["localhost", "a.localhost", "localhost.", "127.0.0.1", "127.9.9.9", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["notlocalhost", "localhost.com", "128.0.0.1", "127.0.0.1.nip.io", "[::2]", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
