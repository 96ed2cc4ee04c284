//! The memory that a response is read into.

use std::ops::Range;

/// A fresh buffer: enough for nearly every head and for a small body beside it.
const FRESH: usize = 8 * 1024;
/// What it grows to when a peer sends faster than it is read: larger reads bring nothing more.
const FULL: usize = 256 * 1024;
/// How much of it outlives the response, and how far a head may make it grow beyond its own limit.
pub(super) const KEPT: usize = 64 * 1024;

/// One block of memory; the bytes between `start` and `end` came and are not dealt with.
///
/// The block is always initialised over its whole length, so no read pays for clearing it.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// The last read took all the room there was: the next one gets more.
    filled: bool,
}

impl Buffer {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, start: 0, end: 0, filled: false }
    }

    /// What came and is not dealt with.
    pub(super) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(super) fn unread_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.end]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The next `n` unread bytes are dealt with. Says where they lie, which is true until
    /// [`room`](Self::room).
    pub(super) fn advance(&mut self, n: usize) -> usize {
        let at = self.start;
        self.start = (at + n).min(self.end);
        at
    }

    /// Bytes that were dealt with before, by their place.
    pub(super) fn read(&self, place: &Range<usize>) -> &[u8] {
        &self.bytes[place.clone()]
    }

    /// Where the next bytes go: never empty unless `most` unread bytes are there already.
    pub(super) fn room(&mut self, most: usize) -> &mut [u8] {
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
            let len = self.bytes.len();
            if len < FRESH {
                // Recycled memory may have been cleared by whoever kept it.
                self.replace(self.bytes.capacity().clamp(FRESH, KEPT));
            } else if self.filled && len < FULL {
                self.replace((len * 4).min(FULL));
            }
        } else if self.end == self.bytes.len() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            } else {
                let len = (self.end * 2).min(most);
                self.bytes.resize(len.max(self.end), 0);
            }
        }
        self.filled = false;
        &mut self.bytes[self.end..]
    }

    /// The first `n` bytes of the room were written.
    pub(super) fn received(&mut self, n: usize) {
        self.end += n;
        self.filled = self.end == self.bytes.len();
    }

    /// The memory, ready for another response, without what one large response made it grow by.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        if self.bytes.len() > KEPT {
            self.bytes.truncate(KEPT);
            self.bytes.shrink_to_fit();
        }
        self.bytes
    }

    /// Other memory in place of an empty buffer's: there is nothing to copy.
    fn replace(&mut self, len: usize) {
        if self.bytes.capacity() >= len {
            self.bytes.resize(len, 0);
        } else {
            self.bytes = vec![0; len];
        }
    }
}
