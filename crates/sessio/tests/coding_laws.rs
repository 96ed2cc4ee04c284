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

/// The corpus of the fuzz target, once more.
#[test]
#[allow(clippy::disallowed_methods, reason = "a test reads files")]
fn corpus() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/coding");
    let Ok(files) = std::fs::read_dir(folder) else {
        println!("skipped: coding");
        return;
    };
    for file in files {
        coding(&std::fs::read(file.unwrap().path()).unwrap());
    }
}
