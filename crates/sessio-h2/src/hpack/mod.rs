//! HPACK (RFC 7541): header compression.
//!
//! A [`Decoder`] converts header blocks to [`FieldBlock`]s, an [`Encoder`] converts fields to
//! header blocks. Each holds the dynamic table of one direction of one connection. Every block of
//! that direction must pass through it, in order, even if its fields are not needed. Otherwise both
//! sides get out of sync.
//!
//! ```
//! use sessio_h2::hpack::{Decoder, Encoder, FieldBlock, Indexing, ListLimits};
//!
//! let mut encoder = Encoder::new(4096);
//! let mut block = Vec::new();
//! encoder.begin(&mut block);
//! encoder.encode(b":status", b"200", Indexing::Incremental, &mut block);
//! encoder.encode(b"server", b"example", Indexing::Incremental, &mut block);
//!
//! let mut decoder = Decoder::new(4096);
//! let mut fields = FieldBlock::new();
//! decoder.decode(&block, ListLimits::new(65_536), &mut fields)?;
//! let fields = fields.fields();
//! assert_eq!(fields.get(b":status"), Some(&b"200"[..]));
//! assert_eq!(fields.get(b"server"), Some(&b"example"[..]));
//! # Ok::<(), sessio_h2::hpack::DecodeError>(())
//! ```

mod decode_error;
mod decoder;
mod dynamic_table;
mod encoder;
mod field_block;
mod huffman;
mod integer;
mod static_table;

pub use decode_error::DecodeError;
pub use decoder::{Decoder, ListLimits};
pub use dynamic_table::FIELD_OVERHEAD;
pub use encoder::{Encoder, Indexing};
pub use field_block::{FieldBlock, Fields};
