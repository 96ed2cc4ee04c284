//! Laws of lines, events and links, over random input.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use proptest::prelude::*;
use sessio::testing::reading::{lines, link, sse};

fn parts(parts: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let text = prop::collection::vec(prop::sample::select(parts), 0..30);
    (1..20_u8, text).prop_map(|(size, text)| [&[size][..], text.concat().as_bytes()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn b41_lines_are_those_of_the_whole(data in parts(&["\r", "\n", "\r\n", "a", "\u{e9}", "long, longer"])) {
        lines(&data);
    }

    #[test]
    fn events_are_those_of_the_whole(data in parts(&[
        "\r", "\n", "\r\n", "\n\n", "data", "data:", "data: x", "id: 1", "id:\0", "id", "event: e", "retry: 5", ":", " ", "\u{feff}", "\u{e9}",
    ])) {
        sse(&data);
    }

    #[test]
    fn b42_links_of_parts(data in parts(&[
        "<", ">", "<a>", "<b>; rel=x", ";", ",", "=", "\"", "\\", " ", "rel", "rel=\"a b\"", "title*=UTF-8''%e9", "anchor=c", "//[",
    ])) {
        link(&data[1..]);
    }

    #[test]
    fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..300)) {
        lines(&data);
        sse(&data);
        link(&data);
    }
}
