//! Content codings (rows V116, V117, P148, Q34, Q35, B52). Any cut decodes the same, a body that
//! was cut short is an error, and no body grows without bound.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use proptest::prelude::*;
use sessio::coding::{BodyDecoder, Decoder, Decoders, Malformed, Moved};
use sessio::{Kind, Result};

/// The text of the files in `coded/`.
fn text() -> Vec<u8> {
    (0..200).flat_map(|i: u32| format!("line {i} of some text, {}\n", i * i).into_bytes()).collect()
}

/// Decodes pieces of `cut` bytes. Returns the body and the largest piece that was ready at once.
fn decode(coding: &str, coded: &[u8], cut: usize) -> Result<(Vec<u8>, usize)> {
    let mut decoding = BodyDecoder::of(&Decoders::default(), [coding.as_bytes()])?.unwrap();
    let (mut body, mut largest) = (Vec::new(), 0);
    for mut piece in coded.chunks(cut) {
        loop {
            let taken = decoding.push(piece)?;
            piece = &piece[taken..];
            let ready = decoding.ready();
            largest = largest.max(ready.len());
            body.extend_from_slice(ready);
            let n = ready.len();
            decoding.consume(n);
            if n == 0 && piece.is_empty() {
                break;
            }
            assert!(n > 0 || taken > 0, "no progress");
        }
    }
    decoding.finish()?;
    Ok((body, largest))
}

fn fails(coding: &str, coded: &[u8]) -> Kind {
    [1, 7, usize::MAX]
        .map(|cut| decode(coding, coded, cut).unwrap_err().kind())
        .into_iter()
        .reduce(|one, other| {
            assert_eq!(one, other, "{coding}");
            one
        })
        .unwrap()
}

#[cfg(feature = "gzip")]
mod gzip {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    pub(super) fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    pub(super) fn zlib(body: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    /// Four events, each flushed, and the end.
    pub(super) fn flushed<W: Write + Parts>(new: impl Fn(Vec<u8>, Compression) -> W) -> Vec<Vec<u8>> {
        let mut encoder = new(Vec::new(), Compression::default());
        let mut parts = Vec::new();
        for i in 0..4 {
            encoder.write_all(format!("data: {i}\n\n").repeat(3).as_bytes()).unwrap();
            encoder.flush().unwrap();
            parts.push(std::mem::take(encoder.made()));
        }
        encoder.end();
        parts.push(std::mem::take(encoder.made()));
        parts
    }

    /// The interface that the three encoders share.
    pub(super) trait Parts {
        fn made(&mut self) -> &mut Vec<u8>;
        fn end(&mut self);
    }

    macro_rules! parts {
        ($($encoder:ident)*) => {$(
            impl Parts for $encoder<Vec<u8>> {
                fn made(&mut self) -> &mut Vec<u8> {
                    self.get_mut()
                }
                fn end(&mut self) {
                    self.try_finish().unwrap();
                }
            }
        )*};
    }
    parts!(GzEncoder ZlibEncoder DeflateEncoder);

    pub(super) fn raw(body: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }
}

/// Every coding that is compiled in, with a coded body of [`text`].
#[allow(unused_mut, reason = "nothing may be compiled in")]
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut samples = Vec::new();
    #[cfg(feature = "gzip")]
    {
        samples.push(("gzip", gzip::gzip(&text())));
        samples.push(("X-GZip", gzip::gzip(&text())));
        samples.push(("deflate", gzip::zlib(&text())));
        samples.push(("deflate", gzip::raw(&text())));
    }
    #[cfg(feature = "brotli")]
    samples.push(("br", include_bytes!("coded/text.br").to_vec()));
    #[cfg(feature = "zstd")]
    samples.push(("zstd", include_bytes!("coded/text.zst").to_vec()));
    samples
}

#[test]
fn any_cut_decodes_the_same() {
    for (coding, coded) in samples() {
        for cut in (1..40).chain([coded.len() - 1, coded.len()]) {
            assert_eq!(decode(coding, &coded, cut).unwrap().0, text(), "{coding} {cut}");
        }
    }
}

