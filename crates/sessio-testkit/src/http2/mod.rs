//! A scripted HTTP/2 server: bytes in, bytes out, and no sockets.
//!
//! [`Peer`] plays an [`Exchange`] on each stream and records each [`Request`]. It checks the client
//! by the rules of RFC 9113: windows, concurrency, fields, the order of frames. [`Peer::faults`]
//! lists the violations. The server has its own parsers of frames and header compression, so a
//! client's parser does not judge itself.
//!
//! ```
//! use sessio_testkit::http2::{Exchange, Peer};
//!
//! let mut peer = Peer::new().exchange(Exchange::ok("hello"));
//! // A client's first bytes: the preface, empty SETTINGS, and GET as indexed fields.
//! peer.receive(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
//! peer.receive(b"\0\0\x06\x01\x05\0\0\0\x01\x82\x87\x84\x41\x01a");
//! while peer.turn() {}
//! assert_eq!(peer.faults(), [""; 0]);
//! assert_eq!(peer.requests()[0].pseudo(":method"), Some(&b"GET"[..]));
//! let bytes = peer.send(usize::MAX);
//! assert!(bytes.ends_with(b"hello"));
//! ```

mod exchange;
mod frame;
mod hpack;
mod huffman;
mod peer;
mod playing;
mod reading;
mod request;
mod rules;
mod settings;
mod static_table;
mod windows;

pub use exchange::Exchange;
pub use hpack::{Field, HpackDecoder};
pub use peer::{Credit, Peer};
pub use request::Request;
pub use settings::{
    HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE,
};
