//! Transports: carriers of requests and responses as messages.
//!
//! A session sends its requests over connections, as the bytes of HTTP/1.1. A transport carries them
//! as messages instead: a head, bytes of a body, and an end. Examples are a mock in a test and a
//! service in the same process. A [mount](crate::Mounts) with a transport selects it by URL.
//!
//! Cookies, redirects, authentication, content codings, time limits and observers are the session's.
//! They work over any transport, and no transport can skip them.

use std::fmt;
use std::task::{Context, Poll};

use crate::base::time::{Instant, Now};
use crate::error::{Error, Result};
use crate::message::head::Head;
use crate::message::headers::Headers;
use crate::prepared::Prepared;

/// A carrier of requests and responses as messages. Many calls may use one at the same time.
///
/// A transport is responsible for the security of its way. A session sends it the requests for
/// `https` URLs too, if it is mounted on them.
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Begins one request. It does no IO and does not wait: the transfer does.
    ///
    /// # Errors
    /// The reason why the transport cannot carry the request. Nothing was sent then.
    fn open(&self, request: &Prepared, now: Now) -> Result<Box<dyn Transfer>>;
}

/// One request and its response over a [`Transport`].
///
/// The session polls it from the task of the caller. A method that returns [`Poll::Pending`] arranges
/// a wake-up by the waker of `cx`, or by [`wake_at`](Self::wake_at). A dropped transfer is cancelled.
pub trait Transfer: Send {
    /// Takes bytes of the request's body. Returns the number of bytes taken. `is_last` marks the end
    /// of the body behind these bytes. The end counts as taken if all of the bytes are taken. Taken
    /// bytes count as sent, also for the time limit: a transfer takes no more than it can pass on or
    /// hold. The session polls this method at least once, and not again after the end.
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        body: &[u8],
        is_last: bool,
    ) -> Poll<Result<usize, TransferError>>;

    /// Takes the trailers of the request's body, before its end. Default: ignores them.
    fn send_trailers(&mut self, trailers: &Headers) {
        let _ = trailers;
    }

    /// The next head of the response. Interim heads (1xx) may precede the final one. It may come
    /// before all of the request is taken.
    fn poll_head(&mut self, cx: &mut Context<'_>, now: Now) -> Poll<Result<Head, TransferError>>;

    /// Writes the next bytes of the response's body to the start of `room`, which is not empty.
    /// Returns their number. 0 is the end of the body.
    fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        now: Now,
        room: &mut [u8],
    ) -> Poll<Result<usize, TransferError>>;

    /// The trailers of the response, after its end. Default: none.
    fn trailers(&mut self) -> Headers {
        Headers::new()
    }

    /// The time at which the session polls again without a wake-up. It is read after each
    /// [`Poll::Pending`]. Default: `None`.
    fn wake_at(&self) -> Option<Instant> {
        None
    }
}

/// The failure of a [`Transfer`].
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "a failure has a fate and a reason")]
pub struct TransferError {
    /// Whether the request may have had an effect.
    pub fate: Fate,
    /// The reason.
    pub error: Error,
}

/// The state of a request whose transfer failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// It was not processed, so that it can be sent again. The session does so once.
    Unprocessed,
    /// It may have been processed.
    Unknown,
}

impl From<Error> for TransferError {
    /// The failure with an unknown fate.
    fn from(error: Error) -> Self {
        Self { fate: Fate::Unknown, error }
    }
}