#[test]
fn b52_what_was_cut_short_is_never_whole() {
    for (coding, coded) in samples() {
        for end in 1..coded.len() {
            let cut = decode(coding, &coded[..end], 1000);
            assert_eq!(cut.map_err(|error| error.kind()).unwrap_err(), Kind::BadCoding, "{coding} {end}");
        }
        // No bytes decode to no bytes: responses without a body often name a coding.
        assert_eq!(decode(coding, b"", 1).unwrap().0, b"");
    }
}

#[test]
fn what_comes_behind_the_end_is_none_of_the_body() {
    for (coding, mut coded) in samples().into_iter().filter(|(coding, _)| *coding != "zstd") {
        coded.extend_from_slice(&[0; 100]);
        assert_eq!(decode(coding, &coded, 9).unwrap().0, text(), "{coding}");
    }
}

#[cfg(feature = "gzip")]
#[test]
fn gzip_members_one_behind_another() {
    let two = [gzip::gzip(b"one "), gzip::gzip(b""), gzip::gzip(b"two")].concat();
    for cut in 1..two.len() {
        assert_eq!(decode("gzip", &two, cut).unwrap().0, b"one two", "{cut}");
    }
    assert_eq!(fails("gzip", &two[..two.len() - 1]), Kind::BadCoding);
}

#[cfg(feature = "gzip")]
#[test]
fn gzip_heads_with_everything_in_them() {
    let plain = gzip::gzip(b"hello");
    for flags in 0..32u8 {
        let mut member = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255];
        if flags & 4 != 0 {
            member.extend_from_slice(b"\x03\x00abc");
        }
        for (flag, text) in [(8, &b"name.txt\0"[..]), (16, b"a comment\0"), (2, b"\x12\x34")] {
            if flags & flag != 0 {
                member.extend_from_slice(text);
            }
        }
        member.extend_from_slice(&plain[10..]);
        for cut in 1..member.len() {
            assert_eq!(decode("gzip", &member, cut).unwrap().0, b"hello", "{flags} {cut}");
        }
        for end in 1..member.len() {
            assert!(decode("gzip", &member[..end], 100).is_err(), "{flags} {end}");
        }
    }
    // An extra field of no bytes.
    let empty = [&[0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 0, 0], &plain[10..]].concat();
    assert_eq!(decode("gzip", &empty, 1).unwrap().0, b"hello");
    // Undefined flags, data that is not gzip, and an undefined method.
    for bad in [&[0x1f, 0x8b, 8, 0x20][..], b"<html>", &[0x1f, 0x8b, 7]] {
        assert_eq!(fails("gzip", bad), Kind::BadCoding);
    }
}

#[test]
fn checksums_are_looked_at() {
    for (coding, coded) in samples() {
        let has_checksum = !matches!((coding, coded.first()), ("br", _)) && coded != raw_of_text();
        for at in coded.len() - 4..coded.len() {
            let mut wrong = coded.clone();
            wrong[at] ^= 0x40;
            if has_checksum {
                assert_eq!(fails(coding, &wrong), Kind::BadCoding, "{coding} {at}");
            }
        }
    }
}

#[cfg(feature = "gzip")]
fn raw_of_text() -> Vec<u8> {
    gzip::raw(&text())
}
#[cfg(not(feature = "gzip"))]
fn raw_of_text() -> Vec<u8> {
    Vec::new()
}

#[cfg(feature = "gzip")]
#[test]
fn v116_codings_are_undone_in_the_order_in_which_they_were_not_applied() {
    let coded = gzip::gzip(&gzip::zlib(&gzip::raw(b"onion")));
    for lines in [&[&b"deflate, deflate, gzip"[..]][..], &[b"deflate", b" deflate ,identity", b",GZIP"]] {
        let mut decoding = BodyDecoder::of(&Decoders::default(), lines.iter().copied()).unwrap().unwrap();
        let mut body = Vec::new();
        for mut piece in coded.chunks(3) {
            while !piece.is_empty() {
                piece = &piece[decoding.push(piece).unwrap()..];
                body.extend_from_slice(decoding.ready());
                decoding.consume(usize::MAX);
            }
        }
        decoding.finish().unwrap();
        assert_eq!(body, b"onion");
    }
    let many = |count| BodyDecoder::of(&Decoders::default(), vec![&b"gzip"[..]; count]);
    assert!(many(5).is_ok());
    assert_eq!(many(6).unwrap_err().kind(), Kind::TooManyCodings);
}

