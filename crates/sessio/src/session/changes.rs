//! Changes to the defaults of a session, by a request or by a mount.

use std::sync::Arc;

use sessio_cookie::RequestCookies;

use crate::base::change::Change;
use crate::base::progress::ProgressCallbacks;
use crate::base::timeouts::Timeouts;
use crate::call::observer::Observer;
use crate::error::Result;
use crate::message::headers::Headers;
use crate::policy::retry::RetryPolicy;
use crate::prepared::auth::Auth;
use crate::prepared::hook::Hooks;
use crate::route::proxy::Proxies;
use crate::route::tls::TlsChanges;
use crate::wire::h1::Limits;

/// Changes to the defaults of a session: those of a [`Request`](crate::Request), or of a
/// [`Mount`](crate::Mount).
///
/// Each field inherits, sets or removes one option. A new one inherits everything.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Changes {
    /// Changes to the headers.
    pub headers: HeaderChanges,
    /// Changes to the query parameters, key by key.
    pub params: Vec<(String, Change<String>)>,
    /// Cookies besides those of the jar. They override the jar's cookies of the same name. Those of
    /// a request are bound to its origin (row B04), those of a mount to its pattern.
    pub cookies: RequestCookies,
    /// Whether the session's jar is used. [`Change::Remove`] sends and stores no cookies of the
    /// jar.
    pub jar: Change<bool>,
    /// The authentication. [`Change::Remove`] sends no credentials, not even the URL's userinfo.
    pub auth: Change<Auth>,
    /// The proxies. These rules come before the session's. A request's replace those of a mount.
    /// [`Change::Remove`] uses no proxy.
    pub proxies: Change<Proxies>,
    /// Maximum number of redirects. [`Change::Remove`] returns a redirect as the response.
    pub max_redirects: Change<u32>,
    /// Whether a loop of redirects is an error; see
    /// [`detect_loops`](crate::Request::detect_loops).
    pub detect_loops: Change<bool>,
    /// Whether credentials are kept from `http` to `https`; see
    /// [`keep_on_upgrade`](crate::Request::keep_on_upgrade).
    pub keep_on_upgrade: Change<bool>,
    /// The policy of retries; see [`retry`](crate::Request::retry).
    pub retry: Change<Arc<RetryPolicy>>,
    /// The time limits, one by one.
    pub timeouts: TimeoutChanges,
    /// The limits on the response.
    pub limits: Change<Limits>,
    /// Maximum size of the response's body in bytes, instead of the one in `limits`; see
    /// [`body_limit`](crate::Request::body_limit).
    pub body_bytes: Change<u64>,
    /// Whether the response's content codings are decoded; see [`decode`](crate::Request::decode).
    pub decode: Change<bool>,
    /// Changes to the session's TLS settings. `None` changes nothing.
    pub tls: Option<Box<TlsChanges>>,
    /// An observer, which runs after the session's.
    pub observer: Observer,
    /// Hooks, which run after the session's. Those of a mount run for the hops to its URLs.
    pub hooks: Hooks,
    pub(crate) meters: ProgressCallbacks,
    /// Earlier changes to headers and parameters, first to last. Each of them applies to the result
    /// of those before it. They are not merged, because their order gives new names their places.
    pub(crate) before: Vec<Lists>,
}

/// The changes of which the order matters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    pub(crate) headers: HeaderChanges,
    pub(crate) params: Vec<(String, Change<String>)>,
}

