//! The core as a filter of JSON lines.
fn main() {}
