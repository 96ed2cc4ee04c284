//! URL patterns: the URLs that a mount, or credentials, belong to.

use std::cmp::Ordering;
use std::fmt;

use url::{Host, Url};

use crate::base::escape::escape;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::uri::address;

/// A pattern of URLs: a scheme, and optionally a host, a port and a path.
///
/// Patterns are compared by their parts, never as text. `http://localhost` does not match
/// `http://localhost.evil.test/`.
///
/// | part | matches |
/// |---|---|
/// | scheme | the same scheme. `https://` alone matches every host and port |
/// | host | this host. `*.example.org` matches all names below `example.org`, and not the name itself |
/// | port | this port. Without one: the default port of the scheme, or no port |
/// | path | whole segments. `/v2` matches `/v2` and `/v2/x`, and not `/v20`. `/v2/` does not match `/v2` |
///
/// A URL's user, password, query and fragment make no difference. Scheme and host are compared
/// without case, paths with case, as URLs spell them.
///
/// ```
/// use sessio::{Url, UrlPattern};
///
/// let pattern = UrlPattern::parse("https://API.example.org/v2/")?;
/// assert_eq!(pattern.to_string(), "https://api.example.org/v2/");
/// for (url, matches) in [
///     ("https://api.example.org/v2/users?page=2", true),
///     ("https://api.example.org:443/v2/", true),
///     ("https://api.example.org/v2", false),
///     ("https://api.example.org.evil.test/v2/", false),
///     ("http://api.example.org/v2/", false),
/// ] {
///     assert_eq!(pattern.matches(&Url::parse(url)?), matches, "{url}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UrlPattern {
    scheme: Box<str>,
    host: Hosts,
    port: Option<u16>,
    /// It begins with a slash. `/` matches every path.
    path: Box<str>,
}

/// The hosts of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Hosts {
    Any,
    /// All names that end in this text, which begins with a dot.
    Below(Box<str>),
    Only(Box<str>),
}

impl UrlPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// - [`Kind::InvalidUrl`] or [`Kind::MissingScheme`]: the text is no pattern, or it has a user,
    ///   a query or a fragment.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = |why: &str| {
            let text = text.rsplit('@').next().unwrap_or_default();
            let detail = format!("{why}: {}", escape(text.as_bytes()));
            Fault::new(Kind::InvalidUrl).with_detail(detail)
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            let text = text.rsplit('@').next().unwrap_or_default();
            return Err(Fault::new(Kind::MissingScheme).with_detail(escape(text.as_bytes())));
        };
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        if !is_scheme {
            return Err(invalid("no scheme"));
        }
        let scheme: Box<str> = scheme.to_ascii_lowercase().into();
        if rest.is_empty() {
            return Ok(Self { scheme, host: Hosts::Any, port: None, path: "/".into() });
        }
        let authority = rest.split(['/', '\\']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(invalid("a user in a pattern"));
        }
        if text.contains(['?', '#']) {
            return Err(invalid("a query or a fragment in a pattern"));
        }
        let (is_below, rest) = match rest.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let url = parse(&scheme, rest).map_err(|fault| invalid(fault.detail().unwrap_or("no URL")))?;
        let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
        if host.contains('*') {
            return Err(invalid("a * that is not the first label"));
        }
        let is_address = matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_)));
        let host = match is_below {
            true if is_address => return Err(invalid("addresses have no names below them")),
            true => Hosts::Below(format!(".{host}").into()),
            false => Hosts::Only(host.into()),
        };
        let port = url.port_or_known_default();
        Ok(Self { scheme, host, port, path: path_of(&url).into() })
    }

    /// Whether a URL matches the pattern.
    #[must_use]
    pub fn matches(&self, url: &Url) -> bool {
        let host = || url.host_str().unwrap_or_default();
        let is_host = match &self.host {
            Hosts::Any => true,
            Hosts::Only(name) => name.eq_ignore_ascii_case(host()),
            Hosts::Below(suffix) => ends_in(host(), suffix),
        };
        is_host
            && *self.scheme == *url.scheme()
            && (self.host == Hosts::Any || self.port == url.port_or_known_default())
            && self.matches_path(path_of(url))
    }

    /// Whether the pattern's path matches, by whole segments.
    pub(crate) fn matches_path(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(&*self.path) else { return false };
        rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/')
    }

    /// The scheme, in lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The path, `/` if the pattern has none.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the pattern has no more than scheme, host and port.
    #[must_use]
    pub fn is_origin(&self) -> bool {
        self.host != Hosts::Any && *self.path == *"/"
    }

    /// Compares how much two patterns say: the one with the longer host is greater, and then the
    /// one with the longer path. A whole host is longer than any `*.`.
    #[must_use]
    pub fn compare_length(&self, other: &Self) -> Ordering {
        let length = |pattern: &Self| match &pattern.host {
            Hosts::Any => (0, 0, pattern.path.len()),
            Hosts::Below(suffix) => (1, suffix.len(), pattern.path.len()),
            Hosts::Only(_) => (2, 0, pattern.path.len()),
        };
        length(self).cmp(&length(other))
    }

    /// The parts that a table looks up: scheme, host as [`site`] has it, and port.
    pub(crate) fn site(&self) -> (&str, &str, Option<u16>) {
        let host = match &self.host {
            Hosts::Any => "",
            Hosts::Below(name) | Hosts::Only(name) => name,
        };
        (&self.scheme, host, self.port)
    }

    /// Whether the pattern matches all names below one.
    pub(crate) fn is_below(&self) -> bool {
        matches!(self.host, Hosts::Below(_))
    }
}

