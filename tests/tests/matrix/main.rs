//! Bodies and complete calls over every carrier and on every backend.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests say what went wrong by where they stop")]

mod bodies;
mod calls;
mod coded;
mod peer;
