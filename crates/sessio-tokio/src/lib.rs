//! HTTP sessions on tokio, with the features of Python's `requests.Session`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = sessio_testkit::Server::start();
//! # let url = |path: &str| server.url(path);
//! use sessio_tokio::{Auth, Session};
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
//! # }
//! ```
#![doc = sessio_driver::chapters!()]
//! # Programs
//!
//! The session decides where connections lead. Host, cookies and redirects still follow the URL:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = sessio_testkit::Server::start();
//! # let address = server.addr();
//! use sessio_tokio::{Session, route::Resolver};
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
//! # }
//! ```
//!
//! `https://` works by default. A [`Tls`] configures additional or other roots, a client
//! certificate, versions and pins. `sessio-rustls` has a chapter about TLS, which explains each
//! error.
//!
//! ```no_run
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sessio_tokio::{Session, Tls, tls::Certificates};
//!
//! let root = Certificates::from_pem(std::fs::read("root.pem")?)?;
//! let session = Session::new();
//! session.update(|s| s.tls = Tls::default().add_roots(root));
//! session.get("https://intranet.test/").send().await?.error_for_status()?;
//! # Ok(())
//! # }
//! ```
//!
//! A form of several parts can contain text, bytes, files and readers:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = sessio_testkit::Server::start();
//! # let url = |path: &str| server.url(path);
//! # let path = std::env::temp_dir().join(format!("sessio-tokio-form-{}.txt", std::process::id()));
//! use sessio_tokio::multipart::{self, Form, Part};
//! use sessio_tokio::{Session, body::ReaderSource};
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
//! # }
//! ```
//!
//! A file can be the body of a request, and can be compressed while it is sent. `File::from_std` of
//! tokio converts a file of `std`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = sessio_testkit::Server::start();
//! # let url = |path: &str| server.url(path);
//! # let path = std::env::temp_dir().join(format!("sessio-tokio-upload-{}.txt", std::process::id()));
//! use sessio_tokio::coding::ContentCoding;
//! use sessio_tokio::{Session, upload};
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
//! # }
//! ```
#![cfg_attr(feature = "tower", doc = include_str!("../docs/http.md"))]
#![cfg_attr(all(feature = "mock", feature = "tower"), doc = include_str!("../docs/testing.md"))]
#![cfg_attr(
    all(feature = "digest", feature = "mock", feature = "oauth2"),
    doc = include_str!("../docs/authentication.md")
)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod file;
mod reader;
mod runtime;
mod socket;

pub use reader::Reader;
pub use runtime::{Timer, Tokio};
pub use socket::Socket;

sessio_driver::backend!(Tokio, files);

/// The program of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
