//! `zstd` (RFC 8878), with windows of at most 8 MiB (RFC 9659, row Q35).

use std::hash::Hasher as _;
use std::io::{self, Read as _, Write};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use twox_hash::XxHash64;

use super::decoder::{Decoder, Malformed, Moved};

const MAX_WINDOW: u64 = 8 * 1024 * 1024;
/// Maximal size of a block in bytes (RFC 8878 section 3.1.1.2.4).
const MAX_BLOCK: usize = 128 * 1024;
/// The last block of a frame, without contents.
const LAST: [u8; 3] = [1, 0, 0];

/// The coding `zstd`: a sequence of frames. The decoder below takes whole blocks, which are
/// gathered here.
///
/// That decoder returns only data of an unfinished frame to which no later block can refer. With
/// the usual windows a live stream would be delayed by megabytes, but flushed data must be readable
/// when it arrives. So each frame is declared finished at its start, and later blocks are fed all
/// the same. The end of the decoder's buffer is [copied](Fresh) and stays there. Data beyond the
/// window is [dropped](Self::drop_history) from time to time.
#[derive(Default)]
pub(super) struct Zstd {
    frame: FrameDecoder,
    gathered: Vec<u8>,
    part: Part,
    /// Maximal distance in bytes that blocks of the frame may refer back.
    window: usize,
    /// Number of decoded bytes that were not returned: the end of the decoder's buffer.
    fresh: usize,
    /// The declared length of the frame's contents, if any, and the number of returned bytes.
    length: Option<u64>,
    made: u64,
    /// Hash of the returned data, if the frame ends with a checksum.
    hash: Option<XxHash64>,
    has_frame: bool,
}

/// The element that is being gathered.
#[derive(Clone, Copy, Default)]
enum Part {
    #[default]
    FrameHead,
    Block,
    /// The checksum behind the last block, if there is one.
    FrameEnd,
    /// The remaining bytes of a skippable frame.
    Skipped(u32),
}

impl Decoder for Zstd {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Moved, Malformed> {
        let mut taken = 0;
        loop {
            if self.fresh > 0 {
                return Ok(Moved { taken, made: self.give_out(output)? });
            }
            let rest = &input[taken..];
            if let Part::Skipped(left) = &mut self.part {
                let n = rest.len().min(*left as usize);
                *left -= n as u32;
                taken += n;
                if *left > 0 {
                    return Ok(Moved { taken, made: 0 });
                }
                self.part = Part::FrameHead;
                continue;
            }
            let missing = self.wanted()?.saturating_sub(self.gathered.len());
            if missing > 0 {
                let n = missing.min(rest.len());
                if n == 0 {
                    return Ok(Moved { taken, made: 0 });
                }
                self.gathered.extend_from_slice(&rest[..n]);
                taken += n;
                // More bytes may be needed, now that more is known.
                continue;
            }
            self.take()?;
            self.gathered.clear();
        }
    }

    fn is_complete(&self) -> bool {
        self.has_frame && matches!(self.part, Part::FrameHead) && self.gathered.is_empty() && self.fresh == 0
    }
}

impl Zstd {
    /// Length in bytes of the current part, as far as the bytes so far determine it.
    fn wanted(&self) -> Result<usize, Malformed> {
        match (self.part, &self.gathered[..]) {
            (Part::FrameHead, [0x28, 0xb5, 0x2f, 0xfd, descriptor, ..]) => {
                Ok(FrameHead::length_with(*descriptor))
            }
            (Part::FrameHead, [0x28, 0xb5, 0x2f, 0xfd]) => Ok(5),
            (Part::FrameHead, [first, 0x2a, 0x4d, 0x18, ..]) if first >> 4 == 5 => Ok(8),
            (Part::FrameHead, bytes) if bytes.len() < 4 => Ok(4),
            (Part::FrameHead, _) => Err("no zstd frame begins like this".into()),
            (Part::Block, [b0, b1, b2, ..]) => {
                let head = u32::from_le_bytes([*b0, *b1, *b2, 0]);
                // A run-length block consists of its one byte.
                let size = if head >> 1 & 3 == 1 { 1 } else { head as usize >> 3 };
                if size > MAX_BLOCK {
                    return Err("a zstd block larger than blocks are".into());
                }
                Ok(3 + size)
            }
            (Part::Block, _) => Ok(3),
            (Part::FrameEnd, _) => Ok(if self.hash.is_some() { 4 } else { 0 }),
            (Part::Skipped(_), _) => Ok(0),
        }
    }