/// Decodes a body up to its error. Returns the output before it.
#[cfg(feature = "gzip")]
fn decode_to_error(coding: &str, coded: &[u8], cut: usize) -> (Vec<u8>, Kind) {
    let mut decoding = BodyDecoder::of(&Decoders::default(), [coding.as_bytes()]).unwrap().unwrap();
    let mut body = Vec::new();
    for mut piece in coded.chunks(cut) {
        loop {
            let taken = match decoding.push(piece) {
                Ok(taken) => taken,
                Err(error) => {
                    assert_eq!(decoding.push(piece).unwrap_err().kind(), error.kind(), "it stays an error");
                    assert_eq!(decoding.finish().unwrap_err().kind(), error.kind());
                    return (body, error.kind());
                }
            };
            piece = &piece[taken..];
            let n = decoding.ready().len();
            body.extend_from_slice(decoding.ready());
            decoding.consume(n);
            if n == 0 && piece.is_empty() {
                break;
            }
        }
    }
    panic!("{coding} {cut}: it is whole");
}

#[cfg(feature = "gzip")]
#[test]
fn b52_what_came_before_an_error_is_given_out_however_it_is_cut() {
    let text = text();
    let wrong_sum = |mut member: Vec<u8>| {
        let at = member.len() - 8;
        member[at] ^= 1;
        member
    };
    // A stored block, then an undefined kind of block.
    let mut broken = vec![1, 0, 0, 0xff, 0xff];
    broken.splice(..0, [&[0, 5, 0, 0xfa, 0xff][..], b"hello"].concat());
    broken[10] = 6;
    for (coding, coded, expected) in [
        ("gzip", wrong_sum(gzip::gzip(&text)), &text[..]),
        ("gzip", [gzip::gzip(&text), b"\x1f<html>".to_vec()].concat(), &text),
        ("deflate", broken.clone(), b"hello"),
        ("gzip, gzip", wrong_sum(gzip::gzip(&gzip::gzip(&text))), &text),
        ("gzip, gzip", gzip::gzip(&wrong_sum(gzip::gzip(&text))), &text),
        ("deflate, gzip", gzip::gzip(&broken), b"hello"),
        // Both are wrong. The decoder nearer to the reader reports first.
        ("deflate, gzip", wrong_sum(gzip::gzip(&broken)), b"hello"),
        ("gzip, deflate, gzip", wrong_sum(gzip::gzip(&gzip::zlib(&gzip::gzip(&text)))), &text),
    ] {
        for cut in (1..30).chain([usize::MAX]) {
            let (body, kind) = decode_to_error(coding, &coded, cut);
            assert_eq!(kind, Kind::BadCoding);
            assert!(body == expected, "{coding} {cut}: {} of {} bytes", body.len(), expected.len());
        }
    }
}

#[test]
fn p148_what_is_not_known_is_handed_out_as_it_comes() {
    for lines in [&[&b""[..]][..], &[b"identity"], &[b"foo"], &[b"gzip, foo"], &[b"foo", b"gzip"], &[b"\xff"]]
    {
        assert!(BodyDecoder::of(&Decoders::default(), lines.iter().copied()).unwrap().is_none());
    }
    assert!(BodyDecoder::of(&Decoders::none(), [&b"gzip"[..]]).unwrap().is_none());
}

#[cfg(feature = "gzip")]
#[test]
fn v117_a_bomb_comes_in_pieces_and_is_noticed() {
    let zeros = vec![0; 8 << 20];
    let bomb = gzip::gzip(&gzip::gzip(&zeros));
    let (body, largest) = decode("gzip, gzip", &bomb, usize::MAX).unwrap();
    assert!(body == zeros && largest <= 32 * 1024, "{largest}");
    let mut decoding = BodyDecoder::of(&Decoders::default(), [&b"gzip, gzip"[..]])
        .unwrap()
        .unwrap()
        .with_most_growth(Some(1100));
    let (mut rest, mut made) = (&bomb[..], 0);
    let error = loop {
        match decoding.push(rest) {
            Ok(taken) => rest = &rest[taken..],
            Err(error) => break error,
        }
        made += decoding.ready().len();
        decoding.consume(usize::MAX);
    };
    assert_eq!(error.kind(), Kind::CodingGrowth);
    assert!((1 << 20..2 << 20).contains(&made), "{made}");
    // gzip applied once never grows that much.
    let once = gzip::gzip(&zeros);
    let mut decoding =
        BodyDecoder::of(&Decoders::default(), [&b"gzip"[..]]).unwrap().unwrap().with_most_growth(Some(1100));
    let mut rest = &once[..];
    while !rest.is_empty() {
        rest = &rest[decoding.push(rest).unwrap()..];
        decoding.consume(usize::MAX);
    }
}

