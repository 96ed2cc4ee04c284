//! Bodies with a content coding, as servers send them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Every content coding that a session decodes here, and identity.
pub const CODINGS: [&str; 4] = ["gzip", "br", "zstd", "identity"];

/// Text that looks random and compresses to about half. The same length gives the same text.
#[must_use]
pub fn text(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut text = Vec::with_capacity(length + 17);
    while text.len() < length {
        text.extend_from_slice(format!("{:016x}\n", draw()).as_bytes());
    }
    text.truncate(length);
    text
}

/// The body in this coding. `br` and `zstd` only store it: blocks of these formats need not be
/// compressed.
///
/// # Panics
///
/// If the coding is not in [`CODINGS`].
#[must_use]
pub fn coded(coding: &str, body: &[u8]) -> Vec<u8> {
    match coding {
        "gzip" => gzip(body),
        "br" => brotli(body),
        "zstd" => zstd(body),
        "identity" => body.to_vec(),
        other => panic!("{other} is not known here"),
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("memory never fails")
}

/// Uncompressed meta-blocks (RFC 7932 section 9.2). The first follows the window size.
fn brotli(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, block) in body.chunks(1 << 16).enumerate() {
        let length = u32::try_from(block.len() - 1).expect("16 bits");
        let header = if at == 0 { length << 4 | 1 << 20 } else { length << 3 | 1 << 19 };
        out.extend_from_slice(&header.to_le_bytes()[..3]);
        out.extend_from_slice(block);
    }
    out.push(if out.is_empty() { 0b110 } else { 0b11 });
    out
}

/// One frame of raw blocks in a window of 128 KiB (RFC 8878 section 3.1.1).
fn zstd(body: &[u8]) -> Vec<u8> {
    let mut out = vec![0x28, 0xB5, 0x2F, 0xFD, 0, 7 << 3];
    for block in body.chunks(100_000) {
        let length = u32::try_from(block.len()).expect("17 bits");
        out.extend_from_slice(&(length << 3).to_le_bytes()[..3]);
        out.extend_from_slice(block);
    }
    out.extend_from_slice(&[1, 0, 0]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use sessio::coding::{BodyDecoder, Decoders};

    #[test]
    fn what_is_coded_here_is_undone() {
        for coding in CODINGS {
            for length in [0, 1, 65_536, 65_537, 300_000] {
                let body = text(length);
                let coded = coded(coding, &body);
                let decoding = BodyDecoder::of(&Decoders::default(), [coding.as_bytes()]).unwrap();
                let Some(mut decoding) = decoding else {
                    assert_eq!((coding, &coded), ("identity", &body));
                    continue;
                };
                let (mut rest, mut undone) = (&coded[..], Vec::new());
                loop {
                    let taken = decoding.push(rest).unwrap();
                    rest = &rest[taken..];
                    let made = decoding.ready().len();
                    undone.extend_from_slice(decoding.ready());
                    decoding.consume(made);
                    if taken + made == 0 {
                        break;
                    }
                }
                decoding.finish().unwrap();
                assert!(undone == body, "{coding} {length}");
            }
        }
        assert!(coded("gzip", &text(300_000)).len() > 100_000, "it does not shrink to nothing");
    }
}
