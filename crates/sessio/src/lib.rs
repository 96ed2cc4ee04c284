//! HTTP sessions as pure functions and small state machines. No IO.
#![forbid(unsafe_code)]

pub mod cookie;
mod now;

pub use now::{Now, Seed, UnixTime};
pub use url::Url;
