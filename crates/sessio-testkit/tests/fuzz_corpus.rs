//! Runs the bodies of the fuzz targets for HTTP/2 with their corpora, and with noise.
#![forbid(unsafe_code)]

#[path = "fuzz_bodies/connection.rs"]
mod connection;
#[path = "fuzz_bodies/frames.rs"]
mod frames;
#[path = "fuzz_bodies/hpack.rs"]
mod hpack;

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 3] =
    [("h2_hpack", hpack::hpack), ("h2_frames", frames::frames), ("h2_connection", connection::connection)];

#[test]
fn corpora() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, target) in TARGETS {
        let files = std::fs::read_dir(folder.join(name)).unwrap();
        let mut count = 0;
        for file in files {
            target(&std::fs::read(file.unwrap().path()).unwrap());
            count += 1;
        }
        assert!((1..=30).contains(&count), "{name} has {count} seeds");
    }
}

/// Noise from a generator with a fixed seed satisfies the properties too.
#[test]
fn noise() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for (_, target) in TARGETS {
        for _ in 0..300 {
            let length = next() % 300;
            let mut data: Vec<u8> = (0..length).map(|_| (next() >> 24) as u8).collect();
            // Small numbers select the usual choices.
            data.iter_mut().skip(1).for_each(|byte| *byte >>= next() % 6);
            target(&data);
        }
    }
}
