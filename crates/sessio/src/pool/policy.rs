//! Limits on the number of connections and on their age.

use std::time::Duration;

use crate::policy::host_policy::HostPolicy;

/// The limits of a pool.
///
/// Requests over `max_per_host` or `max_total` queue, first come, first served. Idle connections over
/// `max_idle_per_host` or `max_idle` are closed.
///
/// ```
/// use std::time::Duration;
/// use sessio::pool::Policy;
///
/// let policy = Policy::new().max_per_host(6).max_total(100).idle_timeout(Duration::from_secs(30));
/// assert_eq!(policy.max_per_host, Some(6));
/// assert_eq!(policy.max_lifetime, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Maximum number of idle connections for one key. Default: 128.
    pub max_idle_per_host: usize,
    /// Maximum number of idle connections in all. Default: 1024.
    pub max_idle: usize,
    /// Maximum number of connections for one key, idle or in use. Default: `None`. A request over
    /// the limit queues.
    pub max_per_host: Option<usize>,
    /// Maximum number of connections in all, idle or in use. Default: `None`. An idle connection of
    /// another host is closed to make room. Otherwise a request over the limit queues.
    pub max_total: Option<usize>,
    /// Maximum idle time of a connection. Default: 90 seconds. A shorter time that a server
    /// announces in `Keep-Alive` applies instead (row Q21). After that time the connection is never
    /// used again. It stays open until the next use of the pool. Every use closes a few such
    /// connections, and [`Pool::close_expired`](super::Pool::close_expired) all of them.
    pub idle_timeout: Duration,
    /// Maximum lifetime of a connection. Default: `None`. A connection in use is not cut off.
    pub max_lifetime: Option<Duration>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_idle_per_host: 128,
            max_idle: 1024,
            max_per_host: None,
            max_total: None,
            idle_timeout: Duration::from_secs(90),
            max_lifetime: None,
        }
    }
}

impl Policy {
    /// The default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the maximum number of idle connections for one key. With 0 no connection is reused.
    /// Default: 128.
    #[must_use]
    pub const fn max_idle_per_host(mut self, most: usize) -> Self {
        self.max_idle_per_host = most;
        self
    }

    /// Sets the maximum number of idle connections in all. With 0 no connection is reused. Default:
    /// 1024.
    #[must_use]
    pub const fn max_idle(mut self, most: usize) -> Self {
        self.max_idle = most;
        self
    }

    /// Sets the maximum number of connections for one key, idle or in use. A request over the limit
    /// queues, at most for `timeouts.pool`. 0 counts as 1. Default: `None`, no limit.
    #[must_use]
    pub fn max_per_host(mut self, most: impl Into<Option<usize>>) -> Self {
        self.max_per_host = most.into();
        self
    }

    /// Sets the maximum number of connections in all, idle or in use. A request over the limit closes
    /// an idle connection of another host. If none is idle, it queues, at most for `timeouts.pool`. 0
    /// counts as 1. Default: `None`, no limit.
    #[must_use]
    pub fn max_total(mut self, most: impl Into<Option<usize>>) -> Self {
        self.max_total = most.into();
        self
    }

    /// Sets the maximum idle time of a connection. Default: 90 seconds.
    #[must_use]
    pub const fn idle_timeout(mut self, most: Duration) -> Self {
        self.idle_timeout = most;
        self
    }

    /// Sets the maximum lifetime of a connection. One that is older is closed when it returns to the
    /// pool, and is not cut off while in use. Default: `None`, no limit.
    #[must_use]
    pub fn max_lifetime(mut self, most: impl Into<Option<Duration>>) -> Self {
        self.max_lifetime = most.into();
        self
    }

    /// The policy for one host with limits of its own.
    pub(super) fn limited_by(mut self, limits: &HostPolicy) -> Self {
        let HostPolicy { max_connections, max_idle, idle_timeout, max_lifetime } = *limits;
        self.max_per_host = max_connections.or(self.max_per_host);
        self.max_idle_per_host = max_idle.unwrap_or(self.max_idle_per_host);
        self.idle_timeout = idle_timeout.unwrap_or(self.idle_timeout);
        self.max_lifetime = max_lifetime.or(self.max_lifetime);
        self
    }

    /// A limit of 0 counts as 1: with 0 no request would ever be served.
    pub(super) fn most_per_host(&self) -> usize {
        self.max_per_host.unwrap_or(usize::MAX).max(1)
    }

    pub(super) fn most_in_all(&self) -> usize {
        self.max_total.unwrap_or(usize::MAX).max(1)
    }
}

/// The contents and counters of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Idle connections now.
    pub idle: usize,
    /// Connections that are lent or being opened now.
    pub in_use: usize,
    /// Requests in the queue now.
    pub waiting: usize,
    /// Number of times that a connection was reused.
    pub reused: u64,
    /// Number of connections that were opened.
    pub dialled: u64,
}

impl Stats {
    /// Number of connections now, idle or in use.
    #[must_use]
    pub const fn open(&self) -> usize {
        self.idle + self.in_use
    }
}
