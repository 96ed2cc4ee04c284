//! One session and a crowd: 64 tasks, or 16 threads. No update is lost, nobody waits for ever, and the limits of
//! the pool hold.
//!
//! It is run under ThreadSanitizer too: CONTRIBUTING.md says how.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod crowd;
mod line;
mod visits;
