//! HTTP sessions on tokio, as people know them from Python's `requests.Session`.
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
//!     s.headers.insert("x-test", "true").map(drop)
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
#![forbid(unsafe_code)]

mod runtime;

pub use runtime::{TcpStream, Timer, Tokio};
pub use sessio_driver::sessio::{
    Address, Auth, Body, Bytes, Error, Exchange, Head, Headers, Kind, Params, Prepared, Request, Result,
    Settings, Timeout, Timeouts, Url, cookie, http, pool,
};
pub use sessio_driver::{ConnectFailure, Source, sessio};

/// A session on tokio: see [`sessio_driver::Session`].
pub type Session = sessio_driver::Session<Tokio>;
/// A request of a [`Session`], being built: see [`sessio_driver::RequestBuilder`].
pub type RequestBuilder = sessio_driver::RequestBuilder<Tokio>;
/// The answer to a request of a [`Session`]: see [`sessio_driver::Response`].
pub type Response = sessio_driver::Response<Tokio>;
/// A [`Response`] with an error status: see [`sessio_driver::StatusError`].
pub type StatusError = sessio_driver::StatusError<Tokio>;

macro_rules! one_shots {
    ($($name:ident $verb:literal)*) => {
        $(
            #[doc = concat!("One `", $verb, "` request that remembers nothing and is remembered by nothing (story S20).")]
            ///
            /// # Errors
            /// Why there is no answer.
            ///
            /// # Cancel safety
            /// Dropping the future closes its connection.
            pub async fn $name(address: impl Into<Address>) -> Result<Response> {
                Session::new().$name(address).send().await
            }
        )*
    };
}

one_shots! { get "GET"  post "POST"  put "PUT"  patch "PATCH"  delete "DELETE"  head "HEAD"  options "OPTIONS" }

/// One request that remembers nothing: with any method, and to be built further.
///
/// ```no_run
/// # async fn run() -> sessio_tokio::Result<()> {
/// let response = sessio_tokio::request("PROPFIND", "http://example.org/").header("Depth", "1").send().await?;
/// # Ok(())
/// # }
/// ```
pub fn request(method: impl AsRef<str>, address: impl Into<Address>) -> RequestBuilder {
    Session::new().request(method, address)
}
