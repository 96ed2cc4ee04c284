//! Laws of content codings, over random input.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use proptest::prelude::*;
use sessio::testing::coding::coding;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn b52_v116_any_cut_of_any_stack_is_the_whole(
        plan in any::<[u8; 4]>(), parts in prop::collection::vec(prop::sample::select(&["a", "bc", "\0", "abcabcabc", "\x1f"]), 0..300),
    ) {
        coding(&[&plan[..], parts.concat().as_bytes()].concat());
    }

    #[test]
    fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..400)) {
        coding(&data);
    }
}

/// Bodies of several blocks, in pieces and with buffers of any size. A file that is read twice
/// comes in other pieces, but the coded body is the same.
#[cfg(feature = "gzip")]
mod cuts {
    use proptest::prelude::*;
    use sessio::coding::{BodyEncoder, ContentCoding};

    /// A body coded with pieces and buffers whose sizes take turns.
    fn coded(coding: ContentCoding, body: &[u8], pieces: &[usize], rooms: &[usize]) -> Vec<u8> {
        let (mut pieces, mut rooms) = (pieces.iter().cycle(), rooms.iter().cycle());
        let (mut encoding, mut coded) = (BodyEncoder::new(coding, Some(body.len() as u64)), Vec::new());
        let (mut rest, mut piece) = (body, &body[..0]);
        while !encoding.is_over() {
            if piece.is_empty() {
                (piece, rest) = rest.split_at(rest.len().min(*pieces.next().unwrap()));
            }
            let start = coded.len();
            coded.resize(start + rooms.next().unwrap(), 0);
            let is_last = rest.is_empty() && piece.is_empty();
            let moved = encoding.encode(piece, is_last, &mut coded[start..]).unwrap();
            piece = &piece[moved.taken..];
            coded.truncate(start + moved.made);
        }
        coded
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_coded_body_is_a_function_of_the_body(
            runs in prop::collection::vec((any::<u8>(), 1usize..9000, 1u8..40), 1..30),
            pieces in prop::collection::vec(1usize..40_000, 1..8), rooms in prop::collection::vec(1usize..20_000, 1..8),
        ) {
            // Stretches of steps in a circle: some repeat soon, others late.
            let body: Vec<u8> = runs
                .iter()
                .flat_map(|&(start, length, step)| (0..length).map(move |i| start ^ (i * i / usize::from(step)) as u8))
                .collect();
            for coding in [ContentCoding::Gzip, ContentCoding::Deflate] {
                let whole = coded(coding, &body, &[body.len()], &[body.len() + 100]);
                prop_assert!(coded(coding, &body, &pieces, &rooms) == whole);
            }
        }
    }
}
