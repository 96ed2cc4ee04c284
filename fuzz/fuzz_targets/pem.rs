#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sessio::testing::pem::pem(data));
