//! Limits on the connections of one key, in place of those of the pool.

use std::time::Duration;

/// Limits on the connections to each host of a [mount](crate::Mount::pool), in place of the pool's.
///
/// Each limit that is `None` is that of the [pool](crate::pool::Policy). The limits of the pool over
/// all hosts, `max_idle` and `max_total`, count these connections, too.
///
/// ```
/// use std::time::Duration;
/// use sessio::pool::HostPolicy;
/// use sessio::{Mount, Settings};
///
/// let few = HostPolicy::new().max_connections(2).idle_timeout(Duration::from_secs(5));
/// let mut settings = Settings::default();
/// settings.mounts.add("https://slow.example.org/", Mount::new().pool(few))?;
/// # Ok::<(), sessio::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct HostPolicy {
    /// Maximum number of connections, idle or in use. A request over the limit queues. 0 counts as 1.
    pub max_connections: Option<usize>,
    /// Maximum number of idle connections. With 0 no connection is reused.
    pub max_idle: Option<usize>,
    /// Maximum idle time of a connection.
    pub idle_timeout: Option<Duration>,
    /// Maximum lifetime of a connection. A connection in use is not cut off.
    pub max_lifetime: Option<Duration>,
}

impl HostPolicy {
    /// The limits of the pool.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_connections: None, max_idle: None, idle_timeout: None, max_lifetime: None }
    }

    /// Sets the maximum number of connections to a host, idle or in use. A request over the limit
    /// queues, at most for `timeouts.pool`. 0 counts as 1.
    #[must_use]
    pub const fn max_connections(mut self, most: usize) -> Self {
        self.max_connections = Some(most);
        self
    }

    /// Sets the maximum number of idle connections to a host. With 0 no connection is reused.
    #[must_use]
    pub const fn max_idle(mut self, most: usize) -> Self {
        self.max_idle = Some(most);
        self
    }

    /// Sets the maximum idle time of a connection.
    #[must_use]
    pub const fn idle_timeout(mut self, most: Duration) -> Self {
        self.idle_timeout = Some(most);
        self
    }

    /// Sets the maximum lifetime of a connection. A connection in use is not cut off.
    #[must_use]
    pub const fn max_lifetime(mut self, most: Duration) -> Self {
        self.max_lifetime = Some(most);
        self
    }
}
