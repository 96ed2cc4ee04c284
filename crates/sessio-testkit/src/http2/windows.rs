//! Flow control, both ways (RFC 9113 section 5.2).

pub(super) const MOST: i64 = (1 << 31) - 1;

/// The two windows of a stream, or of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows {
    /// How many bytes the client may send. Below zero after the server has made its windows smaller.
    pub(super) receive: i64,
    /// How many bytes the server may send.
    pub(super) send: i64,
}

impl Windows {
    /// Bytes came; whether they were allowed.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        self.receive -= bytes as i64;
        bytes == 0 || self.receive >= 0
    }

    /// The client gives credit; whether it may.
    pub(super) fn credit(&mut self, bytes: u32) -> bool {
        self.send += i64::from(bytes);
        bytes > 0 && self.send <= MOST
    }
}
