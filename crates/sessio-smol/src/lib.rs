//! HTTP sessions on smol, with the features of Python's `requests.Session`.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # smol::block_on(async {
//! # let server = sessio_testkit::Server::start();
//! # let url = |path: &str| server.url(path);
//! use sessio_smol::{Auth, Session};
//!
//! let session = Session::new();
//! session.update(|s| {
//!     s.auth = Auth::basic("user", "pass");
//!     s.headers.insert("x-test", "true")
//! })?;
//! // Both headers are sent, and the credentials with them.
//! let response = session.get(url("/headers")).header("x-test2", "true").send().await?;
//! assert!(response.error_for_status()?.text().await?.contains("x-test2"));
//!
//! // A cookie that is set by one response is sent with the next request.
//! session.get(url("/cookies/set?sessioncookie=123456789")).send().await?;
//! let cookies = session.get(url("/cookies")).send().await?.text().await?;
//! assert!(cookies.contains("123456789"));
//! # Ok(())
//! # })
//! # }
//! ```
#![doc = sessio_driver::chapters!()]
//! # Programs
//!
//! The session decides where connections lead. Host, cookies and redirects still follow the URL:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # smol::block_on(async {
//! # let server = sessio_testkit::Server::start();
//! # let address = server.addr();
//! use sessio_smol::{Session, route::Resolver};
//!
//! let session = Session::new();
//! session.resolve("example.org", [address])?;
//! assert_eq!(session.get("http://example.org/get").send().await?.status(), 200);
//! // A resolver looks up all other names.
//! session.set_resolver(Resolver::new(move |host: String, _port: u16| async move {
//!     match &*host {
//!         "db.internal" => Ok(vec![address]),
//!         _ => Err(std::io::ErrorKind::NotFound.into()),
//!     }
//! }));
//! assert_eq!(session.get("http://db.internal/get").send().await?.status(), 200);
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! A response implements `AsyncRead` and `AsyncBufRead` of `futures-io`, the traits that smol uses.
//! Any such reader can be the body of a request.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # smol::block_on(async {
//! # let server = sessio_testkit::Server::start();
//! # let url = |path: &str| server.url(path);
//! use sessio_smol::Session;
//! use smol::io::AsyncReadExt;
//!
//! let session = Session::new();
//! let mut start = [0; 10];
//! session.get(url("/bytes/100")).send().await?.read_exact(&mut start).await?;
//!
//! // Line by line, without a trait of smol.
//! let mut lines = session.get(url("/stream/3")).send().await?.lines();
//! while let Some(line) = lines.next().await? {
//!     assert!(line.contains("\"id\""));
//! }
//!
//! // From one server to another, without holding the whole body in memory.
//! let response = session.get(url("/bytes/100000")).send().await?;
//! let length = response.content_length();
//! session.put(url("/put")).reader(response, length).send().await?.error_for_status()?;
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! A form of several parts can contain text, bytes, files and readers:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # smol::block_on(async {
//! # let server = sessio_testkit::Server::start();
//! # let url = |path: &str| server.url(path);
//! # let path = std::env::temp_dir().join(format!("sessio-smol-form-{}.txt", std::process::id()));
//! use sessio_smol::multipart::{self, Form, Part};
//! use sessio_smol::{Session, body::ReaderSource};
//!
//! # std::fs::write(&path, "a file, however large")?;
//! let form = Form::new()
//!     .text("title", "Notes")
//!     .part("notes", multipart::open(&path).await?.content_type("text/plain"))
//!     .part("feed", Part::source(ReaderSource::new(&b"whatever reads"[..]), None, false).file_name("feed"));
//! let echo = Session::new().post(url("/post")).multipart(form).send().await?.text().await?;
//! assert!(echo.contains("a file, however large") && echo.contains("whatever reads"));
//! # std::fs::remove_file(&path)?;
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! A file can be the body of a request, and can be compressed while it is sent. `File::from` of
//! smol converts a file of `std`.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # smol::block_on(async {
//! # let server = sessio_testkit::Server::start();
//! # let url = |path: &str| server.url(path);
//! # let path = std::env::temp_dir().join(format!("sessio-smol-upload-{}.txt", std::process::id()));
//! use sessio_smol::coding::ContentCoding;
//! use sessio_smol::{Session, upload};
//!
//! # std::fs::write(&path, "a file, however large")?;
//! let session = Session::new();
//! let echo = session.put(url("/put")).feed(upload::open(&path).await?).send().await?.text().await?;
//! assert!(echo.contains("a file, however large"));
//! // The same file, compressed with gzip while it is sent.
//! let request = session.put(url("/put")).feed(upload::open(&path).await?).compress(ContentCoding::Gzip);
//! assert_eq!(request.send().await?.status(), 200);
//! # std::fs::remove_file(&path)?;
//! # Ok(())
//! # })
//! # }
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod file;
mod reader;
mod runtime;
mod socket;

pub use runtime::{Smol, Timer};
pub use socket::Socket;

sessio_driver::backend!(Smol, files);

/// The program of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
