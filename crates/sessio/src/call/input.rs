//! What a call is told.

use std::error::Error as StdError;
use std::io;

use bytes::Bytes;
use sessio_cookie::Jar;

use super::event::Event;
use super::machine::{Call, Phase};
use crate::base::fault::Fault;
use crate::base::kind::{Kind, Timeout};
use crate::base::time::Instant;
use crate::base::time::Now;
use crate::error::{Error, Result};
use crate::message::body::Content;
use crate::message::head::Head;
use crate::message::headers::Headers;
use crate::pool::ReuseProof;
use crate::prepared::Framed;
use crate::route::environment::Environment;
use crate::wire::conn::Conn;
use crate::wire::h1::{RequestContext, RequestEncoder, ResponseDecoder, Reuse};

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Direction {
    /// To the peer.
    Send,
    /// From the peer.
    Receive,
}

/// The answers to [`Step`](super::Step). One that was not asked for fails the call with [`Kind::Misuse`].
impl Call {
    /// A connection may be opened: from here on the limit for resolving runs. Says until when.
    pub fn admitted(&mut self, now: Now) -> Option<Instant> {
        self.goes_on_to(Timeout::Resolve, now)
    }

    /// The environment with the [certificates](super::Connect::unread) that were read, or why they cannot be used.
    ///
    /// ```
    /// use sessio::{Environment, tls::Certificates};
    ///
    /// let environment = Environment::new([("SSL_CERT_FILE", "/etc/ca.pem")]);
    /// assert_eq!(environment.unread().unwrap().variable, "SSL_CERT_FILE");
    /// let read = environment.with_certificates(Certificates::from_der(["..."]).map_err(|error| error.to_string()));
    /// assert!(read.unread().is_none());
    /// ```
    pub fn apply_environment(&mut self, environment: &Environment) {
        if !matches!(self.phase, Phase::Connect { .. }) {
            return self.misuse();
        }
        self.prepared.options.routing.apply_environment(environment);
    }

    /// The host's addresses are known: from here on the limit for connecting runs. Says until when.
    pub fn resolved(&mut self, now: Now) -> Option<Instant> {
        self.goes_on_to(Timeout::Connect, now)
    }

    fn goes_on_to(&mut self, next: Timeout, now: Now) -> Option<Instant> {
        let Phase::Connect { limit: running, .. } = &mut self.phase else {
            self.misuse();
            return None;
        };
        // One that takes another's place has what is left of its time, and no more.
        let limit = if *running == Timeout::Connect { Timeout::Connect } else { next };
        if std::mem::replace(running, limit) != limit && limit == Timeout::Connect {
            let span = self.since(now.mono);
            self.rare_mut().resolve = Some(span);
        }
        match self.clock.wait(limit, &self.prepared.options.timeouts, now.mono) {
            Ok(deadline) => deadline,
            Err(_) => Some(now.mono),
        }
    }

