//! Tunnels: what is said to a proxy before the connection through it is the host's.
//!
//! A [`Tunnel`] is one of two conversations, [`Connect`] with an HTTP proxy or [`Socks5`], and each is a
//! function of bytes. It is level-triggered: asking changes nothing, and how bytes are cut changes nothing.
//!
//! ```text
//!   Tunnel::unsent ──▶ socket ──▶ Tunnel::room
//!   Tunnel::sent   ◀── how many   Tunnel::received ──▶ refused: an error that holds what the proxy said
//!                                 Tunnel::is_done  ──▶ what comes next is the host's
//! ```
//!
//! No byte behind the proxy's last word is swallowed: SOCKS asks for exactly the bytes of each word, and
//! what an HTTP proxy sends behind the head of its 2xx, before anything was said to the host, is an error.

mod connect;
mod cut_short;
mod socks5;

use std::fmt;
use std::net::SocketAddr;

use url::Url;

use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::message::headers::Headers;
use crate::route::proxy::Proxy;
use crate::wire::h1::Limits;
pub(crate) use connect::asks_for_basic;
pub use connect::{Connect, Refused};
pub use socks5::{Reply, Socks5, Target};

/// A conversation with a proxy that ends in a connection to a host.
pub enum Tunnel {
    /// With an HTTP proxy.
    Connect(Box<Connect>),
    /// With a SOCKS proxy.
    Socks5(Box<Socks5>),
}

impl Tunnel {
    /// The conversation with this proxy about the host of this URL. `addresses` is where the host is, for a
    /// proxy that is told the first of them; `says` are headers for an HTTP proxy, its own included.
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`] if the host cannot be told to this proxy, [`Kind::Resolve`] if an address is
    /// needed and there is none.
    pub fn to(
        url: &Url,
        proxy: &Proxy,
        says: &Headers,
        addresses: &[SocketAddr],
        limits: Limits,
    ) -> Result<Self> {
        use crate::route::proxy::Protocol::{Http, Https, Socks5 as Told, Socks5h as Named};
        Ok(match proxy.protocol() {
            Http | Https => Self::Connect(Box::new(Connect::saying(url, proxy, says, limits)?)),
            Told => {
                let (first, others) = addresses.split_first().ok_or_else(|| Fault::new(Kind::Resolve))?;
                Self::Socks5(Box::new(Socks5::new(Target::Address(*first), proxy)?.or(others)))
            }
            Named => Self::Socks5(Box::new(Socks5::new(Target::of(url)?, proxy)?)),
        })
    }

    /// What goes to the proxy now.
    #[must_use]
    pub fn unsent(&self) -> &[u8] {
        match self {
            Self::Connect(connect) => connect.unsent(),
            Self::Socks5(socks) => socks.unsent(),
        }
    }

    /// The proxy's transport took the first `n` bytes of [`unsent`](Self::unsent).
    pub fn sent(&mut self, n: usize) {
        match self {
            Self::Connect(connect) => connect.sent(n),
            Self::Socks5(socks) => socks.sent(n),
        }
    }

    /// Where the proxy's next bytes go; empty while none are wanted.
    pub fn room(&mut self) -> &mut [u8] {
        self.ends().1
    }

    /// [`unsent`](Self::unsent) and [`room`](Self::room), lent at once.
    pub fn ends(&mut self) -> (&[u8], &mut [u8]) {
        match self {
            Self::Connect(connect) => connect.ends(),
            Self::Socks5(socks) => socks.ends(),
        }
    }

    /// `n` bytes were written to the start of [`room`](Self::room); 0 is the end of the stream.
    ///
    /// # Errors
    /// That the proxy refuses, or does not speak its protocol; the conversation is over then.
    pub fn received(&mut self, n: usize) -> Result<()> {
        match self {
            Self::Connect(connect) => connect.received(n),
            Self::Socks5(socks) => socks.received(n),
        }
    }

    /// Whether the connection is the host's now.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match self {
            Self::Connect(connect) => connect.is_done(),
            Self::Socks5(socks) => socks.is_done(),
        }
    }

    /// What the proxy has said against it so far, for whose time is over while the rest is waited for.
    #[must_use]
    pub fn cut_short(&mut self) -> Option<Fault> {
        match self {
            Self::Connect(connect) => connect.cut_short(),
            Self::Socks5(_) => None,
        }
    }

    /// Whether the rest of a refusal is not worth a long wait: another connection is.
    pub(crate) fn is_challenged(&self) -> bool {
        matches!(self, Self::Connect(connect) if connect.is_challenged())
    }

    /// It was refused: what another connection to this proxy may be good for.
    pub(crate) fn again(&mut self) -> Option<Again> {
        match self {
            Self::Connect(connect) => connect.is_asked().then_some(Again::Credentials),
            Self::Socks5(socks) => Some(Again::Addresses(socks.others()?)),
        }
    }
}

/// What is said to a proxy on another connection, after it has refused on one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// The credentials that it asked for.
    Credentials,
    /// Other addresses of the host: one at least.
    Addresses(Vec<SocketAddr>),
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, is_done) = match self {
            Self::Connect(_) => ("Connect", self.is_done()),
            Self::Socks5(_) => ("Socks5", self.is_done()),
        };
        f.debug_struct(name).field("is_done", &is_done).finish_non_exhaustive()
    }
}
