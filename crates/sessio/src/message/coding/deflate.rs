//! `deflate`: zlib (RFC 1950), or raw (RFC 1951) as some servers send it (row Q34).

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::decoder::{Decoder, Malformed, Moved};
use super::encoder::Encoder;

/// The coding `deflate`, in either format: the first two bytes decide.
#[derive(Default)]
pub(super) struct Deflate {
    state: State,
}

#[derive(Default)]
enum State {
    #[default]
    New,
    /// The first byte has arrived; alone it does not decide.
    First(u8),
    Inflating(Inflate),
}

impl Decoder for Deflate {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Moved, Malformed> {
        match (&mut self.state, input) {
            (State::Inflating(inflate), _) if !inflate.is_over() => inflate.decode(input, output),
            // Bytes behind the end do not belong to the body.
            (State::Inflating(_), _) => Ok(Moved { taken: input.len(), made: 0 }),
            (_, []) => Ok(Moved::default()),
            (State::New, [first, ..]) => {
                self.state = State::First(*first);
                Ok(Moved { taken: 1, made: 0 })
            }
            (State::First(first), [second, ..]) => {
                let first = *first;
                let mut inflate = Inflate::new(is_zlib(first, *second));
                // Alone it is at most the head of a block.
                inflate.decode(&[first], output)?;
                let moved = inflate.decode(input, output);
                self.state = State::Inflating(inflate);
                moved
            }
        }
    }

    fn is_complete(&self) -> bool {
        matches!(&self.state, State::Inflating(inflate) if inflate.is_over())
    }
}

/// RFC 1950 section 2.2: method 8, a window of at most 32 KiB, and a check of both bytes.
fn is_zlib(first: u8, second: u8) -> bool {
    first & 0x0f == 8 && first >> 4 <= 7 && (u16::from(first) << 8 | u16::from(second)) % 31 == 0
}

/// A deflate stream.
pub(super) struct Inflate {
    inner: Decompress,
    is_over: bool,
    is_broken: bool,
}

impl Inflate {
    /// A stream with the header and the checksum of zlib, or without.
    pub(super) fn new(is_zlib: bool) -> Self {
        Self { inner: Decompress::new(is_zlib), is_over: false, is_broken: false }
    }

    /// Returns `true` if the stream has ended, with a valid checksum in the zlib format.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Moved, Malformed> {
        let (in_before, out_before) = (self.inner.total_in(), self.inner.total_out());
        let status = match self.is_broken {
            true => None,
            false => self.inner.decompress(input, output, FlushDecompress::None).ok(),
        };
        self.is_broken = status.is_none();
        self.is_over = status == Some(Status::StreamEnd);
        // Both are differences within slices.
        let taken = (self.inner.total_in() - in_before) as usize;
        let made = (self.inner.total_out() - out_before) as usize;
        if self.is_broken && made == 0 {
            return Err("a deflate stream that is none".into());
        }
        Ok(Moved { taken, made })
    }
}

/// Bytes that go into the compressor at a time, and the room for its output, which exceeds its
/// internal buffer. The output depends on the cuts of input and room. With both constant, a coded
/// body depends on the body alone, and a repeated one is identical.
const BLOCK: usize = 16 * 1024;
const ROOM: usize = 5 * BLOCK;

/// A deflate stream that is being written.
pub(super) struct Deflating {
    inner: Compress,
    /// The block that is being gathered.
    block: Vec<u8>,
    /// The output of earlier blocks, and the number of its bytes that were returned.
    made: Vec<u8>,
    given: usize,
    is_ended: bool,
}

impl Deflating {
    /// A stream with the header and the checksum of zlib, or without.
    pub(super) fn new(is_zlib: bool) -> Self {
        let inner = Compress::new(Compression::default(), is_zlib);
        Self { inner, block: Vec::new(), made: Vec::new(), given: 0, is_ended: false }
    }

    /// Compresses the block, and with `flush` all data held back.
    fn compress(&mut self, flush: FlushCompress) {
        let mut taken = 0;
        while !self.is_ended && (taken < self.block.len() || flush == FlushCompress::Finish) {
            self.made.reserve(ROOM);
            let before = self.inner.total_in();
            // It fails only for calls that are not made here.
            let status = self.inner.compress_vec(&self.block[taken..], &mut self.made, flush);
            self.is_ended = matches!(status, Ok(Status::StreamEnd) | Err(_));
            // A difference within a slice.
            taken += (self.inner.total_in() - before) as usize;
        }
        self.block.clear();
    }
}

impl Encoder for Deflating {
    fn encode(&mut self, input: &[u8], is_last: bool, output: &mut [u8]) -> Moved {
        let mut moved = Moved::default();
        loop {
            let ready = &self.made[self.given..];
            let n = ready.len().min(output.len() - moved.made);
            output[moved.made..][..n].copy_from_slice(&ready[..n]);
            moved.made += n;
            self.given += n;
            if self.given < self.made.len() || self.is_ended {
                return moved;
            }
            self.made.clear();
            self.given = 0;
            let rest = &input[moved.taken..];
            let gathered = &rest[..rest.len().min(BLOCK - self.block.len())];
            self.block.extend_from_slice(gathered);
            moved.taken += gathered.len();
            match (self.block.len() == BLOCK, is_last) {
                (true, _) => self.compress(FlushCompress::None),
                (false, true) => self.compress(FlushCompress::Finish),
                (false, false) => return moved,
            }
        }
    }

    fn is_over(&self) -> bool {
        self.is_ended && self.given == self.made.len()
    }

    fn rewind(&mut self) {
        self.inner.reset();
        self.block.clear();
        self.made.clear();
        (self.given, self.is_ended) = (0, false);
    }
}