    /// Processes the current part, which is complete.
    fn take(&mut self) -> Result<(), Malformed> {
        match self.part {
            Part::FrameHead => {
                if let [_, 0x2a, 0x4d, 0x18, s0, s1, s2, s3] = self.gathered[..] {
                    self.part = Part::Skipped(u32::from_le_bytes([s0, s1, s2, s3]));
                    self.has_frame = true;
                } else {
                    self.begin()?;
                }
            }
            Part::Block => {
                let before = self.frame.can_collect();
                decode(&mut self.frame, &self.gathered[..])?;
                self.fresh = self.frame.can_collect() - before;
                if self.fresh > MAX_BLOCK.min(self.window) {
                    return Err("a zstd block larger than blocks are".into());
                }
                if self.length.is_some_and(|length| length - self.made < self.fresh as u64) {
                    return Err("the length is not that of the contents".into());
                }
                if self.gathered.first().is_some_and(|first| first & 1 == 1) {
                    self.part = Part::FrameEnd;
                }
            }
            Part::FrameEnd => self.end()?,
            Part::Skipped(_) => {}
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), Malformed> {
        let head = FrameHead::read(&mut self.gathered)?;
        self.frame.set_max_window_size(MAX_WINDOW);
        self.frame.reset(&self.gathered[..]).map_err(|error| Malformed(error.to_string().into()))?;
        decode(&mut self.frame, &LAST[..])?;
        // The window is within the limit that was just checked.
        self.window = head.window as usize;
        (self.length, self.made) = (head.length, 0);
        self.hash = head.is_checked.then(|| XxHash64::with_seed(0));
        self.part = Part::Block;
        Ok(())
    }

    /// Returns the next decoded bytes.
    fn give_out(&mut self, output: &mut [u8]) -> Result<usize, Malformed> {
        let mut fresh = Fresh { length: self.fresh, room: output, copied: 0 };
        let looked = self.frame.collect_to_writer(&mut fresh);
        let made = fresh.copied;
        if looked.is_err() || made == 0 {
            return Err("a zstd frame that is none".into());
        }
        self.fresh -= made;
        self.made += made as u64;
        if let Some(hash) = &mut self.hash {
            hash.write(&output[..made]);
        }
        if self.fresh == 0 {
            match self.part {
                Part::Block => self.drop_history()?,
                // The error of an invalid end is reported by the next step: these bytes come first.
                Part::FrameEnd if self.hash.is_none() => drop(self.end()),
                _ => {}
            }
        }
        Ok(made)
    }

    /// Verifies length and checksum of the contents, once all of them were returned.
    fn end(&mut self) -> Result<(), Malformed> {
        if self.length.is_some_and(|length| length != self.made) {
            return Err("the length is not that of the contents".into());
        }
        // The frame carries the lower half (RFC 8878 section 3.1.1).
        let is_wrong = |hash: &XxHash64| hash.finish().to_le_bytes()[..4] != self.gathered[..];
        if self.hash.as_ref().is_some_and(is_wrong) {
            return Err("the checksum is not that of the contents".into());
        }
        self.part = Part::FrameHead;
        self.has_frame = true;
        Ok(())
    }

    /// Drops data beyond the window, once it is half as long as the window. The rest is taken out
    /// and put back as uncompressed blocks. So the decoder's buffer is in one piece again, as
    /// [`Fresh`] needs it.
    fn drop_history(&mut self) -> Result<(), Malformed> {
        let held = self.frame.can_collect();
        if held <= self.window + (self.window / 2).max(4 * MAX_BLOCK) {
            return Ok(());
        }
        let mut kept = Kept { bytes: Vec::with_capacity(self.window), passed: held - self.window };
        if self.frame.collect_to_writer(&mut kept).is_err() {
            return Err("a zstd frame that is none".into());
        }
        // The buffer is empty; new data is written to its start.
        self.frame.collect();
        for block in kept.bytes.chunks(MAX_BLOCK.min(self.window)) {
            // At most 2^17, in the upper 21 of 24 bits.
            let head = (block.len() as u32) << 3;
            decode(&mut self.frame, head.to_le_bytes()[..3].chain(block))?;
        }
        Ok(())
    }
}

/// Decodes one block.
fn decode(frame: &mut FrameDecoder, block: impl io::Read) -> Result<(), Malformed> {
    match frame.decode_blocks(block, BlockDecodingStrategy::UptoBlocks(1)) {
        Ok(_) => Ok(()),
        Err(error) => Err(Malformed(error.to_string().into())),
    }
}

/// The fields of a frame's head (RFC 8878 section 3.1.1.1).
struct FrameHead {
    window: u64,
    length: Option<u64>,
    is_checked: bool,
}

impl FrameHead {
    /// Length in bytes of the head with this descriptor, magic number included.
    fn length_with(descriptor: u8) -> usize {
        let (window, dictionary, length) = Self::fields(descriptor);
        5 + window + dictionary + length
    }

