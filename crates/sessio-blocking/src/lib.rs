//! HTTP sessions on plain sockets and threads, as people know them from Python's `requests.Session`.
//!
//! No runtime is started: the calling thread does the work. Names alone are looked up in threads of their own, at most
//! 64 for all sessions, so that time limits hold while the system's resolver does not return. A session can be shared by
//! threads. After a `fork` the child goes on with connections of its own, and the parent with those that it had.
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
//!
//! Where connections go to is the session's to say; Host, cookies and redirects stay the URL's:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = sessio_testkit::Server::start();
//! # let address = server.addr();
//! use sessio_blocking::{Resolver, Session};
//!
//! let session = Session::new();
//! session.resolve("example.org", [address])?;
//! assert_eq!(session.get("http://example.org/get").send()?.status(), 200);
//! // Names that are not pinned are looked up by whom you like; here it may take its time.
//! session.set_resolver(Resolver::from_fn(move |host, _| match host {
//!     "db.internal" => Ok(vec![address]),
//!     _ => Err(std::io::ErrorKind::NotFound.into()),
//! }));
//! assert_eq!(session.get("http://db.internal/get").send()?.status(), 200);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod bell;
mod file;
mod lookup;
mod reader;
mod runtime;
mod session;
mod signal;
mod socket;
mod streams;
mod wait;
mod waits;

pub use reader::ReaderSource;
pub use runtime::{Blocking, Timer};
#[cfg(feature = "digest")]
pub use sessio_driver::Digest;
pub use sessio_driver::sessio::{
    self, Address, Auth, Body, Bytes, Error, Exchange, Head, Headers, KeepAlive, Kind, Observer, Params,
    Prepared, PreparedCall, Request, Resolver, Result, Routes, Settings, Tcp, Timeout, Timeouts, Tls, Url,
    coding, cookie, http, pool, tls,
};
pub use sessio_driver::{ConnectFailure, Endpoint, Source};
pub use session::{RequestBuilder, Response, Session, StatusError};
pub use socket::Socket;
pub use streams::{Chunks, Events, Lines};
pub use wait::wait;

/// Forms of several parts, `multipart/form-data`, for [`RequestBuilder::multipart`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = sessio_testkit::Server::start();
/// # let url = |path: &str| server.url(path);
/// # let path = std::env::temp_dir().join(format!("sessio-blocking-form-{}.txt", std::process::id()));
/// use sessio_blocking::multipart::{self, Form, Part};
/// use sessio_blocking::{ReaderSource, Session};
///
/// # std::fs::write(&path, "a file, however large")?;
/// let form = Form::new()
///     .text("title", "Notes")
///     .part("notes", multipart::open(&path)?.content_type("text/plain"))
///     .part("feed", Part::source(ReaderSource::new(&b"whatever reads"[..]), None, false).file_name("feed"));
/// let echo = Session::new().post(url("/post")).multipart(form).send()?.text()?;
/// assert!(echo.contains("a file, however large") && echo.contains("whatever reads"));
/// # std::fs::remove_file(&path)?;
/// # Ok(())
/// # }
/// ```
pub mod multipart {
    pub use crate::file::{file, open};
    pub use sessio_driver::multipart::{Form, Part};
}

/// Files as bodies of requests, for [`RequestBuilder::feed`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = sessio_testkit::Server::start();
/// # let url = |path: &str| server.url(path);
/// # let path = std::env::temp_dir().join(format!("sessio-blocking-upload-{}.txt", std::process::id()));
/// use sessio_blocking::coding::Coding;
/// use sessio_blocking::{Session, upload};
///
/// # std::fs::write(&path, "a file, however large")?;
/// let session = Session::new();
/// let echo = session.put(url("/put")).feed(upload::open(&path)?).send()?.text()?;
/// assert!(echo.contains("a file, however large"));
/// // The same as gzip, coded while it is sent.
/// let request = session.put(url("/put")).feed(upload::open(&path)?).compress(Coding::Gzip);
/// assert_eq!(request.send()?.status(), 200);
/// # std::fs::remove_file(&path)?;
/// # Ok(())
/// # }
/// ```
pub mod upload {
    pub use crate::file::{feed as file, open_feed as open};
    pub use sessio_driver::Feed;
}

macro_rules! one_shots {
    ($($name:ident $verb:literal)*) => {
        $(
            #[doc = concat!("One `", $verb, "` request that remembers nothing and is remembered by nothing (story S20).")]
            ///
            /// # Errors
            /// Why there is no answer.
            pub fn $name(address: impl Into<Address>) -> Result<Response> {
                Session::new().$name(address).send()
            }
        )*
    };
}

one_shots! { get "GET"  post "POST"  put "PUT"  patch "PATCH"  delete "DELETE"  head "HEAD"  options "OPTIONS" }
