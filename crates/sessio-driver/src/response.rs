//! The answer.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use sessio::call::BodyState;
use sessio::cookie::Extracted;
use sessio::http::{StatusCode, Version};
use sessio::link::Links;
use sessio::{
    Bytes, CallOptions, Error, Exchange, Head, Headers, Kind, Prepared, PreparedCall, Result, Timings, Url,
};

use crate::flight::Flight;
use crate::runtime::Runtime;

/// An answer: its head is there, its body is read on demand, from the socket to the caller.
///
/// A body that was cut short is never given out as whole. Dropping a response before its body was read
/// closes the connection; otherwise it goes back to the pool as soon as its last byte has come.
///
/// It may come before the whole request is out (rows Q07, B50). If its status is 2xx and neither side has said that it
/// closes, the request's body goes on going out while this one is read, until this one has ended: with a
/// [source](crate::Source) that is told what to say meanwhile, that is a conversation. Any other answer ends the upload.
/// In both cases the source is dropped as soon as nobody asks it any more.
pub struct Response<R: Runtime> {
    flight: Box<Flight<R>>,
    head: Head,
}

impl<R: Runtime> Response<R> {
    /// The answer that a flight brings.
    pub(crate) async fn of(mut flight: Box<Flight<R>>) -> Result<Self> {
        let head = flight.head().await?;
        Ok(Self { flight, head })
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// HTTP/1.0 or HTTP/1.1.
    #[must_use]
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The header fields: order and spelling as received.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.head.headers
    }

    /// The whole head.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The URL that answered: the last one, after redirects.
    #[must_use]
    pub fn url(&self) -> &Url {
        self.flight.call.request().url()
    }

    /// The request that was answered, as it went over the wire.
    #[must_use]
    pub fn request(&self) -> &Prepared {
        self.flight.call.request()
    }

    /// The options that the request was sent with.
    #[must_use]
    pub fn options(&self) -> &CallOptions {
        self.flight.call.options()
    }

    /// The responses on the way, first to last; their bodies were skipped.
    #[must_use]
    pub fn history(&self) -> &[Exchange] {
        self.flight.call.history()
    }

