//! One call: a request and all its hops, up to the end of the response.
//!
//! A [`Call`] handles authentication, redirects and retries without any IO. The driver asks
//! [`step`](Call::step) for the next operation, performs it, and reports the outcome.
//!
//! The interface is *level-triggered*: `step` returns the same step until the driver reports its
//! outcome. An outcome that is not reported shows as the same step again. An outcome that no step
//! asked for is [`Kind::Misuse`](crate::Kind::Misuse), never a panic. `step` itself sends
//! nothing. It starts and checks time limits, emits events, and fails or retries a call whose limit
//! has passed.
//!
//! ```text
//!                    ┌────────────── stale connection: retry ──────────────────┐
//!                    ▼                                                         │
//!   new ──▶ Connect ──▶ Io: request out, response in ──▶ final head ───────────┘
//!              ▲                                            │
//!              │                              cookie, redirect or challenge?
//!              │                                   no │          │ yes
//!              │                                      │       Decide ──▶ error, with the response
//!              │                                      ▼          │
//!              │   Rewind ◀── Io: Drain the body ◀── follow ◀────┤
//!              │     │                                           │ final response
//!              └─────┘                           HeadReady ◀─────┘
//!                                                       │
//!   Release: as soon as the last byte has come      Body ⇄ Io ──▶ Done
//! ```
//!
//! A [flow](crate::Flow) that [asks](crate::Flow::asks) is asked for its needs before the request is
//! sent, as a `Decide` before `Connect`. It may want a response first. The steps are then those of
//! another request, up to its end. Or it may want to wait for another call: [`Step::Turn`].
//!
//! With a policy of [retries](crate::retry), `Decide` is wanted for each response and for each
//! failure before it. The request may then be sent again: `Wait` ──▶ [`Rewind` ──▶] `Connect`.
//!
//! A call in `HeadReady` wants [`Step::Head`]. A call in `Drain` wants [`Step::Io`].
//!
//! [`Io`](Step::Io) is wanted only if nothing else can move. After every outcome, the connection,
//! the response decoder and the content decoder pass bytes on. They stop when each is full or
//! empty. So all received bytes are readable without another event of the socket.
//!
//! [`Release`](Step::Release) is wanted in any of these states, as soon as the connection has
//! carried the whole response. That is often before the head of the response is taken.
//!
//! ```
//! use sessio::Instant;
//! use sessio::{Call, Conn, Memory, Now, Request, Seed, SessionState, Settings, Step, UnixTime, merge, prepare};
//!
//! let now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };
//! let mut state = SessionState::new(Seed::new(7));
//! let request = prepare(merge(&Settings::default(), Request::get("http://example.org/")), &mut state.jar, now)?;
//! let mut call = Call::new(request, Memory::default())?;
//! let mut response = &b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 2\r\n\r\nhi"[..];
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
//!             let n = response.len().min(io.recv.len());
//!             io.recv[..n].copy_from_slice(&response[..n]);
//!             response = &response[n..];
//!             call.received(n);
//!         }
//!         Step::Release => assert!(call.release().is_some()), // into a pool
//!         Step::Decide => call.decide(&mut state, now),
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
//! assert_eq!(state.jar.len(), 1);
//! # Ok::<(), sessio::Error>(())
//! ```

mod advance;
mod attempts;
mod body_state;
mod carrier;
mod clock;
mod decode;
mod dump;
mod event;
mod failure;
mod input;
mod link;
mod machine;
mod marks;
mod next_step;
pub(crate) mod observer;
pub(crate) mod options;
pub(crate) mod overrides;
mod paced;
mod peek;
mod policy;
mod progress;
mod proxy_retry;
mod rare;
mod report;
mod step;
mod sub_call;
mod timings;

pub use body_state::BodyState;
pub use carrier::Carrier;
pub use event::Event;
pub use input::Direction;
pub use machine::{Call, Memory};
pub use step::{Connect, Io, MessageIo, Step};
