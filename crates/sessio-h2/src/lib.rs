//! HTTP/2 for clients as a function of bytes: no IO, no clock, no runtime, no dependencies.
//!
//! - [`hpack`] is header compression (RFC 7541).
//! - [`frame`] reads and writes frames (RFC 9113 sections 4 and 6).
#![forbid(unsafe_code)]

mod error_code;
pub mod frame;
pub mod hpack;

pub use error_code::ErrorCode;
