//! One session used by 64 tasks or 16 threads. No update is lost, no call waits forever, and the
//! limits of the pool hold.
//!
//! It also runs under ThreadSanitizer, as CONTRIBUTING.md describes.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod crowd;
mod queue;
mod renewals;
mod visits;