    /// From the wish for a connection to the head of this answer, on its last hop.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.flight.call.elapsed()
    }

    /// When the exchange that brought this answer came how far: its connection, its first byte, its end.
    #[must_use]
    pub fn timings(&self) -> Timings {
        self.flight.call.timings()
    }

    /// The address that answered, where it is known: not over a Unix socket.
    #[must_use]
    pub fn remote_address(&self) -> Option<SocketAddr> {
        self.flight.call.remote_address()
    }

    /// The number of the connection within its session, and whether it had carried an earlier exchange.
    #[must_use]
    pub fn connection(&self) -> (u64, bool) {
        self.flight.call.connection()
    }

    /// What the jar made of this answer's cookies: which it kept, which it refused and why.
    #[must_use]
    pub fn extracted(&self) -> &Extracted {
        self.flight.call.extracted()
    }

    /// The links of the `Link` fields (RFC 8288), resolved against the [URL](Self::url) that answered.
    ///
    /// ```no_run
    /// # async fn pages<R: sessio_driver::Runtime>(session: sessio_driver::Session<R>) -> sessio::Result<()> {
    /// let mut page = session.get("http://localhost:8080/items").send().await?;
    /// while let Some(next) = page.links().get("next").and_then(|link| link.target()) {
    ///     page = session.get(next).send().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn links(&self) -> Links {
        Links::parse(self.headers().get_all("Link"), self.url())
    }

    /// How much of the body was read.
    #[must_use]
    pub fn body_state(&self) -> BodyState {
        self.flight.call.body_state()
    }

    /// How many bytes of the body are still to be read, where that is known. Of a body whose codings are undone it is not:
    /// its header `Content-Length`, which is there to be read, counts coded bytes.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.flight.call.body_left()
    }

    /// The request that this redirect leads to, where redirects are not followed: taken once. It can be
    /// edited and [executed](crate::Session::execute).
    ///
    /// # Errors
    /// Why the redirect leads nowhere.
    #[allow(clippy::should_implement_trait, reason = "the name that requests has for it")]
    pub fn next(&mut self) -> Option<Result<PreparedCall>> {
        self.flight.call.take_next()
    }

    /// The fields behind a chunked body, once it was read to its end.
    #[must_use]
    pub fn trailers(&self) -> &Headers {
        self.flight.call.trailers()
    }

    /// The next bytes of the body, straight out of the connection's buffer; `None` at its end.
    ///
    /// # Errors
    /// Why the body ends before its end.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: the next call goes on.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.flight.resume();
        let chunk = self.peek().await?.map(Bytes::copy_from_slice);
        if let Some(bytes) = &chunk {
            self.flight.call.consume(bytes.len());
        }
        Ok(chunk)
    }

    /// Hands the next bytes of the body to `read`, without copying them; says whether there were any.
    ///
    /// # Errors
    /// Why the body ends before its end.
    ///
    /// # Cancel safety
    /// As [`chunk`](Self::chunk).
    pub async fn read_with(&mut self, read: impl FnOnce(&[u8])) -> Result<bool> {
        self.flight.resume();
        self.hand_to(read).await
    }

    /// The bytes of the body that are there, straight out of the connection's buffer; none at its end. They are
    /// told again until they are [consumed](Self::consume).
    ///
    /// # Errors
    /// Why the body ends before its end. It stays an error.
    ///
    /// # Cancel safety
    /// As [`chunk`](Self::chunk).
    pub async fn fill_buf(&mut self) -> Result<&[u8]> {
        self.flight.resume();
        self.peek().await.map(Option::unwrap_or_default)
    }

    /// As [`fill_buf`](Self::fill_buf), for whoever is polled: the door to every trait of reading.
    ///
    /// # Errors
    /// As [`fill_buf`](Self::fill_buf).
    pub fn poll_fill_buf(&mut self, cx: &mut Context<'_>) -> Poll<Result<&[u8]>> {
        self.flight.resume();
        if !ready!(self.flight.poll_body(cx))? {
            return Poll::Ready(Ok(&[]));
        }
        Poll::Ready(Ok(self.flight.body()))
    }

    /// The first `n` bytes of those that [`fill_buf`](Self::fill_buf) told were read. More of them than were
    /// told are [`Kind::Misuse`], of which the next read tells.
    pub fn consume(&mut self, n: usize) {
        // Whoever reads to the end says so, too: nothing was read of nothing.
        if n > 0 {
            self.flight.call.consume(n);
        }
    }

    /// Reads the next bytes of the body into `room`, which is not empty, and says how many; 0 is its end.
    ///
    /// # Errors
    /// Why the body ends before its end.
    ///
    /// # Cancel safety
    /// As [`chunk`](Self::chunk).
    pub async fn read(&mut self, room: &mut [u8]) -> Result<usize> {
        self.flight.resume();
        let Some(bytes) = self.peek().await? else { return Ok(0) };
        let n = bytes.len().min(room.len());
        room[..n].copy_from_slice(&bytes[..n]);
        self.flight.call.consume(n);
        Ok(n)
    }

    async fn hand_to(&mut self, read: impl FnOnce(&[u8])) -> Result<bool> {
        let Some(bytes) = self.peek().await? else { return Ok(false) };
        read(bytes);
        let n = bytes.len();
        self.flight.call.consume(n);
        Ok(true)
    }

    async fn peek(&mut self) -> Result<Option<&[u8]>> {
        let flight = &mut self.flight;
        if !poll_fn(|cx| flight.poll_body(cx)).await? {
            return Ok(None);
        }
        Ok(Some(flight.body()))
    }

    /// Hands the body on as it comes, from here on: to `write`, which is polled with bytes and says how many of them it
    /// took. Says how many it was. What `write` holds back is for the caller to flush.
    ///
    /// # Errors
    /// Why the body ends before its end, and what `write` says: what was written until then was written.
    /// [`WriteZero`](std::io::ErrorKind::WriteZero) if it takes nothing.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing that `write` has not taken.
    pub async fn copy_with(
        &mut self,
        mut write: impl FnMut(&mut Context<'_>, &[u8]) -> Poll<io::Result<usize>>,
    ) -> io::Result<u64> {
        let mut count = 0;
        loop {
            let bytes = self.fill_buf().await?;
            if bytes.is_empty() {
                return Ok(count);
            }
            let n = poll_fn(|cx| write(cx, bytes)).await?;
            if n == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.consume(n);
            count += n as u64;
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// Why it is not whole; what came before is gone with it, see [`chunk`](Self::chunk) to keep it.
    /// [`Kind::PartlyRead`] if a part of it was read before: [`rest`](Self::rest) is what is left then.
    ///
    /// # Cancel safety
    /// Dropping the future drops the response, and closes the connection if the body was not at its end.
    pub async fn bytes(self) -> Result<Bytes> {
        self.unread()?.rest().await
    }

    /// What is left of the body: all of it, less what was read before.
    ///
    /// # Errors
    /// Why it does not come to its end.
    ///
    /// # Cancel safety
    /// As [`bytes`](Self::bytes).
    pub async fn rest(mut self) -> Result<Bytes> {
        // A length is only a server's word: memory is taken for what has come, and a little ahead.
        const AHEAD: u64 = 1024 * 1024;
        let expected = self.content_length().unwrap_or(0).min(AHEAD);
        let mut body = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
        self.flight.resume();
        while self.hand_to(|bytes| body.extend_from_slice(bytes)).await? {}
        Ok(body.into())
    }

    /// The response, if nothing of its body was read (row B38). One that has failed fails when it is read on.
    pub(crate) fn unread(self) -> Result<Self> {
        let taken = self.flight.call.body_taken();
        if taken == 0 || self.body_state() == BodyState::Failed {
            return Ok(self);
        }
        Err(Error::new(Kind::PartlyRead).with_detail(format!("{taken} bytes")).with_url(self.url()))
    }

    /// The charset that the body is read in, unless a byte order mark says otherwise.
    pub(crate) fn charset(&self) -> Option<&str> {
        self.headers().get("Content-Type").and_then(sessio::text::charset_of)
    }

    /// The whole body as text: by its byte order mark, else as UTF-8 if it is JSON, else in the charset that the
    /// Content-Type names, else as UTF-8. What is not valid becomes U+FFFD, and a byte order mark goes.
    ///
    /// Known are UTF-8 and ISO 8859-1, and with the feature `charset` all of the Encoding standard; what is not
    /// known is read as UTF-8.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    ///
    /// # Cancel safety
    /// As [`bytes`](Self::bytes).
    pub async fn text(self) -> Result<String> {
        let charset = self.charset().map(str::to_owned);
        let body = self.bytes().await?;
        Ok(sessio::text::decode(charset.as_deref(), &body))
    }

    /// The whole body as text in this charset, whatever the Content-Type says; a byte order mark still counts.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and [`Kind::InvalidBody`] if the charset is not [known](sessio::text::is_known).
    ///
    /// # Cancel safety
    /// As [`bytes`](Self::bytes).
    pub async fn text_with_charset(self, charset: &str) -> Result<String> {
        if !sessio::text::is_known(charset) {
            let detail = format!("the charset {} is not known", sessio::escape(charset.as_bytes()));
            return Err(Error::new(Kind::InvalidBody).with_detail(detail).with_url(self.url()));
        }
        let body = self.bytes().await?;
        Ok(sessio::text::decode(Some(charset), &body))
    }

    /// The whole body as JSON.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and [`Kind::InvalidBody`] if it is not the JSON that was expected.
    ///
    /// # Cancel safety
    /// As [`bytes`](Self::bytes).
    #[cfg(feature = "json")]
    pub async fn json<T: serde::de::DeserializeOwned>(self) -> Result<T> {
        let url = self.url().clone();
        let body = self.bytes().await?;
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body);
        serde_json::from_slice(body)
            .map_err(|error| Error::new(Kind::InvalidBody).with_url(&url).with_source(error))
    }

    /// The response itself, or an error that holds it if its status is 4xx or 5xx.
    ///
    /// # Errors
    /// The status, with the response: its body can still be read.
    pub fn error_for_status(self) -> Result<Self, StatusError<R>> {
        if self.status().is_client_error() || self.status().is_server_error() {
            return Err(StatusError::new(self));
        }
        Ok(self)
    }
}

impl<R: Runtime> fmt::Debug for Response<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("head", &self.head)
            .field("request", self.request())
            .finish_non_exhaustive()
    }
}

