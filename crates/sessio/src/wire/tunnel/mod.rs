//! Tunnels: handshakes with a proxy, after which the connection belongs to the origin.
//!
//! A [`Tunnel`] is one of two handshakes, [`Connect`] with an HTTP proxy or [`Socks5`], and each is
//! a function of bytes. It is level-triggered: a query changes nothing, and results do not depend
//! on how bytes are cut.
//!
//! ```text
//!   Tunnel::unsent ──▶ socket ──▶ Tunnel::room
//!   Tunnel::sent   ◀── how many   Tunnel::received ──▶ refused: an error with the proxy's response
//!                                 Tunnel::is_done  ──▶ later bytes belong to the origin
//! ```
//!
//! No byte after the proxy's last message is lost. SOCKS reads exactly the bytes of each message.
//! Bytes that an HTTP proxy sends after the head of its 2xx, before anything was sent to the
//! origin, are an error.

mod connect;
mod cut_short;
mod socks5;

use std::fmt;
use std::net::SocketAddr;

use url::Url;

use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::message::headers::Headers;
use crate::route::proxy::{Proxy, ProxyAuth};
use crate::wire::h1::Limits;
pub(crate) use connect::authority;
pub use connect::{Connect, Refused};
pub use socks5::{Reply, Socks5, Target};

/// A handshake with a proxy that opens a tunnel to an origin.
pub enum Tunnel {
    /// CONNECT with an HTTP proxy.
    Connect(Box<Connect>),
    /// SOCKS 5.
    Socks5(Box<Socks5>),
}

impl Tunnel {
    /// Starts the handshake with this proxy for the host of this URL.
    ///
    /// `addresses` are those of the host, for a proxy that receives the first of them. `says` are
    /// the headers for an HTTP proxy, its own included.
    ///
    /// # Errors
    ///
    /// - [`Kind::InvalidUrl`] if the protocol of the proxy cannot carry the host.
    /// - [`Kind::Resolve`] if an address is needed and there is none.
    pub fn to(
        url: &Url,
        proxy: &Proxy,
        says: &Headers,
        addresses: &[SocketAddr],
        limits: Limits,
    ) -> Result<Self> {
        let auth = (!says.contains("Proxy-Authorization")).then(ProxyAuth::default);
        Self::with_auth(url, proxy, says, auth, addresses, limits)
    }

    /// The same, with the state of the credentials for an HTTP proxy. `None` if the caller has set
    /// them by hand.
    pub(crate) fn with_auth(
        url: &Url,
        proxy: &Proxy,
        says: &Headers,
        auth: Option<ProxyAuth>,
        addresses: &[SocketAddr],
        limits: Limits,
    ) -> Result<Self> {
        use crate::route::proxy::Protocol::{Http, Https, Socks5 as Told, Socks5h as Named};
        Ok(match proxy.protocol() {
            Http | Https => Self::Connect(Box::new(Connect::saying(url, proxy, says, auth, limits)?)),
            Told => {
                let (first, others) = addresses.split_first().ok_or_else(|| Fault::new(Kind::Resolve))?;
                Self::Socks5(Box::new(Socks5::new(Target::Address(*first), proxy)?.or(others)))
            }
            Named => Self::Socks5(Box::new(Socks5::new(Target::of(url)?, proxy)?)),
        })
    }

    /// The bytes to send to the proxy now.
    #[must_use]
    pub fn unsent(&self) -> &[u8] {
        match self {
            Self::Connect(connect) => connect.unsent(),
            Self::Socks5(socks) => socks.unsent(),
        }
    }

    /// Reports that the transport took the first `n` bytes of [`unsent`](Self::unsent).
    pub fn sent(&mut self, n: usize) {
        match self {
            Self::Connect(connect) => connect.sent(n),
            Self::Socks5(socks) => socks.sent(n),
        }
    }

    /// The buffer for the proxy's next bytes; empty while none are needed.
    pub fn room(&mut self) -> &mut [u8] {
        self.ends().1
    }

    /// [`unsent`](Self::unsent) and [`room`](Self::room), lent together.
    pub fn ends(&mut self) -> (&[u8], &mut [u8]) {
        match self {
            Self::Connect(connect) => connect.ends(),
            Self::Socks5(socks) => socks.ends(),
        }
    }

    /// Reports that `n` bytes were written to the start of [`room`](Self::room); 0 is the end of
    /// the stream.
    ///
    /// # Errors
    /// The proxy refuses, or violates its protocol; the handshake is over then.
    pub fn received(&mut self, n: usize) -> Result<()> {
        match self {
            Self::Connect(connect) => connect.received(n),
            Self::Socks5(socks) => socks.received(n),
        }
    }

    /// Returns `true` once the bytes of the connection belong to the origin.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match self {
            Self::Connect(connect) => connect.is_done(),
            Self::Socks5(socks) => socks.is_done(),
        }
    }

    /// The refusal of the proxy so far, to be reported if the time for the rest is over.
    #[must_use]
    pub fn cut_short(&mut self) -> Option<Fault> {
        match self {
            Self::Connect(connect) => connect.cut_short(),
            Self::Socks5(_) => None,
        }
    }

    /// Returns `true` if the rest of a refusal is worth no long wait: another connection can meet
    /// the challenge.
    pub(crate) fn is_challenged(&self) -> bool {
        matches!(self, Self::Connect(connect) if connect.is_challenged())
    }

    /// The credentials after the challenges of this handshake. `None` for SOCKS, and if the caller has
    /// set them by hand.
    pub(crate) fn take_auth(&mut self) -> Option<ProxyAuth> {
        match self {
            Self::Connect(connect) => connect.take_auth(),
            Self::Socks5(_) => None,
        }
    }

    /// The use of another connection to this proxy, after a refusal.
    pub(crate) fn again(&mut self) -> Option<Again> {
        match self {
            Self::Connect(connect) if connect.is_asked() => {
                Some(Again::Credentials(Box::new(connect.take_auth()?)))
            }
            Self::Connect(_) => None,
            Self::Socks5(socks) => Some(Again::Addresses(socks.others()?)),
        }
    }
}

/// The difference of the next attempt, on another connection to the proxy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// It sends the credentials that the proxy asked for.
    Credentials(Box<ProxyAuth>),
    /// It uses the remaining addresses of the host: one at least.
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