#[cfg(feature = "brotli")]
#[test]
fn v117_a_brotli_bomb_comes_in_pieces() {
    let (body, largest) = decode("br", include_bytes!("coded/bomb.br"), usize::MAX).unwrap();
    assert!(body.len() == 64 << 20 && largest <= 32 * 1024, "{largest}");
}

#[cfg(feature = "brotli")]
#[test]
fn q35_brotli_has_no_large_windows() {
    assert_eq!(fails("br", &[0x11, 0x1e, 0, 0, 0, 0, 0, 0]), Kind::BadCoding);
}

#[cfg(feature = "zstd")]
#[test]
fn q35_zstd_windows_end_at_8_mib() {
    assert_eq!(fails("zstd", include_bytes!("coded/window.zst")), Kind::BadCoding);
}

#[cfg(feature = "zstd")]
#[test]
fn zstd_frames_one_behind_another_with_frames_for_others_between() {
    let frame = include_bytes!("coded/text.zst");
    let skipped = b"\x5a\x2a\x4d\x18\x03\x00\x00\x00abc";
    let all = [&skipped[..], frame, skipped, frame, b"\x50\x2a\x4d\x18\x00\x00\x00\x00"].concat();
    for cut in 1..50 {
        assert_eq!(decode("zstd", &all, cut).unwrap().0, [text(), text()].concat(), "{cut}");
    }
    assert_eq!(fails("zstd", &[&frame[..], &[0; 9]].concat()), Kind::BadCoding);
}

/// Each event was flushed by its server. It is read before later bytes are received.
#[test]
fn what_was_flushed_is_out_when_it_has_come() {
    #[allow(unused_mut, reason = "nothing may be compiled in")]
    let mut streams: Vec<(&str, Vec<Vec<u8>>)> = Vec::new();
    #[cfg(feature = "gzip")]
    {
        streams.push(("gzip", gzip::flushed(flate2::write::GzEncoder::new)));
        streams.push(("deflate", gzip::flushed(flate2::write::ZlibEncoder::new)));
        streams.push(("deflate", gzip::flushed(flate2::write::DeflateEncoder::new)));
    }
    let cut = |bytes: &[u8], lengths: [usize; 5]| {
        let mut rest = bytes;
        lengths.map(|n| rest.split_off(..n).unwrap().to_vec()).to_vec()
    };
    #[cfg(feature = "brotli")]
    streams.push(("br", cut(include_bytes!("coded/flushed.br"), [26, 12, 12, 12, 1])));
    // Its window is 8 MiB, and it has a checksum.
    #[cfg(feature = "zstd")]
    streams.push(("zstd", cut(include_bytes!("coded/flushed.zst"), [24, 12, 12, 12, 7])));
    let _ = cut;
    for (coding, pieces) in streams {
        for size in [1, 5, usize::MAX] {
            let mut decoding = BodyDecoder::of(&Decoders::default(), [coding.as_bytes()]).unwrap().unwrap();
            for (i, piece) in pieces.iter().enumerate() {
                let mut seen = Vec::new();
                for mut bytes in piece.chunks(size) {
                    loop {
                        bytes = &bytes[decoding.push(bytes).unwrap()..];
                        seen.extend_from_slice(decoding.ready());
                        let n = decoding.ready().len();
                        decoding.consume(n);
                        if bytes.is_empty() && n == 0 {
                            break;
                        }
                    }
                }
                let event = if i < 4 { format!("data: {i}\n\n").repeat(3) } else { String::new() };
                assert_eq!(String::from_utf8(seen).unwrap(), event, "{coding}, event {i}, {size} at once");
            }
            decoding.finish().unwrap();
        }
    }
}

