//! Calls that a transport carries as messages, and the outcomes that it reports.
//!
//! The encoder and the decoder have a second mode for messages, with the same outputs. So the states
//! of a call, its policy and its time limits are those of a call over bytes.

use std::net::SocketAddr;
use std::sync::Arc;

use super::machine::{Call, Phase, Upload};
use super::step::MessageIo;
use crate::base::kind::{Kind, Timeout};
use crate::base::time::Instant;
use crate::error::Error;
use crate::message::head::Head;
use crate::message::headers::Headers;
use crate::prepared::transport::Fate;
use crate::wire::conn::Conn;

/// A carrier of messages, as an answer to [`Step::Connect`](super::Step::Connect).
#[derive(Clone, Debug)]
pub struct Carrier {
    id: u64,
    opened: Instant,
    exchanges: u32,
    remote: Option<SocketAddr>,
}

impl Carrier {
    /// A carrier with a number that is unique among the connections of the session.
    #[must_use]
    pub fn new(id: u64, opened: Instant) -> Self {
        Self { id, opened, exchanges: 0, remote: None }
    }

    /// Sets the number of requests that it carried before.
    #[must_use]
    pub fn reused(self, exchanges: u32) -> Self {
        Self { exchanges, ..self }
    }

    /// Sets the peer's address.
    #[must_use]
    pub fn to(self, remote: SocketAddr) -> Self {
        Self { remote: Some(remote), ..self }
    }
}

/// Outcomes of a [`Step::Message`](super::Step::Message). One that no step asked for fails the call
/// with [`Kind::Misuse`].
impl Call {
    /// Takes a carrier of messages in place of a connection. The carrier is responsible for the
    /// security of its way.
    pub fn attached(&mut self, by: Carrier) {
        if self.wanted().is_none() {
            return self.misuse();
        }
        let mut conn = Conn::carrier(by.id, by.opened);
        conn.exchanges = by.exchanges;
        conn.remote = by.remote.map(Arc::new);
        self.start_on(conn);
    }

    /// The carrier took the head of the request if [`MessageIo::request`] has it, and the first `n`
    /// bytes of [`MessageIo::body`]. All of a last part includes the end.
    pub fn request_taken(&mut self, n: usize) {
        let is_sending = self.is_sending() && self.is_carried();
        if !is_sending || !self.sender.take_part(n) {
            return self.misuse();
        }
        if let Some(conn) = &mut self.conn {
            conn.taken();
        }
        self.clock.progress(Timeout::Send);
        if self.upload() == Upload::Continues {
            self.clock.progress(Timeout::Read);
        }
        self.settle();
    }

    /// A head of the response. A head with a status of 1xx is an interim one.
    pub fn response_head(&mut self, head: Head) {
        if !self.is_carried() || !matches!(self.phase, Phase::Exchange) {
            return self.misuse();
        }
        self.receiver.message_head(head);
        self.has_come();
    }

    /// `n` bytes of the response's body were written to the start of [`MessageIo::recv`]. `n` is not
    /// 0.
    pub fn response_body(&mut self, n: usize) {
        if !self.awaits_body() {
            return self.misuse();
        }
        self.receiver.message_body(n);
        self.has_come();
    }

    /// The response's body is complete. Trailers that are only valid in a head are dropped.
    pub fn response_end(&mut self, trailers: Headers) {
        if !self.awaits_body() {
            return self.misuse();
        }
        self.receiver.message_end(trailers);
        self.has_come();
    }

    /// The carrier failed. A request that was not processed is sent again, once, if its body allows
    /// it.
    pub fn transport_failed(&mut self, fate: Fate, error: Error) {
        if !self.is_carried() {
            return self.misuse();
        }
        match self.phase {
            Phase::Exchange => {
                self.link.is_unprocessed = fate == Fate::Unprocessed;
                self.fail_or_retry(error);
            }
            _ => self.ended(error),
        }
    }

    fn has_come(&mut self) {
        self.clock.progress(Timeout::Read);
        self.settle();
    }

    /// Whether a carrier of messages has the exchange.
    pub(super) fn is_carried(&self) -> bool {
        self.conn.as_ref().is_some_and(Conn::is_carrier)
    }

    fn awaits_body(&self) -> bool {
        self.is_carried() && matches!(self.phase, Phase::Peek { .. } | Phase::Body(_) | Phase::Drain { .. })
    }

    /// The messages to pass on.
    pub(super) fn message_io(
        &mut self,
        is_sending: bool,
        source: usize,
        deadline: Option<Instant>,
    ) -> MessageIo<'_> {
        let part = self.sender.part();
        let wants_head = matches!(self.phase, Phase::Exchange);
        MessageIo {
            request: (is_sending && part.is_first).then_some(&self.prepared.request),
            body: if is_sending { part.body } else { &[] },
            is_last: is_sending && part.is_last,
            trailers: part.trailers,
            source,
            wants_head,
            recv: if wants_head { &mut [] } else { self.receiver.message_room() },
            deadline,
        }
    }

    /// The error of a carrier whose driver used it as a connection.
    pub(super) fn is_misused_as_bytes(&mut self) -> bool {
        let is_misused = self.is_carried();
        if is_misused {
            let detail = "a carrier of messages has no bytes to move";
            self.fail(Error::new(Kind::Misuse).with_detail(detail));
        }
        is_misused
    }
}
