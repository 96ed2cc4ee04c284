//! Flow control of received data (RFC 9113 section 5.2).

/// A receive window. Its `size` is the sum of three parts: credit of the peer, unread bytes, and
/// released bytes that are not credited again yet.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) size: u32,
    /// Number of bytes that the peer may still send.
    pub(crate) left: u32,
    /// Number of released bytes that are not credited again yet.
    pub(crate) due: u32,
}

impl Window {
    pub(crate) fn new(size: u32) -> Self {
        Self { size, left: size, due: 0 }
    }

    /// Receives bytes. The caller has checked that they are at most `left`.
    pub(crate) fn receive(&mut self, n: u32) {
        self.left -= n;
    }

    /// Releases bytes.
    pub(crate) fn release(&mut self, n: u32) {
        self.due += n;
    }

    /// Doubles the window, up to `max`.
    pub(crate) fn grow(&mut self, max: u32) {
        let size = self.size.saturating_mul(2).min(max).max(self.size);
        self.due += size - self.size;
        self.size = size;
    }

    /// Returns `true` if enough bytes are due to be worth a frame.
    pub(crate) fn is_due(&self) -> bool {
        self.due > 0 && self.due >= self.size / 2
    }

    /// The credit to return now.
    pub(crate) fn credit(&mut self) -> u32 {
        let due = std::mem::take(&mut self.due);
        self.left += due;
        due
    }
}
