//! `gzip` (RFC 1952): a sequence of members, each with a head, a deflate stream and a checksum.

use flate2::Crc;

use super::decoder::{Decoder, Malformed, Moved};
use super::deflate::{Deflating, Inflate};
use super::encoder::Encoder;

/// The coding `gzip`.
#[derive(Default)]
pub(super) struct Gzip {
    state: State,
    /// Checksum of the decoded data of the current member.
    crc: Crc,
    /// A member has ended: later bytes are another member, or do not belong to the body.
    has_member: bool,
}

#[derive(Default)]
enum State {
    #[default]
    Start,
    Head(Head),
    Body(Inflate),
    Tail(Vec<u8>),
    /// Behind the last member: padding, which is dropped.
    Over,
}

/// The parts of a member's head, each present only if its flag is set.
enum Head {
    /// The received bytes of the ten that every head has.
    Fixed(Vec<u8>),
    /// The two bytes with the length of the extra field.
    ExtraLength(u8, Option<u8>),
    Extra(u8, u16),
    /// A text up to its NUL: the name, then the comment.
    Text(u8),
    /// A checksum of the head, which no common encoder writes: the number of its remaining bytes.
    Crc(u8),
}

const CRC: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0xe0;

impl Decoder for Gzip {
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Moved, Malformed> {
        let mut taken = 0;
        loop {
            let rest = &input[taken..];
            match &mut self.state {
                State::Over => return Ok(Moved { taken: input.len(), made: 0 }),
                State::Body(inflate) => {
                    let moved = inflate.decode(rest, output)?;
                    self.crc.update(&output[..moved.made]);
                    taken += moved.taken;
                    if inflate.is_over() {
                        self.state = State::Tail(Vec::with_capacity(8));
                    }
                    // The room may be used up, and the rest of the input belongs to the next
                    // member.
                    if moved.made > 0 || !matches!(self.state, State::Tail(_)) {
                        return Ok(Moved { taken, made: moved.made });
                    }
                }
                state => {
                    let [byte, ..] = rest else { return Ok(Moved { taken, made: 0 }) };
                    let byte = *byte;
                    match state {
                        State::Start if self.has_member && byte != 0x1f => self.state = State::Over,
                        State::Start => self.state = State::Head(Head::Fixed(Vec::with_capacity(10))),
                        State::Tail(tail) => {
                            tail.push(byte);
                            taken += 1;
                            if let Ok(tail) = <[u8; 8]>::try_from(&tail[..]) {
                                self.end_member(tail)?;
                            }
                        }
                        State::Head(head) => {
                            taken += 1;
                            match head.next(byte)? {
                                None => {
                                    self.crc.reset();
                                    self.state = State::Body(Inflate::new(false));
                                }
                                Some(next) => *head = next,
                            }
                        }
                        State::Body(_) | State::Over => {}
                    }
                }
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.has_member && matches!(self.state, State::Start | State::Over)
    }
}

impl Gzip {
    /// Verifies the checksum and the length, modulo 2^32, of the decoded data (row B52).
    fn end_member(&mut self, tail: [u8; 8]) -> Result<(), Malformed> {
        let [c0, c1, c2, c3, l0, l1, l2, l3] = tail;
        if u32::from_le_bytes([c0, c1, c2, c3]) != self.crc.sum() {
            return Err("the checksum is not that of the contents".into());
        }
        if u32::from_le_bytes([l0, l1, l2, l3]) != self.crc.amount() {
            return Err("the length is not that of the contents".into());
        }
        self.has_member = true;
        self.state = State::Start;
        Ok(())
    }
}

impl Head {
    /// The state after one more byte; `None` at the end of the head.
    fn next(&mut self, byte: u8) -> Result<Option<Self>, Malformed> {
        Ok(match self {
            Self::Fixed(fixed) => {
                fixed.push(byte);
                match fixed[..] {
                    [0x1f] | [0x1f, 0x8b] | [0x1f, 0x8b, 8] => {}
                    [0x1f, 0x8b, 8, flags, ..] if flags & RESERVED == 0 => {
                        if fixed.len() == 10 {
                            return Ok(Self::after_fixed(flags));
                        }
                    }
                    _ => return Err("no gzip member begins like this".into()),
                }
                Some(Self::Fixed(std::mem::take(fixed)))
            }
            Self::ExtraLength(flags, None) => Some(Self::ExtraLength(*flags, Some(byte))),
            Self::ExtraLength(flags, Some(low)) => match u16::from_le_bytes([*low, byte]) {
                0 => Self::texts(*flags),
                length => Some(Self::Extra(*flags, length)),
            },
            Self::Extra(flags, 1) => Self::texts(*flags),
            Self::Extra(flags, left) => Some(Self::Extra(*flags, *left - 1)),
            Self::Text(flags) if byte != 0 => Some(Self::Text(*flags)),
            // The name comes first.
            Self::Text(flags) if *flags & NAME != 0 => Self::texts(*flags & !NAME),
            Self::Text(flags) => Self::texts(*flags & !COMMENT),
            Self::Crc(2) => Some(Self::Crc(1)),
            Self::Crc(_) => None,
        })
    }

    fn after_fixed(flags: u8) -> Option<Self> {
        if flags & EXTRA != 0 { Some(Self::ExtraLength(flags, None)) } else { Self::texts(flags) }
    }

    fn texts(flags: u8) -> Option<Self> {
        if flags & (NAME | COMMENT) != 0 {
            Some(Self::Text(flags))
        } else {
            (flags & CRC != 0).then_some(Self::Crc(2))
        }
    }
}

/// The head of a member: no name, no time, no system.
const FIXED: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// A member that is being written.
pub(super) struct Zip {
    deflating: Deflating,
    crc: Crc,
    /// Number of written bytes of the head.
    head: usize,
    /// The unwritten rest of checksum and length, once the stream has ended.
    tail: Option<Vec<u8>>,
}

impl Default for Zip {
    fn default() -> Self {
        Self { deflating: Deflating::new(false), crc: Crc::new(), head: 0, tail: None }
    }
}

impl Encoder for Zip {
    fn encode(&mut self, input: &[u8], is_last: bool, output: &mut [u8]) -> Moved {
        let mut moved = Moved::default();
        let n = (FIXED.len() - self.head).min(output.len());
        output[..n].copy_from_slice(&FIXED[self.head..][..n]);
        self.head += n;
        moved.made += n;
        if moved.made < output.len() && !self.deflating.is_over() {
            let stream = self.deflating.encode(input, is_last, &mut output[moved.made..]);
            self.crc.update(&input[..stream.taken]);
            moved.taken += stream.taken;
            moved.made += stream.made;
        }
        if self.deflating.is_over() {
            let crc = &self.crc;
            let tail = self
                .tail
                .get_or_insert_with(|| [crc.sum().to_le_bytes(), crc.amount().to_le_bytes()].concat());
            let n = tail.len().min(output.len() - moved.made);
            output[moved.made..][..n].copy_from_slice(&tail[..n]);
            tail.drain(..n);
            moved.made += n;
        }
        moved
    }

    fn is_over(&self) -> bool {
        self.tail.as_ref().is_some_and(Vec::is_empty)
    }

    fn rewind(&mut self) {
        self.deflating.rewind();
        self.crc.reset();
        (self.head, self.tail) = (0, None);
    }
}
