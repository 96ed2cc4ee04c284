//! What a call wants now.

use std::net::SocketAddr;
use std::time::Instant;

use url::{Host, Url};

use super::{Call, Event, Phase};
use crate::base::kind::{Kind, Timeout};
use crate::base::time::{Now, later};
use crate::error::{Error, Result};
use crate::pool::Key;
use crate::route::environment::Authorities;
use crate::route::proxy::{Protocol, Proxy};
use crate::route::reach::{Destination, Reach};
use crate::route::tls::{Roots, Start, Tls, Wanted};
use crate::wire::conn::{Conn, Route, Stage};
use crate::wire::h1::{Event as Came, Limits};
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
    /// The response asks for a decision: [`turn`](super::Call::turn), with the session's jar.
    Turn,
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
    pub reach: &'a Reach,
    /// Whether it must be a new one: a pooled one has just failed.
    pub fresh: bool,
    /// Whether there is a right to open it already: it takes the place of one over which a proxy did not let us
    /// through, and the time for it goes on running.
    pub is_admitted: bool,
    /// When to give up what is being done, waiting in line, resolving or connecting, and ask again.
    pub deadline: Option<Instant>,
    limits: Limits,
    untold: &'a [SocketAddr],
}

impl<'a> Connect<'a> {
    /// Which connections of a pool will do.
    #[must_use]
    pub fn key(&self) -> Key<'a> {
        Key::reaching(self.url, self.reach)
    }

    /// The proxy that it goes through, if it does.
    #[must_use]
    pub fn proxy(&self) -> Option<&'a Proxy> {
        self.reach.plan.proxy()
    }

    /// Where the host itself is to be looked up although a proxy leads there: the proxy is told addresses, which are
    /// handed to [`open`](Self::open). After it could not reach the first of them, the others.
    #[must_use]
    pub fn told(&self) -> Option<Destination> {
        if !self.untold.is_empty() {
            return Some(Destination::Addresses(self.untold.to_vec()));
        }
        let proxy = self.proxy().filter(|proxy| proxy.protocol() == Protocol::Socks5);
        proxy.and_then(|_| self.reach.straight(self.url))
    }

    /// Which certificates of the environment are to be read first, before a pool is asked:
    /// [`Call::surround`](super::Call::surround) takes them. `None` where no TLS is wanted, where they were read, and where
    /// somebody else says whom to trust.
    #[must_use]
    pub fn unread(&self) -> Option<&'a Authorities> {
        self.reach.unread(self.url)
    }

    /// Whether a connection can be opened at all: to be asked before anything is dialled.
    ///
    /// # Errors
    /// [`Kind::UnsupportedScheme`] for an `https` URL or proxy where nobody does TLS, [`Kind::InvalidTls`] where what
    /// is wanted of it cannot be had, [`Kind::InvalidUrl`] for a host that cannot be told to the proxy, and
    /// [`Kind::BlockedAddress`] for a Unix socket that the guard refuses.
    pub fn check(&self) -> Result<()> {
        self.reach.admit_socket(self.url).map_err(|fault| Error::from(fault).with_url(self.url))?;
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
            (&self.reach.tls.options().roots, self.reach.environment.certificates_problem())
        {
            return Err(Error::new(Kind::InvalidTls).with_detail(problem.to_owned()));
        }
        Ok(self.engine()?.check(&self.reach.tls)?)
    }

    /// A fresh connection, with everything that has to be passed on it before it carries HTTP. `id` tells it from others
    /// of its session; `told` is where the host is, for a proxy that is [told](Self::told) addresses, best first.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn open(&self, id: u64, now: Now, told: &[SocketAddr]) -> Result<Conn> {
        self.reach.admit_socket(self.url).map_err(|fault| Error::from(fault).with_url(self.url))?;
        if self.route() == Route::PLAIN {
            return Ok(Conn::plain(id, now.mono));
        }
        let key = self.key();
        let mut stages = Vec::with_capacity(3);
        if let Some(proxy) = self.proxy() {
            if self.wants_tls_to_proxy() {
                // Its tickets are its own (row V87).
                let scope = format!("{proxy} for {}", key.as_str());
                let tls = self.proxy_tls(proxy);
                let host = match proxy.host() {
                    Host::Domain(name) => Host::Domain(name.as_str()),
                    Host::Ipv4(ip) => Host::Ipv4(*ip),
                    Host::Ipv6(ip) => Host::Ipv6(*ip),
                };
                let wanted = Wanted { tls: &tls, host, scope: &scope, now };
                stages.push(Stage::Secure(self.engine()?.start(&wanted)?));
            }
            if self.wants_tunnel() {
                let tunnel = Tunnel::to(self.url, proxy, &self.reach.plan.says(), told, self.limits)?;
                stages.push(Stage::Tunnel(tunnel));
            }
        }
        if self.wants_tls() {
            let host = self.url.host().ok_or(Kind::InvalidUrl)?;
            let wanted = Wanted { tls: &self.reach.tls, host, scope: key.as_str(), now };
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
            None => self.reach.tls.clone().identity(None).pins([]),
        }
    }

    fn engine(&self) -> Result<&'a dyn Start> {
        self.reach.engine.start().ok_or_else(|| Error::new(Kind::UnsupportedScheme).with_url(self.url))
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
    fn by(self, end: Option<Instant>) -> Self {
        match self {
            Self::Io(io) => Self::Io(Io { deadline: io.deadline.into_iter().chain(end).min(), ..io }),
            step => step,
        }
    }
}

