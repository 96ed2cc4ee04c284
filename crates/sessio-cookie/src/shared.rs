//! A jar behind a lock, as the cookie store of a reqwest client.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "reqwest shares its store between threads and does not say what time it is"
)]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use reqwest::cookie::CookieStore;
use reqwest::header::HeaderValue;
use url::Url;

use crate::extract::ResponseCookies;
use crate::jar::Jar;
use crate::unix_time::UnixTime;

/// A [`Jar`] behind a lock: the cookie store of a `reqwest` client.
///
/// The time is that of [`SystemTime::now`]. Refused lines are dropped: the trait has no place for
/// them.
///
/// ```
/// use std::sync::Arc;
/// use sessio_cookie::{Jar, NewCookie, SharedJar, UnixTime};
///
/// let jar = Arc::new(SharedJar::new(Jar::new()));
/// let client = reqwest::Client::builder().cookie_provider(Arc::clone(&jar)).build()?;
///
/// let now = UnixTime::from(std::time::SystemTime::now());
/// jar.lock().insert(NewCookie::new("lang", "en")?.host("example.com"), now)?;
/// assert_eq!(jar.lock().len(), 1);
/// # drop(client);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct SharedJar {
    jar: Mutex<Jar>,
}

impl SharedJar {
    /// Puts a jar behind a lock.
    #[must_use]
    pub const fn new(jar: Jar) -> Self {
        Self { jar: Mutex::new(jar) }
    }

    /// Locks the jar. Requests and responses of the client wait for the lock, so drop the guard
    /// before you send one.
    ///
    /// A thread that panics with the guard does not poison the jar.
    pub fn lock(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the jar out of its lock.
    #[must_use]
    pub fn into_inner(self) -> Jar {
        self.jar.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Jar> for SharedJar {
    fn from(jar: Jar) -> Self {
        Self::new(jar)
    }
}

impl CookieStore for SharedJar {
    fn set_cookies(&self, lines: &mut dyn Iterator<Item = &HeaderValue>, url: &Url) {
        let lines = lines.map(|line| line.as_bytes());
        let now = UnixTime::from(SystemTime::now());
        let mut jar = self.lock();
        if !jar.policy().suffixes.is_function() {
            jar.extract(url, lines, now);
            return;
        }
        // The function is code of the caller, so it runs without the lock.
        let policy = jar.policy().clone();
        drop(jar);
        let checked = ResponseCookies::new(url, lines, &policy, now);
        self.lock().accept(checked);
    }

    fn cookies(&self, url: &Url) -> Option<HeaderValue> {
        let mut header = Vec::new();
        let written = self.lock().header(url, UnixTime::from(SystemTime::now()), &mut header);
        // The jar refuses all bytes that a header value cannot have.
        if written == 0 { None } else { HeaderValue::from_bytes(&header).ok() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::policy::Policy;
    use crate::suffix::PublicSuffixes;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn set(store: &dyn CookieStore, from: &str, lines: &[&'static str]) {
        let lines: Vec<_> =
            lines.iter().map(|line| HeaderValue::from_bytes(line.as_bytes()).unwrap()).collect();
        store.set_cookies(&mut lines.iter(), &url(from));
    }

    fn sent(store: &dyn CookieStore, to: &str) -> Option<String> {
        store.cookies(&url(to)).map(|header| header.as_bytes().escape_ascii().to_string())
    }

    #[test]
    fn what_a_response_sets_a_request_sends() {
        let store = SharedJar::default();
        set(
            &store,
            "https://a.example/x/",
            &["sid=1; Path=/; Secure", "deep=2", "word=caf\u{e9}", "wide=3; Domain=com"],
        );
        assert_eq!(
            sent(&store, "https://a.example/x/y").as_deref(),
            Some("deep=2; word=caf\\xc3\\xa9; sid=1")
        );
        assert_eq!(sent(&store, "https://a.example/").as_deref(), Some("sid=1"));
        assert_eq!(sent(&store, "http://a.example/"), None);
        assert_eq!(sent(&store, "https://b.example/"), None);
        set(&store, "https://a.example/", &["sid=; Max-Age=0; Path=/"]);
        assert_eq!(sent(&store, "https://a.example/"), None);
        assert_eq!(store.into_inner().len(), 2);
    }

    #[test]
    fn a_list_of_suffixes_that_is_a_function_may_use_the_jar() {
        let store = Arc::new(SharedJar::default());
        let inner = Arc::downgrade(&store);
        let suffixes = PublicSuffixes::from_fn(move |domain| {
            // This would deadlock if the jar were locked.
            inner.upgrade().is_some_and(|store| store.lock().is_empty()) && domain == "internal"
        });
        store.lock().set_policy(Policy { suffixes, ..Policy::default() });
        set(&*store, "https://a.internal/", &["wide=1; Domain=internal", "own=2; Domain=a.internal"]);
        assert_eq!(sent(&*store, "https://b.a.internal/").as_deref(), Some("own=2"));
    }

    #[test]
    fn a_panic_does_not_poison_the_jar() {
        let store = Arc::new(SharedJar::default());
        set(&*store, "https://a.example/", &["a=1"]);
        let other = Arc::clone(&store);
        let panicked = std::thread::spawn(move || {
            let _guard = other.lock();
            panic!("while the jar is locked");
        });
        assert!(panicked.join().is_err());
        assert_eq!(sent(&*store, "https://a.example/").as_deref(), Some("a=1"));
    }
}
