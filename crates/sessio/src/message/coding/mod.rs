//! Content codings, undone while the body comes in (RFC 9110 section 8.4), and applied while it goes out.
//!
//! A [`Decoder`] is one coding as a filter of bytes: it takes some, and makes some, never more than there is
//! room for. [`Decoding`] is what a `Content-Encoding` header names, up to five of them one behind another
//! (row V116), with a guard against bodies that grow out of all proportion.
//!
//! | feature | codings | made by |
//! |---|---|---|
//! | `gzip`, on by default | `gzip`, `x-gzip` (several members, checksums verified), `deflate` (zlib and raw) | `flate2`, in Rust |
//! | `brotli` | `br`, windows up to 16 MiB | `brotli-decompressor` |
//! | `zstd` | `zstd`, windows up to 8 MiB (RFC 9659), of which it holds up to two and a half | `ruzstd` |
//!
//! What a server has flushed is out when it has come, whichever the coding: events of a live stream wait for nothing.
//!
//! Requests can be coded as `gzip` and `deflate` ([`Encoding`]). Decoders of your own are added to
//! [`Settings::codings`](crate::Settings).
//!
//! ```
//! # #[cfg(feature = "gzip")] {
//! use sessio::coding::{Codings, Decoding};
//!
//! let coded = [31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 203, 72, 205, 201, 201, 7, 0, 134, 166, 16, 54, 5, 0, 0, 0];
//! let codings = Codings::default();
//! let mut decoding = Decoding::of(&codings, [&b"gzip"[..]])?.expect("it is compiled in");
//! let mut body = Vec::new();
//! for byte in &coded {
//!     assert_eq!(decoding.push(std::slice::from_ref(byte))?, 1);
//!     body.extend_from_slice(decoding.ready());
//!     decoding.consume(decoding.ready().len());
//! }
//! decoding.finish()?;
//! assert_eq!(body, b"hello");
//! # }
//! # Ok::<(), sessio::Error>(())
//! ```

#[cfg(feature = "brotli")]
mod brotli;
mod codings;
mod decoding;
#[cfg(feature = "gzip")]
mod deflate;
mod encoding;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "zstd")]
mod zstd;

use std::fmt;

pub use codings::Codings;
pub use decoding::Decoding;
pub use encoding::{Coding, Encoding};

/// One coding, to be undone as bytes come in.
pub trait Decoder: Send + Sync {
    /// Takes bytes from the start of `input` and writes to the start of `output`, which is not empty.
    ///
    /// It goes on until one of them is used up or the coded stream has ended, and so moves something unless
    /// it needs input that is not there. What it holds back it gives out when called again, with or without
    /// new input. Bytes behind the end of the stream are taken and dropped, or are [malformed](Malformed).
    ///
    /// # Errors
    /// What is wrong with the input.
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Moved, Malformed>;

    /// Whether the stream may end here: all of it has come, checksums and all, and was given out.
    fn is_complete(&self) -> bool;
}

/// What a step of a [`Decoder`] has moved, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "decoders of others make it")]
pub struct Moved {
    /// Taken from the input.
    pub taken: usize,
    /// Written to the output.
    pub made: usize,
}

/// What is wrong with a coded body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub std::borrow::Cow<'static, str>);

impl From<&'static str> for Malformed {
    fn from(what: &'static str) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}
