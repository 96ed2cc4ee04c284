//! A connection in memory, as a network sees it.

use std::sync::Arc;
use std::time::Instant;

use crate::packet::Packet;
use crate::pipe::{SharedPipe, WaitFor};

/// A connection to a server without a socket. [`deliver`](Self::deliver) gives a packet to the server,
/// [`run`](Self::run) returns the packets of the server.
///
/// The server's thread runs inside `run` and at no other time. So the same packets at the same
/// times give the same run. Dropping a line resets the connection.
#[derive(Debug)]
pub struct MemoryConnection(Arc<SharedPipe>);

/// The result of one turn of a server.
#[derive(Debug)]
pub struct Output {
    /// The packets that it sent. A reset overtakes packets that are not yet sent, as in a kernel.
    pub packets: Vec<Packet>,
    /// The time of its next turn, if no packet comes before.
    pub until: Option<Instant>,
    /// The number of received bytes that it has not read.
    pub unread: usize,
    /// Whether it has ended.
    pub is_over: bool,
}

impl MemoryConnection {
    pub(crate) fn new(middle: Arc<SharedPipe>) -> Self {
        Self(middle)
    }

    /// Delivers a packet of the client to the server.
    pub fn deliver(&self, packet: Packet) {
        let mut state = self.0.lock();
        match packet {
            // Any closed socket responds with a reset.
            Packet::Bytes(_) if state.is_closed => state.sent.push(Packet::Reset),
            Packet::Bytes(bytes) => state.received.extend(bytes),
            Packet::End => state.is_ended = true,
            Packet::Reset => state.is_reset = true,
        }
    }

    /// Runs the server until it has to wait. It sends at most `room` bytes.
    pub fn run(&self, now: Instant, room: usize) -> Output {
        let mut state = self.0.run(now, room);
        Output {
            packets: std::mem::take(&mut state.sent),
            until: state.wait_for().and_then(WaitFor::until),
            unread: state.received.len(),
            is_over: state.is_over(),
        }
    }
}

impl Drop for MemoryConnection {
    fn drop(&mut self) {
        self.0.lock().is_reset = true;
        self.0.release();
    }
}
