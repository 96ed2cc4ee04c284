//! `zstd` (RFC 8878), with windows of at most 8 MiB (RFC 9659, row Q35).

use std::io::Read;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{Decoder, Malformed, Moved};

const MAX_WINDOW: u64 = 8 * 1024 * 1024;
/// No block is larger (RFC 8878 section 3.1.1.2.4).
const MAX_BLOCK: usize = 128 * 1024;

/// The coding `zstd`: frames one behind another. The decoder below takes whole blocks, which are gathered here.
pub(super) struct Zstd {
    frame: FrameDecoder,
    gathered: Vec<u8>,
    part: Part,
    has_frame: bool,
    /// A frame was given out to its end, and its checksum not looked at.
    is_unchecked: bool,
}

/// What is being gathered.
#[derive(Clone, Copy)]
enum Part {
    FrameHead,
    /// A block, and the frame's checksum behind the last one if the frame has one.
    Block {
        is_checked: bool,
    },
    /// So many bytes of a frame that is for somebody else.
    Skipped(u32),
}

impl Default for Zstd {
    fn default() -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(MAX_WINDOW);
        Self { frame, gathered: Vec::new(), part: Part::FrameHead, has_frame: false, is_unchecked: false }
    }
}

impl Decoder for Zstd {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Moved, Malformed> {
        let mut taken = 0;
        loop {
            if self.frame.can_collect() > 0 {
                let made =
                    self.frame.read(output).map_err(|_| Malformed::from("a zstd frame that is none"))?;
                // Its last bytes are given out before anything is said against it.
                self.is_unchecked = self.frame.can_collect() == 0;
                return Ok(Moved { taken, made });
            }
            if self.is_unchecked {
                self.check()?;
                self.is_unchecked = false;
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
                // More may be wanted, now that more is known.
                continue;
            }
            self.take()?;
        }
    }

    fn is_complete(&self) -> bool {
        let is_between = matches!(self.part, Part::FrameHead) && self.gathered.is_empty();
        self.has_frame && is_between && self.frame.can_collect() == 0 && self.check().is_ok()
    }
}

impl Zstd {
    /// How many bytes the part at hand has, as far as those that are there tell.
    fn wanted(&self) -> Result<usize, Malformed> {
        match (self.part, &self.gathered[..]) {
            (Part::FrameHead, [0x28, 0xb5, 0x2f, 0xfd, descriptor, ..]) => {
                let is_single = descriptor >> 5 & 1 == 1;
                let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
                let size = [usize::from(is_single), 2, 4, 8][usize::from(descriptor >> 6)];
                Ok(5 + usize::from(!is_single) + dictionary + size)
            }
            (Part::FrameHead, [0x28, 0xb5, 0x2f, 0xfd]) => Ok(5),
            (Part::FrameHead, [first, 0x2a, 0x4d, 0x18, ..]) if first >> 4 == 5 => Ok(8),
            (Part::FrameHead, bytes) if bytes.len() < 4 => Ok(4),
            (Part::FrameHead, _) => Err("no zstd frame begins like this".into()),
            (Part::Block { is_checked }, [b0, b1, b2, ..]) => {
                let head = u32::from_le_bytes([*b0, *b1, *b2, 0]);
                // A block of one byte over and over has just that byte.
                let size = if head >> 1 & 3 == 1 { 1 } else { head as usize >> 3 };
                if size > MAX_BLOCK {
                    return Err("a zstd block larger than blocks are".into());
                }
                Ok(3 + size + if is_checked && head & 1 == 1 { 4 } else { 0 })
            }
            (Part::Block { .. }, _) => Ok(3),
            (Part::Skipped(_), _) => Ok(0),
        }
    }

    /// Deals with the part that is there whole.
    fn take(&mut self) -> Result<(), Malformed> {
        match self.part {
            Part::FrameHead => {
                if let [_, 0x2a, 0x4d, 0x18, s0, s1, s2, s3] = self.gathered[..] {
                    self.part = Part::Skipped(u32::from_le_bytes([s0, s1, s2, s3]));
                    self.has_frame = true;
                } else {
                    let is_checked = self.gathered.get(4).is_some_and(|descriptor| descriptor >> 2 & 1 == 1);
                    self.frame
                        .reset(&self.gathered[..])
                        .map_err(|error| Malformed(error.to_string().into()))?;
                    self.part = Part::Block { is_checked };
                }
            }
            Part::Block { .. } => {
                let block = &self.gathered[..];
                let is_last = self.frame.decode_blocks(block, BlockDecodingStrategy::UptoBlocks(1));
                if is_last.map_err(|error| Malformed(error.to_string().into()))? {
                    self.part = Part::FrameHead;
                    self.has_frame = true;
                    if self.frame.can_collect() == 0 {
                        self.check()?;
                    }
                }
            }
            Part::Skipped(_) => {}
        }
        self.gathered.clear();
        Ok(())
    }

    /// The checksum, once a frame was given out to its end.
    fn check(&self) -> Result<(), Malformed> {
        let told = self.frame.get_checksum_from_data().filter(|_| self.frame.is_finished());
        match told {
            Some(told) if self.frame.get_calculated_checksum() != Some(told) => {
                Err("the checksum is not that of the contents".into())
            }
            _ => Ok(()),
        }
    }
}
