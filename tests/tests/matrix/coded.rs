//! Bodies in every content coding, as servers send them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

/// The content coding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Coding {
    Nothing,
    Gzip,
    Brotli,
    Zstd,
}

/// Larger bodies are coded without compression: the subject is how bytes move.
const MOST_COMPRESSED: usize = 512 << 10;

impl Coding {
    pub(crate) const ALL: [Self; 4] = [Self::Nothing, Self::Gzip, Self::Brotli, Self::Zstd];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "identity",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// The header field of the coding, with its line end.
    pub(crate) fn field(self) -> String {
        if self == Self::Nothing { String::new() } else { format!("Content-Encoding: {}\r\n", self.name()) }
    }

    pub(crate) fn encode(self, body: &[u8]) -> Vec<u8> {
        match self {
            Self::Nothing => body.to_vec(),
            Self::Gzip => gzip(body),
            Self::Brotli => brotli(body),
            Self::Zstd => zstd(body),
        }
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let level = if body.len() > MOST_COMPRESSED { Compression::none() } else { Compression::new(6) };
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// Stored blocks (RFC 7932 section 9.2) of at most 64 KiB each.
fn brotli(body: &[u8]) -> Vec<u8> {
    let mut bits = Bits::default();
    // A window of 2^22 - 16 bytes.
    bits.push(0b1011, 4);
    for block in body.chunks(1 << 16) {
        // Not the last block, four nibbles of length, not compressed. Then bytes from a byte
        // boundary on.
        bits.push(0, 1);
        bits.push(0, 2);
        bits.push(block.len() as u64 - 1, 16);
        bits.push(1, 1);
        bits.align();
        bits.out.extend_from_slice(block);
    }
    // The last block, which is empty.
    bits.push(0b11, 2);
    bits.align();
    bits.out
}

/// Stored blocks, or a repeated byte where the block has only one (RFC 8878 section 3.1.1.2).
fn zstd(body: &[u8]) -> Vec<u8> {
    let mut out = vec![0x28, 0xB5, 0x2F, 0xFD];
    // No checksum, no dictionary, no size; a window of 1 MiB.
    out.extend([0x00, (20 - 10) << 3]);
    let mut blocks = body.chunks(100_000).peekable();
    if body.is_empty() {
        out.extend([0x01, 0, 0]);
    }
    while let Some(block) = blocks.next() {
        let is_last = u32::from(blocks.peek().is_none());
        let is_one = block.len() > 1 && block.iter().all(|byte| *byte == block[0]);
        let header = is_last | u32::from(is_one) << 1 | (block.len() as u32) << 3;
        out.extend_from_slice(&header.to_le_bytes()[..3]);
        out.extend_from_slice(if is_one { &block[..1] } else { block });
    }
    out
}

/// Bits, from the lowest of each byte on.
#[derive(Default)]
struct Bits {
    out: Vec<u8>,
    held: u64,
    count: u32,
}

impl Bits {
    fn push(&mut self, bits: u64, count: u32) {
        self.held |= bits << self.count;
        self.count += count;
        while self.count >= 8 {
            self.out.push(self.held.to_le_bytes()[0]);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    fn align(&mut self) {
        self.push(0, (8 - self.count % 8) % 8);
    }
}

/// The framing that marks the end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length,
    Chunks,
    Close,
}

impl Framing {
    pub(crate) const ALL: [Self; 3] = [Self::Length, Self::Chunks, Self::Close];

    /// A response with this body. A chunked one has chunks of this size.
    pub(crate) fn response(self, head: &str, body: &[u8], chunk: usize) -> Vec<u8> {
        let mut said = head.as_bytes().to_vec();
        match self {
            Self::Length => {
                said.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
                said.extend_from_slice(body);
            }
            Self::Chunks => {
                said.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                for chunk in body.chunks(chunk) {
                    said.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    said.extend_from_slice(chunk);
                    said.extend_from_slice(b"\r\n");
                }
                said.extend_from_slice(b"0\r\n\r\n");
            }
            Self::Close => {
                said.extend_from_slice(b"\r\n");
                said.extend_from_slice(body);
            }
        }
        said
    }
}