impl Call {
    /// What is wanted now. Nothing but the clock moves.
    ///
    /// # Errors
    /// Why the call has failed; it stays failed, and the driver drops its connection.
    pub fn step(&mut self, now: Now) -> Result<Step<'_>> {
        let now = now.mono;
        if std::mem::take(&mut self.has_turned) {
            self.report_own(Self::decision);
            self.settle();
        }
        if matches!(self.phase, Phase::Skip { .. } | Phase::Handshake)
            || self.sender.is_held()
            || self.has_send_failed()
        {
            self.lose_patience(now);
        }
        self.clock.start(&self.request.timeouts, now);
        if self.clock.total_is_over(now)
            && !matches!(self.phase, Phase::Done | Phase::Failed(_) | Phase::Failing(_))
        {
            self.fail(Kind::Timeout(Timeout::Total).into());
        }
        self.mark(now);
        if self.conn.is_some() && self.has_carried() {
            return Ok(Step::Release);
        }
        match &self.phase {
            Phase::Connect { fresh, limit } => {
                let (fresh, limit) = (*fresh, *limit);
                self.connect(limit, fresh, now)
            }
            Phase::Handshake => {
                let until = self.patience();
                self.io(Some(Timeout::Connect), now).map(|step| step.by(until))
            }
            Phase::Exchange => {
                let until = self.patience();
                self.send_and_wait(now).map(|step| step.by(until))
            }
            Phase::Turn => Ok(Step::Turn),
            Phase::Answer => Ok(Step::Head),
            Phase::Read => self.read(now),
            Phase::Skip { .. } => {
                let until = self.patience();
                self.io(Some(Timeout::Read), now).map(|step| step.by(until))
            }
            Phase::Rewind => Ok(Step::Rewind),
            Phase::Done => Ok(Step::Done),
            Phase::Failed(_) | Phase::Failing(_) => Err(self.tell()),
        }
    }

    /// Rows Q18 and Q19: what is left of a response that is followed; row Q08: why the peer takes no more; RFC 9110
    /// section 10.1.1: nobody waits for `100 Continue` for ever.
    #[cold]
    fn lose_patience(&mut self, now: Instant) {
        let (patience, expect) = (self.request.limits.drain_time, self.request.timeouts.expect);
        let is_skipped = matches!(self.phase, Phase::Skip { .. });
        let is_lost = matches!(self.phase, Phase::Exchange) && self.has_send_failed();
        let is_shaking = matches!(self.phase, Phase::Handshake) && self.has_send_failed();
        let is_challenged =
            matches!(self.phase, Phase::Handshake) && self.conn.as_ref().is_some_and(Conn::is_challenged);
        let is_waiting = matches!(self.phase, Phase::Exchange) && self.awaits_continue();
        let aside = self.aside_mut();
        if (is_skipped || is_lost) && *aside.heard_by.get_or_insert_with(|| later(now, patience)) <= now {
            return if is_lost { self.lose(Kind::ClosedBeforeResponse.into()) } else { self.skipped(false) };
        }
        if is_challenged && *aside.heard_by.get_or_insert_with(|| later(now, patience)) <= now {
            return self.cut_off(None);
        }
        if is_shaking && *aside.heard_by.get_or_insert_with(|| later(now, patience)) <= now {
            let cause = aside.send_failure.take();
            return self.cut_off(cause);
        }
        if is_waiting
            && let Some(span) = expect
            && *aside.continued_by.get_or_insert_with(|| later(now, span)) <= now
        {
            self.go_ahead();
        }
    }

    /// Until when something is waited for that is no error not to come.
    fn patience(&self) -> Option<Instant> {
        let aside = self.aside.as_ref()?;
        let continued_by = aside.continued_by.filter(|_| self.sender.is_held());
        aside.heard_by.into_iter().chain(continued_by).min()
    }

    /// Whether the head is out, and the body waits for the server's word.
    fn awaits_continue(&self) -> bool {
        self.sender.is_held() && self.sender.unsent().is_empty()
    }

    /// Lets the body follow its head.
    pub(super) fn go_ahead(&mut self) {
        self.sender.release();
        self.clock.rest();
        self.settle();
    }

    /// The connection that is wanted, while one is: for who has asked for it and has yet to open it.
    #[must_use]
    pub fn wanted(&self) -> Option<Connect<'_>> {
        let Phase::Connect { fresh, limit } = self.phase else { return None };
        Some(self.wanting(fresh, limit, None))
    }

    #[inline]
    fn wanting(&self, fresh: bool, limit: Timeout, deadline: Option<Instant>) -> Connect<'_> {
        Connect {
            url: &self.request.url,
            reach: &self.request.reach,
            fresh,
            is_admitted: limit != Timeout::Pool,
            deadline,
            limits: self.request.limits,
            untold: self.aside.as_ref().map_or(&[], |aside| &aside.untold),
        }
    }

    pub(super) fn connect(&mut self, limit: Timeout, fresh: bool, now: Instant) -> Result<Step<'_>> {
        match self.clock.wait(limit, &self.request.timeouts, now) {
            Ok(deadline) => Ok(Step::Connect(self.wanting(fresh, limit, deadline))),
            Err(timeout) => self.expire(timeout),
        }
    }

    pub(super) fn send_and_wait(&mut self, now: Instant) -> Result<Step<'_>> {
        let is_sending = !self.sender.is_done() && !self.has_send_failed();
        let limit = if is_sending { Timeout::Send } else { Timeout::Head };
        self.io((!self.awaits_continue()).then_some(limit), now)
    }

    pub(super) fn read(&mut self, now: Instant) -> Result<Step<'_>> {
        self.receiver.advance();
        if self.request.meters.is_set() {
            self.measure_download();
        }
        // To look at these bytes may have shown that they are the last: asked again, the call must say the same.
        if self.conn.is_some() && self.has_carried() {
            return Ok(Step::Release);
        }
        if !self.unread().is_empty() {
            // The caller has something to read: the time it takes is its own.
            self.clock.rest();
            return Ok(Step::Body(self.unread()));
        }
        match self.receiver.poll() {
            // The end of a chunked body may show only now: the connection is given back before anything else.
            Ok(Came::End) if self.conn.is_some() => Ok(Step::Release),
            Ok(Came::End) => {
                if let Err(fault) = self.decoding.as_ref().map_or(Ok(()), |decoding| decoding.finish()) {
                    self.fail(fault.into());
                    return Err(self.tell());
                }
                self.phase = Phase::Done;
                self.report(Event::Done { body: self.receiver.body_received(), reusable: self.is_kept });
                Ok(Step::Done)
            }
            Ok(_) => match self.aside.as_mut().and_then(|aside| aside.receive_failure.take()) {
                Some(error) => {
                    self.fail(error);
                    Err(self.tell())
                }
                None => self.io(Some(Timeout::Read), now),
            },
            Err(fault) => {
                self.fail(fault.into());
                Err(self.tell())
            }
        }
    }

    /// Whether more of the request goes out: until there is an answer, and beyond that where both go on.
    pub(super) fn is_sending(&self) -> bool {
        match self.phase {
            Phase::Exchange => !self.has_send_failed(),
            Phase::Read => self.is_duplex,
            _ => false,
        }
    }

    /// Whether the source of the request's body may still be asked for something. Once it may not, it is of no use.
    #[must_use]
    pub fn needs_source(&self) -> bool {
        match self.phase {
            Phase::Answer | Phase::Read => self.is_duplex,
            Phase::Done | Phase::Failed(_) | Phase::Failing(_) => false,
            _ => true,
        }
    }

    /// Moves bytes, within this limit beside the one over the whole call.
    pub(super) fn io(&mut self, limit: Option<Timeout>, now: Instant) -> Result<Step<'_>> {
        let deadline = match limit.map(|limit| self.clock.wait(limit, &self.request.timeouts, now)) {
            Some(Ok(deadline)) => deadline,
            Some(Err(timeout)) => return self.expire(timeout),
            None => self.clock.wait_for_ever(),
        };
        let (is_sending, has_failed) = (self.is_sending(), self.has_send_failed());
        let body = if is_sending { self.sender.wanted() } else { 0 };
        if self.conn.is_none() {
            self.misuse();
            return Err(self.tell());
        }
        let Some(conn) = &mut self.conn else { return Err(Kind::Misuse.into()) };
        let look = conn.is_unheard();
        let (send, recv) = conn.io(&self.sender, &mut self.receiver, is_sending);
        Ok(Step::Io(Io { send: if has_failed { &[] } else { send }, recv, body, look, deadline }))
    }
}
