//! Chunked bodies (RFC 9112 section 7.1), decoded in place over all received bytes at once.

use std::ops::Range;

use crate::base::escape::escape;
use crate::base::fault::Fault;
use crate::base::kind::Kind;
use crate::base::limits::Limits;
use crate::base::percent::hex_digit;
use crate::message::headers::is_field_byte;

/// A run of data this long (bytes) is returned by itself rather than moved to the run before it.
const LONG_RUN: usize = 4 * 1024;
/// Enough digits for every size below 2^63; a longer one attempts an integer overflow (row P049).
const MOST_DIGITS: u8 = 16;

/// Bytes of extensions that every chunk may have, beside two for each byte of its data.
const FREE: u64 = 16;

/// The state of the decoder. It stores no bytes: a line may arrive in any pieces.
#[derive(Default)]
pub(super) struct Chunked {
    at: At,
    /// The size that is being read, then the rest of the chunk in bytes.
    size: u64,
    digits: u8,
    /// Bytes of extensions of this chunk, and of blanks before them.
    extensions: u32,
    /// Bytes of extensions in all chunks so far that exceed the allowance of their data.
    excess: u64,
    /// Sum of the sizes of all chunks so far.
    total: u64,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum At {
    #[default]
    Size,
    /// Blanks after the size.
    Blanks,
    Extension,
    /// The LF of the size line.
    SizeEnd,
    Data,
    /// The CR after the data.
    DataEnd,
    /// The LF after the data.
    LineEnd,
    /// The size line of the last chunk is over: trailers follow.
    Last,
}

/// The result of one pass.
pub(super) struct Decoded {
    /// The position of the data after the pass.
    pub(super) data: Range<usize>,
    /// Number of decoded bytes.
    pub(super) used: usize,
    /// The error behind the data.
    pub(super) error: Option<Fault>,
}

impl Chunked {
    /// Returns `true` if the trailers follow.
    pub(super) fn is_last(&self) -> bool {
        self.at == At::Last
    }

    /// Removes the chunk framing from `bytes`: moves the data of all chunks together, within
    /// `bytes`.
    ///
    /// The first run of data is never moved, so a chunk that fills the buffer costs no copy. Each
    /// byte is read once.
    pub(super) fn decode(&mut self, bytes: &mut [u8], limits: &Limits) -> Decoded {
        let mut data = 0..0;
        let mut used = 0;
        while used < bytes.len() && self.at != At::Last {
            if self.at == At::Data {
                let there = bytes.len() - used;
                let run = usize::try_from(self.size).map_or(there, |size| size.min(there));
                if data.is_empty() {
                    data = used..used + run;
                } else if run >= LONG_RUN {
                    break;
                } else {
                    bytes.copy_within(used..used + run, data.end);
                    data.end += run;
                }
                used += run;
                self.size -= run as u64;
                if self.size == 0 {
                    self.at = At::DataEnd;
                }
                continue;
            }
            if let Err(error) = self.step(bytes[used], limits) {
                return Decoded { data, used, error: Some(error) };
            }
            used += 1;
        }
        Decoded { data, used, error: None }
    }

    /// Decodes one byte of framing.
    fn step(&mut self, byte: u8, limits: &Limits) -> Result<(), Fault> {
        if let (At::Size, Some(digit)) = (self.at, hex_digit(byte)) {
            self.digits += 1;
            if self.digits > MOST_DIGITS {
                return Err(bad("a size of more than 16 digits"));
            }
            self.size = self.size << 4 | u64::from(digit);
            return Ok(());
        }
        self.at = match (self.at, byte) {
            // An empty size is an error: a decoder that reads 0 there ends the body (row P035).
            (At::Size, _) if self.digits == 0 => return Err(unexpected("for a size", byte)),
            (At::Size | At::Blanks | At::Extension, b'\r') => At::SizeEnd,
            // Blanks that pad the size are common enough to accept (row P048).
            (At::Size | At::Blanks, b' ' | b'\t') => self.extension(At::Blanks, limits)?,
            (At::Size | At::Blanks, b';') => self.extension(At::Extension, limits)?,
            (At::Extension, _) if is_field_byte(byte) => self.extension(At::Extension, limits)?,
            (At::Extension, _) => return Err(unexpected("in an extension", byte)),
            (At::Size | At::Blanks, _) => return Err(unexpected("after a size", byte)),
            (At::SizeEnd, b'\n') => self.size_line(limits)?,
            (At::DataEnd, b'\r') => At::LineEnd,
            (At::LineEnd, b'\n') => {
                self.digits = 0;
                At::Size
            }
            // LF alone, CR alone, anything else (rows P036, P055, P067, V101, V103).
            (At::SizeEnd, _) => return Err(unexpected("for the LF after a size", byte)),
            (At::DataEnd, _) => return Err(unexpected("for the CR after the data", byte)),
            (At::LineEnd, _) => return Err(unexpected("for the LF after the data", byte)),
            (At::Data | At::Last, _) => self.at,
        };
        Ok(())
    }

    /// Counts a byte without meaning. Such bytes are limited in one chunk, however large its
    /// declared size is. They are also limited in all chunks beyond the allowance of their data
    /// (rows P041, FM5).
    fn extension(&mut self, at: At, limits: &Limits) -> Result<At, Fault> {
        self.extensions = self.extensions.saturating_add(1);
        let (most, here) = (limits.chunk_ext_bytes as u64, u64::from(self.extensions));
        if here > most || self.excess + here.saturating_sub(self.allowance()) > most {
            return Err(bad("extensions larger than `limits.chunk_ext_bytes`"));
        }
        Ok(at)
    }

    /// Bytes of extensions that the current chunk may have without being counted.
    fn allowance(&self) -> u64 {
        self.size.saturating_mul(2).saturating_add(FREE)
    }

    fn size_line(&mut self, limits: &Limits) -> Result<At, Fault> {
        self.excess = (self.excess + u64::from(self.extensions)).saturating_sub(self.allowance());
        self.extensions = 0;
        if self.size == 0 {
            return Ok(At::Last);
        }
        if self.size > i64::MAX as u64 {
            return Err(bad("a size of 2^63 or more"));
        }
        self.total = self.total.saturating_add(self.size);
        if limits.body_bytes.is_some_and(|most| self.total > most) {
            return Err(Fault::new(Kind::BodyTooLarge));
        }
        Ok(At::Data)
    }
}

#[cold]
fn bad(detail: &'static str) -> Fault {
    Fault::new(Kind::BadChunk).with_detail(detail)
}

#[cold]
fn unexpected(place: &'static str, byte: u8) -> Fault {
    Fault::new(Kind::BadChunk).with_detail(format!("\"{}\" {place}", escape(&[byte])))
}
