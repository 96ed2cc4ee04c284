//! Looking into a jar and taking cookies out of it.

use url::Url;

use crate::jar::Jar;
use crate::record::Cookie;
use crate::unix_time::UnixTime;

/// Looking into the jar, and taking cookies out. Cookies that have ended stay until they are next met, or until
/// [`remove_expired`](Self::remove_expired); they are never sent.
impl Jar {
    /// How many cookies there are.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.store().len()
    }

    /// Whether there is none.
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
    /// // As a map from name to value; of several cookies of one name, the youngest stays.
    /// let map: std::collections::BTreeMap<_, _> = jar.iter().map(|cookie| (cookie.name(), cookie.value())).collect();
    /// assert_eq!(map[&b"b"[..]], b"2");
    /// # Ok::<(), url::ParseError>(())
    /// ```
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Cookie> {
        let mut all: Vec<&Cookie> = self.store().iter().collect();
        all.sort_unstable_by_key(|cookie| cookie.order);
        all.into_iter()
    }

    /// The cookie of this name; of several, on whatever hosts and paths, the youngest. It never fails for there being
    /// several: [`get_for`](Self::get_for) asks for a URL's, [`iter`](Self::iter) shows them all.
    #[must_use]
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&Cookie> {
        let name = name.as_ref();
        self.store().iter().filter(|cookie| cookie.name() == name).max_by_key(|cookie| cookie.order)
    }

    /// The cookie of this name that a request to `url` gets; of several, the one that comes first in the header.
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

    /// Removes every cookie of this name; how many there were.
    pub fn remove(&mut self, name: impl AsRef<[u8]>) -> usize {
        let name = name.as_ref();
        self.retain(|cookie| cookie.name() != name)
    }

    /// Removes the cookie of exactly this domain, path and name; both a host-only one and one for all hosts of the domain.
    /// How many there were.
    pub fn remove_exact(&mut self, domain: &str, path: &str, name: impl AsRef<[u8]>) -> usize {
        let name = name.as_ref();
        self.store_mut().retain_at(domain, |cookie| cookie.path() != path || cookie.name() != name)
    }

    /// Keeps the cookies for which `keep` is true; how many went.
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

    /// Removes every cookie; how many there were.
    pub fn clear(&mut self) -> usize {
        self.retain(|_| false)
    }

    /// Removes the cookies of exactly this domain, not of those below it; how many there were.
    pub fn clear_domain(&mut self, domain: &str) -> usize {
        self.store_mut().retain_at(domain, |_| false)
    }

    /// Removes the cookies of exactly this domain and path; how many there were.
    pub fn clear_path(&mut self, domain: &str, path: &str) -> usize {
        self.store_mut().retain_at(domain, |cookie| cookie.path() != path)
    }

    /// Ends the session: removes the cookies without an end of their own; how many there were.
    pub fn clear_session(&mut self) -> usize {
        self.retain(|cookie| cookie.expires().is_some())
    }

    /// Removes the cookies that ended before `now`; how many there were.
    pub fn remove_expired(&mut self, now: UnixTime) -> usize {
        self.retain(|cookie| !cookie.is_expired(now))
    }
}
