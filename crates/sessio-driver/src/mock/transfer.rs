//! One request to a mock.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use sessio::transport::{Transfer, TransferError};
use sessio::{Error, Head, Headers, Instant, Kind, Now, Prepared};

use super::record::Record;
use super::reply::{Fault, refusal};
use super::{Received, Reply, Respond};

/// One request to a mock, and its reply.
pub(super) struct MockTransfer {
    record: Record,
    respond: Arc<dyn Respond>,
    /// The request so far. `None` once it was recorded.
    request: Option<Received>,
    body: Vec<u8>,
    reply: Option<Reply>,
    /// When the next part of the reply may go out.
    next_at: Instant,
    /// Bytes of the body that went out.
    sent: usize,
    is_head: bool,
    is_waiting: bool,
}

impl MockTransfer {
    pub(super) fn new(record: Record, respond: Arc<dyn Respond>, request: &Prepared, now: Now) -> Self {
        let mut this = Self {
            record,
            request: Some(Received::new(request)),
            body: Vec::new(),
            reply: None,
            next_at: now.mono,
            sent: 0,
            is_head: request.method() == sessio::http::Method::HEAD,
            is_waiting: false,
            respond,
        };
        if let Some(reply) = this.respond.early() {
            this.begin(reply, now);
        }
        this
    }

    fn begin(&mut self, reply: Reply, now: Now) {
        self.next_at = now.mono + reply.delay;
        self.reply = Some(reply);
    }

    /// The request is complete: records it, and asks for the reply.
    fn finish(&mut self, now: Now) -> Result<(), TransferError> {
        let Some(mut request) = self.request.take() else { return Ok(()) };
        request.body = std::mem::take(&mut self.body).into();
        self.record.push(request.clone());
        if self.reply.is_none() {
            let reply = self.respond.respond(&request)?;
            self.begin(reply, now);
        }
        Ok(())
    }

    /// Whether the time for the next part has come.
    fn poll_time(&mut self, now: Now) -> Poll<()> {
        self.is_waiting = self.next_at > now.mono;
        if self.is_waiting { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Transfer for MockTransfer {
    fn poll_send(
        &mut self,
        _: &mut Context<'_>,
        now: Now,
        body: &[u8],
        is_last: bool,
    ) -> Poll<Result<usize, TransferError>> {
        self.body.extend_from_slice(body);
        if is_last {
            self.finish(now)?;
        }
        Poll::Ready(Ok(body.len()))
    }

    fn send_trailers(&mut self, trailers: &Headers) {
        if let Some(request) = &mut self.request {
            request.trailers = trailers.clone();
        }
    }

    fn poll_head(&mut self, _: &mut Context<'_>, now: Now) -> Poll<Result<Head, TransferError>> {
        let Some(reply) = &self.reply else { return Poll::Pending };
        reply.check()?;
        if reply.fault == Some(Fault::Silent) {
            return Poll::Pending;
        }
        if self.poll_time(now).is_pending() {
            return Poll::Pending;
        }
        let Some(reply) = &mut self.reply else { return Poll::Pending };
        if reply.fault == Some(Fault::Refused) {
            return Poll::Ready(Err(refusal().into()));
        }
        if !reply.interim.is_empty() {
            return Poll::Ready(Ok(reply.interim.remove(0)));
        }
        self.next_at = now.mono + reply.piece_delay;
        if self.is_head {
            reply.pieces.clear();
        }
        Poll::Ready(Ok(reply.head.clone()))
    }

    fn poll_body(
        &mut self,
        _: &mut Context<'_>,
        now: Now,
        room: &mut [u8],
    ) -> Poll<Result<usize, TransferError>> {
        if self.poll_time(now).is_pending() {
            return Poll::Pending;
        }
        let Some(reply) = &mut self.reply else { return Poll::Pending };
        let allowed = match reply.fault {
            Some(Fault::Cut(most)) => most.saturating_sub(self.sent),
            _ => usize::MAX,
        };
        if allowed == 0 {
            let error = Error::new(Kind::IncompleteBody).with_detail("the mock cuts the connection");
            return Poll::Ready(Err(error.into()));
        }
        while reply.pieces.front().is_some_and(Bytes::is_empty) {
            reply.pieces.pop_front();
        }
        let Some(piece) = reply.pieces.front_mut() else { return Poll::Ready(Ok(0)) };
        let n = piece.len().min(room.len()).min(allowed);
        room[..n].copy_from_slice(&piece[..n]);
        piece.advance(n);
        self.sent += n;
        if piece.is_empty() {
            self.next_at = now.mono + reply.piece_delay;
        }
        Poll::Ready(Ok(n))
    }

    fn trailers(&mut self) -> Headers {
        self.reply.as_mut().map(|reply| std::mem::take(&mut reply.trailers)).unwrap_or_default()
    }

    fn wake_at(&self) -> Option<Instant> {
        self.is_waiting.then_some(self.next_at)
    }
}
