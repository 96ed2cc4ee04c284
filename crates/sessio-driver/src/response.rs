//! The answer.

use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::Duration;

use sessio::call::BodyState;
use sessio::cookie::Extracted;
use sessio::http::{StatusCode, Version};
use sessio::link::Links;
use sessio::{
    CallOptions, Error, Exchange, Head, Headers, Kind, Prepared, PreparedCall, Result, Timings, Url,
};

use crate::flight::Flight;
use crate::mode::Async;
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
///
/// In a blocking session it is a [`Read`](std::io::Read) and a [`BufRead`](std::io::BufRead).
pub struct Response<R: Runtime, M = Async> {
    pub(crate) flight: Box<Flight<R>>,
    head: Head,
    mode: PhantomData<M>,
}

impl<R: Runtime, M> Response<R, M> {
    /// The answer that a flight brings.
    pub(crate) async fn of(mut flight: Box<Flight<R>>) -> Result<Self> {
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

    /// The response, if nothing of its body was read (row B38). One that has failed fails when it is read on.
    pub(crate) fn unread(self) -> Result<Self> {
        let taken = self.flight.call.body_taken();
        if taken == 0 || self.body_state() == BodyState::Failed {
            return Ok(self);
        }
        Err(Error::new(Kind::PartlyRead).with_detail(format!("{taken} bytes")).with_url(self.url()))
    }

    /// The exchange and those before it, without the body.
    pub(crate) fn into_exchange(self) -> (Exchange, Vec<Exchange>) {
        let exchange = self.flight.call.exchange(self.head);
        (exchange, self.flight.call.history().to_vec())
    }

    /// The charset that the body is read in, unless a byte order mark says otherwise.
    pub(crate) fn charset(&self) -> Option<&str> {
        self.headers().get("Content-Type").and_then(sessio::text::charset_of)
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
