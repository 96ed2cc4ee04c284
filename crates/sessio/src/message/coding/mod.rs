//! Content codings: decoding of a body while it arrives (RFC 9110 section 8.4), and encoding while
//! it is sent.
//!
//! A [`Decoder`] is one coding as a function of bytes. It takes input and writes output, never more
//! than there is room for. [`BodyDecoder`] applies the codings of a `Content-Encoding` field, up to
//! five in sequence (row V116). It limits the growth of a body.
//!
//! | feature | codings | made by |
//! |---|---|---|
//! | `gzip`, on by default | `gzip`, `x-gzip` (several members, checksums verified), `deflate` (zlib and raw) | `flate2`, in Rust |
//! | `brotli` | `br`, windows up to 16 MiB | `brotli-decompressor` |
//! | `zstd` | `zstd`, windows up to 8 MiB (RFC 9659), of which it holds up to two and a half | `ruzstd` |
//!
//! Data that a server has flushed is returned when it arrives, in every coding: events of a live
//! stream are never delayed.
//!
//! Bodies of requests can be coded as `gzip` and `deflate` ([`ContentCoding`]). Decoders of the
//! caller are added to [`Settings::codings`](crate::Settings).
//!
//! ```
//! # #[cfg(feature = "gzip")] {
//! use sessio::coding::{Decoders, BodyDecoder};
//!
//! let coded = [31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 203, 72, 205, 201, 201, 7, 0, 134, 166, 16, 54, 5, 0, 0, 0];
//! let codings = Decoders::default();
//! let mut decoding = BodyDecoder::of(&codings, [&b"gzip"[..]])?.expect("it is compiled in");
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
mod decoder;
mod decoding;
#[cfg(feature = "gzip")]
mod deflate;
mod encoder;
mod encoding;
#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "zstd")]
mod zstd;

pub use codings::Decoders;
pub use decoder::{Decoder, Malformed, Moved};
pub use decoding::BodyDecoder;
pub use encoding::{BodyEncoder, ContentCoding};