/// Noise, repeated many times, each time nearly a window apart.
#[cfg(feature = "zstd")]
#[test]
fn zstd_finds_what_is_far_back_however_much_has_gone_by() {
    let mut state = 1_u64;
    let mut period = vec![0; 100_000];
    for bytes in period[..1000].chunks_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.copy_from_slice(&state.to_le_bytes());
    }
    for cut in [1, 1000, usize::MAX] {
        let (body, largest) = decode("zstd", include_bytes!("coded/far.zst"), cut).unwrap();
        assert!(body == period.repeat(20) && largest <= 32 * 1024, "{cut}");
    }
}

/// A frame with this head and these blocks.
#[cfg(feature = "zstd")]
fn frame(head: &[u8], blocks: &[&[u8]]) -> Vec<u8> {
    [b"\x28\xb5\x2f\xfd", head, &blocks.concat()].concat()
}

#[cfg(feature = "zstd")]
#[test]
fn zstd_frames_are_as_long_as_they_say() {
    // Blocks that are not compressed: the size, the kind and whether it is the last make three bytes.
    let (abc, last, none) = (b"\x18\0\0abc", b"\x19\0\0def", b"\x01\0\0");
    for (head, blocks, body) in [
        // A window, and nothing of the length.
        (&b"\x00\x00"[..], &[&abc[..], last][..], Some("abcdef")),
        (b"\x00\x00", &[none], Some("")),
        // The length is the window.
        (b"\x20\x06", &[abc, last], Some("abcdef")),
        (b"\x20\x06", &[abc, b"\x18\0\0def", none], Some("abcdef")),
        (b"\x20\x00", &[none], Some("")),
        (b"\x20\x07", &[abc, last], None),
        (b"\x20\x05", &[abc, last], None),
        (b"\x20\x00", &[abc, none], None),
        (b"\x20\x06", &[abc, none], None),
        // A window, and the length in 4 and 8 bytes.
        (b"\x80\x00\x06\0\0\0", &[abc, last], Some("abcdef")),
        (b"\x80\x00\x06\0\0\x01", &[abc, last], None),
        (b"\xc0\x00\x06\0\0\0\0\0\0\0", &[abc, last], Some("abcdef")),
        (b"\xc0\x00\xff\xff\xff\xff\xff\xff\xff\xff", &[abc, last], None),
        // A dictionary of no number is none; any other is not known.
        (b"\x01\x00\x00", &[abc, last], Some("abcdef")),
        (b"\x01\x00\x01", &[abc, last], None),
        // A flag that is not known, and one that means nothing.
        (b"\x08\x00", &[abc, last], None),
        (b"\x10\x00", &[abc, last], Some("abcdef")),
        // An undefined kind of block.
        (b"\x00\x00", &[b"\x07\0\0", none], None),
        // A block of one letter, of 1024 as the window allows and one more.
        (b"\x00\x00", &[b"\x03\x20\0x"], Some(&"x".repeat(1024))),
        (b"\x00\x00", &[b"\x0b\x20\0x"], None),
        // The same of literals: so many of one letter, and no sequences.
        (b"\x00\x00", &[b"\x25\0\0\x05\x40x\0"], Some(&"x".repeat(1024))),
        (b"\x00\x00", &[b"\x25\0\0\x15\x40x\0"], None),
        (b"\x20\x00", &[b"\x24\0\0\x05\x40x\0", none], None),
    ] {
        let coded = frame(head, blocks);
        match body {
            Some(body) => {
                for cut in [1, 2, usize::MAX] {
                    assert_eq!(decode("zstd", &coded, cut).unwrap().0, body.as_bytes(), "{coded:x?}");
                }
                for end in 1..coded.len() {
                    assert_eq!(fails("zstd", &coded[..end]), Kind::BadCoding, "{coded:x?} up to {end}");
                }
            }
            None => assert_eq!(fails("zstd", &coded), Kind::BadCoding, "{coded:x?}"),
        }
    }
}

