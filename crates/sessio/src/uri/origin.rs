//! Origins: the owners of credentials, cookies and connections.

use std::fmt;

use url::{Host, Url};

/// An origin: scheme, host and port. URLs that differ in one of the three have different origins
/// (RFC 9110 section 4.3.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether the scheme is `https`.
    pub secure: bool,
    /// The host as in the URL: lower case, A-labels, IPv6 without brackets.
    pub host: Box<str>,
    /// The port. The scheme's default if the URL has none.
    pub port: u16,
}

impl Origin {
    /// The origin of an `http` or `https` URL. `None` for any other URL.
    ///
    /// ```
    /// use sessio::{Origin, Url};
    ///
    /// let origin = Origin::of(&Url::parse("http://Example.org/x")?).unwrap();
    /// assert_eq!(origin.to_string(), "http://example.org");
    /// assert_eq!((&*origin.host, origin.port), ("example.org", 80));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        let secure = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let host = match url.host()? {
            Host::Domain(name) => name.into(),
            Host::Ipv4(_) => url.host_str()?.into(),
            Host::Ipv6(_) => url.host_str()?.trim_matches(['[', ']']).into(),
        };
        Some(Self { secure, host, port: url.port_or_known_default()? })
    }

    /// Whether the URL has an origin.
    pub(crate) fn is_one(url: &Url) -> bool {
        matches!(url.scheme(), "http" | "https") && url.has_host()
    }

    /// Whether two URLs have the same origin.
    #[must_use]
    pub fn is_same(a: &Url, b: &Url) -> bool {
        a.scheme() == b.scheme()
            && a.host_str() == b.host_str()
            && a.port_or_known_default() == b.port_or_known_default()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, own) = if self.secure { ("https", 443) } else { ("http", 80) };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]", self.host)?;
        } else {
            write!(f, "{scheme}://{}", self.host)?;
        }
        if self.port == own { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let url = |text| Url::parse(text).unwrap();
        for (a, b, same) in [
            ("http://a/", "http://A:80/x", true),
            ("http://a/", "https://a/", false),
            ("http://a:1/", "http://a:2/", false),
            ("http://a/", "http://b.a/", false),
        ] {
            assert_eq!(Origin::is_same(&url(a), &url(b)), same, "{a} {b}");
        }
        assert_eq!(Origin::of(&url("http://[::1]:81/")).unwrap().to_string(), "http://[::1]:81");
        assert_eq!(Origin::of(&url("ftp://a/")), None);
    }
}
