//! One call: a request, and whatever follows from it until its answer is read.
//!
//! A [`Call`] goes through authentication, redirects and retries without doing any IO. Whoever drives it
//! asks [`step`](Call::step) what is wanted now, does it, and tells the outcome. It is *level-triggered*:
//! asking changes nothing, only answers do. An answer that is forgotten shows as the same step twice; an
//! answer that nobody asked for is [`Kind::Misuse`], never a panic.
//!
//! ```text
//!                    ┌────────────── stale connection: once more ──────────────┐
//!                    ▼                                                         │
//!   new ──▶ Connect ──▶ Io: request out, response in ──▶ final head ───────────┘
//!              ▲                                            │
//!              │                              cookie, redirect or challenge?
//!              │                                   no │          │ yes
//!              │                                      │        Turn ──▶ error, with the response
//!              │                                      ▼          │
//!              │   Rewind ◀── Io: skip the body ◀── follow ◀─────┤
//!              │     │                                           │ answer
//!              └─────┘                                Head ◀─────┘
//!                                                       │
//!   Release: as soon as the last byte has come      Body ⇄ Io ──▶ Done
//! ```
//!
//! [`Io`](Step::Io) is wanted only once nothing else can move. The connection, the receiver and the decoder pass bytes on
//! after every answer until each of them is full or empty. So everything that has come is readable without another
//! event of the socket.
//!
//! [`Release`](Step::Release) is wanted in any of these states, as soon as the connection has carried the
//! response whole: often before its head is even looked at.
//!
//! ```
//! use sessio::Instant;
//! use sessio::{Call, Conn, Jar, Memory, Now, Request, Settings, Step, UnixTime, merge, prepare};
//!
//! let now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };
//! let mut jar = Jar::new();
//! let request = prepare(merge(&Settings::default(), Request::get("http://example.org/")), &mut jar, now)?;
//! let mut call = Call::new(request, Memory::default())?;
//! let mut answer = &b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 2\r\n\r\nhi"[..];
//! let mut body = Vec::new();
//! loop {
//!     match call.step(now)? {
//!         Step::Connect(to) => {
//!             assert_eq!(to.url.as_str(), "http://example.org/");
//!             call.connected(Conn::plain(1, now.mono));
//!         }
//!         Step::Io(io) if !io.send.is_empty() => {
//!             assert!(io.send.starts_with(b"GET / HTTP/1.1\r\nHost: example.org\r\n"));
//!             let n = io.send.len();
//!             call.sent(n);
//!         }
//!         Step::Io(io) => {
//!             let n = answer.len().min(io.recv.len());
//!             io.recv[..n].copy_from_slice(&answer[..n]);
//!             answer = &answer[n..];
//!             call.received(n);
//!         }
//!         Step::Release => assert!(call.release().is_some()), // into a pool
//!         Step::Decide => call.decide(&mut jar, now),
//!         Step::Head => assert_eq!(call.take_head().unwrap().status, 200),
//!         Step::Body(bytes) => {
//!             let n = bytes.len();
//!             body.extend_from_slice(bytes);
//!             call.consume(n);
//!         }
//!         Step::Done => break,
//!         other => panic!("{other:?}"),
//!     }
//! }
//! assert_eq!(body, b"hi");
//! assert_eq!(jar.len(), 1);
//! # Ok::<(), sessio::Error>(())
//! ```

mod advance;
mod body_state;
mod clock;
mod decode;
mod event;
mod failure;
mod input;
mod machine;
mod marks;
mod next_step;
pub(crate) mod observer;
pub(crate) mod options;
pub(crate) mod overrides;
mod policy;
mod progress;
mod proxy_retry;
mod rare;
mod report;
mod step;
mod timings;

pub use body_state::BodyState;
pub use event::Event;
pub use input::Direction;
pub use machine::{Call, Memory};
pub use step::{Connect, Io, Step};
