//! What the sockets are like.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How TCP connections are opened. The names are those of reqwest. On a Unix socket none of it means anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Tcp {
    /// The address of this machine that connections come from; the system chooses at first. Addresses of the
    /// other family are not tried then: from an IPv4 address no IPv6 host can be reached.
    pub local_address: Option<IpAddr>,
    /// Whether the system asks a silent peer from time to time if it is still there; `None`, where it starts,
    /// is never. It finds out that a peer is gone while nothing is sent; while something is, the time limits do.
    pub keep_alive: Option<KeepAlive>,
    /// Whether small writes go out at once, `true` at first (`TCP_NODELAY`).
    pub nodelay: bool,
    /// How long what was sent may stay without a word of the peer's system that it has arrived; then the connection is
    /// closed. `None`, where it starts, is the system's own limit, about 15 minutes on Linux. It finds out that a peer is
    /// gone while something is sent, as [`keep_alive`](Self::keep_alive) does while nothing is.
    ///
    /// That is `TCP_USER_TIMEOUT` (RFC 5482), in whole milliseconds: a part of one is rounded up. Linux, Android and
    /// Fuchsia have it. Elsewhere connecting fails with [`Unsupported`](std::io::ErrorKind::Unsupported).
    pub user_timeout: Option<Duration>,
}

impl Default for Tcp {
    fn default() -> Self {
        Self { local_address: None, keep_alive: None, nodelay: true, user_timeout: None }
    }
}

impl Tcp {
    /// Whether a socket that is like this can be connected to `address`.
    #[must_use]
    pub fn fits(&self, address: SocketAddr) -> bool {
        self.local_address.is_none_or(|local| local.is_ipv6() == address.is_ipv6())
    }
}

/// When a silent peer is asked (RFC 9293 section 3.8.4). Systems count in whole seconds: a part of one is
/// rounded up.
///
/// ```
/// use std::time::Duration;
/// use sessio::{KeepAlive, Settings};
///
/// let mut settings = Settings::default();
/// // A peer that is gone is found out after 90 seconds.
/// settings.tcp.keep_alive = Some(KeepAlive::after(Duration::from_secs(60)).every(Duration::from_secs(10), 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct KeepAlive {
    /// After how much silence it is asked first.
    pub time: Duration,
    /// How long each answer is waited for; the system's own at first.
    pub interval: Option<Duration>,
    /// How many answers may be missing before the connection is given up; the system's own at first.
    pub retries: Option<u32>,
}

impl KeepAlive {
    /// After so much silence, and for the rest as the system does it.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self { time, interval: None, retries: None }
    }

    /// And again after each `interval` without an answer; the connection is given up after so many.
    #[must_use]
    pub fn every(mut self, interval: Duration, retries: u32) -> Self {
        (self.interval, self.retries) = (Some(interval), Some(retries));
        self
    }
}
