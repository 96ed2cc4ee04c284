//! The session without `.await`.

use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::ops::Deref;
use std::path::Path;

use sessio_driver::sessio::pool::Policy;
use sessio_driver::sessio::{Address, Bytes, Error, PreparedCall, Request, Result, Settings};
use sessio_driver::{Feed, Source};

use crate::multipart::Form;
use crate::reader::ReaderSource;
use crate::runtime::Blocking;
use crate::streams::{Chunks, Events, Lines};
use crate::wait::wait;

/// A session: defaults that every request takes over, cookies that stay, connections that are used again.
/// What does not wait for anybody is [`sessio_driver::Session`]'s own: `update`, `settings`, `cookies`,
/// `prepare`, `close`, `stats`.
#[derive(Clone, Debug, Default)]
pub struct Session(sessio_driver::Session<Blocking>);

/// A request of a [`Session`], being built.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder(sessio_driver::RequestBuilder<Blocking>);

/// The answer to a request of a [`Session`]. Its body is a [`Read`] and a [`BufRead`]; its
/// head is [`sessio_driver::Response`]'s.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = sessio_testkit::Server::start();
/// # let url = |path: &str| server.url(path);
/// let session = sessio_blocking::Session::new();
/// for line in session.get(url("/stream/3")).send()?.lines() {
///     assert!(line?.contains("\"id\""));
/// }
///
/// // From one server to another, without ever having it whole.
/// let response = session.get(url("/bytes/100000")).send()?;
/// let length = response.content_length();
/// session.put(url("/put")).reader(response, length).send()?.error_for_status()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Response(sessio_driver::Response<Blocking>);

/// A [`Response`] with an error status.
#[derive(Debug)]
pub struct StatusError(sessio_driver::StatusError<Blocking>);

macro_rules! verbs {
    ($($name:ident $verb:literal)*) => {
        $(
            #[doc = concat!("Begins a `", $verb, "` request.")]
            pub fn $name(&self, address: impl Into<Address>) -> RequestBuilder {
                RequestBuilder(self.0.$name(address))
            }
        )*
    };
}

impl Session {
    /// A session with the [default settings](Settings).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A session that keeps its idle connections by these rules.
    #[must_use]
    pub fn with_pool(policy: Policy) -> Self {
        Self(sessio_driver::Session::with_pool(Blocking, policy))
    }

    verbs! { get "GET"  post "POST"  put "PUT"  patch "PATCH"  delete "DELETE"  head "HEAD"  options "OPTIONS" }

    /// Begins a request with any method; it is upper-cased.
    pub fn request(&self, method: impl AsRef<str>, address: impl Into<Address>) -> RequestBuilder {
        RequestBuilder(self.0.request(method, address))
    }

    /// Begins a request from one that was made apart from any session.
    pub fn build(&self, request: Request) -> RequestBuilder {
        RequestBuilder(self.0.build(request))
    }

    /// Sends a request that was prepared earlier.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn execute(&self, request: PreparedCall) -> Result<Response> {
        wait(self.0.execute(request)).map(Response)
    }

    /// A variant of this session: it has settings of its own, and shares jar and connections.
    ///
    /// # Errors
    /// What `change` returns.
    pub fn with<E>(&self, change: impl FnOnce(&mut Settings) -> Result<(), E>) -> Result<Self, E> {
        self.0.with(change).map(Self)
    }
}

impl Deref for Session {
    type Target = sessio_driver::Session<Blocking>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl RequestBuilder {
    sessio_driver::request_steps!(0);

    /// See [`Request::json`](sessio_driver::sessio::Request::json).
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize + ?Sized>(self, value: &T) -> Self {
        Self(self.0.json(value))
    }

    /// See [`Request::query_from`](sessio_driver::sessio::Request::query_from).
    #[cfg(feature = "json")]
    pub fn query_from<T: serde::Serialize + ?Sized>(self, value: &T) -> Self {
        Self(self.0.query_from(value))
    }

    /// See [`Request::form_from`](sessio_driver::sessio::Request::form_from).
    #[cfg(feature = "json")]
    pub fn form_from<T: serde::Serialize + ?Sized>(self, value: &T) -> Self {
        Self(self.0.form_from(value))
    }

    /// Sends what `source` reads as the body: `length` bytes, or as many as come.
    pub fn reader(self, source: impl Read + Send + 'static, length: Option<u64>) -> Self {
        Self(self.0.source(ReaderSource::new(source), length, false))
    }

    /// Sends a body that comes piece by piece: see
    /// [`sessio_driver::RequestBuilder::source`].
    pub fn source(self, source: impl Source, length: Option<u64>, replayable: bool) -> Self {
        Self(self.0.source(source, length, replayable))
    }

    /// Sends a body that comes piece by piece, such as a file: see [`upload`](crate::upload).
    pub fn feed(self, feed: Feed) -> Self {
        Self(self.0.feed(feed))
    }

    /// Sends a form of several parts: see [`multipart`](crate::multipart) and
    /// [`sessio_driver::RequestBuilder::multipart`].
    pub fn multipart(self, form: Form) -> Self {
        Self(self.0.multipart(form))
    }

    /// Changes the request itself, for what has no step here.
    pub fn map(self, change: impl FnOnce(Request) -> Request) -> Self {
        Self(self.0.map(change))
    }

    /// The exact request, to be read, edited and [executed](Session::execute).
    ///
    /// # Errors
    /// What is wrong with the request.
    pub fn prepare(self) -> Result<PreparedCall> {
        self.0.prepare()
    }

    /// Sends the request and writes the answer's whole body to a file, going on where an earlier try has stopped: see
    /// [`sessio_driver::RequestBuilder::resume`].
    ///
    /// # Errors
    /// What the file system says, and why there is no more.
    pub fn resume(self, path: impl AsRef<Path>) -> io::Result<u64> {
        wait(self.0.resume(path))
    }

    /// The same, but asks for all of it, whatever has come before: see [`sessio_driver::RequestBuilder::restart`].
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    pub fn restart(self, path: impl AsRef<Path>) -> io::Result<u64> {
        wait(self.0.restart(path))
    }

    /// Sends the request and waits for the head of the answer; redirects are followed.
    ///
    /// # Errors
    /// Why there is no answer. An answer with an error status is an answer.
    pub fn send(self) -> Result<Response> {
        wait(self.0.send()).map(Response)
    }
}

impl Response {
    /// The next bytes of the body; `None` at its end.
    ///
    /// # Errors
    /// Why the body ends before its end.
    pub fn chunk(&mut self) -> Result<Option<Bytes>> {
        wait(self.0.chunk())
    }

