//! The next operation that a call wants, as a value.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use url::{Host, Url};

use crate::base::kind::Kind;
use crate::base::limits::Limits;
use crate::base::time::Instant;
use crate::base::time::Now;
use crate::error::{Error, Result};
use crate::message::headers::Headers;
use crate::policy::pace::PaceRule;
use crate::prepared::Prepared;
use crate::prepared::transport::Transport;
use crate::route::environment::CaBundle;
use crate::route::key::Key;
use crate::route::proxy::{Protocol, Proxy, ProxyRequest};
use crate::route::routing::{Destination, RouteOptions};
use crate::route::tls::{ConnectInfo, Roots, Scope, StartTls, Tls};
use crate::uri::redacted::RedactedUrl;
use crate::wire::conn::{Conn, Route, Stage};
use crate::wire::tunnel::{Target, Tunnel, authority};

/// The one operation that a call wants now. The step stays the same until its outcome is reported.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step<'a> {
    /// Open or reuse a connection. Close the previous one first, if it was not released: it failed.
    /// Report the connection by [`connected`](super::Call::connected), or a failure by
    /// [`unreachable`](super::Call::unreachable). A carrier of messages is reported by
    /// [`attached`](super::Call::attached).
    Connect(Connect<'a>),
    /// Move bytes, in both directions at once. Report by [`sent`](super::Call::sent),
    /// [`received`](super::Call::received), [`supply`](super::Call::supply) and
    /// [`broken`](super::Call::broken).
    Io(Io<'a>),
    /// Pass messages on, in both directions at once. Report by
    /// [`request_taken`](super::Call::request_taken),
    /// [`response_head`](super::Call::response_head),
    /// [`response_body`](super::Call::response_body),
    /// [`response_end`](super::Call::response_end), [`supply`](super::Call::supply) and
    /// [`transport_failed`](super::Call::transport_failed).
    Message(MessageIo<'a>),
    /// Take the connection back by [`release`](super::Call::release): the call needs it no more.
    Release,
    /// Decide what follows from the response or from a failure by [`decide`](super::Call::decide),
    /// with the session's state. It comes before the first connection, too, if the authentication
    /// flow of the request [asks](crate::Flow::asks).
    Decide,
    /// Wait until this time, and ask again. A connection that can be reused was released before.
    /// Close any other. A wait of zero is no step: [`Connect`](Self::Connect) follows.
    #[non_exhaustive]
    Wait {
        /// The time of the next attempt.
        until: Instant,
    },
    /// Wait for another call that does what this call needs, such as a renewal of a token. Poll
    /// [`poll_turn`](super::Call::poll_turn), or ask again at the deadline. Close any connection that
    /// was not released.
    #[non_exhaustive]
    Turn {
        /// The end of the time limit over the whole call.
        deadline: Option<Instant>,
    },
    /// Rewind the source of the request's body to its start. Report by
    /// [`rewound`](super::Call::rewound).
    Rewind,
    /// Take the head of the response by [`take_head`](super::Call::take_head).
    Head,
    /// Read these bytes of the response's body. Report by [`consume`](super::Call::consume).
    Body(&'a [u8]),
    /// Nothing more: the call is complete.
    Done,
}

/// A connection that the call wants.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Connect<'a> {
    /// The URL of the request.
    pub url: &'a Url,
    /// The route to the origin.
    pub routing: &'a RouteOptions,
    /// Whether the connection must be new, because a pooled one has just failed.
    pub fresh: bool,
    /// Whether the pool has admitted the connection already. It then replaces one that a proxy did
    /// not let through. The limit for connecting continues.
    pub is_admitted: bool,
    /// When to give up the current operation (waiting for the pool, resolving or connecting) and
    /// ask again.
    pub deadline: Option<Instant>,
    /// The transport of the request's mount. It carries the request in place of a connection.
    pub transport: Option<&'a Arc<dyn Transport>>,
    /// The pace of the host. [`Pool::request_paced`](crate::pool::Pool::request_paced) takes it.
    pub pace: Option<&'a PaceRule>,
    pub(super) limits: Limits,
    pub(super) remaining_addresses: &'a [SocketAddr],
}

impl<'a> Connect<'a> {
    /// The key of the pooled connections that can be used.
    #[must_use]
    pub fn key(&self) -> Key<'a> {
        Key::reaching(self.url, self.routing)
    }

    /// The proxy of the connection. `None` without a proxy.
    #[must_use]
    pub fn proxy(&self) -> Option<&'a Proxy> {
        self.routing.plan.proxy()
    }

    /// The origin's name to resolve for a SOCKS5 proxy, which receives addresses. They are passed
    /// to [`open`](Self::open). After the proxy could not reach the first of them, this returns the
    /// remaining addresses.
    #[must_use]
    pub fn destination_for_proxy(&self) -> Option<Destination> {
        if !self.remaining_addresses.is_empty() {
            return Some(Destination::Addresses(self.remaining_addresses.to_vec()));
        }
        let proxy = self.proxy().filter(|proxy| proxy.protocol() == Protocol::Socks5);
        proxy.and_then(|_| self.routing.direct(self.url))
    }

    /// The certificates of the environment that must be read before a pool is asked.
    /// [`Call::apply_environment`](super::Call::apply_environment) takes them. `None` without TLS,
    /// if they were read already, or if other settings decide which roots are trusted.
    #[must_use]
    pub fn unread(&self) -> Option<&'a CaBundle> {
        self.routing.unread(self.url)
    }

    /// Checks whether a connection can be opened at all. Call it before anything is dialled.
    ///
    /// # Errors
    /// - [`Kind::UnsupportedScheme`]: an `https` URL or proxy, and no TLS implementation is set.
    /// - [`Kind::InvalidTls`]: the TLS implementation cannot do what the settings ask for.
    /// - [`Kind::InvalidUrl`]: the host cannot be sent to the proxy.
    /// - [`Kind::BlockedAddress`]: a Unix socket that the guard refuses.
    pub fn check(&self) -> Result<()> {
        self.routing.admit_socket(self.url).map_err(|fault| Error::from(fault).with_url(self.url))?;
        if let Some(proxy) = self.proxy() {
            match proxy.protocol() {
                Protocol::Https => self.start_tls()?.check(&self.proxy_tls(proxy))?,
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
        Ok(self.start_tls()?.check(&self.routing.tls)?)
    }

    /// Opens a new connection, with all stages that it must pass before it carries HTTP. `id`
    /// identifies it within its session. `told` are the addresses of the origin, best first, for a
    /// proxy that [receives addresses](Self::destination_for_proxy).
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
                // The proxy has TLS tickets of its own (row V87).
                let scope = Scope { key: &key, is_proxy: true };
                let tls = self.proxy_tls(proxy);
                let host = match proxy.host() {
                    Host::Domain(name) => Host::Domain(name.as_str()),
                    Host::Ipv4(ip) => Host::Ipv4(*ip),
                    Host::Ipv6(ip) => Host::Ipv6(*ip),
                };
                let wanted = ConnectInfo { tls: &tls, host, scope, now };
                stages.push(Stage::Secure(self.start_tls()?.start(&wanted)?));
            }
            if self.wants_tunnel() {
                stages.push(Stage::Tunnel(self.tunnel(proxy, told)?));
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
            stages.push(Stage::Secure(self.start_tls()?.start(&wanted)?));
        }
        Ok(Conn::staged(id, now.mono, stages))
    }

    fn tunnel(&self, proxy: &Proxy, told: &[SocketAddr]) -> Result<Tunnel> {
        let plan = &self.routing.plan;
        let target = authority(self.url).ok_or(Kind::InvalidUrl)?;
        let says = plan.says(ProxyRequest { method: "CONNECT", target: &target, body: Some(b"") });
        Ok(Tunnel::with_auth(self.url, proxy, &says, plan.auth(), told, self.limits)?)
    }

    /// The stages that the connection must have.
    pub(super) fn route(&self) -> Route {
        Route::of(self.wants_tls_to_proxy(), self.wants_tunnel(), self.wants_tls())
    }

    fn wants_tls_to_proxy(&self) -> bool {
        self.proxy().is_some_and(|proxy| proxy.protocol() == Protocol::Https)
    }

    /// Whether the proxy opens a tunnel to the origin, and does not forward requests.
    fn wants_tunnel(&self) -> bool {
        self.proxy().is_some_and(|proxy| self.wants_tls() || proxy.protocol().is_socks())
    }

    fn wants_tls(&self) -> bool {
        self.url.scheme() != "http"
    }

    /// TLS settings of the proxy itself: the same roots as for origins. The client certificate and
    /// the origin's pins are not for the proxy.
    fn proxy_tls(&self, proxy: &Proxy) -> Tls {
        match proxy.own_tls() {
            Some(tls) => tls.clone(),
            None => self.routing.tls.clone().identity(None).pins([]),
        }
    }

    fn start_tls(&self) -> Result<&'a dyn StartTls> {
        self.routing
            .tls_connector
            .start()
            .ok_or_else(|| Error::new(Kind::UnsupportedScheme).with_url(self.url))
    }
}

