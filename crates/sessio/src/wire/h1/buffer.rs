//! The buffer that a response is read into.

use std::ops::Range;

/// Initial size in bytes: enough for nearly every head and for a small body with it.
const FRESH: usize = 8 * 1024;
/// Maximal size in bytes, for a peer that sends faster than the body is read. Larger reads are not
/// faster.
const FULL: usize = 256 * 1024;
/// Bytes that are kept after the response, and the growth that a head may cause beyond its own
/// limit.
pub(super) const KEPT: usize = 64 * 1024;

/// One block of memory; the bytes between `start` and `end` are received and not parsed.
///
/// The whole block is always initialised, so no read pays for clearing it.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// The last read filled the buffer: the next one gets more room.
    filled: bool,
}

impl Buffer {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, start: 0, end: 0, filled: false }
    }

    /// Bytes that are received and not parsed.
    pub(super) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(super) fn unread_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.end]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Marks the next `n` unread bytes as parsed. Returns their position, which is valid until
    /// [`room`](Self::room).
    pub(super) fn advance(&mut self, n: usize) -> usize {
        let at = self.start;
        self.start = (at + n).min(self.end);
        at
    }

    /// Returns parsed bytes by their position.
    pub(super) fn read(&self, place: &Range<usize>) -> &[u8] {
        &self.bytes[place.clone()]
    }

    /// The room for the next bytes: never empty unless `most` unread bytes are there already.
    pub(super) fn room(&mut self, most: usize) -> &mut [u8] {
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
            let len = self.bytes.len();
            if len < FRESH {
                // The owner of recycled memory may have cleared it.
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

    /// Reports that the first `n` bytes of the room were written.
    pub(super) fn received(&mut self, n: usize) {
        self.end += n;
        self.filled = self.end == self.bytes.len();
    }

    /// The memory for another response, without the growth that one large response caused.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        if self.bytes.len() > KEPT {
            self.bytes.truncate(KEPT);
            self.bytes.shrink_to_fit();
        }
        self.bytes
    }

    /// Replaces the memory of an empty buffer: there is nothing to copy.
    fn replace(&mut self, len: usize) {
        if self.bytes.capacity() >= len {
            self.bytes.resize(len, 0);
        } else {
            self.bytes = vec![0; len];
        }
    }
}