/// A block of one repeated byte has four bytes for 128 KiB.
#[cfg(feature = "zstd")]
#[test]
fn v117_a_zstd_bomb_comes_in_pieces() {
    // A window of 1 MiB, blocks of zeros.
    let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x50];
    let block = ((128 << 10) << 3 | 1 << 1) as u32;
    for _ in 0..256 {
        bomb.extend_from_slice(&block.to_le_bytes()[..3]);
        bomb.push(0);
    }
    bomb.extend_from_slice(&[1, 0, 0]);
    let (body, largest) = decode("zstd", &bomb, usize::MAX).unwrap();
    assert!(body.len() == 32 << 20 && largest <= 32 * 1024, "{} {largest}", body.len());
}

#[test]
fn a_coding_of_the_users_own_and_one_in_place_of_ours() {
    struct Twice;
    impl Decoder for Twice {
        fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Moved, Malformed> {
            match (input, output) {
                ([byte, ..], [one, two, ..]) => {
                    (*one, *two) = (*byte, *byte);
                    Ok(Moved { taken: 1, made: 2 })
                }
                _ => Ok(Moved::default()),
            }
        }
        fn is_complete(&self) -> bool {
            true
        }
    }
    let mut codings = Decoders::default();
    codings.insert("GZIP", || Box::new(Twice));
    assert_eq!(codings.names().filter(|name| name.eq_ignore_ascii_case("gzip")).count(), 1);
    let mut decoding = BodyDecoder::of(&codings, [&b"gzip"[..]]).unwrap().unwrap();
    assert_eq!(decoding.push(b"ab").unwrap(), 1);
    assert_eq!(decoding.ready(), b"aa");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Any input: no panic, no endless loop, pieces of bounded size.
    #[test]
    fn g15_anything_may_come(
        body in prop::collection::vec(any::<u8>(), 0..400), cut in 1usize..50, which in 0usize..8,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let samples = samples();
        let Some((coding, coded)) = samples.get(which) else { return Ok(()) };
        let _ = decode(coding, &body, cut);
        let mut damaged = coded.clone();
        for (at, mask) in flips {
            let at = at.index(damaged.len());
            damaged[at] ^= mask;
        }
        if let Ok((_, largest)) = decode(coding, &damaged, cut) {
            prop_assert!(largest <= 32 * 1024);
        }
    }
}

/// Bodies that are coded in pieces of any size, into rooms of any size.
#[cfg(feature = "gzip")]
mod encoding {
    use std::io::Read as _;

    use flate2::read::{GzDecoder, ZlibDecoder};
    use sessio::Kind;
    use sessio::coding::{BodyEncoder, ContentCoding};

    const BLOCK: usize = 16 << 10;

