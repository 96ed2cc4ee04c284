//! The fuzz body of forms of several parts, over noise.

use sessio::Seed;
use sessio::testing::multipart::multipart;

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
