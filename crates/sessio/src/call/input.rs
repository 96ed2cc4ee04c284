//! The outcomes that a driver reports to a call.

use std::error::Error as StdError;
use std::io;

use bytes::Bytes;

use super::event::Event;
use super::machine::{Call, Phase, Upload};
use crate::base::fault::Fault;
use crate::base::kind::{Kind, Timeout};
use crate::base::time::Instant;
use crate::base::time::Now;
use crate::error::{Error, Result};
use crate::message::body::Content;
use crate::message::head::Head;
use crate::message::headers::Headers;
use crate::policy::session_state::SessionState;
use crate::pool::ReuseProof;
use crate::prepared::Framed;
use crate::route::environment::Environment;
use crate::wire::conn::Conn;
use crate::wire::h1::{BodyKind, RequestContext, RequestEncoder, Reuse};

/// A direction of transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a connection has two directions")]
pub enum Direction {
    /// To the peer.
    Send,
    /// From the peer.
    Receive,
}

/// Outcomes of a [`Step`](super::Step). One that no step asked for fails the call with
/// [`Kind::Misuse`].
impl Call {
    /// The pool admits a new connection. The limit for resolving starts. Returns its deadline.
    pub fn admitted(&mut self, now: Now) -> Option<Instant> {
        self.goes_on_to(Timeout::Resolve, now)
    }

    /// Takes the environment with the [certificates](super::Connect::unread) that were read, or the
    /// reason why they cannot be used.
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

    /// The addresses of the origin are known. The limit for connecting starts. Returns its
    /// deadline.
    pub fn resolved(&mut self, now: Now) -> Option<Instant> {
        self.goes_on_to(Timeout::Connect, now)
    }

