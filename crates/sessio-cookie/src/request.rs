//! The cookies of one request, and its one `Cookie` line.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use url::Url;

use crate::header::HeaderLine;
use crate::insert::pair;
use crate::jar::Jar;
use crate::parse::split_pair;
use crate::reason::{InvalidCookie, Reason};
use crate::scan::{has_control, trim};
use crate::site::Site;
use crate::unix_time::UnixTime;

/// Cookies of *one* request, which no jar stores: single pairs, and a `Cookie` header of the
/// caller.
///
/// Each name occurs once, in the given order. The cookies belong to the request's origin: drop them
/// when you follow a redirect to another origin. Without cookies it allocates nothing.
///
/// ```
/// use sessio_cookie::RequestCookies;
///
/// let mut own = RequestCookies::new();
/// own.set("a", "1")?;
/// own.parse_header("a=2; b=3")?;      // `set` takes precedence over the header
/// own.remove("tracking");             // the jar's cookie of this name is not sent
/// let mut out = Vec::new();
/// assert_eq!(own.write(&mut out), 2);
/// assert_eq!(out, b"a=1; b=3");
/// # Ok::<(), sessio_cookie::InvalidCookie>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RequestCookies {
    pairs: Vec<Own>,
    /// The index of each name in `pairs`. A header that is passed on from elsewhere may have very
    /// many.
    places: BTreeMap<Box<[u8]>, usize>,
}

#[derive(Clone, PartialEq, Eq)]
struct Own {
    name: Box<[u8]>,
    /// `None`: the name was removed, and nothing is sent under it.
    value: Option<Box<[u8]>>,
}

impl RequestCookies {
    /// No cookies.
    #[must_use]
    pub const fn new() -> Self {
        Self { pairs: Vec::new(), places: BTreeMap::new() }
    }

    /// Sends this pair instead of the jar's cookies of this name. Setting it again replaces the
    /// value in place.
    ///
    /// # Errors
    /// As [`NewCookie::new`](crate::NewCookie::new).
    pub fn set(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<(), InvalidCookie> {
        let (name, value) = pair(name.as_ref(), value.as_ref())?;
        self.put(name, Some(value), Over::Earlier);
        Ok(())
    }

    /// Sends nothing under this name, neither from here nor from the jar.
    pub fn remove(&mut self, name: impl AsRef<[u8]>) {
        self.put(trim(name.as_ref()), None, Over::Earlier);
    }

    /// Adds the pairs of a `Cookie` header. A name that is already present keeps its value. So of
    /// several pairs of one name in a header the first one stays, as in servers.
    ///
    /// # Errors
    /// A control character. Nothing is added then. Sizes are not checked here.
    pub fn parse_header(&mut self, header: impl AsRef<[u8]>) -> Result<(), InvalidCookie> {
        let header = header.as_ref();
        if has_control(header) {
            return Err(Reason::ControlCharacter.into());
        }
        for (name, value) in header.split(|&byte| byte == b';').map(split_pair) {
            if !(name.is_empty() && value.is_empty()) {
                self.put(name, Some(value), Over::Nothing);
            }
        }
        Ok(())
    }

    /// Whether these cookies change nothing: the request sends those of the jar.
    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The names and values in the given order. `None` for a name that was removed.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.pairs.iter().map(|own| (&*own.name, own.value.as_deref()))
    }

    /// Appends the value of the `Cookie` header of a request that uses no jar. Returns the number
    /// of cookies written.
    pub fn write(&self, out: &mut Vec<u8>) -> usize {
        let mut line = HeaderLine::new(out);
        self.pairs.iter().for_each(|own| own.write(&mut line));
        line.written()
    }

    fn find(&self, name: &[u8]) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Sets or adds a name with a single lookup: lookups are most of the cost of a long header.
    fn put(&mut self, name: &[u8], value: Option<&[u8]>, wins: Over) {
        match self.places.entry(name.into()) {
            Entry::Occupied(at) => {
                if wins == Over::Earlier {
                    self.pairs[*at.get()].value = value.map(Box::from);
                }
            }
            Entry::Vacant(place) => {
                place.insert(self.pairs.len());
                self.pairs.push(Own { name: name.into(), value: value.map(Box::from) });
            }
        }
    }
}

