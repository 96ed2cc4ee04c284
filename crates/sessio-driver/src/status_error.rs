//! A response with an error status, as an error.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use sessio::http::StatusCode;
use sessio::{Error, Kind};

use crate::mode::Async;
use crate::response::Response;
use crate::runtime::Runtime;

impl<R: Runtime, M> Response<R, M> {
    /// The response itself, or an error that holds it if its status is 4xx or 5xx.
    ///
    /// # Errors
    /// The status, with the response: its body can still be read.
    pub fn error_for_status(self) -> Result<Self, StatusError<R, M>> {
        if self.status().is_client_error() || self.status().is_server_error() {
            return Err(StatusError::new(self));
        }
        Ok(self)
    }
}

/// A response with an error status. It can be read like any other, and turns into an [`Error`] with `?`.
///
/// It travels between threads as errors do; the response in it is locked for that, and never waited for.
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

    /// The response, to look at its head and to read its body.
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
    /// The head comes along, the body does not.
    fn from(error: StatusError<R, M>) -> Self {
        let detail = error.status.to_string();
        let (exchange, history) = error.into_response().into_exchange();
        let error = Self::new(Kind::Status).with_detail(detail).with_url(&exchange.url);
        error.with_response(exchange).with_history(history)
    }
}