/// The path of a URL; `/` if it has none.
pub(crate) fn path_of(url: &Url) -> &str {
    match url.path() {
        "" => "/",
        path => path,
    }
}

/// Whether a host is a name below the one of a suffix with its dot.
fn ends_in(host: &str, suffix: &str) -> bool {
    let Some(from) = host.len().checked_sub(suffix.len()) else { return false };
    from > 0 && host.get(from..).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

/// Parses scheme and rest, as the URLs of requests are parsed.
fn parse(scheme: &str, rest: &str) -> Result<Url> {
    let text = format!("{scheme}://{rest}");
    address::read_custom(&text).map(|(url, _)| url)
}

impl fmt::Display for UrlPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        match &self.host {
            Hosts::Any => return Ok(()),
            Hosts::Below(suffix) => write!(f, "*{suffix}")?,
            Hosts::Only(host) => f.write_str(host)?,
        }
        match (&*self.scheme, self.port) {
            ("http", Some(80)) | ("https", Some(443)) | (_, None) => {}
            (_, Some(port)) => write!(f, ":{port}")?,
        }
        f.write_str(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, url: &str) -> bool {
        UrlPattern::parse(pattern).unwrap().matches(&Url::parse(url).unwrap())
    }

    #[test]
    fn s15_parts_are_compared_and_never_text() {
        for (pattern, url, expected) in [
            ("http://localhost", "http://localhost/x", true),
            ("http://localhost", "http://localhost.evil.com/", false),
            ("http://localhost", "http://localhost:8080/", false),
            ("http://localhost:8080", "http://localhost:8080/", true),
            ("http://localhost", "http://user@localhost/", true),
            ("http://localhost", "http://localhost@evil.com/", false),
            ("https://", "https://a.test:444/", true),
            ("https://", "http://a.test/", false),
            ("HTTP://A.test:80/", "http://a.TEST/", true),
            ("http://a.test/v2", "http://a.test/v2", true),
            ("http://a.test/v2", "http://a.test/v2/x", true),
            ("http://a.test/v2", "http://a.test/v2?q", true),
            ("http://a.test/v2", "http://a.test/v20", false),
            ("http://a.test/v2", "http://a.test/V2", false),
            ("http://a.test/v2/", "http://a.test/v2", false),
            ("http://a.test/v2/", "http://a.test/v2/../v1/", false),
            ("http://a.test/v2/", "http://a.test/v2/%2e%2e/v1/", false),
            ("http://a.test/a b/", "http://a.test/a%20b/c", true),
            ("http://*.a.test", "http://b.a.test/", true),
            ("http://*.a.test", "http://c.b.a.test/", true),
            ("http://*.a.test", "http://a.test/", false),
            ("http://*.a.test", "http://ba.test/", false),
            ("http://[::1]:5/", "http://[::1]:5/x", true),
            ("http://b\u{fc}cher.test/", "http://xn--bcher-kva.test/", true),
            ("mock://", "mock://any/x", true),
            ("mock://App/x/", "mock://app/x/y", true),
            ("mock://app", "mock://app", true),
            ("mock://app", "mock://app:1/", false),
        ] {
            assert_eq!(matches(pattern, url), expected, "{pattern} {url}");
        }
    }

    #[test]
    fn a_text_that_is_no_pattern_is_an_error() {
        for text in [
            "",
            "a.test",
            "//a.test/",
            "http:/a.test/",
            "1http://a.test/",
            "http://u:p@a.test/",
            "http://a.test/?q",
            "http://a.test/#f",
            "http://*.1.2.3.4/",
            "http://*/",
            "http://*a.test/",
            "http://a.*.test/",
            "http://*.",
            "http://*.*.a.test/",
            "http:///x",
            "http://a b/",
            "mock:///x",
            "http://a.test:x/",
            "http://a.test:70000/",
            "http://a.test/\n",
        ] {
            let kind = UrlPattern::parse(text).map_err(|fault| fault.kind());
            assert!(matches!(kind, Err(Kind::InvalidUrl | Kind::MissingScheme)), "{text} {kind:?}");
        }
        let secret = UrlPattern::parse("http://user:hunter2@a.test/").unwrap_err();
        assert!(!secret.to_string().contains("hunter2"));
    }

    #[test]
    fn a_pattern_is_shown_as_it_is_compared() {
        for (text, shown) in [
            ("HTTPS://A.Test:443", "https://a.test/"),
            ("http://*.A.test:81/x", "http://*.a.test:81/x"),
            ("Mock://", "mock://"),
            ("mock://App:1", "mock://app:1/"),
        ] {
            let pattern = UrlPattern::parse(text).unwrap();
            assert_eq!(pattern.to_string(), shown);
            assert_eq!(UrlPattern::parse(shown).unwrap(), pattern);
        }
    }
}
