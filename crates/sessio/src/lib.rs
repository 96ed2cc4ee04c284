//! HTTP sessions as pure functions and small state machines.
//!
//! A session is what `requests.Session` is in Python: defaults that merge into every request,
//! persistent cookies, redirects, authentication, and reused connections. This crate makes every
//! decision of a session, and does no IO. It opens no socket, reads no clock, no environment and no
//! file, and draws no random number. Time is an argument ([`Now`]), and so is chance ([`Seed`]).
//!
//! To send requests, use a backend: `sessio-tokio`, `sessio-smol` or `sessio-blocking`. To run a
//! session on another runtime, drive a [`Call`], or implement `sessio-driver`'s `Runtime`.
//!
//! # From settings to bytes
//!
//! ```text
//! Settings × Request ──merge──▶ Merged ──prepare──▶ PreparedCall ──▶ Call ──▶ Head, body, history
//!                                           ▲       = Prepared        │ ▲
//!                                          Jar      + CallOptions     │ │
//!                                           ▲                         │ │
//!                                           └────────decide───────────┘ ▼
//!                               bytes   ◀── Conn: stages, TLS ◀── RequestEncoder, ResponseDecoder
//!                               sockets ◀── Pool<K, T>
//! ```
//!
//! # Floors
//!
//! The modules of this crate, from bottom to top. Each uses only those above it in this table.
//!
//! | module | contents | public names |
//! |---|---|---|
//! | `base` | values without HTTP: time, chance, secrets, time limits, kinds of errors | [`Now`], [`Instant`], [`Seed`], [`Secret`], [`Timeouts`], [`Change`], [`Kind`], [`Fault`] |
//! | `uri` | addresses, URLs, origins, query parameters | [`Address`], [`Origin`], [`Params`], [`UrlCache`] |
//! | `message` | requests and responses as data: header fields, heads, bodies, content codings, `Link` fields (RFC 8288) | [`Headers`], [`Head`], [`Body`], [`Exchange`], [`coding`], [`multipart`], [`lines`], [`sse`], [`text`], [`link`] |
//! | `policy` | decisions over messages, as pure functions, and the state that a session learns | [`redirect`], [`retry`], [`pace`], [`range`], [`guard`], [`SessionState`] |
//! | `route` | the route to a host: routes, resolver, [proxies], environment, netrc, TLS settings, order of addresses (RFC 8305) | [`routing`], [`proxy`], [`Environment`], [`netrc`], [`tls`], [`happy_eyeballs`] |
//! | `wire` | bytes: HTTP/1.1 framing, CONNECT and SOCKS 5, the stages of a connection | [`h1`], [`tunnel`], [`conn`] |
//! | `pool` | idle connections, which return only with a proof that they are clean | [`pool::Pool`] |
//! | `error` | the error of a call: its kind, the party at fault, its progress | [`Error`], [`Progress`], [`Stage`] |
//! | `prepared` | the exact request, its hooks and its authentication | [`Prepared`], [`hook`], [`Hook`], [`auth`], [`Auth`] |
//! | `call` | the machine: one call through challenges, redirects and retries, with the graph of its states | [`call`], [`Call`], [`Step`], [`Observer`] |
//! | `session` | settings and requests, merged and prepared | [`Settings`], [`Request`], [`merge()`], [`prepare`](prepare()) |
//!
//! The cookie jar is a crate of its own, [`cookie`]: [`Jar`], by RFC 6265bis.
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
//! The documentation of [`call`] has one whole call, without a socket.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `psl` (default) | the list of public suffixes, compiled in |
//! | `gzip` (default) | responses in gzip and deflate are decoded, and accepted in `Accept-Encoding` |
//! | `brotli`, `zstd` | the same for br and zstd |
//! | `charset` | text in the charsets of the Encoding standard, in addition to UTF-8 and ISO 8859-1 |
//! | `digest` | Digest authentication |
//! | `oauth2` | OAuth 2.0: requests for tokens, their responses, PKCE, device codes |
//! | `sigv4` | AWS Signature Version 4 |
//! | `json` | bodies as JSON; the jar as JSON |
//! | `serde` | `Serialize` and `Deserialize` for the jar |
//! | `mime` | media types of files by their extensions, for parts of forms |
//! | `cookie` | conversions from and to the `cookie` crate |
//!
//! A feature adds API. It never changes behaviour, except for the public suffixes, codings and
//! charsets that a session accepts.
//!
//! # Panics
//!
//! No input makes this crate panic. A panic is a bug.
#![cfg_attr(docsrs, feature(doc_cfg))]
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
#[doc = include_str!("../docs/differences.md")]
pub mod differences {}
#[doc = include_str!("../docs/embedding.md")]
pub mod embedding {}
#[doc = include_str!("../docs/features.md")]
pub mod features {}
#[doc = include_str!("../docs/from-reqwest.md")]
pub mod from_reqwest {}
#[doc = include_str!("../docs/from-ureq.md")]
pub mod from_ureq {}
#[doc = include_str!("../docs/proxies.md")]
pub mod proxies {}
#[doc = include_str!("../docs/rules.md")]
pub mod rules {}
#[doc = include_str!("../docs/speed.md")]
pub mod speed {}

