//! Where the bytes that have come lead, without time or policy.

use http::StatusCode;

use super::{Call, Event, Phase};
use crate::body::Content;
use crate::conn::{Advance, Conn};
use crate::error::{Error, Kind, Timeout};
use crate::h1::{Asked, Event as Came, Receiver, Sender};
use crate::head::Head;
use crate::retry::{self, Failure};

impl Call {
    /// Whether the connection has done all that this exchange needs of it.
    pub(super) fn has_carried(&self) -> bool {
        self.receiver.is_complete() && !matches!(self.phase, Phase::Failed(_) | Phase::Failing(_))
    }

    /// Goes as far as what has come leads, without time or policy.
    pub(super) fn settle(&mut self) {
        if matches!(self.phase, Phase::Handshake) {
            return self.shake_hands();
        }
        let is_sending = self.is_sending();
        if let Some(conn) = &mut self.conn
            && let Err(error) = conn.pump(&mut self.sender, &mut self.receiver, is_sending)
        {
            return match self.phase {
                // A connection that has just ended is one that was stale, filter or not (row F11).
                Phase::Exchange if error.kind() == Kind::IncompleteBody => self.lose(self.cut(error)),
                Phase::Skip { .. } if error.kind() == Kind::IncompleteBody => self.skipped(false),
                _ => self.fail(error),
            };
        }
        if self.request.meters.is_set() {
            self.measure_upload();
        }
        if self.is_watched() {
            self.notice_sent();
        }
        match self.phase {
            Phase::Exchange => self.await_head(),
            Phase::Skip { .. } => self.skip(),
            _ => {}
        }
    }

    /// The connection ended without a closing word before the head was whole.
    fn cut(&self, cause: Error) -> Error {
        let is_first = self.receiver.bytes_received() == 0;
        let kind = if is_first { Kind::ClosedBeforeResponse } else { Kind::IncompleteHead };
        Error::new(kind).with_source(cause)
    }

    /// Passes the connection's stages as far as the bytes that have come lead. The request goes out after the last.
    fn shake_hands(&mut self) {
        loop {
            match self.conn.as_mut().map(Conn::advance) {
                Some(Ok(Advance::Waits)) => return,
                Some(Ok(Advance::Secured)) => self.report_own(Self::secured),
                Some(Ok(Advance::Tunnelled)) => self.report_own(Self::tunnelled),
                Some(Err(error)) => return self.redial_or_fail(error),
                Some(Ok(Advance::Open)) => {
                    self.clock.rest();
                    self.phase = Phase::Exchange;
                    return self.settle();
                }
                None => return self.misuse(),
            }
        }
    }