    fn goes_on_to(&mut self, next: Timeout, now: Now) -> Option<Instant> {
        let Phase::Connect { limit: running, .. } = &mut self.phase else {
            self.misuse();
            return None;
        };
        // A replacement connection keeps the connect deadline and gets no more time.
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

    /// Takes the connection, new or from a pool.
    ///
    /// It must have the stages that [`Step::Connect`](super::Step::Connect) asks for:
    /// [`Connect::open`](super::Connect::open) ensures this. Any other connection fails the call
    /// with [`Kind::Misuse`] before a byte is sent. Examples: a connection in clear text for an
    /// `https` URL, and one that bypasses the proxy's tunnel.
    pub fn connected(&mut self, conn: Conn) {
        let Some(wanted) = self.wanted() else { return self.misuse() };
        if wanted.transport.is_some() {
            let detail = "a transport is mounted on this URL: open it, and report it by Call::attached";
            return self.fail(Error::new(Kind::Misuse).with_detail(detail));
        }
        if wanted.route() != conn.route() {
            let detail =
                "the connection lacks the TLS and tunnel stages of this URL: open it with Connect::open";
            return self.fail(Error::new(Kind::Misuse).with_detail(detail));
        }
        self.start_on(conn);
    }

    /// Starts the exchange of this hop on a connection.
    pub(super) fn start_on(&mut self, conn: Conn) {
        // Handshakes count as connecting: the connect limit continues.
        if conn.is_open() {
            self.clock.rest();
        }
        self.link.number = conn.id();
        self.link.is_reused = conn.exchanges > 0;
        (self.link.is_kept, self.link.is_unprocessed) = (false, false);
        self.link.remote.clone_from(&conn.remote);
        self.forget_connection();
        if !self.link.is_reused {
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
        // The request was finalized before.
        (asked.close, asked.upgrade) = (request.says.closes, request.says.upgrades);
        self.receiver.restart(asked, self.prepared.options.limits);
        let outgoing = match &request.body.content {
            // A message has no framing of its own.
            Content::Bytes(bytes) if self.is_carried() => BodyKind::Bytes(bytes.clone()),
            _ => request.outgoing(request.framed.unwrap_or(Framed::Length(0))),
        };
        let buffer = self.sender.take_buffer();
        self.sender = match self.prepared.forwarded_by() {
            _ if self.is_carried() => RequestEncoder::message(outgoing, buffer),
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
        if let Some(rare) = &mut self.rare {
            rare.has_reported_sent = false;
        }
        if self.prepared.options.meters.is_set() {
            self.restart_meters();
        }
        let (connection, reused) = (self.link.number, self.link.is_reused);
        self.report(Event::Connected { connection, reused });
        self.settle();
    }

    /// No connection can be made, for the reason in `error`.
    pub fn unreachable(&mut self, error: Error) {
        if !matches!(self.phase, Phase::Connect { .. }) {
            return self.misuse();
        }
        self.fail(error);
    }

    /// Records the failures of connecting so far. If the connect limit passes, they become the
    /// source of the error.
    pub fn tried(&mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) {
        if !matches!(self.phase, Phase::Connect { .. }) {
            return self.misuse();
        }
        self.rare_mut().tried = Some(cause.into());
    }

    /// The transport took the first `n` bytes of [`Io::send`](super::Io).
    pub fn sent(&mut self, n: usize) {
        if self.is_misused_as_bytes() {
            return;
        }
        let moves = self.moves_filter() || matches!(self.phase, Phase::Handshake) || self.is_uploading();
        let (true, Some(conn)) = (moves, &mut self.conn) else { return self.misuse() };
        if n > conn.unsent(&self.sender).len() {
            return self.misuse();
        }
        conn.sent(n, &mut self.sender);
        self.clock.progress(Timeout::Send);
        if self.upload() == Upload::Continues {
            // A peer that takes bytes is alive: restart the read limit.
            self.clock.progress(Timeout::Read);
        }
        self.settle();
    }

    /// `n` bytes were written to the start of [`Io::recv`](super::Io). 0 is the end of the stream.
    pub fn received(&mut self, n: usize) {
        if self.is_misused_as_bytes() {
            return;
        }
        let reading = matches!(
            self.phase,
            Phase::Handshake | Phase::Exchange | Phase::Peek { .. } | Phase::Body(_) | Phase::Drain { .. }
        );
        let (true, Some(conn)) = (reading, &mut self.conn) else { return self.misuse() };
        if let Err(error) = conn.received(n, &mut self.receiver) {
            return match self.phase {
                Phase::Handshake => self.redial_or_fail(error.into()),
                _ => self.ended(error.into()),
            };
        }
        if conn.is_before_request() && self.receiver.bytes_received() > 0 {
            // Bytes before the request are no response to it (row Q13).
            return self.fail(Kind::UnsolicitedData.into());
        }
        self.clock.progress(Timeout::Read);
        self.settle();
    }

    /// The transport failed, in this direction.
    pub fn broken(&mut self, direction: Direction, cause: io::Error) {
        if self.is_misused_as_bytes() {
            return;
        }
        match (direction, &self.phase) {
            // The peer may already have sent the reason (row Q08): read on.
            (Direction::Send, Phase::Handshake) => self.rare_mut().send_failure = Some(cause),
            (Direction::Receive, Phase::Handshake) => self.cut_off(Some(cause)),
            (Direction::Send, _) if self.is_uploading() || self.moves_filter() => {
                self.end_upload();
                self.rare_mut().send_failure = Some(cause);
            }
            (Direction::Receive, Phase::Exchange) => {
                let is_within = self.receiver.is_within_head();
                let kind = if is_within { Kind::IncompleteHead } else { Kind::ClosedBeforeResponse };
                self.fail_or_retry(Error::new(kind).with_source(cause));
            }
            (Direction::Receive, Phase::Body(_) | Phase::Peek { .. }) => {
                self.ended(Error::new(Kind::IncompleteBody).with_source(cause));
            }
            (Direction::Receive, Phase::Drain { .. }) => self.drained(false),
            _ => self.misuse(),
        }
    }

    /// Whether the TLS session may have bytes of its own to send while the response is read.
    fn moves_filter(&self) -> bool {
        matches!(self.phase, Phase::Peek { .. } | Phase::Body(_) | Phase::Drain { .. })
            && self.conn.as_ref().is_some_and(Conn::is_secured)
    }

    /// Whether the request is being sent, or would be if the transport took it.
    fn is_uploading(&self) -> bool {
        matches!(self.phase, Phase::Exchange) || self.is_sending()
    }

    /// Supplies bytes of the request's body. Returns the number of bytes taken. Offer the rest
    /// again when [`Io::body`](super::Io) asks for it.
    pub fn supply(&mut self, bytes: &[u8]) -> usize {
        self.supply_by(|sender| sender.supply(bytes))
    }

    /// Supplies bytes in shared memory; otherwise as [`supply`](Self::supply). They are usually
    /// sent without a copy, and then taken whole. The memory is released when they are sent.
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

    /// Ends the request's body.
    pub fn supply_end(&mut self) {
        self.supply_end_with(&Headers::new());
    }

    /// Ends the request's body with these trailers. A body that is not chunked cannot have
    /// trailers, and some fields are forbidden in them. Both are [`Kind::InvalidHeader`], and the
    /// request never looks complete to the peer.
    pub fn supply_end_with(&mut self, trailers: &Headers) {
        if !self.is_uploading() {
            return self.misuse();
        }
        match self.sender.supply_end_with(trailers) {
            Ok(()) => self.settle(),
            Err(fault) => self.fail(fault.into()),
        }
    }

    /// The source of the request's body failed. The request is aborted, and never looks complete to
    /// the peer (row F29).
    pub fn supply_failed(&mut self, cause: io::Error) {
        if !self.is_uploading() && !matches!(self.phase, Phase::Rewind { .. }) {
            return self.misuse();
        }
        self.fail(Error::new(Kind::BodySource).with_source(cause));
    }

    /// The source of the request's body failed with an error of its own, such as that of an
    /// [`Assembly`](crate::message::multipart::Assembly). Otherwise as
    /// [`supply_failed`](Self::supply_failed).
    pub fn supply_refused(&mut self, error: Error) {
        if !self.is_uploading() && !matches!(self.phase, Phase::Rewind { .. }) {
            return self.misuse();
        }
        self.fail(error);
    }

    /// The source of the request's body is at its start again.
    pub fn rewound(&mut self) {
        let Phase::Rewind { fresh } = self.phase else { return self.misuse() };
        self.phase = Phase::Connect { fresh, limit: Timeout::Pool };
        self.report(Event::Rewound);
        self.report_own(Self::connecting);
    }

    /// Returns the connection, with the proof that it can be reused. `None` if it cannot be reused:
    /// the driver closes the socket. Until the next step, [`request`](Self::request) is the one
    /// that the connection carried.
    pub fn release(&mut self) -> Option<(Conn, ReuseProof)> {
        if !self.has_carried() {
            self.misuse();
            return None;
        }
        let mut conn = self.conn.take()?;
        if conn.is_carrier() {
            // The transport keeps its own connections.
            self.end_upload();
            self.settle();
            return None;
        }
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
        self.link.is_kept = proof.is_some();
        self.end_upload();
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
        // Send close_notify only if the request was sent completely.
        let filter = conn.into_filter().filter(|_| self.sender.is_done());
        if let Some(mut filter) = filter {
            filter.close();
            self.rare_mut().parting = Some(filter);
        }
    }

    /// The last bytes for the peer of the previous connection: a TLS alert or close_notify. The
    /// call gave up that connection by [`release`](Self::release) or by a failure. The driver sends
    /// these bytes before it closes the socket, if that needs no waiting.
    pub fn farewell(&mut self) -> &[u8] {
        let parting = self.rare.as_mut().and_then(|rare| rare.parting.as_mut());
        parting.map_or(&[], |filter| filter.ends().0)
    }

    /// Decides what follows from the response: stores its cookies, answers a challenge, follows a
    /// redirect, or sends the request again. All policy is in this method.
    ///
    /// It may call a [`Flow`](crate::Flow), which is code of the caller. For a state under a lock,
    /// use [`decide_with`](Self::decide_with).
    pub fn decide(&mut self, state: &mut SessionState, now: Now) {
        self.decide_with(|act| act(state), now);
    }

    /// Decides with a shared state; otherwise as [`decide`](Self::decide). The call runs `lend`
    /// each time that it needs the state. `lend` locks the state and passes it on. No code of the
    /// caller runs with the state: flows run while nothing is lent.
    ///
    /// ```
    /// # use std::sync::Mutex;
    /// # use sessio::{Call, Now, SessionState};
    /// fn decide(call: &mut Call, state: &Mutex<SessionState>, now: Now) {
    ///     call.decide_with(|act| act(&mut state.lock().unwrap()), now);
    /// }
    /// ```
    pub fn decide_with(&mut self, mut lend: impl FnMut(&mut dyn FnMut(&mut SessionState)), now: Now) {
        if !matches!(self.phase, Phase::Decide(_) | Phase::Lost(_) | Phase::Sign { .. }) {
            return self.misuse();
        }
        // The caller may hold a lock, and an observer may use the session. So the next step reports
        // the decision.
        let watch = self.take_watch();
        let was_nested = self.is_nested();
        self.decide_next(&mut lend, now);
        if watch.is_some() {
            // The flow may have made another call of this one.
            let of = match self.rare_mut().nested.as_mut().filter(|_| !was_nested) {
                Some(nested) => &mut nested.outer,
                None => self,
            };
            of.rare_mut().watch = watch;
        }
        self.rare_mut().has_decided = true;
    }

    /// Takes the head of the response.
    pub fn take_head(&mut self) -> Option<Head> {
        let Phase::HeadReady(upload) = self.phase else {
            self.misuse();
            return None;
        };
        self.phase = Phase::Body(upload);
        let head = self.head.take()?;
        if self.prepared.options.meters.is_set() {
            self.resume_meters(&head);
        }
        if self.decoding.is_some() {
            // A hook has seen the start of the body.
            self.settle();
            return Some(head);
        }
        // The caller receives the head in any case. An error of its codings is for the reader of
        // the body.
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
        if !matches!(self.phase, Phase::Body(_)) {
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
