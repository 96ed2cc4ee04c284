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
/// let limited = Reply::ok("later").header("Retry-After", "1").status(429);
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
    /// Whether the Content-Type is that of [`json_body`](Self::json_body), and no field of the caller.
    has_default_type: bool,
    /// The first invalid value.
    problem: Option<Error>,
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
    /// request. All further methods can be called in any order.
    #[must_use]
    pub fn new(status: u16) -> Self {
        let reply = Self {
            head: Head::new(StatusCode::OK, Headers::new()),
            interim: Vec::new(),
            pieces: VecDeque::new(),
            trailers: Headers::new(),
            delay: Duration::ZERO,
            piece_delay: Duration::ZERO,
            is_early: false,
            fault: None,
            has_default_type: false,
            problem: None,
        };
        reply.status(status)
    }

    /// A response with the status 200 and this body.
    #[must_use]
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self::new(200).body(body)
    }

    /// A response with the status 200, and this value as its [JSON body](Self::json_body).
    ///
    /// ```
    /// use sessio_driver::mock::Reply;
    ///
    /// let created = Reply::json(&["a", "b"]).status(201);
    /// let problem = Reply::new(422).json_body("no name").header("Content-Type", "application/problem+json");
    /// # let _ = (created, problem);
    /// ```
    #[cfg(feature = "json")]
    #[must_use]
    pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> Self {
        Self::new(200).json_body(value)
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

    /// Sets the status, such as 404. An impossible one, and one below 200, fails the request.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        match StatusCode::from_u16(status) {
            Ok(code) if status >= 200 => self.head.status = code,
            _ => self.refuse(
                Error::new(Kind::Misuse).with_detail(format!("the status {status} of a mock's reply")),
            ),
        }
        self
    }

    /// Adds a header field. An invalid one fails the request.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        if self.has_default_type && name.eq_ignore_ascii_case("Content-Type") {
            self.head.headers.remove(name);
            self.has_default_type = false;
        }
        if let Err(error) = self.head.headers.append(name, value) {
            self.refuse(error);
        }
        self
    }

    /// Sets a value as the body in JSON. Its Content-Type is `application/json`, unless there is a
    /// field of that name. A value without JSON form fails the request.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn json_body<T: serde::Serialize + ?Sized>(mut self, value: &T) -> Self {
        let body = match serde_json::to_vec(value) {
            Ok(body) => body,
            Err(error) => {
                self.refuse(Error::new(Kind::InvalidBody).with_source(error));
                return self;
            }
        };
        let mut reply = self.body(body);
        if !reply.head.headers.contains("Content-Type") {
            reply = reply.header("Content-Type", "application/json");
            reply.has_default_type = true;
        }
        reply
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
            self.refuse(error);
        }
        self
    }

    /// Sends an interim response before this one, such as 103 with its fields.
    #[must_use]
    pub fn interim<'a>(mut self, status: u16, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut headers = Headers::new();
        for (name, value) in fields {
            if let Err(error) = headers.append(name, value) {
                self.refuse(error);
            }
        }
        match StatusCode::from_u16(status) {
            Ok(status) if status.is_informational() => self.interim.push(Head::new(status, headers)),
            _ => {
                let detail = format!("the status {status} of an interim response of a mock");
                self.refuse(Error::new(Kind::Misuse).with_detail(detail));
            }
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

    /// Keeps the first error.
    fn refuse(&mut self, error: impl Into<Error>) {
        self.problem.get_or_insert_with(|| error.into());
    }

    /// The first error of the builder methods.
    pub(super) fn check(&self) -> Result<()> {
        self.problem.clone().map_or(Ok(()), Err)
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