    fn tunnelled(&self) -> Option<Event<'_>> {
        let proxy = self.request.reach.plan.proxy()?;
        Some(Event::Tunnelled { connection: self.connection, proxy })
    }

    fn secured(&self) -> Option<Event<'_>> {
        let secured = self.conn.as_ref()?.handshake()?;
        Some(Event::Secured { connection: self.connection, secured })
    }

    /// Tells once that the request is out.
    #[cold]
    fn notice_sent(&mut self) {
        if !self.is_sending() || self.is_sent || !self.sender.is_done() {
            return;
        }
        self.is_sent = true;
        let body = match self.request.body.content {
            Content::Source { .. } => self.sender.body_sent(),
            _ => self.request.body.length().unwrap_or_default(),
        };
        self.report(Event::Sent { body });
    }

    pub(super) fn await_head(&mut self) {
        loop {
            match self.receiver.poll() {
                Ok(Came::Interim(head)) => {
                    self.report(Event::Interim(&head));
                    if head.status == StatusCode::CONTINUE && self.sender.is_held() {
                        self.go_ahead();
                    }
                }
                Ok(Came::Head(head)) => {
                    self.clock.rest();
                    self.is_duplex = self.goes_on(&head);
                    self.phase = if self.needs_turn(&head) { Phase::Turn } else { Phase::Answer };
                    self.head = Some(head);
                    // A small body is there already: then the connection is done with, read or not.
                    self.receiver.advance();
                    self.report_own(|call| call.head.as_ref().map(Event::Head));
                    return self.report_own(Self::answer);
                }
                Ok(_) => return,
                Err(error) => return self.lose(error),
            }
        }
    }

    /// Whether the rest of the request goes out while its answer comes in: the server has not said no, and not that it
    /// closes (RFC 9110 section 7.5, RFC 9112 sections 9.5 and 9.6). A body that waited for its word is not wanted.
    fn goes_on(&self, head: &Head) -> bool {
        head.status.is_success()
            && !self.sender.is_done()
            && !self.sender.is_held()
            && !self.has_send_failed()
            && !self.receiver.is_last()
    }

    /// Reads on to the end of a response that is followed, if that is not far: the connection is worth so
    /// much and no more (rows Q18, Q19, V117).
    pub(super) fn skip(&mut self) {
        loop {
            let Phase::Skip { budget, .. } = &mut self.phase else { return };
            if !self.sender.is_done() || self.receiver.left().is_some_and(|left| left > *budget) {
                return self.skipped(false);
            }
            match self.receiver.poll() {
                Ok(Came::Body(bytes)) => {
                    let n = bytes.len();
                    if n as u64 > *budget {
                        return self.skipped(false);
                    }
                    *budget -= n as u64;
                    self.receiver.consume(n);
                }
                Ok(Came::End) => {
                    // The connection is given back first; the end comes round again then.
                    if self.conn.is_none() {
                        self.skipped(true);
                    }
                    return;
                }
                Ok(_) => return,
                Err(_) => return self.skipped(false),
            }
        }
    }

    /// The exchange came to nothing before its head was whole: once more where that is safe.
    pub(super) fn lose(&mut self, error: Error) {
        let failure = self.failure();
        let is_lost = error.kind() == Kind::ClosedBeforeResponse;
        if is_lost && retry::is_safe(&failure) {
            self.conn = None;
            self.is_retried = true;
            self.forget_connection();
            self.unmark_sent();
            self.phase = match self.must_rewind() {
                true => Phase::Rewind,
                false => Phase::Connect { fresh: true, limit: Timeout::Pool },
            };
            self.recycle();
            self.report(Event::Retry { kind: error.kind() });
            return self.report_own(Self::connecting);
        }
        let error = match self.aside.as_mut().and_then(|aside| aside.send_failure.take()) {
            Some(cause) if is_lost => Error::new(Kind::Io).with_source(cause),
            _ => error,
        };
        self.fail(error);
    }

    /// Where the response at hand is the answer.
    pub(super) fn answer(&self) -> Option<Event<'_>> {
        if !matches!(self.phase, Phase::Answer) {
            return None;
        }
        self.head.as_ref().map(Event::Answer)
    }

    pub(super) fn failure(&self) -> Failure {
        let request = &self.request;
        Failure {
            reused: self.is_reused,
            sent: self.sender.bytes_sent(),
            received: self.receiver.bytes_received(),
            idempotent: retry::is_idempotent(&request.method, &request.headers),
            replayable: self.can_replay(),
            retried: self.is_retried,
        }
    }

    /// Whether the body can be sent again; one that was kept back is whole anyhow.
    pub(super) fn can_replay(&self) -> bool {
        self.request.body.is_replayable() || self.sender.is_held()
    }

    /// Whether the source of the body was asked for something, so that it has to start over.
    pub(super) fn must_rewind(&self) -> bool {
        matches!(self.request.body.content, Content::Source { .. }) && !self.sender.is_held()
    }

    /// The exchange is over: of the sender and the receiver only the memory is left.
    pub(super) fn recycle(&mut self) {
        self.sender = Sender::idle(self.sender.take_buffer());
        let buffer = self.receiver.take_buffer();
        self.receiver = Receiver::new(Asked::default(), self.request.limits, buffer);
    }
}
