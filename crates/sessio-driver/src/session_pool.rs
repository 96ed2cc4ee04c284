//! The pool of a session: its policy, its connections and its counters.

use sessio::pool::{Policy, Stats};
use sessio::routing::{Key, KeyBuf};
use sessio::{Instant, Url};

use crate::runtime::Runtime;
use crate::session::Session;

impl<R: Runtime, M> Session<R, M> {
    /// The limits of the pool in force. Derived sessions share them.
    #[must_use]
    pub fn pool_policy(&self) -> Policy {
        self.shared().pool_policy()
    }

    /// Sets the limits of the pool, for this session and those that share its connections.
    ///
    /// A higher limit admits queued requests at once, first come, first served. A lower one closes
    /// idle connections over it, the longest idle first. No connection in use is cut off: it is closed
    /// when its response is read, as long as there are too many. See
    /// [`Pool::set_policy`](sessio::pool::Pool::set_policy).
    ///
    /// ```
    /// # fn limit<R: sessio_driver::Runtime>(session: &sessio_driver::Session<R>) {
    /// session.set_pool_policy(session.pool_policy().max_per_host(4));
    /// assert_eq!(session.pool_policy().max_per_host, Some(4));
    /// # }
    /// ```
    pub fn set_pool_policy(&self, policy: Policy) {
        let now = self.runtime().mono();
        self.shared().pool(|pool, effects| pool.set_policy(policy, now, effects));
    }

    /// Closes all idle connections now, and those in use once their responses are read. The session
    /// stays usable (rule M-28).
    pub fn close(&self) {
        self.shared().close();
    }

    /// Closes the idle connections for this URL's scheme, host and port, on every route.
    pub fn close_idle_to(&self, url: &Url) {
        let plain = Key::of(url);
        let is_same = |key: &KeyBuf| key.as_key().origin() == plain.origin();
        self.shared().pool(|pool, effects| pool.close_idle_of(is_same, effects));
    }

    /// Closes all idle connections. Those in use return to the pool as usual.
    pub fn close_idle(&self) {
        self.shared().pool(|pool, effects| pool.close_idle(effects));
    }

    /// Closes all expired connections: past [`Policy::idle_timeout`], past their `max_lifetime`, or
    /// past the time that their server announced. An expired connection is never used again. But it
    /// stays open until the session is next used: each request closes a few, and nothing runs while
    /// there is none.
    ///
    /// Call it at [`next_expiry`](Self::next_expiry) if the session must not hold expired
    /// connections.
    pub fn close_expired(&self) {
        let now = self.runtime().mono();
        self.shared().pool(|pool, effects| pool.close_expired(now, effects));
    }

    /// The time at which the first idle connection expires, by the runtime's monotonic clock;
    /// `None` if none is idle. It looks at all idle connections.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Instant> {
        self.shared().next_expiry()
    }

    /// The contents and counters of the pool.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared().stats()
    }
}
