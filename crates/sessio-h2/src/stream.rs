//! One stream.

use crate::StreamError;
use crate::window::Window;

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) id: u32,
    /// Set until the request has ended.
    pub(crate) is_sending: bool,
    pub(crate) remote: Remote,
    /// Number of bytes that may be sent; negative after the peer has reduced its windows.
    pub(crate) send_window: i64,
    pub(crate) window: Window,
    pub(crate) held: Held,
    /// Remaining bytes of the body, if known.
    pub(crate) length: Option<u64>,
    /// The request was HEAD, so that there is no body.
    pub(crate) is_head: bool,
    /// The request was CONNECT.
    pub(crate) is_connect: bool,
    pub(crate) interim_heads: u32,
    /// State of the stream in the queue of senders.
    pub(crate) turn: Turn,
    /// Start of its head, counted from the first byte of the connection.
    pub(crate) head_at: u64,
    /// The outcome, until it is reported.
    pub(crate) outcome: Option<Result<(), StreamError>>,
    /// Set if it counts among the concurrent streams.
    pub(crate) is_counted: bool,
}

/// The progress of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remote {
    /// The head has not arrived.
    Head,
    /// The head has arrived.
    Body,
    /// The response has ended, with or without an error.
    Closed,
}

/// The state of a stream in the queue of senders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It does not wait.
    Idle,
    /// It is queued for the connection's window and room.
    Queued,
    /// It waits for credit of its own.
    Blocked,
}

impl Stream {
    /// Returns `true` if both directions have ended.
    pub(crate) fn is_closed(&self) -> bool {
        !self.is_sending && self.remote == Remote::Closed
    }

    /// Returns `true` if nothing is left to report or to read.
    pub(crate) fn is_done(&self) -> bool {
        self.is_closed() && self.outcome.is_none() && self.held.is_empty()
    }
}

/// Body bytes that wait for the caller.
#[derive(Debug, Default)]
pub(crate) struct Held {
    bytes: Vec<u8>,
    start: usize,
}

impl Held {
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        // Each byte is moved at most once for each byte that was consumed.
        if self.start > 0 && self.start * 2 >= self.bytes.len() {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn consume(&mut self, n: usize) {
        self.start += n;
        if self.is_empty() {
            self.bytes.clear();
            self.start = 0;
        }
    }
}
