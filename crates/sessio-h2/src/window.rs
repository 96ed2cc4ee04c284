//! Flow control of what is received (RFC 9113 section 5.2).

/// A window of ours. `size` bytes are always in one of three places: credit that the peer has, bytes that
/// are held, and bytes that are done with and not yet credited again.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) size: u32,
    /// How many bytes the peer may still send.
    pub(crate) left: u32,
    /// How many bytes are done with and not yet credited again.
    pub(crate) due: u32,
}

impl Window {
    pub(crate) fn new(size: u32) -> Self {
        Self { size, left: size, due: 0 }
    }

    /// Bytes came. The caller has seen to it that there are not more than are left.
    pub(crate) fn receive(&mut self, n: u32) {
        self.left -= n;
    }

    /// Bytes are done with.
    pub(crate) fn release(&mut self, n: u32) {
        self.due += n;
    }

    /// Doubles the window, up to `max`.
    pub(crate) fn grow(&mut self, max: u32) {
        let size = self.size.saturating_mul(2).min(max).max(self.size);
        self.due += size - self.size;
        self.size = size;
    }

    /// Whether enough is due to be worth a frame.
    pub(crate) fn is_due(&self) -> bool {
        self.due > 0 && self.due >= self.size / 2
    }

    /// The credit to give now.
    pub(crate) fn credit(&mut self) -> u32 {
        let due = std::mem::take(&mut self.due);
        self.left += due;
        due
    }
}
