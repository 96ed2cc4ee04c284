//! The end of streams and connections.

use super::Connection;
use crate::frame;
use crate::stream::{Remote, Stream};
use crate::{ConnectionError, ConnectionErrorKind, StreamError, StreamErrorKind};

impl Connection {
    /// Ends the response of a stream. The end is reported once; an earlier outcome stays.
    pub(super) fn end(&mut self, id: u32, outcome: Result<(), StreamError>) {
        let Some(stream) = self.streams.get_mut(id) else { return };
        let is_sending = stream.is_sending;
        if outcome.is_err() {
            stream.is_sending = false;
        }
        if stream.remote != Remote::Closed {
            stream.remote = Remote::Closed;
            stream.outcome = Some(outcome);
            self.finished.push_back(id);
            self.streams.settle(id);
        } else if is_sending {
            self.leave(id);
        }
    }

    /// Takes the outcome of a stream, for the caller.
    pub(super) fn take_outcome(&mut self, id: u32) -> Option<Result<(), StreamError>> {
        let outcome = self.streams.get_mut(id)?.outcome.take();
        self.leave(id);
        outcome
    }

    /// Handles the end of one direction of a stream. A stream with two ended directions is not
    /// counted, and is removed once no event or byte is left.
    pub(super) fn leave(&mut self, id: u32) {
        self.streams.settle(id);
        let is_loose = self.loose.as_ref().is_some_and(|loose| loose.stream == id);
        if !is_loose && self.streams.get(id).is_some_and(Stream::is_done) {
            self.streams.remove(id);
        }
    }

    /// Fails a stream on which the peer broke a rule; the connection stays open.
    pub(super) fn fail_stream(&mut self, id: u32, kind: StreamErrorKind) -> Result<(), ConnectionError> {
        self.count_stream_error()?;
        let error = StreamError::new(kind, false);
        if self.streams.get(id).is_some_and(|stream| !stream.is_closed()) {
            frame::encode::reset(id, error.code(), &mut self.outgoing.bytes);
        }
        self.end(id, Err(error));
        Ok(())
    }

    pub(super) fn count_stream_error(&mut self) -> Result<(), ConnectionError> {
        if !self.budgets.stream_errors.spend(self.config.limits.stream_errors, self.now) {
            return Err(ConnectionErrorKind::TooManyStreamErrors.into());
        }
        Ok(())
    }

    /// Fails the connection, and all its streams.
    pub(super) fn fail(&mut self, error: ConnectionError) {
        if self.error.is_some() {
            return;
        }
        self.error = Some(error);
        let sent = self.outgoing.sent;
        let ids: Vec<u32> = self.streams.ids_from(0).collect();
        for id in ids {
            // The peer has no byte of the request if no byte of its head was sent.
            let is_retry_safe = self.streams.get(id).is_some_and(|stream| stream.head_at >= sent);
            let kind = StreamErrorKind::Connection(error.kind());
            self.end(id, Err(StreamError::new(kind, is_retry_safe)));
        }
        if error.kind() == ConnectionErrorKind::Closed {
            self.outgoing.discard();
        } else {
            let debug = error.kind().to_string();
            frame::encode::goaway(0, error.code(), debug.as_bytes(), &mut self.outgoing.bytes);
        }
    }
}
