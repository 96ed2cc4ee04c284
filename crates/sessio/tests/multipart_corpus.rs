//! The fuzz body of forms of several parts: over the seeds of its target, and over noise.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files, and fails where it cannot"
)]

use sessio::Seed;
use sessio::testing::multipart::multipart;

#[test]
fn corpus() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/multipart");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        multipart(&std::fs::read(file.unwrap().path()).unwrap());
        count += 1;
    }
    assert!((11..=30).contains(&count), "{count} seeds");
}

#[test]
fn noise() {
    // Bytes that forms are made of come often: lengths, quotes, ends of lines, the beginning of a delimiter.
    const COMMON: &[u8] = b"\x01\x02\x03\x05\r\n--\"%ab;= \t\0";
    let mut seed = Seed::new(1);
    for _ in 0..20_000 {
        let count = seed.draw() % 120;
        let data: Vec<u8> = (0..count)
            .map(|_| match seed.draw() {
                draw if draw % 3 == 0 => draw.to_le_bytes()[7],
                draw => COMMON[(draw >> 32) as usize % COMMON.len()],
            })
            .collect();
        multipart(&data);
    }
}
