#![no_main]

#[path = "../../crates/sessio-testkit/tests/fuzz_bodies/frames.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::frames(data));
