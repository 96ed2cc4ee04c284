//! HTTP sessions on plain sockets and threads, with the features of Python's `requests.Session`.
//!
//! No runtime is started: the calling thread does the work. Only names are looked up in separate
//! threads, at most 64 for all sessions. So time limits hold even if the system's resolver does not
//! return. Threads can share a session. After a `fork` the child opens its own connections, and the
//! parent continues with those that it had.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = sessio_testkit::Server::start();
//! # let url = |path: &str| server.url(path);
//! use sessio_blocking::{Auth, Session};
//!
//! let session = Session::new();
//! session.update(|s| {
//!     s.auth = Auth::basic("user", "pass");
//!     s.headers.insert("x-test", "true")
//! })?;
//! // Both headers are sent, and the credentials with them.
//! let response = session.get(url("/headers")).header("x-test2", "true").send()?;
//! assert!(response.error_for_status()?.text()?.contains("x-test2"));
//!
//! // A cookie that is set by one response is sent with the next request.
//! session.get(url("/cookies/set?sessioncookie=123456789")).send()?;
//! assert!(session.get(url("/cookies")).send()?.text()?.contains("123456789"));
//!
//! // Cookies outlive the process in a file, which curl reads and writes as well.
//! use sessio_blocking::cookie::{Format, Keep};
//! # let path = std::env::temp_dir().join(format!("sessio-blocking-doc-{}", std::process::id()));
//! session.save_cookies(&path, Format::CookiesTxt, Keep::All)?;
//! let later = Session::new();
//! later.load_cookies(&path)?;
//! assert!(later.get(url("/cookies")).send()?.text()?.contains("123456789"));
//! # std::fs::remove_file(&path)?;
//! # Ok(())
//! # }
//! ```
#![doc = sessio_driver::chapters!()]
//! # Programs
//!
//! The session decides where connections lead. Host, cookies and redirects still follow the URL:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = sessio_testkit::Server::start();
//! # let address = server.addr();
//! use sessio_blocking::{Session, route::Resolver};
//!
//! let session = Session::new();
//! session.resolve("example.org", [address])?;
//! assert_eq!(session.get("http://example.org/get").send()?.status(), 200);
//! // A resolver looks up all other names. Here it may block.
//! session.set_resolver(Resolver::from_fn(move |host, _| match host {
//!     "db.internal" => Ok(vec![address]),
//!     _ => Err(std::io::ErrorKind::NotFound.into()),
//! }));
//! assert_eq!(session.get("http://db.internal/get").send()?.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! A response is a reader and an iterator, and any reader can be the body of a request:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = sessio_testkit::Server::start();
//! # let url = |path: &str| server.url(path);
//! let session = sessio_blocking::Session::new();
//! for line in session.get(url("/stream/3")).send()?.lines() {
//!     assert!(line?.contains("\"id\""));
//! }
//!
//! // From one server to another, without holding the whole body in memory.
//! let response = session.get(url("/bytes/100000")).send()?;
//! let length = response.content_length();
//! session.put(url("/put")).reader(response, length).send()?.error_for_status()?;
//! # Ok(())
//! # }
//! ```
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = sessio_testkit::Server::start();
//! # let url = |path: &str| server.url(path);
//! let mut length = 0;
//! for piece in sessio_blocking::get(url("/bytes/100000"))?.chunks() {
//!     length += piece?.len();
//! }
//! assert_eq!(length, 100_000);
//!
//! // Lines as text, whatever the charset of the body is.
//! let lines: Vec<String> = sessio_blocking::get(url("/stream/3"))?.lines().collect::<Result<_, _>>()?;
//! assert!(lines.len() == 3 && lines[2].ends_with('}'));
//! # Ok(())
//! # }
//! ```
//!
//! Server-sent events:
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut events = sessio_blocking::get("http://localhost:8080/events")?.events();
//! for event in &mut events {
//!     println!("{}", event?.data);
//! }
//! println!("to be asked for again with {:?}", events.last_event_id());
//! # Ok(())
//! # }
//! ```
//!
//! A form of several parts can contain text, bytes, files and readers:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = sessio_testkit::Server::start();
//! # let url = |path: &str| server.url(path);
//! # let path = std::env::temp_dir().join(format!("sessio-blocking-form-{}.txt", std::process::id()));
//! use sessio_blocking::multipart::{self, Form, Part};
//! use sessio_blocking::{Session, body::ReaderSource};
//!
//! # std::fs::write(&path, "a file, however large")?;
//! let form = Form::new()
//!     .text("title", "Notes")
//!     .part("notes", multipart::open(&path)?.content_type("text/plain"))
//!     .part("feed", Part::source(ReaderSource::new(&b"whatever reads"[..]), None, false).file_name("feed"));
//! let echo = Session::new().post(url("/post")).multipart(form).send()?.text()?;
//! assert!(echo.contains("a file, however large") && echo.contains("whatever reads"));
//! # std::fs::remove_file(&path)?;
//! # Ok(())
//! # }
//! ```
//!
//! A file can be the body of a request, and can be compressed while it is sent:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = sessio_testkit::Server::start();
//! # let url = |path: &str| server.url(path);
//! # let path = std::env::temp_dir().join(format!("sessio-blocking-upload-{}.txt", std::process::id()));
//! use sessio_blocking::coding::ContentCoding;
//! use sessio_blocking::{Session, upload};
//!
//! # std::fs::write(&path, "a file, however large")?;
//! let session = Session::new();
//! let echo = session.put(url("/put")).feed(upload::open(&path)?).send()?.text()?;
//! assert!(echo.contains("a file, however large"));
//! // The same file, compressed with gzip while it is sent.
//! let request = session.put(url("/put")).feed(upload::open(&path)?).compress(ContentCoding::Gzip);
//! assert_eq!(request.send()?.status(), 200);
//! # std::fs::remove_file(&path)?;
//! # Ok(())
//! # }
//! ```
//!
//! The types and functions have the names of the other backends. Some examples use `.await`: omit
//! it on this backend.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod bell;
mod file;
mod lookup;
mod reader;
mod runtime;
mod signal;
mod socket;
mod wait;
mod waits;

pub use runtime::{Blocking, Timer};
pub use socket::Socket;
pub use wait::wait;

sessio_driver::backend!(Blocking, blocking, files);

/// The program of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
