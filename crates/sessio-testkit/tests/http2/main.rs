//! `sessio_h2::Connection` against the scripted server, which checks it.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod endings;
mod flow;
mod streams;
mod talk;
