//! A request on its way to being sent.

use std::fmt;

use sessio::{Body, PreparedCall, Request, Result};

use crate::multipart::Form;
use crate::response::Response;
use crate::runtime::Runtime;
use crate::session::Session;
use crate::source::{Feed, Source};
use crate::upload::Supply;

/// A request of a session, being built. What each step means is written at [`Request`].
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder<R: Runtime> {
    session: Session<R>,
    request: Request,
    supply: Supply,
}

impl<R: Runtime> RequestBuilder<R> {
    pub(crate) fn new(session: Session<R>, request: Request) -> Self {
        Self { session, request, supply: Supply::Nothing }
    }

    /// The session, and the request as it is so far. A source does not come along.
    pub(crate) fn into_parts(self) -> (Session<R>, Request) {
        (self.session, self.request)
    }

    request_steps!(request);

    /// Sends a body that comes piece by piece: `length` bytes, or as many as come. `replayable` says whether
    /// the source can start over for a redirect or a challenge.
    pub fn source(self, source: impl Source, length: Option<u64>, replayable: bool) -> Self {
        self.feed(Feed::new(source, length, replayable))
    }

    /// Sends a body that comes piece by piece, such as a file: its backend opens it.
    pub fn feed(mut self, feed: Feed) -> Self {
        self.request.body = Body::source(feed.length, feed.is_replayable);
        self.supply = Supply::Source(feed.source);
        self
    }

    /// Sends a form of several parts, `multipart/form-data`: see [`multipart`](crate::multipart). Its boundary is
    /// drawn by chance, or the one that the request's own Content-Type names (row B28).
    pub fn multipart(mut self, form: Form) -> Self {
        let (form, sources) = form.into_parts();
        self.request = self.request.multipart(form, &mut self.session.chance());
        self.supply = Supply::Parts(sources);
        self
    }

    /// See [`Request::json`].
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize + ?Sized>(mut self, value: &T) -> Self {
        self.request = self.request.json(value);
        self
    }

    /// See [`Request::query_from`].
    #[cfg(feature = "json")]
    pub fn query_from<T: serde::Serialize + ?Sized>(mut self, value: &T) -> Self {
        self.request = self.request.query_from(value);
        self
    }

    /// See [`Request::form_from`].
    #[cfg(feature = "json")]
    pub fn form_from<T: serde::Serialize + ?Sized>(mut self, value: &T) -> Self {
        self.request = self.request.form_from(value);
        self
    }

    /// Changes the request itself, for what has no step here.
    pub fn map(mut self, change: impl FnOnce(Request) -> Request) -> Self {
        self.request = change(self.request);
        self
    }

    /// The exact request, to be read, edited and [executed](Session::execute). A [source](Self::source) does
    /// not come along, nor do those of a form's parts.
    ///
    /// # Errors
    /// What is wrong with the request.
    pub fn prepare(self) -> Result<PreparedCall> {
        self.session.prepare(self.request)
    }

    /// Sends the request and waits for the head of the answer; redirects are followed.
    ///
    /// # Errors
    /// Why there is no answer. An answer with an error status is an answer: see
    /// [`Response::error_for_status`].
    ///
    /// # Cancel safety
    /// Dropping the future closes its connection; nothing else is lost, and the session goes on.
    #[allow(clippy::manual_async_fn, reason = "it would move the request once more, and that is large")]
    pub fn send(mut self) -> impl Future<Output = Result<Response<R>>> {
        async move {
            let flight = self.session.launch(&mut self.request, std::mem::take(&mut self.supply))?;
            Response::of(flight).await
        }
    }
}

impl<R: Runtime> fmt::Debug for RequestBuilder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.request, f)
    }
}
