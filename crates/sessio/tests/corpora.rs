//! The bodies of the fuzz targets over the seeds in git.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files, and fails where it cannot"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sessio::testing::{call, coding, multipart, pem, proxy, reading, response};

type Target = fn(&[u8]);

/// The targets of this crate.
const TARGETS: [(&str, Target); 11] = [
    ("call", call::call),
    ("coding", coding::coding),
    ("h1", response::h1),
    ("lines", reading::lines),
    ("link", reading::link),
    ("multipart", multipart::multipart),
    ("netrc", proxy::netrc),
    ("no_proxy", proxy::no_proxy),
    ("pem", pem::pem),
    ("sse", reading::sse),
    ("tunnel", proxy::tunnel),
];

/// How many seeds of a target are in git.
const SEEDS: std::ops::RangeInclusive<usize> = 10..=30;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(fuzz().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn every_target_holds_over_its_seeds() {
    for (name, target) in TARGETS {
        let mut count = 0;
        for file in fs::read_dir(fuzz().join("corpus").join(name)).unwrap() {
            target(&fs::read(file.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(SEEDS.contains(&count), "{name} has {count} seeds");
    }
}

#[test]
fn every_target_has_seeds_and_a_test() {
    let targets = names("fuzz_targets");
    assert_eq!(targets, names("corpus"));
    // The testkit replays those of HTTP/2.
    let (of_http_2, ours): (BTreeSet<_>, BTreeSet<_>) =
        targets.into_iter().partition(|name| name.starts_with("h2_"));
    assert_eq!(ours, TARGETS.map(|(name, _)| name.to_owned()).into());
    assert_eq!(of_http_2.len(), 3);
}
