//! A connection in memory, as a network has it.

use std::sync::Arc;
use std::time::Instant;

use crate::packet::Packet;
use crate::pipe::{Middle, Wish};

/// The way to a server without a socket in between: what comes up it is [heard](Self::hear), what the server
/// says to it is told by [`go_on`](Self::go_on).
///
/// The server's thread runs in there and nowhere else, so that a run with the same packets at the same times
/// is the same run. Dropping a line resets the connection.
#[derive(Debug)]
pub struct Line(Arc<Middle>);

/// What a server has done in its turn.
#[derive(Debug)]
pub struct Said {
    /// What it sent. A reset overtakes what has not been sent by then, as the kernel's does.
    pub packets: Vec<Packet>,
    /// When it is to go on if nothing comes before.
    pub until: Option<Instant>,
    /// How many of the bytes that it heard it has not read.
    pub unread: usize,
    /// It has come to its end.
    pub is_over: bool,
}

impl Line {
    pub(crate) fn new(middle: Arc<Middle>) -> Self {
        Self(middle)
    }

    /// A packet of the client's has come to the server.
    pub fn hear(&self, packet: Packet) {
        let mut state = self.0.lock();
        match packet {
            // As any closed socket answers.
            Packet::Bytes(_) if state.is_closed => state.sent.push(Packet::Reset),
            Packet::Bytes(bytes) => state.received.extend(bytes),
            Packet::End => state.is_ended = true,
            Packet::Reset => state.is_reset = true,
        }
    }

    /// Lets the server do what it can do now, and send at most `room` bytes.
    pub fn go_on(&self, now: Instant, room: usize) -> Said {
        let mut state = self.0.go_on(now, room);
        Said {
            packets: std::mem::take(&mut state.sent),
            until: state.wish().and_then(Wish::until),
            unread: state.received.len(),
            is_over: state.is_over(),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.lock().is_reset = true;
        self.0.release();
    }
}