    /// Here is the connection, new or out of a pool.
    ///
    /// It must have been made with the stages that [`Step::Connect`](super::Step::Connect) wants:
    /// [`Connect::open`](super::Connect::open) makes it so. Any other connection fails the call with [`Kind::Misuse`]
    /// before a byte is sent. Such is one in clear text for an `https` URL, or one that leads around the proxy's tunnel.
    pub fn connected(&mut self, conn: Conn) {
        let Some(wanted) = self.wanted() else { return self.misuse() };
        if wanted.route() != conn.route() {
            let detail = "the connection was not made with the TLS and tunnel stages that this URL wants: make it by Connect::open";
            return self.fail(Error::new(Kind::Misuse).with_detail(detail));
        }
        // Handshakes are a part of connecting: its limit goes on running.
        if conn.is_open() {
            self.clock.rest();
        }
        (self.connection, self.is_reused) = (conn.id(), conn.exchanges > 0);
        self.remote.clone_from(&conn.remote);
        self.forget_connection();
        if !self.is_reused {
            let span = self.since(conn.opened());
            let rare = self.rare_mut();
            (rare.connect, rare.secure, rare.is_handshaking) = (Some(span), None, !conn.is_open());
        }
        self.phase = if conn.is_open() { Phase::Exchange } else { Phase::Handshake };
        let mut conn = conn;
        conn.start_exchange();
        self.conn = Some(conn);
        let request = &self.prepared.request;
        let mut asked = RequestContext::new(&request.method);
        // It was sealed before it came here.
        (asked.close, asked.upgrade) = (request.says.closes, request.says.upgrades);
        self.receiver =
            ResponseDecoder::new(asked, self.prepared.options.limits, self.receiver.take_buffer());
        let outgoing = request.outgoing(request.framed.unwrap_or(Framed::Length(0)));
        let buffer = self.sender.take_buffer();
        self.sender = match self.prepared.forwarded_by() {
            None => {
                let target = request.target().as_bytes();
                RequestEncoder::new(&request.method, target, &request.headers, outgoing, buffer)
            }
            Some(_) => {
                let (target, headers) = self.prepared.for_proxy();
                RequestEncoder::new(&request.method, target.as_bytes(), &headers, outgoing, buffer)
            }
        };
        let unsent = self.rare.as_mut().and_then(|rare| rare.unsent.take());
        if let Some(unsent) = unsent.filter(|_| matches!(request.body.content, Content::Source { .. })) {
            self.sender.resume(unsent);
        }
        if request.says.expects {
            self.sender.hold();
        }
        (self.is_sent, self.is_kept, self.is_duplex) = (false, false, false);
        if self.prepared.options.meters.is_set() {
            self.restart_meters();
        }
        let (connection, reused) = self.connection();
        self.report(Event::Connected { connection, reused });
        self.settle();
    }

    /// No connection can be made; `error` says why.
    pub fn unreachable(&mut self, error: Error) {
        if !matches!(self.phase, Phase::Connect { .. }) {
            return self.misuse();
        }
        self.fail(error);
    }

    /// What connecting has come to so far. If the time for it is over, that is the source of the error.
    pub fn tried(&mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) {
        if !matches!(self.phase, Phase::Connect { .. }) {
            return self.misuse();
        }
        self.rare_mut().tried = Some(cause.into());
    }

    /// The transport took the first `n` bytes of [`Io::send`](super::Io).
    pub fn sent(&mut self, n: usize) {
        let moves = self.moves_filter() || matches!(self.phase, Phase::Handshake) || self.is_uploading();
        let (true, Some(conn)) = (moves, &mut self.conn) else { return self.misuse() };
        if n > conn.unsent(&self.sender).len() {
            return self.misuse();
        }
        conn.sent(n, &mut self.sender);
        self.clock.progress(Timeout::Send);
        if self.is_duplex {
            // Whoever takes is there.
            self.clock.progress(Timeout::Read);
        }
        self.settle();
    }

    /// `n` bytes were written to the start of [`Io::recv`](super::Io); 0 is the end of the stream.
    pub fn received(&mut self, n: usize) {
        let reading =
            matches!(self.phase, Phase::Handshake | Phase::Exchange | Phase::Body | Phase::Drain { .. });
        let (true, Some(conn)) = (reading, &mut self.conn) else { return self.misuse() };
        if let Err(error) = conn.received(n, &mut self.receiver) {
            return match self.phase {
                Phase::Handshake => self.redial_or_fail(error.into()),
                _ => self.ended(error.into()),
            };
        }
        if conn.is_before_request() && self.receiver.bytes_received() > 0 {
            // Whatever it is, it is no answer to us (row Q13).
            return self.fail(Kind::UnsolicitedData.into());
        }
        self.clock.progress(Timeout::Read);
        self.settle();
    }

