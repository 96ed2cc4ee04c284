//! Flow control in both directions (RFC 9113 section 5.2).

pub(super) const MOST: i64 = (1 << 31) - 1;

/// The two windows of a stream, or of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows {
    /// The bytes that the client may send. Negative after the server has reduced its window.
    pub(super) receive: i64,
    /// The bytes that the server may send.
    pub(super) send: i64,
}

impl Windows {
    /// Counts received bytes. Returns whether the window allowed them.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        self.receive -= bytes as i64;
        bytes == 0 || self.receive >= 0
    }

    /// Adds credit from the client. Returns whether the credit is valid.
    pub(super) fn credit(&mut self, bytes: u32) -> bool {
        self.send += i64::from(bytes);
        bytes > 0 && self.send <= MOST
    }
}
