//! One exchange in both directions: bodies that wait for a 100, bodies in both directions at once,
//! progress and timings.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests say what went wrong by where they stop")]

mod continues;
mod duplex;
mod memory;
mod progress;
mod timings;
