//! Reading and removing the cookies of a jar.

use url::Url;

use crate::jar::Jar;
use crate::record::Cookie;
use crate::unix_time::UnixTime;

/// Reading and removing cookies. An expired cookie is never sent. It stays in the jar until a
/// request matches it, or until [`remove_expired`](Self::remove_expired).
impl Jar {
    /// How many cookies there are.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.store().len()
    }

    /// Whether the jar has no cookie.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All cookies, the oldest first.
    ///
    /// ```
    /// # use sessio_cookie::{Jar, UnixTime, Url};
    /// # let now = UnixTime(0);
    /// # let mut jar = Jar::new();
    /// # jar.extract(&Url::parse("http://a.example/")?, [&b"a=1"[..], b"b=2"], now);
    /// for cookie in jar.iter() {
    ///     println!("{} {:?}", cookie.domain(), cookie.name_str());
    /// }
    /// // A map from name to value. Of several cookies of one name, the youngest stays.
    /// let map: std::collections::BTreeMap<_, _> = jar.iter().map(|cookie| (cookie.name(), cookie.value())).collect();
    /// assert_eq!(map[&b"b"[..]], b"2");
    /// # Ok::<(), url::ParseError>(())
    /// ```
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Cookie> {
        let mut all: Vec<&Cookie> = self.store().iter().collect();
        all.sort_unstable_by_key(|cookie| cookie.order);
        all.into_iter()
    }

    /// The youngest cookie of this name, on whatever host and path. Several cookies of one name are
    /// no error: [`get_for`](Self::get_for) returns the one for a URL, and [`iter`](Self::iter)
    /// returns all.
    #[must_use]
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&Cookie> {
        let name = name.as_ref();
        self.store().iter().filter(|cookie| cookie.name() == name).max_by_key(|cookie| cookie.order)
    }

    /// The cookie of this name that a request to `url` sends. Of several it is the first in the
    /// header.
    ///
    /// ```
    /// # use sessio_cookie::{Jar, UnixTime, Url};
    /// # let now = UnixTime(0);
    /// let mut jar = Jar::new();
    /// jar.insert_str("csrf=1; Path=/", &Url::parse("https://a.example/")?, now)?;
    /// jar.insert_str("csrf=2; Path=/", &Url::parse("https://b.example/")?, now)?;
    ///
    /// assert_eq!(jar.get("csrf").and_then(|cookie| cookie.value_str()), Some("2"));
    /// let here = Url::parse("https://a.example/form")?;
    /// assert_eq!(jar.get_for(&here, "csrf", now).and_then(|cookie| cookie.value_str()), Some("1"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn get_for(&self, url: &Url, name: impl AsRef<[u8]>, now: UnixTime) -> Option<&Cookie> {
        let name = name.as_ref();
        self.matching(url, now).into_iter().find(|cookie| cookie.name() == name)
    }

    /// Removes every cookie of this name, and returns their number.
    pub fn remove(&mut self, name: impl AsRef<[u8]>) -> usize {
        let name = name.as_ref();
        self.retain(|cookie| cookie.name() != name)
    }

    /// Removes the cookies of exactly this domain, path and name, and returns their number. There
    /// can be two: one for the host alone, and one for all hosts of the domain.
    pub fn remove_exact(&mut self, domain: &str, path: &str, name: impl AsRef<[u8]>) -> usize {
        let name = name.as_ref();
        self.store_mut().retain_at(domain, |cookie| cookie.path() != path || cookie.name() != name)
    }

    /// Keeps the cookies for which `keep` returns true, and returns how many it removed.
    ///
    /// ```
    /// # use sessio_cookie::{Jar, UnixTime, Url};
    /// # let now = UnixTime(0);
    /// # let mut jar = Jar::new();
    /// # jar.extract(&Url::parse("http://a.example/")?, [&b"_ga=1"[..], b"b=2"], now);
    /// assert_eq!(jar.retain(|cookie| !cookie.name().starts_with(b"_ga")), 1);
    /// # Ok::<(), url::ParseError>(())
    /// ```
    pub fn retain(&mut self, keep: impl FnMut(&Cookie) -> bool) -> usize {
        self.store_mut().retain(keep)
    }

    /// Removes every cookie, and returns their number.
    pub fn clear(&mut self) -> usize {
        self.retain(|_| false)
    }

    /// Removes the cookies of exactly this domain, not of hosts below it, and returns their number.
    pub fn clear_domain(&mut self, domain: &str) -> usize {
        self.store_mut().retain_at(domain, |_| false)
    }

    /// Removes the cookies of exactly this domain and path, and returns their number.
    pub fn clear_path(&mut self, domain: &str, path: &str) -> usize {
        self.store_mut().retain_at(domain, |cookie| cookie.path() != path)
    }

    /// Ends the session: removes the cookies without an expiry time, and returns their number.
    pub fn clear_session(&mut self) -> usize {
        self.retain(|cookie| cookie.expires().is_some())
    }

    /// Removes the cookies that expired before `now`, and returns their number.
    pub fn remove_expired(&mut self, now: UnixTime) -> usize {
        self.retain(|cookie| !cookie.is_expired(now))
    }
}