impl Changes {
    /// These changes, and then the later ones: as one value, with the same effect.
    ///
    /// It is associative, and a value that changes nothing is its identity.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sessio::{Change, Changes};
    ///
    /// let (mut first, mut later) = (Changes::default(), Changes::default());
    /// (first.decode, first.max_redirects) = (Change::Set(false), Change::Set(5));
    /// (later.decode, later.timeouts.total) = (Change::Set(true), Change::Set(Duration::from_secs(9)));
    /// let both = first.then(later);
    /// assert_eq!((both.decode, both.max_redirects), (Change::Set(true), Change::Set(5)));
    /// assert_eq!(both.timeouts.total, Change::Set(Duration::from_secs(9)));
    /// ```
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        // Without `..`, so that a new field does not compile before it is considered here.
        let Self {
            headers,
            params,
            mut cookies,
            jar,
            auth,
            proxies,
            max_redirects,
            detect_loops,
            keep_on_upgrade,
            retry,
            timeouts,
            limits,
            body_bytes,
            decode,
            tls,
            observer,
            hooks,
            meters,
            mut before,
        } = self;
        if !headers.is_empty() || !params.is_empty() {
            before.push(Lists { headers, params });
        }
        before.extend(later.before);
        add_cookies(&mut cookies, &later.cookies);
        let has_new_limits = matches!(later.limits, Change::Set(_));
        Self {
            headers: later.headers,
            params: later.params,
            cookies,
            jar: jar.then(later.jar),
            auth: auth.then(later.auth),
            proxies: proxies.then(later.proxies),
            max_redirects: max_redirects.then(later.max_redirects),
            detect_loops: detect_loops.then(later.detect_loops),
            keep_on_upgrade: keep_on_upgrade.then(later.keep_on_upgrade),
            retry: retry.then(later.retry),
            timeouts: timeouts.then(later.timeouts),
            // To remove the limits as a whole has no effect.
            limits: if has_new_limits { later.limits } else { limits },
            // The later limits have a size of their own.
            body_bytes: if has_new_limits { later.body_bytes } else { body_bytes.then(later.body_bytes) },
            decode: decode.then(later.decode),
            tls: match (tls, later.tls) {
                (Some(tls), Some(later)) => Some(Box::new(tls.then(*later))),
                (tls, later) => later.or(tls),
            },
            observer: observer.and(later.observer),
            hooks: hooks.and(later.hooks),
            meters: meters.then(later.meters),
            before,
        }
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        // Without `..`, so that a new field does not compile before it is considered here.
        let Self {
            headers,
            params,
            cookies,
            jar,
            auth,
            proxies,
            max_redirects,
            detect_loops,
            keep_on_upgrade,
            retry,
            timeouts,
            limits,
            body_bytes,
            decode,
            tls,
            observer,
            hooks,
            meters,
            before,
        } = self;
        headers.is_empty()
            && params.is_empty()
            && before.is_empty()
            && cookies.is_empty()
            && auth.is_inherit()
            && proxies.is_inherit()
            && tls.is_none()
            && jar.is_inherit()
            && max_redirects.is_inherit()
            && detect_loops.is_inherit()
            && keep_on_upgrade.is_inherit()
            && retry.is_inherit()
            && timeouts.is_empty()
            && limits.is_inherit()
            && body_bytes.is_inherit()
            && decode.is_inherit()
            && !observer.is_set()
            && !hooks.is_set()
            && !meters.is_set()
    }

    /// All changes to headers, first to last.
    pub(crate) fn all_headers(&self) -> impl Iterator<Item = &HeaderChanges> {
        self.before.iter().map(|lists| &lists.headers).chain([&self.headers])
    }

    /// Whether a header of this name is set.
    pub(crate) fn sets_header(&self, name: &str) -> bool {
        self.all_headers().any(|changes| changes.set.contains(name))
    }

    /// Whether anything is said about headers of this name.
    pub(crate) fn changes_header(&self, name: &str) -> bool {
        self.all_headers().any(|changes| {
            changes.set.contains(name)
                || changes.appended.contains(name)
                || changes.removed.iter().any(|removed| removed.eq_ignore_ascii_case(name))
        })
    }
}

/// Adds cookies, which replace those of the same names.
pub(crate) fn add_cookies(cookies: &mut RequestCookies, later: &RequestCookies) {
    for (name, value) in later.iter() {
        match value {
            // It was valid before.
            Some(value) => drop(cookies.set(name, value)),
            None => cookies.remove(name),
        }
    }
}

/// Changes to the headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderChanges {
    pub(crate) set: Headers,
    pub(crate) appended: Headers,
    pub(crate) removed: Vec<Box<str>>,
}

impl HeaderChanges {
    /// Replaces the field of that name, or adds one.
    ///
    /// # Errors
    /// - [`Kind::InvalidHeader`](crate::Kind::InvalidHeader): the name or the value is not valid.
    pub fn set(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        let name = name.as_ref();
        self.set.insert(name, value)?;
        self.removed.retain(|removed| !removed.as_bytes().eq_ignore_ascii_case(name));
        Ok(())
    }

    /// Adds a field and keeps all others of that name.
    ///
    /// # Errors
    /// - [`Kind::InvalidHeader`](crate::Kind::InvalidHeader): the name or the value is not valid.
    pub fn append(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<()> {
        Ok(self.appended.append(name, value)?)
    }

    /// Removes every field of that name, including the defaults.
    pub fn remove(&mut self, name: &str) {
        self.set.remove(name);
        self.appended.remove(name);
        self.removed.push(name.into());
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.appended.is_empty() && self.removed.is_empty()
    }

    /// Marks a field as secret. `Debug` hides it, and a redirect to another origin drops it.
    pub fn mark_sensitive(&mut self, name: &str) {
        self.set.mark_sensitive(name);
        self.appended.mark_sensitive(name);
    }
}

/// Changes to the [`Timeouts`], one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of Timeouts")]
pub struct TimeoutChanges {
    pub pool: Change<std::time::Duration>,
    pub resolve: Change<std::time::Duration>,
    pub connect: Change<std::time::Duration>,
    pub send: Change<std::time::Duration>,
    pub head: Change<std::time::Duration>,
    pub read: Change<std::time::Duration>,
    pub total: Change<std::time::Duration>,
    pub expect: Change<std::time::Duration>,
}

impl TimeoutChanges {
    /// Whether nothing changes.
    fn is_empty(&self) -> bool {
        let Self { pool, resolve, connect, send, head, read, total, expect } = self;
        [pool, resolve, connect, send, head, read, total, expect].iter().all(|change| change.is_inherit())
    }

    /// These changes, and then the later ones.
    fn then(self, later: Self) -> Self {
        Self {
            pool: self.pool.then(later.pool),
            resolve: self.resolve.then(later.resolve),
            connect: self.connect.then(later.connect),
            send: self.send.then(later.send),
            head: self.head.then(later.head),
            read: self.read.then(later.read),
            total: self.total.then(later.total),
            expect: self.expect.then(later.expect),
        }
    }

    pub(crate) fn applied(self, session: &Timeouts) -> Timeouts {
        Timeouts {
            pool: self.pool.applied(session.pool),
            resolve: self.resolve.applied(session.resolve),
            connect: self.connect.applied(session.connect),
            send: self.send.applied(session.send),
            head: self.head.applied(session.head),
            read: self.read.applied(session.read),
            total: self.total.applied(session.total),
            expect: self.expect.applied(session.expect),
        }
    }
}

#[cfg(test)]
mod tests;
