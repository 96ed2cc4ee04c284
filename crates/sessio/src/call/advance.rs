//! Moves received bytes from stage to stage, without time or policy.

use http::StatusCode;

use super::event::Event;
use super::machine::{Call, Phase, Upload};
use super::rare::RareState;
use crate::base::escape::escape;
use crate::base::kind::{Kind, Timeout};
use crate::error::{Error, Result};
use crate::message::body::Content;
use crate::message::head::Head;
use crate::policy::retry::{self, Failure};
use crate::wire::conn::{Advance, Conn};
use crate::wire::h1::{Event as Came, NoReuse, RequestContext, RequestEncoder, Reuse};

impl Call {
    /// Whether the connection has done all that this exchange needs.
    pub(super) fn has_carried(&self) -> bool {
        self.receiver.is_complete() && !matches!(self.phase, Phase::Failed(_) | Phase::Failing(_))
    }

    /// Advances as far as the received bytes allow, without time or policy. Bytes move between
    /// stages only here.
    ///
    /// This is the pull rule. A stage that passes bytes on has room again, and the stage below may
    /// still hold some. So the loop runs until nothing moves. Every input that frees room ends
    /// here. [`Io`](super::Io) is wanted only after that: no received byte waits for another event
    /// of the socket.
    pub(super) fn settle(&mut self) {
        if matches!(self.phase, Phase::Handshake) {
            return self.shake_hands();
        }
        let is_piped = self.is_piped();
        if is_piped {
            self.pull();
        }
        loop {
            match self.phase {
                Phase::Exchange => self.await_head(),
                Phase::Drain { .. } => self.drain(),
                Phase::Peek { .. } => self.peek(),
                Phase::Body(_) if self.decoding.is_some() => self.decode(),
                _ => {}
            }
            if !is_piped || !self.pull() {
                return;
            }
        }
    }

    /// Whether bytes pass a TLS session, or are counted or reported on the way. A connection in
    /// clear text has nothing to pull: the socket writes into the decoder's buffer.
    fn is_piped(&self) -> bool {
        self.conn.as_ref().is_some_and(Conn::is_secured)
            || self.prepared.options.meters.is_set()
            || self.is_watched()
    }

    /// Moves bytes between the connection and HTTP, in both directions. Returns whether any bytes,
    /// or their end, were received.
    fn pull(&mut self) -> bool {
        let is_sending = self.is_sending();
        let pumped = match &mut self.conn {
            Some(conn) if conn.is_secured() && !has_ended(self.rare.as_deref()) => {
                conn.pump(&mut self.sender, &mut self.receiver, is_sending)
            }
            _ => Ok(false),
        };
        if self.prepared.options.meters.is_set() {
            self.report_upload();
        }
        if self.is_watched() {
            self.notice_sent();
        }
        match pumped {
            Ok(has_come) => has_come,
            Err(fault) => {
                self.ended(fault.into());
                false
            }
        }
    }

    /// The connection ended with this error, and nothing more comes from it.
    pub(super) fn ended(&mut self, error: Error) {
        match self.phase {
            Phase::Exchange => self.fail_or_retry(self.cut(error)),
            Phase::Drain { .. } => self.drained(false),
            // The head and the decoded bytes come before the error.
            Phase::Decide(_) | Phase::HeadReady(_) | Phase::Body(_) => {
                self.rare_mut().receive_failure = Some(error)
            }
            Phase::Peek { upload, .. } => {
                self.rare_mut().receive_failure = Some(error);
                self.phase = Phase::Decide(upload);
            }
            _ => self.fail(error),
        }
    }

    /// The error of a connection that ended with `cause` before the head was complete. A reused
    /// connection that received no byte since was stale, however the TLS session ended (rows F11,
    /// FM4).
    fn cut(&self, cause: Error) -> Error {
        let is_first = self.receiver.bytes_received() == 0;
        let is_cut = cause.kind() == Kind::IncompleteBody;
        let is_alert = matches!(cause.kind(), Kind::TlsAlert | Kind::TlsMismatch | Kind::ClientCertificate);
        let kind = match self.receiver.is_within_head() {
            true if is_cut => Kind::IncompleteHead,
            false if is_cut || (is_alert && is_first && self.link.is_reused) => Kind::ClosedBeforeResponse,
            _ => return cause,
        };
        Error::new(kind).with_source(cause)
    }