    /// Half of it is noise, so that it stays long.
    fn body(length: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let mut noise = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        };
        let mut body: Vec<u8> = (0..length.div_ceil(16)).flat_map(|_| [noise(), [7; 8]].concat()).collect();
        body.truncate(length);
        body
    }

    /// Encodes the body in pieces. `ends_late` reports the end by an empty piece of its own.
    fn encode(
        encoding: &mut BodyEncoder,
        body: &[u8],
        piece: usize,
        room: usize,
        ends_late: bool,
    ) -> Vec<u8> {
        let (mut coded, mut room) = (Vec::new(), vec![0; room]);
        let mut pieces: Vec<&[u8]> = body.chunks(piece).collect();
        if ends_late || pieces.is_empty() {
            pieces.push(&[]);
        }
        let last = pieces.len() - 1;
        for (at, mut piece) in pieces.into_iter().enumerate() {
            loop {
                assert!(!encoding.is_over(), "over before the last piece");
                let moved = encoding.encode(piece, at == last, &mut room).unwrap();
                piece = &piece[moved.taken..];
                coded.extend_from_slice(&room[..moved.made]);
                if if at == last { encoding.is_over() } else { piece.is_empty() && moved.made < room.len() } {
                    break;
                }
                assert!(moved.taken > 0 || moved.made > 0, "no progress");
            }
        }
        let moved = encoding.encode(&[], true, &mut room).unwrap();
        assert_eq!((moved.taken, moved.made), (0, 0), "bytes after the end");
        coded
    }

    fn decode(coding: ContentCoding, coded: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        match coding {
            ContentCoding::Gzip => GzDecoder::new(coded).read_to_end(&mut body),
            _ => ZlibDecoder::new(coded).read_to_end(&mut body),
        }
        .unwrap();
        body
    }

    #[test]
    fn a_coded_body_is_the_same_in_any_pieces_and_rooms() {
        for coding in [ContentCoding::Gzip, ContentCoding::Deflate] {
            for length in [0, 1, 500, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 50_000] {
                let body = body(length);
                let mut encoding = BodyEncoder::new(coding, None);
                let whole = encode(&mut encoding, &body, usize::MAX, 100_000, false);
                assert!(decode(coding, &whole) == body, "{coding:?} {length}");
                for (piece, room) in [
                    (usize::MAX, 1),
                    (1, 1000),
                    (7, 5),
                    (1000, 3),
                    (BLOCK, BLOCK),
                    (BLOCK + 1, 100),
                    (usize::MAX, 11),
                ] {
                    for ends_late in [false, true] {
                        // Rewinding drops the bytes that it holds.
                        encoding.rewind();
                        encoding.encode(&body[..length / 2], false, &mut [0; 5]).unwrap();
                        encoding.rewind();
                        assert!(!encoding.is_over());
                        let coded = encode(&mut encoding, &body, piece, room, ends_late);
                        assert!(coded == whole, "{coding:?} {length} {piece} {room} {ends_late}");
                    }
                }
            }
        }
    }

    #[test]
    fn p32_a_coded_body_has_the_length_that_was_declared() {
        let kind = |encoding: &mut BodyEncoder, input: &[u8], is_last| {
            encoding
                .encode(input, is_last, &mut [0; 100])
                .map(|moved| moved.taken)
                .map_err(|error| error.kind())
        };
        for coding in [ContentCoding::Gzip, ContentCoding::Deflate] {
            let mut encoding = BodyEncoder::new(coding, Some(10));
            assert_eq!(kind(&mut encoding, b"hello", false), Ok(5));
            assert_eq!(kind(&mut encoding, b"hi", true), Err(Kind::BodyLength), "shorter");
            assert_eq!(kind(&mut encoding, b"worlds", false), Err(Kind::BodyLength), "longer");
            assert_eq!(kind(&mut encoding, b"world", true), Ok(5));
            encoding.rewind();
            assert_eq!(kind(&mut encoding, b"helloworld", false), Ok(10));
            assert_eq!(kind(&mut encoding, b"!", true), Err(Kind::BodyLength));
            assert_eq!(kind(&mut encoding, b"", true), Ok(0));
            assert_eq!(BodyEncoder::new(coding, None).encode(b"x", true, &mut [0; 100]).unwrap().taken, 1);
        }
    }
}

#[test]
fn decoded_bytes_are_counted() {
    for (coding, coded) in samples() {
        let mut decoding = BodyDecoder::of(&Decoders::default(), [coding.as_bytes()]).unwrap().unwrap();
        assert_eq!(decoding.made(), 0);
        let (mut rest, mut made) = (&coded[..], 0);
        loop {
            let taken = decoding.push(rest).unwrap();
            rest = &rest[taken..];
            let n = decoding.ready().len();
            made += n as u64;
            assert_eq!(decoding.made(), made, "{coding}");
            decoding.consume(n);
            if taken + n == 0 {
                break;
            }
        }
        assert_eq!(decoding.made(), text().len() as u64);
    }
}

#[cfg(feature = "gzip")]
#[test]
fn v117_a_body_grows_up_to_its_limit_and_no_further() {
    // 2 MiB of zeros, coded as 2 kB: a ratio of a thousand and some.
    let coded = gzip::gzip(&vec![0; 2 << 20]);
    let ratio = (2 << 20) as u32 / coded.len() as u32;
    let decode = |times| {
        let decoding = BodyDecoder::of(&Decoders::default(), [&b"gzip"[..]]).unwrap().unwrap();
        let mut decoding = decoding.with_most_growth(Some(times));
        let mut rest = &coded[..];
        while !rest.is_empty() {
            rest = &rest[decoding.push(rest)?..];
            decoding.consume(usize::MAX);
        }
        Ok::<_, sessio::Fault>(())
    };
    decode(ratio + 100).unwrap();
    assert_eq!(decode(ratio / 2).unwrap_err().kind(), Kind::CodingGrowth);
}
