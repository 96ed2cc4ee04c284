#![no_main]

#[allow(dead_code, unused_imports, reason = "a target runs one of the bodies")]
#[path = "../../tests/fuzz_bodies/mod.rs"]
mod fuzz_bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_bodies::jar_script(data));
