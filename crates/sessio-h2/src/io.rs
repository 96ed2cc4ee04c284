//! Bytes that a connection asks to move.

use core::time::Duration;
use std::fmt;

/// Bytes to move. An empty field asks for nothing.
#[non_exhaustive]
pub struct Io<'c> {
    /// Bytes for the peer.
    pub send: &'c [u8],
    /// Room for bytes of the peer. It is empty when the connection is dead, and while bytes wait
    /// for [`Connection::poll_event`](crate::Connection::poll_event).
    pub recv: &'c mut [u8],
    /// Time of the next call, if nothing moves before.
    pub deadline: Option<Duration>,
}

/// Omits the bytes: they contain secrets.
impl fmt::Debug for Io<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io")
            .field("send", &self.send.len())
            .field("recv", &self.recv.len())
            .field("deadline", &self.deadline)
            .finish()
    }
}
