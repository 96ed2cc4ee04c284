//! A cache of parsed URLs.

use std::fmt;

use url::{Position, Url};

use crate::uri::address::{self, Address, Form};

/// Maximum number of cached origins. A session that cycles through more parses them again.
const MOST: usize = 8;

/// Parses the addresses of a session's requests and caches their origins. For the next request to a
/// cached origin it parses only path and query. The result is the same as without the cache.
///
/// ```
/// use sessio::{Address, UrlCache, Url};
///
/// let mut cache = UrlCache::new();
/// for (text, url) in [
///     ("HTTP://Example.org/a b", "http://example.org/a%20b"),
///     ("HTTP://Example.org/c?d", "http://example.org/c?d"),
/// ] {
///     let mut address = Address::from(text);
///     cache.read(&mut address);
///     assert_eq!(address.url(), Url::parse(url).ok());
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct UrlCache {
    known: Vec<Known>,
    /// The index that the next entry replaces.
    oldest: usize,
}

#[derive(Clone)]
struct Known {
    /// Scheme and authority, exactly as written.
    text: Box<str>,
    /// The parsed URL. Its path and query are those of the last request, kept only to reuse the
    /// memory.
    url: Url,
}

impl UrlCache {
    /// Creates an empty cache.
    #[must_use]
    pub const fn new() -> Self {
        Self { known: Vec::new(), oldest: 0 }
    }

    /// Parses a complete address. Relative and invalid ones stay unchanged: `prepare` resolves or
    /// rejects them.
    pub fn read(&mut self, address: &mut Address) {
        let Form::Text(text) = &address.0 else { return };
        let known = self.known.iter_mut().find_map(|known| known.tail_of(text).map(|tail| (known, tail)));
        // A path that begins with two slashes would be parsed as an authority.
        if let Some((known, tail)) = known
            && !tail.starts_with("//")
            && !tail.ends_with(['\n', '\r'])
            && let Some(url) = known.at(tail)
        {
            address.0 = Form::Whole(url, false);
            return;
        }
        let Some(end) = origin_of(text) else { return };
        let Ok((url, credentials)) = address::read(text, None) else { return };
        self.remember(&text[..end], &url);
        address.0 = Form::Whole(url, credentials);
    }

    fn remember(&mut self, text: &str, url: &Url) {
        // The cache stores no secrets.
        if text.contains('@') || self.known.iter().any(|known| *known.text == *text) {
            return;
        }
        let mut url = url.clone();
        url.set_fragment(None);
        let known = Known { text: text.into(), url };
        if self.known.len() < MOST {
            self.known.push(known);
        } else {
            self.known[self.oldest] = known;
            self.oldest = (self.oldest + 1) % MOST;
        }
    }
}

impl Known {
    /// The text after the authority, if `text` begins with this origin. Comparing the bytes of the
    /// origin costs less than searching for its end.
    fn tail_of<'t>(&self, text: &'t str) -> Option<&'t str> {
        let tail = text.strip_prefix(&*self.text)?;
        // Otherwise the authority continues, with a port or more of its name.
        (tail.is_empty() || tail.starts_with(['/', '?', '#'])).then_some(tail)
    }

    /// The URL with this text after the authority.
    fn at(&mut self, tail: &str) -> Option<Url> {
        // Many requests go to the URL of the request before: 574 instructions instead of 1,267. The
        // text of a URL parses as that URL, so equal text needs no parsing.
        if &self.url[Position::BeforePath..] == tail {
            return Some(self.url.clone());
        }
        self.url.set_query(None);
        if !tail.starts_with('/') || !tail.bytes().all(address::is_plain) {
            self.url.set_path("/");
            return address::join(&self.url, tail.as_bytes()).ok().map(|(url, _)| url);
        }
        // The text is a plain path and query, and needs no parsing.
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        self.url.set_path(path);
        if !query.is_empty() {
            self.url.set_query(Some(query));
        }
        Some(self.url.clone())
    }
}

/// Shows the origin only: paths and queries may contain secrets.
impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The end of scheme and authority, in text that begins with them.
fn origin_of(text: &str) -> Option<usize> {
    let scheme = ["http://", "https://"]
        .into_iter()
        .find(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))?;
    let authority = &text.as_bytes()[scheme.len()..];
    // The parser rejects a backslash after the authority.
    let end = authority.iter().position(|b| matches!(b, b'/' | b'?' | b'#'));
    Some(end.map_or(text.len(), |end| scheme.len() + end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(origins: &mut UrlCache, text: &str) -> Address {
        let mut address = Address::from(text);
        origins.read(&mut address);
        address
    }

    #[test]
    fn what_is_refused_stays_text() {
        let mut origins = UrlCache::new();
        for text in ["/x", "", "ftp://h/", "http://", "http://h:1:2/", "http:x"] {
            assert!(matches!(read(&mut origins, text).0, Form::Text(_)), "{text}");
        }
        assert!(origins.known.is_empty());
    }

    #[test]
    fn few_are_kept_and_no_credentials() {
        let mut origins = UrlCache::new();
        read(&mut origins, "http://u:p@h/");
        assert!(origins.known.is_empty());
        for n in 0..3 * MOST {
            read(&mut origins, &format!("http://h{n}/"));
        }
        assert_eq!(origins.known.len(), MOST);
    }

    #[test]
    fn an_origin_that_begins_like_a_known_one_is_another() {
        let mut origins = UrlCache::new();
        read(&mut origins, "http://h/");
        for text in ["http://h.test/", "http://h:81/", "http://h@a/", "http://h", "http://h?a", "http://h\\a"]
        {
            let expected = address::read(text, None).map(|(url, _)| url).ok();
            assert_eq!(read(&mut origins, text).url(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_known_origin_changes_nothing(
            origin in "https?://(h|H\\.example|127\\.0\\.0\\.1|\\[::1\\]|u:p@h)(:80|:8080)?",
            tail in "([/?#\\\\][/?#\\\\.:%@a-z0-9 é\n]{0,12})?",
        ) {
            let mut origins = UrlCache::new();
            read(&mut origins, &origin);
            let text = format!("{origin}{tail}");
            let expected = address::read(&text, None).ok();
            // The second time, the text may be that of the URL at hand.
            for _ in 0..2 {
                match read(&mut origins, &text).0 {
                    Form::Whole(url, credentials) => {
                        prop_assert_eq!(Some((url, credentials)), expected.clone());
                    }
                    Form::Text(_) => prop_assert!(expected.is_none()),
                }
            }
        }
    }
}
