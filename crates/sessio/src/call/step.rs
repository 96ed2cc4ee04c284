//! What a call wants now, as a value.

use std::net::SocketAddr;

use url::{Host, Url};

use crate::base::kind::Kind;
use crate::base::limits::Limits;
use crate::base::time::Instant;
use crate::base::time::Now;
use crate::error::{Error, Result};
use crate::route::environment::CaBundle;
use crate::route::key::Key;
use crate::route::proxy::{Protocol, Proxy};
use crate::route::routing::{Destination, RouteOptions};
use crate::route::tls::{ConnectInfo, Roots, Scope, StartTls, Tls};
use crate::wire::conn::{Conn, Route, Stage};
use crate::wire::tunnel::{Target, Tunnel};

/// The one thing that a call wants now. Asking again gives the same answer until it is given what it wants.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step<'a> {
    /// A connection: [`connected`](super::Call::connected) or [`unreachable`](super::Call::unreachable).
    Connect(Connect<'a>),
    /// Bytes to move, in both directions at once: [`sent`](super::Call::sent),
    /// [`received`](super::Call::received), [`supply`](super::Call::supply) and
    /// [`broken`](super::Call::broken).
    Io(Io<'a>),
    /// The connection is not needed any more: [`release`](super::Call::release).
    Release,
    /// The response asks for a decision: [`turn`](super::Call::decide), with the session's jar.
    Decide,
    /// The source of the request's body must start over: [`rewound`](super::Call::rewound).
    Rewind,
    /// The head of the answer is there: [`take_head`](super::Call::take_head).
    Head,
    /// Bytes of the answer's body: [`consume`](super::Call::consume).
    Body(&'a [u8]),
    /// Nothing any more.
    Done,
}

/// A connection that is wanted.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Connect<'a> {
    /// Who is asked.
    pub url: &'a Url,
    /// How the host is reached.
    pub routing: &'a RouteOptions,
    /// Whether it must be a new one: a pooled one has just failed.
    pub fresh: bool,
    /// Whether there is a right to open it already: it takes the place of one over which a proxy did not let us
    /// through, and the time for it goes on running.
    pub is_admitted: bool,
    /// When to give up what is being done, waiting in line, resolving or connecting, and ask again.
    pub deadline: Option<Instant>,
    pub(super) limits: Limits,
    pub(super) untold: &'a [SocketAddr],
}

impl<'a> Connect<'a> {
    /// Which connections of a pool will do.
    #[must_use]
    pub fn key(&self) -> Key<'a> {
        Key::reaching(self.url, self.routing)
    }

    /// The proxy that it goes through, if it does.
    #[must_use]
    pub fn proxy(&self) -> Option<&'a Proxy> {
        self.routing.plan.proxy()
    }

    /// Where the host itself is to be looked up although a proxy leads there: the proxy is told addresses, which are
    /// handed to [`open`](Self::open). After it could not reach the first of them, the others.
    #[must_use]
    pub fn told(&self) -> Option<Destination> {
        if !self.untold.is_empty() {
            return Some(Destination::Addresses(self.untold.to_vec()));
        }
        let proxy = self.proxy().filter(|proxy| proxy.protocol() == Protocol::Socks5);
        proxy.and_then(|_| self.routing.direct(self.url))
    }

    /// Which certificates of the environment are to be read first, before a pool is asked:
    /// [`Call::apply_environment`](super::Call::apply_environment) takes them. `None` where no TLS is wanted, where they were read, and where
    /// somebody else says whom to trust.
    #[must_use]
    pub fn unread(&self) -> Option<&'a CaBundle> {
        self.routing.unread(self.url)
    }

    /// Whether a connection can be opened at all: to be asked before anything is dialled.
    ///
    /// # Errors
    /// [`Kind::UnsupportedScheme`] for an `https` URL or proxy where nobody does TLS, [`Kind::InvalidTls`] where what
    /// is wanted of it cannot be had, [`Kind::InvalidUrl`] for a host that cannot be told to the proxy, and
    /// [`Kind::BlockedAddress`] for a Unix socket that the guard refuses.
    pub fn check(&self) -> Result<()> {
        self.routing.admit_socket(self.url).map_err(|fault| Error::from(fault).with_url(self.url))?;
        if let Some(proxy) = self.proxy() {
            match proxy.protocol() {
                Protocol::Https => self.engine()?.check(&self.proxy_tls(proxy))?,
                Protocol::Socks5h => drop(Target::of(self.url)?),
                _ => {}
            }
        }
        if !self.wants_tls() {
            return Ok(());
        }
        if let (Roots::Platform, Some(problem)) =
            (&self.routing.tls.options().roots, self.routing.environment.certificates_problem())
        {
            return Err(Error::new(Kind::InvalidTls).with_detail(problem.to_owned()));
        }
        Ok(self.engine()?.check(&self.routing.tls)?)
    }

    /// A fresh connection, with everything that has to be passed on it before it carries HTTP. `id` tells it from others
    /// of its session; `told` is where the host is, for a proxy that is [told](Self::told) addresses, best first.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn open(&self, id: u64, now: Now, told: &[SocketAddr]) -> Result<Conn> {
        self.routing.admit_socket(self.url).map_err(|fault| Error::from(fault).with_url(self.url))?;
        if self.route() == Route::PLAIN {
            return Ok(Conn::plain(id, now.mono));
        }
        let key = self.key().without_engine();
        let mut stages = Vec::with_capacity(3);
        if let Some(proxy) = self.proxy() {
            if self.wants_tls_to_proxy() {
                // Its tickets are its own (row V87).
                let scope = Scope { key: &key, is_proxy: true };
                let tls = self.proxy_tls(proxy);
                let host = match proxy.host() {
                    Host::Domain(name) => Host::Domain(name.as_str()),
                    Host::Ipv4(ip) => Host::Ipv4(*ip),
                    Host::Ipv6(ip) => Host::Ipv6(*ip),
                };
                let wanted = ConnectInfo { tls: &tls, host, scope, now };
                stages.push(Stage::Secure(self.engine()?.start(&wanted)?));
            }
            if self.wants_tunnel() {
                let tunnel = Tunnel::to(self.url, proxy, &self.routing.plan.says(), told, self.limits)?;
                stages.push(Stage::Tunnel(tunnel));
            }
        }
        if self.wants_tls() {
            let host = self.url.host().ok_or(Kind::InvalidUrl)?;
            let wanted = ConnectInfo {
                tls: &self.routing.tls,
                host,
                scope: Scope { key: &key, is_proxy: false },
                now,
            };
            stages.push(Stage::Secure(self.engine()?.start(&wanted)?));
        }
        Ok(Conn::staged(id, now.mono, stages))
    }

    /// The stages of the connection that is wanted.
    pub(super) fn route(&self) -> Route {
        Route::of(self.wants_tls_to_proxy(), self.wants_tunnel(), self.wants_tls())
    }

    fn wants_tls_to_proxy(&self) -> bool {
        self.proxy().is_some_and(|proxy| proxy.protocol() == Protocol::Https)
    }

    /// Whether a proxy leads to the host, and does not pass requests on.
    fn wants_tunnel(&self) -> bool {
        self.proxy().is_some_and(|proxy| self.wants_tls() || proxy.protocol().is_socks())
    }

    fn wants_tls(&self) -> bool {
        self.url.scheme() != "http"
    }

    /// TLS to the proxy itself: whom to trust as with hosts, but our certificate and the host's keys are none of its
    /// business.
    fn proxy_tls(&self, proxy: &Proxy) -> Tls {
        match proxy.own_tls() {
            Some(tls) => tls.clone(),
            None => self.routing.tls.clone().identity(None).pins([]),
        }
    }

    fn engine(&self) -> Result<&'a dyn StartTls> {
        self.routing.engine.start().ok_or_else(|| Error::new(Kind::UnsupportedScheme).with_url(self.url))
    }
}

/// Bytes to move. Each field is a wish, and empty where there is none.
#[derive(Debug)]
#[non_exhaustive]
pub struct Io<'a> {
    /// Bytes for the peer.
    pub send: &'a [u8],
    /// Where bytes of the peer go; empty while the caller has not read what came before.
    pub recv: &'a mut [u8],
    /// How many bytes the request's body may be supplied with now.
    pub body: usize,
    /// Nothing has gone out over this connection yet, and it is new. Whoever has the socket looks whether something is
    /// there to be read. If so it is read before anything is sent: what was there before the request is no response to
    /// it. A connection that was used before is looked at before it is [handed over](super::Call::connected).
    pub look: bool,
    /// When to stop waiting and ask again.
    pub deadline: Option<Instant>,
}

impl Step<'_> {
    /// The same, to be given up earlier.
    pub(super) fn by(self, end: Option<Instant>) -> Self {
        match self {
            Self::Io(io) => Self::Io(Io { deadline: io.deadline.into_iter().chain(end).min(), ..io }),
            step => step,
        }
    }
}
