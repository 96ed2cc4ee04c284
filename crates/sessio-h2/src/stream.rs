//! One stream.

use crate::StreamError;
use crate::window::Window;

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) id: u32,
    /// Whether the request has not ended.
    pub(crate) is_sending: bool,
    pub(crate) remote: Remote,
    /// How many bytes we may send; below zero after the peer has made its windows smaller.
    pub(crate) send_window: i64,
    pub(crate) window: Window,
    pub(crate) held: Held,
    /// How many bytes of the body are still to come, if that is known.
    pub(crate) length: Option<u64>,
    /// The request was HEAD, so that there is no body.
    pub(crate) is_head: bool,
    /// The request was CONNECT.
    pub(crate) is_connect: bool,
    pub(crate) interim_heads: u32,
    /// Where the stream stands in the line of those who want to send.
    pub(crate) turn: Turn,
    /// Where its head begins, counted from the first byte of the connection.
    pub(crate) head_at: u64,
    /// How it ended, until that was told.
    pub(crate) outcome: Option<Result<(), StreamError>>,
    /// Whether it counts among the concurrent streams.
    pub(crate) is_counted: bool,
}

/// How far the response is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remote {
    /// Its head has not come.
    Head,
    /// Its head has come.
    Body,
    /// It has ended, well or badly.
    Closed,
}

/// Whether the stream waits to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It does not.
    Idle,
    /// In the line for the connection's window and room.
    Queued,
    /// For credit of its own.
    Blocked,
}

impl Stream {
    /// Whether both directions have ended.
    pub(crate) fn is_closed(&self) -> bool {
        !self.is_sending && self.remote == Remote::Closed
    }

    /// Whether there is nothing left to tell or to read.
    pub(crate) fn is_done(&self) -> bool {
        self.is_closed() && self.outcome.is_none() && self.held.is_empty()
    }
}

/// Bytes of a body that wait for the caller.
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
