//! The server-sent events of a body.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use sessio::sse::Event;
use sessio::{Error, Result};

use crate::mode::Async;
use crate::response::Response;
use crate::runtime::Runtime;

/// The server-sent events of a response's body, each as soon as it has been received: see
/// [`Response::events`].
pub struct Events<R: Runtime, M = Async> {
    response: Response<R, M>,
    events: sessio::sse::Events,
    /// A stream or an iterator has returned an error.
    pub(crate) has_failed: bool,
}

impl<R: Runtime, M> Response<R, M> {
    /// The unread body as server-sent events. It is read as UTF-8, whatever its Content-Type is.
    /// The caller checks the status, and the Content-Type `text/event-stream`.
    #[must_use]
    pub fn events(self) -> Events<R, M> {
        self.events_after("")
    }

    /// The [`events`](Self::events) of a stream that continues an earlier one. Events without an id
    /// have this last event id.
    #[must_use]
    pub fn events_after(self, last_event_id: impl Into<Arc<str>>) -> Events<R, M> {
        let events = sessio::sse::Events::new(self.options().limits.line_bytes).after(last_event_id);
        Events { events, response: self, has_failed: false }
    }
}

impl<R: Runtime, M> Events<R, M> {
    /// The next event.
    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Event>>> {
        loop {
            match self.events.pop() {
                Ok(Some(event)) => return Poll::Ready(Ok(Some(event))),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Err(Error::from(error).with_url(self.response.url()))),
            }
            let bytes = ready!(self.response.poll_peek(cx))?;
            if bytes.is_empty() {
                return Poll::Ready(Ok(None));
            }
            self.events.push(bytes);
            let n = bytes.len();
            self.response.take(n);
        }
    }

    /// The value for `Last-Event-ID` of the next request for the stream; empty if that header is
    /// not needed.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.events.last_event_id()
    }

    /// The time that the server wants between two requests for the stream; `None` if it has sent
    /// none.
    #[must_use]
    pub fn retry(&self) -> Option<Duration> {
        self.events.retry()
    }

    /// The response: its head.
    #[must_use]
    pub fn response(&self) -> &Response<R, M> {
        &self.response
    }
}

impl<R: Runtime> Events<R> {
    /// The next event; `None` at the end of the stream.
    ///
    /// The caller decides whether to request an ended stream again:
    ///
    /// ```no_run
    /// # async fn read<R: sessio_driver::Runtime>(
    /// #     session: sessio_driver::Session<R>, mut pause: impl AsyncFnMut(std::time::Duration),
    /// # ) -> sessio::Result<()> {
    /// let (mut last_id, mut retry) = (String::new(), std::time::Duration::from_secs(3));
    /// loop {
    ///     let mut request = session.get("http://localhost:8080/events").header("Accept", "text/event-stream");
    ///     if !last_id.is_empty() {
    ///         request = request.header("Last-Event-ID", &last_id);
    ///     }
    ///     let response = request.send().await?.error_for_status()?;
    ///     if response.status() == 204 {
    ///         return Ok(()); // the server wants no further requests
    ///     }
    ///     let mut events = response.events_after(&*last_id);
    ///     // A stream that ends and one that breaks are the same here.
    ///     while let Ok(Some(event)) = events.next().await {
    ///         println!("{}: {}", event.event, event.data);
    ///     }
    ///     last_id = events.last_event_id().to_owned();
    ///     retry = events.retry().unwrap_or(retry);
    ///     pause(retry).await;
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// - The reason why the body ends early. A truncated event is never returned.
    /// - [`Kind::LineTooLong`](sessio::Kind::LineTooLong): a line exceeds `limits.line_bytes`.
    ///
    /// Both are permanent.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: the next call continues.
    #[allow(clippy::should_implement_trait, reason = "it is asynchronous")]
    pub async fn next(&mut self) -> Result<Option<Event>> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Polls for the next event, like [`next`](Self::next).
    ///
    /// # Errors
    /// Those of [`next`](Self::next).
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Event>>> {
        self.poll_event(cx)
    }
}

impl<R: Runtime, M> fmt::Debug for Events<R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("response", &self.response).finish_non_exhaustive()
    }
}
