//! Frames (RFC 9113 sections 4 and 6): the layer below streams.
//!
//! [`Header`] and [`Frame`] parse frames, [`encode`] writes them. [`Connection`](crate::Connection)
//! does both for a client. This module is for servers in tests, for proxies and for tools.
//!
//! ```
//! use sessio_h2::frame::{self, Frame, Header};
//!
//! let mut bytes = Vec::new();
//! frame::encode::ping([7; 8], true, &mut bytes);
//! let (head, payload) = bytes.split_first_chunk().unwrap();
//! let header = Header::parse(head);
//! assert!(header.is_ack());
//! assert_eq!(Frame::parse(&header, payload), Ok(Frame::Ping([7; 8])));
//! ```

pub mod encode;
mod header;
mod payload;

pub use header::{Header, Kind, MAX_WINDOW};
pub use payload::{Frame, FrameError, Priority};
