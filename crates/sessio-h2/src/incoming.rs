//! Received bytes that are not parsed yet.

/// Room in bytes while no stream is open: enough for SETTINGS, PING and GOAWAY.
const IDLE: usize = 512;
/// Initial room in bytes while streams are open: a frame of the largest size.
const BUSY: usize = 16_384 + 9;
/// Maximal room in bytes: a transport that fills its room gets more.
const MOST: usize = 64 * 1024;
/// Room in bytes below which the unparsed bytes are moved to the front.
const LEAST: usize = 4096;

/// A buffer that the transport reads into.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    pub(crate) bytes: Vec<u8>,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Number of bytes that must be there at once to make progress.
    pub(crate) need: usize,
    /// The transport filled its room.
    is_short: bool,
}

/// Body bytes that are still in the incoming buffer.
#[derive(Debug)]
pub(crate) struct Loose {
    pub(crate) stream: u32,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Incoming {
    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Room for bytes. It is empty only if unparsed bytes are there.
    pub(crate) fn room(&mut self, is_busy: bool) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        let mut wanted = self.need.max(if is_busy { BUSY } else { IDLE });
        if self.is_short && is_busy {
            wanted = wanted.max((self.bytes.len() * 2).min(MOST));
        }
        if self.bytes.len() < wanted {
            self.bytes.resize(wanted, 0);
            self.is_short = false;
        }
        if self.start > 0 && self.bytes.len() - self.end < LEAST {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        &mut self.bytes[self.end..]
    }

    pub(crate) fn received(&mut self, n: usize) {
        let room = self.bytes.len() - self.end;
        self.end += n.min(room);
        self.is_short = n >= room;
    }

    pub(crate) fn rest(&mut self) {
        if self.start == self.end {
            *self = Self { need: self.need, ..Self::default() };
        }
    }
}
