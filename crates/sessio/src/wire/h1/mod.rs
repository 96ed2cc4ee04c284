//! HTTP/1.1 framing: bytes in, bytes out.
//!
//! A [`RequestEncoder`] encodes one request, a [`ResponseDecoder`] decodes one response. Neither
//! knows sockets. The owner of a socket moves the bytes, in both directions at once if it likes:
//!
//! ```text
//!   RequestEncoder::unsent  ──▶ socket ──▶ ResponseDecoder::room
//!   RequestEncoder::sent    ◀── how many   ResponseDecoder::received
//!                                  ResponseDecoder::poll    ──▶ More | Interim | Head | Body | End
//!                                  ResponseDecoder::consume ◀── body bytes that were read
//!                                  ResponseDecoder::reuse   ──▶ may the connection carry another request?
//! ```
//!
//! Both are level-triggered: a query changes nothing, and returns the same result until bytes move.
//! One pure function decides the framing, [`Framing::decide`].
//!
//! The framing is strict: a message that two parsers could read differently is refused. A few
//! deviations are too common to refuse. Such a response is delivered, and its connection is closed
//! afterwards ("read once, never reuse"). [`NoReuse`] names the deviation.
//!
//! ```
//! use sessio::h1::{RequestContext, Event, Limits, BodyKind, ResponseDecoder, Reuse, RequestEncoder};
//! use sessio::http::Method;
//! use sessio::Headers;
//!
//! let mut headers = Headers::new();
//! headers.insert("Host", "example.org")?;
//! let mut sender = RequestEncoder::new(&Method::GET, b"/", &headers, BodyKind::None, Vec::new());
//! assert_eq!(sender.unsent(), b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n");
//! sender.sent(sender.unsent().len());
//! assert!(sender.is_done());
//!
//! let mut receiver = ResponseDecoder::new(RequestContext::new(&Method::GET), Limits::default(), Vec::new());
//! let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
//! receiver.room()[..answer.len()].copy_from_slice(answer);
//! receiver.received(answer.len());
//!
//! let mut body = Vec::new();
//! loop {
//!     let read = match receiver.poll()? {
//!         Event::More => unreachable!("the whole response is there"),
//!         Event::Interim(_) => continue,
//!         Event::Head(head) => {
//!             assert_eq!(head.status, 200);
//!             continue;
//!         }
//!         Event::Body(bytes) => {
//!             body.extend_from_slice(bytes);
//!             bytes.len()
//!         }
//!         Event::End => break,
//!     };
//!     receiver.consume(read);
//! }
//! assert_eq!(body, b"hello");
//! assert_eq!(receiver.reuse(), Reuse::Yes { idle_for: None, max: None });
//! # Ok::<(), sessio::Error>(())
//! ```

mod body;
mod buffer;
mod chunked;
mod decoder;
mod encoder;
mod framing;
mod heads;
mod request_context;
mod reuse;
mod section;
#[cfg(test)]
mod tests;
mod trailers;

pub use crate::base::limits::Limits;
pub use decoder::{Event, ResponseDecoder};
pub(crate) use encoder::Unsent;
pub use encoder::{BodyKind, RequestEncoder};
pub use framing::{Decision, Framing};
pub use request_context::RequestContext;
pub use reuse::{NoReuse, Reuse};
