//! One exchange up and down: bodies that wait for a word, bodies that go both ways at once, and what is told of them.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests say what went wrong by where they stop")]

mod continues;
mod duplex;
mod memory;
mod progress;
mod timings;