    /// Passes the connection's stages as far as the received bytes allow. The request is sent after
    /// the last.
    fn shake_hands(&mut self) {
        loop {
            match self.conn.as_mut().map(Conn::advance) {
                Some(Ok(Advance::Waits)) => return,
                Some(Ok(Advance::Secured)) => {
                    self.report_own(Self::secured);
                    if let Err(error) = self.check_protocol() {
                        return self.fail(error);
                    }
                }
                Some(Ok(Advance::Tunnelled(auth))) => {
                    if let Some(auth) = auth {
                        self.prepared.options.routing.plan.set_auth(*auth);
                    }
                    self.report_own(Self::tunnelled);
                }
                Some(Err(fault)) => return self.redial_or_fail(fault.into()),
                Some(Ok(Advance::Open)) => {
                    self.clock.rest();
                    self.phase = Phase::Exchange;
                    if let Some(conn) = &mut self.conn {
                        conn.start_exchange();
                    }
                    return self.settle();
                }
                None => return self.misuse(),
            }
        }
    }

    /// Checks that TLS negotiated the protocol that the call uses. Proxies also use HTTP/1.1.
    fn check_protocol(&self) -> Result<()> {
        let secured = self.conn.as_ref().and_then(Conn::handshake);
        match secured.and_then(|secured| secured.alpn) {
            None | Some(b"http/1.1") => Ok(()),
            Some(other) => {
                let detail = format!("ALPN {}, and this client speaks HTTP/1.1", escape(other));
                Err(Error::new(Kind::TlsProtocol).with_detail(detail))
            }
        }
    }

