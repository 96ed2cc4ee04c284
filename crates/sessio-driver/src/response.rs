//! The response to a request.

use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::net::SocketAddr;
use std::time::Duration;

use sessio::call::BodyState;
use sessio::cookie::Extracted;
use sessio::http::{StatusCode, Version};
use sessio::link::Links;
use sessio::retry::Attempt;
use sessio::{
    CallOptions, ConnectionInfo, Error, Exchange, Head, Headers, Kind, Prepared, PreparedCall, Result,
    Timings, Url,
};

use crate::in_flight::InFlight;
use crate::mode::Async;
use crate::runtime::Runtime;

/// A response with its head. Its body is read on demand, from the socket to the caller.
///
/// A truncated body is never returned as a complete one. Dropping a response before its body was
/// read closes the connection. Else the connection returns to the pool after the last byte.
///
/// A response may be received before the whole request is sent (rows Q07, B50). If its status is
/// 2xx and neither side closes the connection, the upload continues while this body is read, until
/// it ends. So a [source](crate::Source) can react to the response: both bodies form a
/// conversation. Any other response ends the upload. In both cases the source is dropped as soon as
/// it is not needed any more.
///
/// In a blocking session it implements [`Read`](std::io::Read) and [`BufRead`](std::io::BufRead).
pub struct Response<R: Runtime, M = Async> {
    pub(crate) flight: Box<InFlight<R>>,
    head: Head,
    mode: PhantomData<M>,
}

impl<R: Runtime, M> Response<R, M> {
    /// The response of a flight.
    pub(crate) async fn of(mut flight: Box<InFlight<R>>) -> Result<Self> {
        let head = flight.head().await?;
        Ok(Self { flight, head, mode: PhantomData })
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

    /// The header fields, in the order and spelling of the server.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.head.headers
    }

    /// The whole head.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The URL of this response: the last one, after redirects.
    #[must_use]
    pub fn url(&self) -> &Url {
        self.flight.call.request().url()
    }

    /// The request of this response, as it was sent.
    #[must_use]
    pub fn request(&self) -> &Prepared {
        self.flight.call.request()
    }

    /// The options of the request.
    #[must_use]
    pub fn options(&self) -> &CallOptions {
        self.flight.call.options()
    }

    /// The attempts of the call, first to last, each with the decision about it. The last one
    /// brought this response. Empty without a policy of [retries](sessio::retry).
    ///
    /// ```no_run
    /// # async fn get<R: sessio_driver::Runtime>(session: sessio_driver::Session<R>) -> sessio::Result<()> {
    /// use sessio::retry::RetryPolicy;
    ///
    /// let response = session.get("http://localhost:8080/").retry(RetryPolicy::web()).send().await?;
    /// for attempt in response.attempts() {
    ///     eprintln!("{attempt}"); // status 503: again after 2s, as Retry-After asks
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        self.flight.call.attempts()
    }

    /// The time that the response asks the client to wait. `None` if it has no valid `Retry-After`.
    /// See [`retry_after`](sessio::retry::retry_after()).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.headers().get("Retry-After")?;
        sessio::retry::retry_after(self.headers(), self.flight.runtime.now().wall)
    }

    /// The responses before this one, first to last. Their bodies were skipped.
    #[must_use]
    pub fn history(&self) -> &[Exchange] {
        self.flight.call.history()
    }

    /// The time of the last hop from the request for a connection to the head of this response.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.flight.call.elapsed()
    }

    /// The times of this exchange: its connection, its first byte, its end.
    #[must_use]
    pub fn timings(&self) -> Timings {
        self.flight.call.timings()
    }

    /// The address of the peer; `None` if it is unknown, as over a Unix socket.
    #[must_use]
    pub fn remote_address(&self) -> Option<SocketAddr> {
        self.flight.call.remote_address()
    }

    /// The connection: its number within the session, and whether it had carried an earlier exchange.
    #[must_use]
    pub fn connection(&self) -> ConnectionInfo {
        self.flight.call.connection()
    }

    /// The cookies of this response that the jar stored, and those that it refused, with reasons.
    #[must_use]
    pub fn extracted(&self) -> &Extracted {
        self.flight.call.extracted()
    }

    /// The links of the `Link` fields (RFC 8288), resolved against the [URL](Self::url) of this
    /// response.
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

    /// The progress of reading the body.
    #[must_use]
    pub fn body_state(&self) -> BodyState {
        self.flight.call.body_state()
    }

    /// The number of bytes of the body that are still to be read; `None` if it is unknown. It is
    /// unknown for a body that is decoded: its header `Content-Length`, which remains readable,
    /// counts coded bytes.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.flight.call.body_left()
    }

    /// The next request of this redirect, if redirects are not followed. It can be taken once,
    /// edited and [executed](crate::Session::execute).
    ///
    /// # Errors
    /// The reason why the redirect cannot be followed.
    #[allow(clippy::should_implement_trait, reason = "the name that requests has for it")]
    pub fn next(&mut self) -> Option<Result<PreparedCall>> {
        self.flight.call.take_next()
    }

    /// The trailer fields of a chunked body, after it was read to its end.
    #[must_use]
    pub fn trailers(&self) -> &Headers {
        self.flight.call.trailers()
    }

    /// Returns the response if nothing of its body was read (row B38). A failed body returns its
    /// error at the next read.
    pub(crate) fn unread(self) -> Result<Self> {
        let taken = self.flight.call.body_taken();
        if taken == 0 || self.body_state() == BodyState::Failed {
            return Ok(self);
        }
        Err(Error::new(Kind::PartlyRead).with_detail(format!("{taken} bytes")).with_url(self.url()))
    }

    /// The exchange and the earlier ones, without the body.
    pub(crate) fn into_exchange(mut self) -> (Exchange, Vec<Exchange>) {
        let head = mem::replace(&mut self.head, Head::new(StatusCode::OK, Headers::new()));
        let exchange = self.flight.call.exchange(head);
        (exchange, self.flight.call.history().to_vec())
    }

    /// Copies of the exchange and the earlier ones, without the body.
    pub(crate) fn exchanges(&self) -> (Exchange, Vec<Exchange>) {
        (self.flight.call.exchange(self.head.clone()), self.flight.call.history().to_vec())
    }

    /// The charset of the body, unless it has a byte order mark.
    pub(crate) fn charset(&self) -> Option<&str> {
        self.headers().get("Content-Type").and_then(sessio::text::charset_of)
    }
}

impl<R: Runtime, M> Drop for Response<R, M> {
    /// Keeps the memory of the headers for a later request.
    fn drop(&mut self) {
        self.flight.call.reuse_headers(mem::take(&mut self.head.headers));
    }
}

impl<R: Runtime, M> fmt::Debug for Response<R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("head", &self.head)
            .field("request", self.request())
            .finish_non_exhaustive()
    }
}