/// A response with an error status. It can be read like any other, and turns into an [`Error`] with `?`.
///
/// It travels between threads as errors do; the response in it is locked for that, and never waited for.
pub struct StatusError<R: Runtime> {
    status: StatusCode,
    response: Mutex<Response<R>>,
}

impl<R: Runtime> StatusError<R> {
    fn new(response: Response<R>) -> Self {
        Self { status: response.status(), response: Mutex::new(response) }
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The response, to look at its head and to read its body.
    #[must_use]
    pub fn into_response(self) -> Response<R> {
        self.response.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Runtime> fmt::Display for StatusError<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server answered {}; read the response that the error holds", self.status)
    }
}

impl<R: Runtime> fmt::Debug for StatusError<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusError").field("status", &self.status).finish_non_exhaustive()
    }
}

impl<R: Runtime> std::error::Error for StatusError<R> {}

impl<R: Runtime> From<StatusError<R>> for Error {
    /// The head comes along, the body does not.
    fn from(error: StatusError<R>) -> Self {
        let detail = error.status.to_string();
        let Response { flight, head } = error.into_response();
        let exchange = flight.call.exchange(head);
        let history = flight.call.history().to_vec();
        let error = Self::new(Kind::Status).with_detail(detail).with_url(&exchange.url);
        error.with_response(exchange).with_history(history)
    }
}