    /// The transport failed, in the direction of sending or in that of receiving.
    pub fn broken(&mut self, direction: Direction, cause: io::Error) {
        match (direction, &self.phase) {
            // Why it takes no more, the peer may have said (row Q08).
            (Direction::Send, Phase::Handshake) => self.rare_mut().send_failure = Some(cause),
            (Direction::Receive, Phase::Handshake) => self.cut_off(Some(cause)),
            (Direction::Send, _) if self.is_uploading() || self.moves_filter() => {
                self.is_duplex = false;
                self.rare_mut().send_failure = Some(cause);
            }
            (Direction::Receive, Phase::Exchange) => {
                let is_within = self.receiver.is_within_head();
                let kind = if is_within { Kind::IncompleteHead } else { Kind::ClosedBeforeResponse };
                self.fail_or_retry(Error::new(kind).with_source(cause));
            }
            (Direction::Receive, Phase::Body) => {
                self.ended(Error::new(Kind::IncompleteBody).with_source(cause));
            }
            (Direction::Receive, Phase::Drain { .. }) => self.drained(false),
            _ => self.misuse(),
        }
    }

    /// Whether a filter may have things of its own to send while the response is read.
    fn moves_filter(&self) -> bool {
        matches!(self.phase, Phase::Body | Phase::Drain { .. })
            && self.conn.as_ref().is_some_and(Conn::is_secured)
    }

    /// Whether the request is being sent, or would be if the transport took it.
    fn is_uploading(&self) -> bool {
        matches!(self.phase, Phase::Exchange) || self.is_sending()
    }

    /// Supplies bytes of the request's body; says how many were taken. What is left is offered again when
    /// [`Io::body`](super::Io) asks for it.
    pub fn supply(&mut self, bytes: &[u8]) -> usize {
        self.supply_by(|sender| sender.supply(bytes))
    }

    /// As [`supply`](Self::supply), of memory that can be shared: as a rule it goes out from where it lies, and then it is
    /// taken whole. It is given back when that is done.
    pub fn supply_shared(&mut self, bytes: &Bytes) -> usize {
        self.supply_by(|sender| sender.supply_shared(bytes))
    }

    fn supply_by(&mut self, supply: impl FnOnce(&mut RequestEncoder) -> Result<usize, Fault>) -> usize {
        if !self.is_uploading() {
            self.misuse();
            return 0;
        }
        match supply(&mut self.sender) {
            Ok(n) => {
                self.clock.progress(Timeout::Send);
                self.settle();
                n
            }
            Err(fault) => {
                self.fail(fault.into());
                0
            }
        }
    }

    /// The request's body has ended.
    pub fn supply_end(&mut self) {
        self.supply_end_with(&Headers::new());
    }

    /// The request's body has ended, and these fields come behind it. A body that is not in chunks has no place for any,
    /// and some may not stand there: that is [`Kind::InvalidHeader`], and the request never looks complete to the peer.
    pub fn supply_end_with(&mut self, trailers: &Headers) {
        if !self.is_uploading() {
            return self.misuse();
        }
        match self.sender.supply_end_with(trailers) {
            Ok(()) => self.settle(),
            Err(fault) => self.fail(fault.into()),
        }
    }

    /// The source of the request's body has failed: the request is aborted, and never looks complete to the
    /// peer (row F29).
    pub fn supply_failed(&mut self, cause: io::Error) {
        if !self.is_uploading() && !matches!(self.phase, Phase::Rewind) {
            return self.misuse();
        }
        self.fail(Error::new(Kind::BodySource).with_source(cause));
    }

    /// As [`supply_failed`](Self::supply_failed), for one who knows better what is wrong with the body, such as an
    /// [`Assembly`](crate::message::multipart::Assembly).
    pub fn supply_refused(&mut self, error: Error) {
        if !self.is_uploading() && !matches!(self.phase, Phase::Rewind) {
            return self.misuse();
        }
        self.fail(error);
    }

    /// The source of the request's body stands at its start again.
    pub fn rewound(&mut self) {
        if !matches!(self.phase, Phase::Rewind) {
            return self.misuse();
        }
        self.phase = Phase::Connect { fresh: self.is_retried, limit: Timeout::Pool };
        self.report(Event::Rewound);
        self.report_own(Self::connecting);
    }

