//! A response with an error status, as an error.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use sessio::http::StatusCode;
use sessio::{Error, Kind};

use crate::mode::Async;
use crate::response::Response;
use crate::runtime::Runtime;

impl<R: Runtime, M> Response<R, M> {
    /// Returns the response, or an error with the response if the status is 4xx or 5xx.
    ///
    /// # Errors
    /// [`StatusError`]: the status, with the response. Its body can still be read.
    pub fn error_for_status(self) -> Result<Self, StatusError<R, M>> {
        if self.status().is_client_error() || self.status().is_server_error() {
            return Err(StatusError::new(self));
        }
        Ok(self)
    }
}

/// A response with an error status. Its response can be read like any other, and `?` converts it
/// into an [`Error`].
///
/// Threads can share it, as errors require. Its response is behind a lock for that purpose, which
/// is never waited for.
pub struct StatusError<R: Runtime, M = Async> {
    status: StatusCode,
    response: Mutex<Response<R, M>>,
}

impl<R: Runtime, M> StatusError<R, M> {
    fn new(response: Response<R, M>) -> Self {
        Self { status: response.status(), response: Mutex::new(response) }
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the response, with its head and its unread body.
    #[must_use]
    pub fn into_response(self) -> Response<R, M> {
        self.response.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Runtime, M> fmt::Display for StatusError<R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server answered {}; read the response that the error holds", self.status)
    }
}

impl<R: Runtime, M> fmt::Debug for StatusError<R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusError").field("status", &self.status).finish_non_exhaustive()
    }
}

impl<R: Runtime, M> std::error::Error for StatusError<R, M> {}

impl<R: Runtime, M> From<StatusError<R, M>> for Error {
    /// Keeps the head, and drops the body.
    fn from(error: StatusError<R, M>) -> Self {
        let detail = error.status.to_string();
        let (exchange, history) = error.into_response().into_exchange();
        let error = Self::new(Kind::Status).with_detail(detail).with_url(&exchange.url);
        error.with_response(exchange).with_history(history)
    }
}
