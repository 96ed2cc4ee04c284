//! The responses of a mock.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use sessio::http::StatusCode;
use sessio::{Error, Head, Headers, Kind, Result};

use super::Received;

/// A response of a [`Mock`](super::Mock), or a failure in place of it.
///
/// ```
/// use std::time::Duration;
/// use sessio_driver::mock::Reply;
///
/// let slow = Reply::ok("hello").header("Content-Type", "text/plain").delay(Duration::from_secs(2));
/// let limited = Reply::new(429).header("Retry-After", "1");
/// let broken = Reply::ok("hello").cut_after(3);
/// # let _ = (slow, limited, broken);
/// ```
#[derive(Clone)]
pub struct Reply {
    pub(super) head: Head,
    pub(super) interim: Vec<Head>,
    pub(super) pieces: VecDeque<Bytes>,
    pub(super) trailers: Headers,
    pub(super) delay: Duration,
    pub(super) piece_delay: Duration,
    pub(super) is_early: bool,
    pub(super) fault: Option<Fault>,
    problem: Option<Kind>,
}

/// The failure of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// No connection can be made.
    Refused,
    /// No byte of a response arrives, ever.
    Silent,
    /// The connection breaks after this many bytes of the body.
    Cut(usize),
}

impl Reply {
    /// A response with this status, such as 204, and no body. An impossible status fails the
    /// request.
    #[must_use]
    pub fn new(status: u16) -> Self {
        let (status, problem) = match StatusCode::from_u16(status) {
            Ok(status) if status.as_u16() >= 200 => (status, None),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, Some(Kind::Misuse)),
        };
        Self {
            head: Head::new(status, Headers::new()),
            interim: Vec::new(),
            pieces: VecDeque::new(),
            trailers: Headers::new(),
            delay: Duration::ZERO,
            piece_delay: Duration::ZERO,
            is_early: false,
            fault: None,
            problem,
        }
    }

    /// A response with the status 200 and this body.
    #[must_use]
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::new(200).body(body)
    }

    /// A response with the status 200, this value as JSON, and its Content-Type.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::ok(body).header("Content-Type", "application/json"),
            Err(_) => Self { problem: Some(Kind::InvalidBody), ..Self::new(500) },
        }
    }

    /// Replies for one request each, first to last. Further requests fail.
    #[must_use]
    pub fn sequence(replies: impl IntoIterator<Item = Self>) -> Sequence {
        Sequence(Mutex::new(replies.into_iter().collect()))
    }

    /// A failure to connect.
    #[must_use]
    pub fn refused() -> Self {
        Self { fault: Some(Fault::Refused), ..Self::new(500) }
    }

    /// No response, ever: a time limit of the session ends the call.
    #[must_use]
    pub fn silent() -> Self {
        Self { fault: Some(Fault::Silent), ..Self::new(500) }
    }

    /// Adds a header field. An invalid one fails the request.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if let Err(error) = self.head.headers.append(name, value) {
            self.problem = Some(error.kind());
        }
        self
    }

    /// Sets the body, and its Content-Length. A response to HEAD has the length alone.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        // A number is a valid value.
        let _ = self.head.headers.insert("Content-Length", body.len().to_string());
        self.pieces = [body].into();
        self
    }

    /// Sets a body of unknown length, which arrives piece by piece.
    #[must_use]
    pub fn pieces<B: Into<Bytes>>(mut self, pieces: impl IntoIterator<Item = B>) -> Self {
        self.head.headers.remove("Content-Length");
        self.pieces = pieces.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a trailer field, behind the body. An invalid one fails the request.
    #[must_use]
    pub fn trailer(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if let Err(error) = self.trailers.append(name, value) {
            self.problem = Some(error.kind());
        }
        self
    }

    /// Sends an interim response before this one, such as 103 with its fields.
    #[must_use]
    pub fn interim<'a>(mut self, status: u16, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut headers = Headers::new();
        for (name, value) in fields {
            if let Err(error) = headers.append(name, value) {
                self.problem = Some(error.kind());
            }
        }
        match StatusCode::from_u16(status) {
            Ok(status) if status.is_informational() => self.interim.push(Head::new(status, headers)),
            _ => self.problem = Some(Kind::Misuse),
        }
        self
    }

    /// Delays the head. The clock is the runtime's: in a simulation no time passes.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Delays each piece of the body.
    #[must_use]
    pub fn piece_delay(self, piece_delay: Duration) -> Self {
        Self { piece_delay, ..self }
    }

    /// Responds before the body of the request is complete. It has an effect for a fixed reply
    /// alone: a function receives the whole body.
    #[must_use]
    pub fn early(self) -> Self {
        Self { is_early: true, ..self }
    }

    /// Breaks the connection after this many bytes of the body.
    #[must_use]
    pub fn cut_after(self, bytes: usize) -> Self {
        Self { fault: Some(Fault::Cut(bytes)), ..self }
    }

    pub(super) fn is_refusal(&self) -> bool {
        self.fault == Some(Fault::Refused)
    }

    /// Checks what the builder methods were given.
    pub(super) fn check(&self) -> Result<()> {
        let detail = "the reply of the mock has an invalid status, field or body";
        self.problem.map_or(Ok(()), |kind| Err(Error::new(kind).with_detail(detail)))
    }
}

pub(super) fn refusal() -> Error {
    Error::new(Kind::Connect).with_detail("the mock refuses the connection")
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("head", &self.head)
            .field("body", &self.pieces.iter().map(Bytes::len).sum::<usize>())
            .field("delay", &self.delay)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

/// The source of a route's replies.
///
/// - A [`Reply`]: the same for all requests.
/// - A [sequence](Reply::sequence): one reply for each request.
/// - A function of the request. It runs under no lock, so it may use the mock and the session.
pub trait Respond: Send + Sync + 'static {
    /// The reply to a request whose body is complete.
    ///
    /// # Errors
    /// No reply is left.
    fn respond(&self, request: &Received) -> Result<Reply>;

    /// The reply to a request whose body is not complete yet. `None` waits for the body. Default:
    /// `None`.
    fn early(&self) -> Option<Reply> {
        None
    }
}

impl Respond for Reply {
    fn respond(&self, _: &Received) -> Result<Reply> {
        Ok(self.clone())
    }

    fn early(&self) -> Option<Reply> {
        (self.is_early || self.is_refusal()).then(|| self.clone())
    }
}

impl<F> Respond for F
where
    F: Fn(&Received) -> Reply + Send + Sync + 'static,
{
    fn respond(&self, request: &Received) -> Result<Reply> {
        Ok(self(request))
    }
}

/// Replies for one request each: see [`Reply::sequence`].
#[derive(Debug)]
pub struct Sequence(Mutex<VecDeque<Reply>>);

impl Respond for Sequence {
    fn respond(&self, request: &Received) -> Result<Reply> {
        let next = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        next.ok_or_else(|| {
            let detail = format!("the mock has no reply left for {request}");
            Error::new(Kind::Connect).with_detail(detail)
        })
    }
}
