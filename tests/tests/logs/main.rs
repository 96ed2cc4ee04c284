//! The records of sessions for the crates `log` and `tracing`, by receivers of these tests (story
//! S21).
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests say what went wrong by where they stop")]

mod lines;
mod receiver;
mod secrets;
mod spans;