/// Whether a new pair replaces an earlier one of the same name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Earlier,
    Nothing,
}

impl Own {
    fn write(&self, line: &mut HeaderLine<'_>) {
        if let Some(value) = &self.value {
            line.push_parts(&self.name, value);
        }
    }
}

impl fmt::Debug for RequestCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: Option<&[u8]>| value.map(|value| format!("<{} bytes>", value.len()));
        f.debug_map()
            .entries(self.iter().map(|(name, value)| (name.escape_ascii().to_string(), shown(value))))
            .finish()
    }
}

/// Appends the value of the one `Cookie` header of a request to `out`: the jar's cookies for `url`
/// merged with the request's own. Returns the number of cookies written. If it is 0, send no
/// header.
///
/// An own cookie replaces all cookies of the jar with its name. It takes the position of the first
/// of them. The other own cookies follow those of the jar in the given order.
///
/// ```
/// use sessio_cookie::{Jar, RequestCookies, UnixTime, Url, line};
///
/// let now = UnixTime(1_767_225_600);
/// let url = Url::parse("https://example.com/")?;
/// let mut jar = Jar::new();
/// jar.extract(&url, [&b"a=jar"[..], b"b=jar", b"c=jar"], now);
/// let mut own = RequestCookies::new();
/// own.set("new", "own")?;
/// own.set("b", "own")?;
/// own.remove("c");
///
/// let mut out = Vec::new();
/// assert_eq!(line(&mut jar, &own, &url, now, &mut out), 3);
/// assert_eq!(out, b"a=jar; b=own; new=own");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[inline]
pub fn line(jar: &mut Jar, own: &RequestCookies, url: &Url, now: UnixTime, out: &mut Vec<u8>) -> usize {
    line_from(jar, own, url, Site::Same, now, out)
}

/// [`line()`] for a request that comes from `site`.
pub fn line_from(
    jar: &mut Jar,
    own: &RequestCookies,
    url: &Url,
    site: Site,
    now: UnixTime,
    out: &mut Vec<u8>,
) -> usize {
    if own.is_empty() {
        return jar.header_from(url, site, now, out);
    }
    let mut line = HeaderLine::new(out);
    let mut placed = vec![false; own.pairs.len()];
    jar.send(url, site, now, &mut line, |cookie, line| {
        let Some(at) = own.find(cookie.name()) else { return false };
        if !std::mem::replace(&mut placed[at], true) {
            own.pairs[at].write(line);
        }
        true
    });
    for (own, _) in own.pairs.iter().zip(placed).filter(|(_, placed)| !placed) {
        own.write(&mut line);
    }
    line.written()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unix_time::UnixTime;

    #[test]
    fn b15_each_name_once() {
        let now = UnixTime(0);
        let url = Url::parse("https://example.com/a/b").unwrap();
        let mut jar = Jar::new();
        jar.extract(&url, [&b"x=1; Path=/"[..], b"x=2; Path=/a", b"y=3; Path=/"], now);
        let mut own = RequestCookies::new();
        own.parse_header("x=own; ; x=again;; bare; =bare2").unwrap();
        let mut out = b"Cookie: ".to_vec();
        assert_eq!(line(&mut jar, &own, &url, now, &mut out), 3);
        assert_eq!(out.escape_ascii().to_string(), "Cookie: x=own; y=3; bare");
        // The jar has not changed.
        out.clear();
        assert_eq!(jar.header(&url, now, &mut out), 3);
    }

    #[test]
    fn nothing_that_breaks_the_line_comes_in() {
        let mut own = RequestCookies::new();
        for (name, value) in
            [("a", "1\r\n"), ("a\0", "1"), ("a;b", "1"), ("a", "1;b"), ("a=b", "1"), ("", "a=b"), ("", "")]
        {
            assert!(own.set(name, value).is_err(), "{name:?} {value:?}");
        }
        assert!(own.parse_header("a=1\r\nb: 2").is_err());
        assert!(own.is_empty());
        assert_eq!(format!("{own:?}"), "{}");
    }
}
