//! How many connections there may be, and for how long.

use std::time::Duration;

/// The rules of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Idle connections kept for one key, 128 at first.
    pub max_idle_per_host: usize,
    /// Idle connections kept in all, 1024 at first.
    pub max_idle: usize,
    /// Connections for one key, idle or in use; no limit at first. Who would open one more waits in line.
    pub max_per_host: Option<usize>,
    /// Connections in all, idle or in use; no limit at first. An idle one of another host makes room;
    /// otherwise who would open one more waits in line.
    pub max_total: Option<usize>,
    /// How long a connection may idle, 90 s at first. A server that announces less in `Keep-Alive` gets
    /// less (row Q21). After that it is never used again. It stays open until the pool is next used: every use closes a
    /// few such connections, and [`Pool::close_expired`](super::Pool::close_expired) all of them.
    pub idle_timeout: Duration,
    /// How long a connection may live in all, `None` at first; one in use is not cut off.
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
    /// A limit of 0 counts as 1: with none at all nobody would ever be served.
    pub(super) fn most_per_host(&self) -> usize {
        self.max_per_host.unwrap_or(usize::MAX).max(1)
    }

    pub(super) fn most_in_all(&self) -> usize {
        self.max_total.unwrap_or(usize::MAX).max(1)
    }
}

/// What a pool holds, and what it has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections that wait in the pool now.
    pub idle: usize,
    /// Connections that are lent out or being opened now.
    pub in_use: usize,
    /// Requests that stand in line now.
    pub waiting: usize,
    /// Times that a connection was lent out again.
    pub reused: u64,
    /// Connections that were opened.
    pub dialled: u64,
}

impl Stats {
    /// Connections that there are now, idle or in use.
    #[must_use]
    pub const fn open(&self) -> usize {
        self.idle + self.in_use
    }
}