    /// The whole body.
    ///
    /// # Errors
    /// Why it is not whole; and if a part of it was read before, see [`rest`](Self::rest).
    pub fn bytes(self) -> Result<Bytes> {
        wait(self.0.bytes())
    }

    /// What is left of the body: all of it, less what was read before.
    ///
    /// # Errors
    /// Why it does not come to its end.
    pub fn rest(self) -> Result<Bytes> {
        wait(self.0.rest())
    }

    /// The whole body as text.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    pub fn text(self) -> Result<String> {
        wait(self.0.text())
    }

    /// The whole body as text in this charset, whatever the Content-Type says: see
    /// [`text_with_charset`](sessio_driver::Response::text_with_charset).
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and if the charset is not known.
    pub fn text_with_charset(self, charset: &str) -> Result<String> {
        wait(self.0.text_with_charset(charset))
    }

    /// The body in pieces, as they come, from here on. An error is the last of them.
    #[must_use]
    pub fn chunks(self) -> Chunks {
        Chunks::of(self)
    }

    /// The body line by line, from here on: see [`lines`](sessio_driver::Response::lines).
    #[must_use]
    pub fn lines(self) -> Lines {
        Lines::of(self.0.lines())
    }

    /// The body as server-sent events, from here on: see [`events`](sessio_driver::Response::events).
    #[must_use]
    pub fn events(self) -> Events {
        Events::of(self.0.events())
    }

    /// As [`events`](Self::events), of a stream that goes on after one that has ended.
    #[must_use]
    pub fn events_after(self, last_event_id: impl Into<std::sync::Arc<str>>) -> Events {
        Events::of(self.0.events_after(last_event_id))
    }

    /// The whole body as JSON.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and if it is not the JSON that was expected.
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(self) -> Result<T> {
        wait(self.0.json())
    }

    /// Writes the body to `writer` as it comes, from here on, and says how many bytes it was.
    ///
    /// # Errors
    /// Why the body ends before its end, and what the writer says: what was written until then was written.
    pub fn copy_to(&mut self, mut writer: impl Write) -> io::Result<u64> {
        let count = io::copy(self, &mut writer)?;
        writer.flush()?;
        Ok(count)
    }

    /// Writes the whole body to a file, which is there whole or not at all: see
    /// [`save`](sessio_driver::Response::save).
    ///
    /// # Errors
    /// What the file system says, and why the body is not whole.
    pub fn save(self, path: impl AsRef<Path>) -> io::Result<u64> {
        wait(self.0.save(path))
    }

    /// The response itself, or an error that holds it if its status is 4xx or 5xx.
    ///
    /// # Errors
    /// The status, with the response: its body can still be read.
    pub fn error_for_status(self) -> Result<Self, StatusError> {
        self.0.error_for_status().map(Self).map_err(StatusError)
    }

    /// The request that this redirect leads to, where redirects are not followed: taken once.
    ///
    /// # Errors
    /// Why the redirect leads nowhere.
    #[allow(clippy::should_implement_trait, reason = "the name that requests has for it")]
    pub fn next(&mut self) -> Option<Result<PreparedCall>> {
        self.0.next()
    }
}

/// Reads the body. What cuts it short is an error of the kind that the [`Error`] says, and holds it.
impl Read for Response {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        wait(self.0.read(room)).map_err(io::Error::from)
    }
}

/// The connection's buffer is the reader's: no byte is copied, and a line costs no system call.
impl BufRead for Response {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        wait(self.0.fill_buf()).map_err(io::Error::from)
    }

    fn consume(&mut self, n: usize) {
        self.0.consume(n);
    }
}

impl Deref for Response {
    type Target = sessio_driver::Response<Blocking>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl StatusError {
    /// The status code.
    #[must_use]
    pub fn status(&self) -> sessio_driver::sessio::http::StatusCode {
        self.0.status()
    }

    /// The response, to read its body.
    #[must_use]
    pub fn into_response(self) -> Response {
        Response(self.0.into_response())
    }
}

impl fmt::Display for StatusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for StatusError {}

impl From<StatusError> for Error {
    fn from(error: StatusError) -> Self {
        error.0.into()
    }
}