impl fmt::Debug for Connect<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("url", &RedactedUrl::new(self.url))
            .field("proxy", &self.proxy())
            .field("fresh", &self.fresh)
            .field("is_admitted", &self.is_admitted)
            .field("deadline", &self.deadline)
            .field("remaining_addresses", &self.remaining_addresses)
            .finish_non_exhaustive()
    }
}

/// Bytes to move. An empty field asks for nothing.
#[derive(Debug)]
#[non_exhaustive]
pub struct Io<'a> {
    /// Bytes to send to the peer.
    pub send: &'a [u8],
    /// Buffer for bytes from the peer. Empty while the caller has not read earlier ones.
    pub recv: &'a mut [u8],
    /// Number of bytes of the request's body that the call takes now.
    pub body: usize,
    /// Whether the driver must check a new connection for received bytes before it sends the first
    /// byte. It reads them before it sends: bytes that came before the request are no response to
    /// it. A reused connection is checked before it is [handed over](super::Call::connected).
    pub look: bool,
    /// When to stop waiting and ask again.
    pub deadline: Option<Instant>,
}

/// Messages to pass on. An empty field asks for nothing.
#[non_exhaustive]
pub struct MessageIo<'a> {
    /// The request, until its head was taken. Its body is in the fields below.
    pub request: Option<&'a Prepared>,
    /// Bytes of the request's body.
    pub body: &'a [u8],
    /// Whether the request ends behind `body`. Its end is to be taken too.
    pub is_last: bool,
    /// The trailers of the request. Empty before the end.
    pub trailers: &'a Headers,
    /// Number of bytes of the request's body that the call takes from its source now.
    pub source: usize,
    /// Whether a head of the response is awaited.
    pub wants_head: bool,
    /// Buffer for bytes of the response's body. Empty before the head, and while the caller has not
    /// read earlier bytes.
    pub recv: &'a mut [u8],
    /// When to stop waiting and ask again.
    pub deadline: Option<Instant>,
}

impl MessageIo<'_> {
    /// Whether there is anything to pass on of the request.
    #[must_use]
    pub fn has_request(&self) -> bool {
        self.request.is_some() || !self.body.is_empty() || self.is_last
    }
}

impl fmt::Debug for MessageIo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageIo")
            .field("request", &self.request)
            .field("body", &self.body.len())
            .field("is_last", &self.is_last)
            .field("source", &self.source)
            .field("wants_head", &self.wants_head)
            .field("recv", &self.recv.len())
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl Step<'_> {
    /// The same step with an earlier deadline.
    pub(super) fn by(self, end: Option<Instant>) -> Self {
        match self {
            Self::Io(io) => Self::Io(Io { deadline: io.deadline.into_iter().chain(end).min(), ..io }),
            Self::Message(io) => {
                Self::Message(MessageIo { deadline: io.deadline.into_iter().chain(end).min(), ..io })
            }
            step => step,
        }
    }
}