    /// Length in bytes of each field.
    fn fields(descriptor: u8) -> (usize, usize, usize) {
        let is_single = descriptor >> 5 & 1 == 1;
        let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
        let length = [usize::from(is_single), 2, 4, 8][usize::from(descriptor >> 6)];
        (usize::from(!is_single), dictionary, length)
    }

    /// Parses a whole head, and clears its checksum flag: the checksum is verified here.
    fn read(head: &mut [u8]) -> Result<Self, Malformed> {
        let [_, _, _, _, descriptor, rest @ ..] = head else { return Err("no zstd frame".into()) };
        if *descriptor & 8 != 0 {
            return Err("a zstd frame with a flag that is not known".into());
        }
        let is_checked = *descriptor & 4 != 0;
        *descriptor &= !4;
        let (window, dictionary, length) = Self::fields(*descriptor);
        let mut bytes = [0; 8];
        bytes[..length].copy_from_slice(&rest[window + dictionary..]);
        let declared = u64::from_le_bytes(bytes) + if length == 2 { 256 } else { 0 };
        let window = match (window, &rest[..]) {
            (1, [descriptor, ..]) => {
                let base = 1024 << (descriptor >> 3);
                base + base / 8 * u64::from(descriptor & 7)
            }
            _ => declared,
        };
        Ok(Self { window, length: (length > 0).then_some(declared), is_checked })
    }
}

/// Copies the end of the offered data, all of which stays in place.
struct Fresh<'a> {
    /// Length of that end in bytes.
    length: usize,
    room: &'a mut [u8],
    copied: usize,
}

impl Write for Fresh<'_> {
    fn write(&mut self, held: &[u8]) -> io::Result<usize> {
        if let Some(fresh) = held.len().checked_sub(self.length).map(|start| &held[start..]) {
            self.copied = fresh.len().min(self.room.len());
            self.room[..self.copied].copy_from_slice(&fresh[..self.copied]);
        }
        Ok(0)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes all offered data, and keeps the part behind this many bytes.
struct Kept {
    bytes: Vec<u8>,
    passed: usize,
}

impl Write for Kept {
    fn write(&mut self, held: &[u8]) -> io::Result<usize> {
        let n = self.passed.min(held.len());
        self.passed -= n;
        self.bytes.extend_from_slice(&held[n..]);
        Ok(held.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
