//! HTTP/1.1 framing: bytes in, bytes out.
//!
//! A [`Sender`] turns one request into bytes, a [`Receiver`] turns bytes into one response. Neither knows
//! what a socket is; whoever owns one moves the bytes, in both directions at once if it likes:
//!
//! ```text
//!   Sender::unsent  ──▶ socket ──▶ Receiver::room
//!   Sender::sent    ◀── how many   Receiver::received
//!                                  Receiver::poll    ──▶ More | Interim | Head | Body | End
//!                                  Receiver::consume ◀── body bytes that were read
//!                                  Receiver::reuse   ──▶ may the connection carry another request?
//! ```
//!
//! Both are level-triggered: asking changes nothing, the same question has the same answer until bytes
//! move. What is framed how is one pure function, [`Framing::decide`].
//!
//! The framing is strict: what two parsers could read differently is refused. A few deviations are too
//! common to refuse; such a response is delivered and its connection is closed afterwards ("read once,
//! never reuse"), and [`Why`] says which deviation it was.
//!
//! ```
//! use sessio::h1::{Asked, Event, Limits, Outgoing, Receiver, Reuse, Sender};
//! use sessio::http::Method;
//! use sessio::Headers;
//!
//! let mut headers = Headers::new();
//! headers.insert("Host", "example.org")?;
//! let mut sender = Sender::new(&Method::GET, b"/", &headers, Outgoing::None, Vec::new());
//! assert_eq!(sender.unsent(), b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n");
//! sender.sent(sender.unsent().len());
//! assert!(sender.is_done());
//!
//! let mut receiver = Receiver::new(Asked::new(&Method::GET), Limits::default(), Vec::new());
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

mod asked;
mod body;
mod buffer;
mod chunked;
mod framing;
mod heads;
mod receiver;
mod reuse;
mod section;
mod sender;
#[cfg(test)]
mod tests;
mod trailers;

pub use crate::base::limits::Limits;
pub use asked::Asked;
pub use framing::{Decision, Framing};
pub use receiver::{Event, Receiver};
pub use reuse::{Reuse, Why};
pub(crate) use sender::Unsent;
pub use sender::{Outgoing, Sender};
