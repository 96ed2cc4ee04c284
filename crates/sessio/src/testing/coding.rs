//! Fuzz body for content codings: any cut of a coded body decodes, or fails, as the whole does.

use crate::base::kind::Kind;
use crate::message::coding::{BodyDecoder, Decoders};

/// The factor by which a body may grow, beyond a mebibyte.
const GROWTH: u32 = 1100;

/// Decodes pieces of `cut` bytes. Returns the output and the outcome.
fn decode(names: &str, coded: &[u8], cut: usize) -> (Vec<u8>, Result<(), Kind>) {
    let decoding = BodyDecoder::of(&Decoders::default(), [names.as_bytes()]).expect("few codings");
    let Some(decoding) = decoding else { return (coded.to_vec(), Ok(())) };
    let mut decoding = decoding.with_most_growth(Some(GROWTH));
    let mut body = Vec::new();
    for mut piece in coded.chunks(cut) {
        loop {
            let taken = match decoding.push(piece) {
                Ok(taken) => taken,
                Err(error) => return (body, Err(error.kind())),
            };
            piece = &piece[taken..];
            let n = decoding.ready().len();
            assert!(n <= 32 * 1024, "a step is bounded");
            body.extend_from_slice(decoding.ready());
            decoding.consume(n);
            if n == 0 && piece.is_empty() {
                break;
            }
            assert!(n > 0 || taken > 0, "it stands still");
        }
    }
    (body, decoding.finish().map_err(|error| error.kind()))
}

/// Decodes in pieces and as a whole, and checks that the results agree.
fn agree(names: &str, coded: &[u8], cut: usize) -> (Vec<u8>, Result<(), Kind>) {
    let (whole, end) = decode(names, coded, usize::MAX);
    let (body, other) = decode(names, coded, cut);
    let most = (1 << 20) + 64 * 1024 + u64::from(GROWTH) * coded.len() as u64;
    assert!(whole.len() as u64 <= most && body.len() as u64 <= most, "beyond the guard");
    let is_guarded = [end, other].contains(&Err(Kind::CodingGrowth));
    if !is_guarded {
        assert_eq!(end, other, "{names}, {cut}");
    }
    if end.is_ok() && other.is_ok() {
        assert!(whole == body, "{names}, {cut}");
    }
    // Before an error a decoder may hold some bytes back.
    assert!(whole.starts_with(&body) || body.starts_with(&whole), "{names}, {cut}");
    (whole, end)
}

/// Draws decoders, damage and cuts from the first bytes. The others are the body.
pub fn coding(data: &[u8]) {
    let Some((&[cut, plan, stack, at], rest)) = data.split_first_chunk() else { return };
    let cut = usize::from(cut).max(1);
    let (mode, depth) = (plan % 4, plan / 4 % 3 + 1);
    let codings = Decoders::default();
    let known: Vec<&str> = codings.names().collect();
    if mode == 0 || !cfg!(feature = "gzip") {
        let mut stack = usize::from(stack);
        let mut names = Vec::new();
        for _ in 0..depth {
            names.extend(known.get(stack % known.len().max(1)).copied());
            stack /= known.len().max(1);
        }
        let (body, end) = agree(&names.join(", "), rest, cut);
        assert!(!rest.is_empty() || (body.is_empty() && end.is_ok()), "nothing is the coding of nothing");
        return;
    }
    #[cfg(feature = "gzip")]
    coded::coding(mode, (depth, stack), (cut, at), rest);
    #[cfg(not(feature = "gzip"))]
    let _ = at;
}

#[cfg(feature = "gzip")]
mod coded {
    use std::io::Read as _;

    use super::agree;
    use crate::base::kind::Kind;
    use crate::message::coding::{BodyEncoder, ContentCoding};

    /// Encodes a body in pieces, into a small buffer.
    fn encode(coding: ContentCoding, body: &[u8], cut: usize) -> Vec<u8> {
        let mut encoding = BodyEncoder::new(coding, Some(body.len() as u64));
        let mut coded = Vec::new();
        // Twice, because a repeated body has to be the same.
        for _ in 0..2 {
            let first = std::mem::take(&mut coded);
            let mut room = vec![0; cut];
            for (mut piece, is_last) in body.chunks(cut).map(|piece| (piece, false)).chain([(&[][..], true)])
            {
                loop {
                    let moved = encoding.encode(piece, is_last, &mut room).expect("its length");
                    piece = &piece[moved.taken..];
                    coded.extend_from_slice(&room[..moved.made]);
                    if moved.made == 0 && piece.is_empty() {
                        break;
                    }
                    assert!(moved.made > 0 || moved.taken > 0, "it stands still");
                }
            }
            assert!(encoding.is_over());
            assert!(first.is_empty() || first == coded);
            encoding.rewind();
        }
        coded
    }

    /// A coded body decodes to the original, here and with other decoders. A damaged one does not.
    pub(super) fn coding(mode: u8, (depth, stack): (u8, u8), (cut, at): (usize, u8), body: &[u8]) {
        let (mut coded, mut names) = (body.to_vec(), Vec::new());
        for layer in 0..depth {
            let coding = if stack >> layer & 1 == 0 { ContentCoding::Gzip } else { ContentCoding::Deflate };
            let outer = encode(coding, &coded, cut);
            let inner = std::mem::replace(&mut coded, outer);
            let mut other = Vec::new();
            match coding {
                ContentCoding::Gzip => flate2::read::MultiGzDecoder::new(&coded[..]).read_to_end(&mut other),
                ContentCoding::Deflate => flate2::read::ZlibDecoder::new(&coded[..]).read_to_end(&mut other),
            }
            .expect("others undo it");
            assert!(other == inner, "others undo it to something else");
            assert!(coding.applied(&inner) == coded, "it depends on how the body was cut");
            assert!(coded.len() <= inner.len() + inner.len() / 1000 + 64);
            names.push(coding.name());
        }
        let names = names.join(", ");
        let at = usize::from(at) * coded.len() / 256;
        match mode {
            1 => {
                let (whole, end) = agree(&names, &coded, cut);
                assert!(whole == body && end.is_ok(), "{names}");
            }
            2 => {
                coded[at] ^= 1 << (stack >> 5);
                let (whole, end) = agree(&names, &coded, cut);
                // Bits of a head without a meaning may have any value. Damage to the head of zlib
                // can turn the data into a raw stream, which has no checksum.
                assert!(end.is_err() || whole == body || names.contains("deflate"), "{names}");
            }
            _ => {
                coded.truncate(at);
                let (_, end) = agree(&names, &coded, cut);
                assert_eq!(end, if at == 0 { Ok(()) } else { Err(Kind::BadCoding) }, "{names}");
            }
        }
    }
}
