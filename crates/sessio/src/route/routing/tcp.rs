//! Socket options of TCP connections.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Options of TCP connections. The names are those of reqwest. Unix sockets ignore them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Tcp {
    /// The local address of connections. Default: `None`, the system chooses.
    ///
    /// Addresses of the other family are not tried: from an IPv4 address no IPv6 host can be
    /// reached.
    pub local_address: Option<IpAddr>,
    /// TCP keep-alive probes. Default: `None`, no probes.
    ///
    /// They detect a lost peer while nothing is sent; while something is sent, the time limits do.
    pub keep_alive: Option<KeepAlive>,
    /// Sends small writes at once (`TCP_NODELAY`). Default: `true`.
    pub nodelay: bool,
    /// Time that sent data may stay unacknowledged before the system closes the connection.
    /// Default: `None`, the limit of the system, about 15 minutes on Linux.
    ///
    /// It detects a lost peer while something is sent, as [`keep_alive`](Self::keep_alive) does
    /// while nothing is.
    ///
    /// The option is `TCP_USER_TIMEOUT` (RFC 5482), in whole milliseconds: a fraction is rounded
    /// up. Linux, Android and Fuchsia have it. Elsewhere connecting fails with
    /// [`Unsupported`](std::io::ErrorKind::Unsupported).
    pub user_timeout: Option<Duration>,
}

impl Default for Tcp {
    fn default() -> Self {
        Self { local_address: None, keep_alive: None, nodelay: true, user_timeout: None }
    }
}

impl Tcp {
    /// Returns `true` if a socket with these options can connect to `address`.
    #[must_use]
    pub fn fits(&self, address: SocketAddr) -> bool {
        self.local_address.is_none_or(|local| local.is_ipv6() == address.is_ipv6())
    }
}

/// Parameters of TCP keep-alive (RFC 9293 section 3.8.4). Systems count in whole seconds: a
/// fraction is rounded up.
///
/// ```
/// use std::time::Duration;
/// use sessio::{KeepAlive, Settings};
///
/// let mut settings = Settings::default();
/// // A lost peer is detected after 90 seconds.
/// settings.tcp.keep_alive = Some(KeepAlive::after(Duration::from_secs(60)).every(Duration::from_secs(10), 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct KeepAlive {
    /// Idle time before the first probe.
    pub time: Duration,
    /// Interval between probes. Default: `None`, that of the system.
    pub interval: Option<Duration>,
    /// Number of unanswered probes before the connection is closed. Default: `None`, that of the
    /// system.
    pub retries: Option<u32>,
}

impl KeepAlive {
    /// Sends the first probe after this idle time; the rest is left to the system.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self { time, interval: None, retries: None }
    }

    /// Sets the interval between probes, and the number of unanswered ones before the connection is
    /// closed.
    #[must_use]
    pub fn every(mut self, interval: Duration, retries: u32) -> Self {
        (self.interval, self.retries) = (Some(interval), Some(retries));
        self
    }
}