// Their programs need a backend: `sessio-tests` compiles them.
#[cfg_attr(not(doctest), doc = include_str!("../docs/connections.md"))]
pub mod connections {}
#[cfg_attr(not(doctest), doc = include_str!("../docs/errors.md"))]
pub mod errors {}
#[cfg_attr(not(doctest), doc = include_str!("../docs/first-steps.md"))]
pub mod first_steps {}
#[cfg_attr(not(doctest), doc = include_str!("../docs/from-requests.md"))]
pub mod from_requests {}
#[cfg_attr(not(doctest), doc = include_str!("../docs/logs.md"))]
pub mod logs {}
#[cfg_attr(not(doctest), doc = include_str!("../docs/pool.md"))]
pub mod pooling {}
#[cfg_attr(not(doctest), doc = include_str!("../docs/retries.md"))]
pub mod retries {}
#[cfg_attr(not(doctest), doc = include_str!("../docs/settings.md"))]
pub mod settings {}

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
pub use message::connection_info::ConnectionInfo;
pub use message::exchange::Exchange;
pub use message::head::Head;
pub use message::headers::{Field, Headers};
pub use message::timings::Timings;
pub use message::{coding, lines, link, multipart, sse, text};
pub use policy::guard::Guard;
pub use policy::session_state::SessionState;
pub use policy::{guard, pace, range, redirect, retry};
pub use prepared::auth;
pub use prepared::auth::{Auth, Flow, FlowDecision, Scheme};
pub use prepared::curl::Secrets;
pub use prepared::hook::{Hook, Hooks};
pub use prepared::{Prepared, hook, transport};
pub use route::environment::{CaBundle, EnvSources, Environment};
pub use route::proxy::{NoProxy, Proxies, Proxy};
pub use route::routing::{KeepAlive, Resolver, Routes, Tcp};
pub use route::tls::Tls;
pub use route::tls::session::{TlsInfo, TlsSession};
pub use route::{happy_eyeballs, netrc, proxy, routing, tls};
pub use sessio_cookie as cookie;
pub use sessio_cookie::Jar;
pub use session::changes::{Changes, HeaderChanges, TimeoutChanges};
pub use session::merge::{Merged, merge};
pub use session::mount::Mount;
pub use session::mounts::Mounts;
pub use session::prepare::prepare;
pub use session::request::Request;
pub use session::settings::Settings;
pub use uri::address::Address;
pub use uri::origin::Origin;
pub use uri::pair::Pair;
pub use uri::params::Params;
pub use uri::pattern::UrlPattern;
pub use uri::redacted::RedactedUrl;
pub use uri::url_cache::UrlCache;
pub use url::Url;
pub use wire::conn::Conn;
pub use wire::{conn, h1, tunnel};

/// The program of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
