//! Bytes for the peer.

/// Whole frames that wait for the transport.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    pub(crate) bytes: Vec<u8>,
    start: usize,
    /// Number of bytes that the transport has taken.
    pub(crate) sent: u64,
    /// Replies among the bytes, since the queue was empty the last time.
    pub(crate) replies: u32,
}

impl Outgoing {
    pub(crate) fn unsent(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Position behind the last byte, counted from the first of the connection.
    pub(crate) fn end(&self) -> u64 {
        self.sent + self.len() as u64
    }

    pub(crate) fn sent(&mut self, n: usize) {
        let n = n.min(self.len());
        self.start += n;
        self.sent += n as u64;
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
            self.replies = 0;
        } else if self.start * 2 >= self.bytes.len() {
            // Each byte is moved at most once for each byte that was sent.
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }

    /// Drops the bytes: nothing more can be sent.
    pub(crate) fn discard(&mut self) {
        self.bytes = Vec::new();
        self.start = 0;
    }

    pub(crate) fn rest(&mut self) {
        if self.len() == 0 {
            self.discard();
        }
    }
}