    fn tunnelled(&self) -> Option<Event<'_>> {
        let proxy = self.prepared.options.routing.plan.proxy()?;
        Some(Event::Tunnelled { connection: self.link.number, proxy })
    }

    fn secured(&self) -> Option<Event<'_>> {
        let secured = self.conn.as_ref()?.handshake()?;
        Some(Event::Secured { connection: self.link.number, secured })
    }

    /// Emits once that the request is out.
    #[cold]
    fn notice_sent(&mut self) {
        if !self.is_sending() || self.rare_mut().has_reported_sent || !self.sender.is_done() {
            return;
        }
        self.rare_mut().has_reported_sent = true;
        let body = match self.prepared.request.body.content {
            Content::Source { .. } => self.sender.body_sent(),
            _ => self.prepared.request.body.length().unwrap_or_default(),
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
                    if self.receiver.reuse() == Reuse::No(NoReuse::Upgraded) {
                        // The bytes that follow are not HTTP, and this client cannot read them (row
                        // FW5).
                        let error = Error::new(Kind::UnsupportedUpgrade);
                        return self.fail(error.with_response(self.exchange(head)));
                    }
                    let upload = self.upload_after(&head);
                    self.phase = match self.needs_decision(&head) {
                        true => Phase::Decide(upload),
                        false => Phase::HeadReady(upload),
                    };
                    self.head = Some(head);
                    // A small body may be complete already. Then the connection is done, whether or
                    // not the caller reads.
                    self.receiver.advance();
                    self.report_own(|call| call.head.as_ref().map(Event::Head));
                    self.report_own(Self::answer);
                    if matches!(self.phase, Phase::Decide(_)) && self.wants_start() {
                        self.begin_peek(upload);
                    }
                    return;
                }
                Ok(_) => return,
                Err(fault) => return self.fail_or_retry(fault.into()),
            }
        }
    }

    /// Whether the rest of the request is sent while its response is received. That is so after a
    /// success (RFC 9110 section 7.5), unless the server has announced to close (RFC 9112 sections
    /// 9.5 and 9.6). A body that waited for `100 Continue` is not wanted.
    fn upload_after(&self, head: &Head) -> Upload {
        let continues = head.status.is_success()
            && !self.sender.is_done()
            && !self.sender.is_held()
            && !self.has_send_failed()
            && !self.receiver.is_last();
        if continues { Upload::Continues } else { Upload::Over }
    }

    /// Whether the request's body is still sent, although the response has begun.
    pub(super) fn upload(&self) -> Upload {
        match self.phase {
            Phase::Decide(upload)
            | Phase::HeadReady(upload)
            | Phase::Body(upload)
            | Phase::Peek { upload, .. } => upload,
            _ => Upload::Over,
        }
    }

    /// Ends the upload: no more of the request's body is sent.
    pub(super) fn end_upload(&mut self) {
        if let Phase::Decide(upload)
        | Phase::HeadReady(upload)
        | Phase::Body(upload)
        | Phase::Peek { upload, .. } = &mut self.phase
        {
            *upload = Upload::Over;
        }
    }

    /// Reads a followed response to its end, within the budget (rows Q18, Q19, V117). Reuse of the
    /// connection is worth that much and no more.
    pub(super) fn drain(&mut self) {
        loop {
            let Phase::Drain { budget, .. } = &mut self.phase else { return };
            if !self.sender.is_done() || self.receiver.left().is_some_and(|left| left > *budget) {
                return self.drained(false);
            }
            match self.receiver.poll() {
                Ok(Came::Body(bytes)) => {
                    let n = bytes.len();
                    if n as u64 > *budget {
                        return self.drained(false);
                    }
                    *budget -= n as u64;
                    self.receiver.consume(n);
                }
                Ok(Came::End) => {
                    // The connection is returned first; then this code sees the end again.
                    if self.conn.is_none() {
                        self.drained(true);
                    }
                    return;
                }
                Ok(_) if !has_ended(self.rare.as_deref()) => return,
                _ => return self.drained(false),
            }
        }
    }

    /// The exchange failed before its head was complete: retry if that is safe.
    pub(super) fn fail_or_retry(&mut self, error: Error) {
        let failure = self.failure();
        let is_lost = error.kind() == Kind::ClosedBeforeResponse;
        if (is_lost || self.link.is_unprocessed) && retry::is_safe(&failure) {
            self.conn = None;
            self.retries += 1;
            self.forget_connection();
            self.unmark_sent();
            self.phase = match self.must_rewind() {
                true => Phase::Rewind { fresh: true },
                false => Phase::Connect { fresh: true, limit: Timeout::Pool },
            };
            self.recycle();
            self.report(Event::Retry { kind: error.kind() });
            return self.report_own(Self::connecting);
        }
        let error = match self.rare.as_mut().and_then(|rare| rare.send_failure.take()) {
            Some(cause) if is_lost => Error::new(Kind::Io).with_source(cause),
            _ => error,
        };
        self.fail(error);
    }

    /// The event of the final response, if the current response is final.
    pub(super) fn answer(&self) -> Option<Event<'_>> {
        if !matches!(self.phase, Phase::HeadReady(_)) {
            return None;
        }
        self.head.as_ref().map(Event::FinalResponse)
    }

    pub(super) fn failure(&self) -> Failure {
        let request = &self.prepared.request;
        Failure {
            reused: self.link.is_reused || self.link.is_unprocessed,
            sent: if self.link.is_unprocessed { 0 } else { self.request_sent() },
            received: self.receiver.bytes_received(),
            idempotent: retry::is_idempotent(&request.method, &request.headers),
            replayable: self.can_replay(),
            retried: self.retries > 0,
        }
    }

    /// Number of bytes of the request that were sent. Bytes that a TLS session holds back do not
    /// count.
    pub(super) fn request_sent(&self) -> u64 {
        match &self.conn {
            Some(conn) if conn.is_before_request() => 0,
            _ => self.sender.bytes_sent(),
        }
    }

    /// Whether the body can be sent again. A body of which nothing was sent always can: the bytes
    /// read from its source are kept.
    pub(super) fn can_replay(&self) -> bool {
        self.prepared.request.body.is_replayable() || self.sender.is_body_unsent()
    }

    /// Whether bytes of the body were sent that its source has to produce again.
    pub(super) fn must_rewind(&self) -> bool {
        matches!(self.prepared.request.body.content, Content::Source { .. }) && !self.sender.is_body_unsent()
    }

    /// Ends the exchange. Keeps the buffers of the encoder and the decoder. Keeps the bytes that
    /// were read from a source and not sent (row FS9).
    pub(super) fn recycle(&mut self) {
        if matches!(self.prepared.request.body.content, Content::Source { .. })
            && !matches!(
                self.phase,
                Phase::Rewind { .. } | Phase::Wait { rewinds: true, .. } | Phase::Sign { rewinds: true, .. }
            )
            && let Some(unsent) = self.sender.take_unsent()
        {
            self.rare_mut().unsent = Some(unsent);
        }
        self.sender = RequestEncoder::idle(self.sender.take_buffer());
        self.receiver.restart(RequestContext::default(), self.prepared.options.limits);
    }
}

/// Whether nothing more can come from the peer.
fn has_ended(rare: Option<&RareState>) -> bool {
    rare.is_some_and(|rare| rare.receive_failure.is_some())
}