    /// Gives the connection back: with the proof that it can be used again, or not at all, and then the
    /// socket is to be closed. Until the next step, [`request`](Self::request) is the one that it carried.
    pub fn release(&mut self) -> Option<(Conn, ReuseProof)> {
        if !self.has_carried() {
            self.misuse();
            return None;
        }
        let mut conn = self.conn.take()?;
        let is_quiet = conn.is_quiet();
        conn.exchanges = conn.exchanges.saturating_add(1);
        let proof = match self.receiver.reuse() {
            Reuse::Yes { idle_for, max }
                if is_quiet && self.sender.is_done() && !self.has_send_failed() && max != Some(0) =>
            {
                Some(ReuseProof { opened: conn.opened(), idle_for })
            }
            _ => None,
        };
        self.is_kept = proof.is_some();
        self.is_duplex = false;
        self.settle();
        match proof {
            Some(proof) => Some((conn, proof)),
            None => {
                self.part(conn);
                None
            }
        }
    }

    #[cold]
    fn part(&mut self, conn: Conn) {
        // Who has not said all has not come to a good end.
        let filter = conn.into_filter().filter(|_| self.sender.is_done());
        if let Some(mut filter) = filter {
            filter.close();
            self.rare_mut().parting = Some(filter);
        }
    }

    /// What is still to be said to the peer of the connection that the call has just let go of, by
    /// [`release`](Self::release) or because it has failed: an alert, or that nothing was cut off. It goes out if it can
    /// without waiting, before the socket is closed.
    pub fn farewell(&mut self) -> &[u8] {
        let parting = self.rare.as_mut().and_then(|rare| rare.parting.as_mut());
        parting.map_or(&[], |filter| filter.ends().0)
    }

    /// Decides what follows from the response: keeps its cookies, answers a challenge, follows a redirect.
    /// All policy is here, and here alone.
    ///
    /// It may call a [`Flow`](crate::Flow), which is code of the user. Where the jar lies under a lock, use
    /// [`decide_with`](Self::decide_with).
    pub fn decide(&mut self, jar: &mut Jar, now: Now) {
        self.decide_with(|act| act(jar), now);
    }

    /// As [`turn`](Self::decide), with a jar that is shared. `lend` is called each time that the jar is needed, locks it, and
    /// passes it on. What is done with the jar then calls no code of the user; flows are asked while nothing is lent.
    ///
    /// ```
    /// # use std::sync::Mutex;
    /// # use sessio::{Call, Jar, Now};
    /// fn decide(call: &mut Call, jar: &Mutex<Jar>, now: Now) {
    ///     call.decide_with(|act| act(&mut jar.lock().unwrap()), now);
    /// }
    /// ```
    pub fn decide_with(&mut self, mut lend: impl FnMut(&mut dyn FnMut(&mut Jar)), now: Now) {
        if !matches!(self.phase, Phase::Decide) {
            return self.misuse();
        }
        // The caller of `turn` may hold a lock. What was decided is told by the next step: an observer may use the session.
        let watch = self.take_watch();
        self.decide_next(&mut lend, now);
        if watch.is_some() {
            self.rare_mut().watch = watch;
        }
        self.has_turned = true;
    }

    /// Takes the head of the answer.
    pub fn take_head(&mut self) -> Option<Head> {
        if !matches!(self.phase, Phase::HeadReady) {
            self.misuse();
            return None;
        }
        self.phase = Phase::Body;
        let head = self.head.take()?;
        if self.prepared.options.meters.is_set() {
            self.resume_meters(&head);
        }
        // The head is the caller's in any case: what is wrong with its codings is for who reads the body.
        match self.decoding_of(&head) {
            Ok(decoding) => {
                self.decoding = decoding;
                self.settle();
            }
            Err(error) => self.fail(error),
        }
        Some(head)
    }

    /// The caller has read the first `n` bytes of [`Step::Body`](super::Step).
    pub fn consume(&mut self, n: usize) {
        if !matches!(self.phase, Phase::Body) {
            return self.misuse();
        }
        self.taken += n as u64;
        match &mut self.decoding {
            Some(decoding) if n <= decoding.ready().len() => decoding.consume(n),
            Some(_) => return self.misuse(),
            None => self.receiver.consume(n),
        }
        self.settle();
    }
}
