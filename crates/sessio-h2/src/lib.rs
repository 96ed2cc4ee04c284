//! HTTP/2 for clients as a state machine over bytes: no IO, no clock, no runtime, no dependencies.
//!
//! [`Connection`] is the state machine: it converts requests to bytes, and bytes to events.
//! - [`hpack`] is header compression (RFC 7541).
//! - [`frame`] parses and encodes frames (RFC 9113 sections 4 and 6).
//!
//! The owner of a transport moves its bytes. With TLS, its handshake must have negotiated `h2` by
//! ALPN.
//!
//! ```text
//!   Connection::open, send_body                    ◀── requests
//!   Connection::io         ──▶ Io { send, recv, deadline }
//!   Connection::sent       ◀── how many bytes the transport took
//!   Connection::received   ◀── how many bytes came
//!   Connection::poll_event ──▶ Head | Body | Trailers | Ended | ..
//!   Connection::body       ──▶ bytes of a response
//!   Connection::consume    ◀── how many of them were read
//!   Connection::state      ──▶ Open { free } | Doubtful | Draining | Dead
//! ```
//!
//! An exchange without a transport:
//!
//! ```
//! use core::time::Duration;
//! use sessio_h2::hpack::{Encoder, Indexing};
//! use sessio_h2::{Config, Connection, Event, Field, RequestHead, frame};
//!
//! let now = Duration::ZERO;
//! let mut connection = Connection::new(&Config::default(), now);
//! let head = RequestHead { method: "GET", scheme: "https", authority: Some("example.org"), path: "/" };
//! let id = connection.open(&head, [Field::new("Accept", "text/plain")], true, now)?;
//! let sent = connection.io(now).send.len();
//! connection.sent(sent);
//!
//! // The bytes of a server: its settings, a head, and a body.
//! let (mut bytes, mut block) = (Vec::new(), Vec::new());
//! frame::encode::settings(&[], &mut bytes);
//! let mut encoder = Encoder::new(4096);
//! encoder.begin(&mut block);
//! encoder.encode(b":status", b"200", Indexing::Incremental, &mut block);
//! encoder.encode(b"content-type", b"text/plain", Indexing::Incremental, &mut block);
//! frame::encode::headers(id.get(), &block, false, 16_384, &mut bytes);
//! frame::encode::data(id.get(), b"hello", true, &mut bytes);
//! connection.io(now).recv[..bytes.len()].copy_from_slice(&bytes);
//! connection.received(bytes.len(), now);
//!
//! let mut body = Vec::new();
//! while let Some((id, event)) = connection.poll_event() {
//!     match event {
//!         Event::Head(head) => {
//!             assert_eq!(head.status, 200);
//!             assert_eq!(head.fields.get(b"content-type"), Some(&b"text/plain"[..]));
//!         }
//!         Event::Body => {
//!             body.extend_from_slice(connection.body(id));
//!             connection.consume(id, connection.body(id).len());
//!         }
//!         Event::Ended(outcome) => outcome?,
//!         _ => {}
//!     }
//! }
//! assert_eq!(body, b"hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Duties of the caller
//!
//! - 421 (Misdirected Request) is a response like any other: the caller repeats the request
//!   elsewhere.
//! - Only the caller repeats a request. [`StreamError::is_retry_safe`] is true if any method may be
//!   repeated.
//! - Content codings, redirects, cookies and a pool belong to other crates.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod budget;
mod config;
mod connection;
mod error;
mod error_code;
mod event;
pub mod frame;
pub mod hpack;
mod incoming;
mod io;
mod open_error;
mod outgoing;
mod request;
mod response;
mod settings;
mod state;
mod stream;
mod streams;
mod window;

pub use config::{Config, Limits};
pub use connection::{Connection, GoAway};
pub use error::{ConnectionError, ConnectionErrorKind, Malformed, StreamError, StreamErrorKind};
pub use error_code::ErrorCode;
pub use event::{Event, Head, StreamId};
pub use io::Io;
pub use open_error::{NotSending, OpenError};
pub use request::{Field, InvalidRequest, RequestHead};
pub use state::State;

/// Compiles the program of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
