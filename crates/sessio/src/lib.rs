//! HTTP sessions as pure functions and small state machines.
//!
//! A session is what `requests.Session` is in Python: defaults that merge into every request, cookies that
//! persist, redirects, authentication, connections that are used again. This crate holds every decision
//! that such a session makes, and does no IO: it opens no socket, reads no clock, no environment and no file,
//! and draws no random number. Time is an argument ([`Now`]), and so is chance ([`Seed`]).
//!
//! To send requests, take a backend: `sessio-tokio`, `sessio-smol` or `sessio-blocking`. To put a session into
//! a runtime of your own, drive a [`Call`], or implement the five functions of `sessio-driver`'s `Runtime`.
//!
//! # The layers
//!
//! ```text
//!   Settings × Request ──merge──▶ Merged ──prepare──▶ Prepared ──▶ Call ──▶ Head, body, history
//!                                           ▲                      │ ▲
//!                                          Jar ◀──────turn─────────┘ │
//!                                                                    ▼
//!                            bytes  ◀── Conn: [Secure] ◀── h1::RequestEncoder, h1::ResponseDecoder
//!                            sockets ◀── Pool<T>
//! ```
//!
//! | | |
//! |---|---|
//! | [`merge`], [`prepare`](prepare()) | from defaults and a request to the exact bytes of its head |
//! | [`Jar`], [`cookie`] | cookies by RFC 6265bis, with a reason for each refusal |
//! | [`redirect::decide`], [`retry`] | what follows from a response: pure functions over values |
//! | [`Call`], [`call`] | the machine: one call through challenges, redirects and retries, and the graph of its states |
//! | [`multipart`] | forms of several parts, put together while they are sent |
//! | [`range`] | to go on where a download stopped: what an answer means for the bytes that are held |
//! | [`coding`] | content codings, undone while the body comes in |
//! | [`h1`] | HTTP/1.1 framing: bytes in, bytes out, strict |
//! | [`lines`], [`sse`], [`text`] | bodies as lines, server-sent events, text, while they come in |
//! | [`link`] | `Link` header fields (RFC 8288) |
//! | [`routing`] | how a host is reached: pinned addresses, Unix sockets, resolvers, what sockets are like |
//! | [`proxy`], [`Environment`], [`netrc`] | which proxy a URL goes through, what the environment says: [the chapter](proxies) |
//! | [`tunnel`] | CONNECT and SOCKS 5: bytes in, bytes out |
//! | [`guard`] | addresses that are not to be reached |
//! | [`tls`], [`TlsSession`] | what is wanted of TLS, and the seam for whoever does it |
//! | [`happy_eyeballs::HappyEyeballs`] | which of a host's addresses is tried when (RFC 8305) |
//! | [`pool::Pool`] | idle connections; a connection comes back only with a proof that it is clean |
//! | [`Observer`], [`call::Event`] | what calls are doing, told as it happens |
//! | [`Error`] | what went wrong, whose fault it is, how far things had come |
//!
//! # From a request to its bytes
//!
//! ```
//! use sessio::{Auth, Jar, Now, Request, Settings, UnixTime, merge, prepare};
//!
//! let now = Now { mono: sessio::Instant::ZERO, wall: UnixTime(1_767_225_600) };
//! let mut settings = Settings::default();
//! settings.auth = Auth::basic("user", "pass");
//! settings.headers.insert("X-Test", "true")?;
//!
//! let request = Request::get("http://example.org/headers").header("X-Test2", "true").remove_header("accept-encoding");
//! let prepared = prepare(merge(&settings, request), &mut Jar::new(), now)?;
//! assert_eq!(
//!     String::from_utf8_lossy(&prepared.head()),
//!     "GET /headers HTTP/1.1\r\n\
//!      Host: example.org\r\n\
//!      User-Agent: sessio/0.1.0\r\n\
//!      Accept: */*\r\n\
//!      Connection: keep-alive\r\n\
//!      X-Test: true\r\n\
//!      X-Test2: true\r\n\
//!      Authorization: Basic dXNlcjpwYXNz\r\n\
//!      \r\n"
//! );
//! # Ok::<(), sessio::Error>(())
//! ```
//!
//! One whole call, with no socket, is in the documentation of [`call`].
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `psl` (default) | the list of public suffixes, compiled in |
//! | `gzip` (default) | answers coded as gzip or deflate are decoded, and asked for |
//! | `brotli`, `zstd` | the same for br and zstd |
//! | `charset` | text in the charsets of the Encoding standard, beside UTF-8 and ISO 8859-1 |
//! | `digest` | Digest authentication |
//! | `json` | bodies as JSON; the jar as JSON |
//! | `serde` | `Serialize` and `Deserialize` for the jar |
//! | `mime` | types of files by the extensions of their names, for parts of forms |
//! | `cookie` | cookies from and to the `cookie` crate |
//!
//! A feature adds API; it never changes behaviour, but for what a session accepts: public suffixes,
//! codings and charsets.
//!
//! # Panics
//!
//! None, on no input. A panic in this crate is a bug in this crate.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests take an Instant to count from"))]

mod base;
pub mod call;
mod error;
mod message;
mod policy;
pub mod pool;
mod prepared;
mod route;
mod session;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;
mod uri;
mod wire;
#[doc = include_str!("../docs/proxies.md")]
pub mod proxies {}
#[doc = include_str!("../docs/rules.md")]
pub mod rules {}

pub use base::change::Change;
pub use base::escape::escape;
pub use base::fault::Fault;
pub use base::kind::{Blame, Kind, Timeout};
pub use base::progress::BodyProgress;
pub use base::repeat::Repeat;
pub use base::secret::Secret;
pub use base::time::{Instant, Now, Seed, UnixTime};
pub use base::timeouts::Timeouts;
pub use bytes::Bytes;
pub use call::observer::Observer;
pub use call::options::{CallOptions, PreparedCall};
pub use call::overrides::{Override, Part};
pub use call::{Call, Memory, Step};
pub use error::{Error, Progress, Result, Stage};
pub use http;
pub use message::body::Body;
pub use message::exchange::Exchange;
pub use message::head::Head;
pub use message::headers::{Field, Headers};
pub use message::timings::Timings;
pub use message::{coding, lines, link, multipart, sse, text};
pub use policy::guard::Guard;
pub use policy::{guard, range, redirect, retry};
pub use prepared::Prepared;
pub use prepared::auth;
pub use prepared::auth::{Answer, Auth, Flow, Scheme};
pub use route::environment::{CaBundle, EnvSources, Environment};
pub use route::proxy::{NoProxy, Proxies, Proxy};
pub use route::routing::{KeepAlive, Resolver, Routes, Tcp};
pub use route::tls::Tls;
pub use route::tls::session::{TlsInfo, TlsSession};
pub use route::{happy_eyeballs, netrc, proxy, routing, tls};
pub use sessio_cookie as cookie;
pub use sessio_cookie::Jar;
pub use session::merge::{Merged, merge};
pub use session::prepare::prepare;
pub use session::request::{HeaderChanges, Request, TimeoutChanges};
pub use session::settings::Settings;
pub use uri::address::Address;
pub use uri::origin::Origin;
pub use uri::params::Params;
pub use uri::url_cache::UrlCache;
pub use url::Url;
pub use wire::conn::Conn;
pub use wire::{conn, h1, tunnel};
