//! A response with an error status, as an error.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use sessio::http::StatusCode;
use sessio::{Error, Exchange, Kind, Url};

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

    /// Returns the response, or an error with its head if the status is 4xx or 5xx. The body can
    /// still be read from the response.
    ///
    /// ```no_run
    /// # async fn load<R: sessio_driver::Runtime>(session: sessio_driver::Session<R>) -> sessio::Result<()> {
    /// let response = session.get("http://localhost:8080/items").send().await?;
    /// if let Err(error) = response.error_for_status_ref() {
    ///     eprintln!("{error}: {}", response.text().await?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Kind::Status`]: the status is 4xx or 5xx.
    pub fn error_for_status_ref(&self) -> Result<&Self, Error> {
        if self.status().is_client_error() || self.status().is_server_error() {
            let (exchange, history) = self.exchanges();
            return Err(error(exchange, history).with_attempts(self.attempts().to_vec()));
        }
        Ok(self)
    }
}

#[cold]
fn error(exchange: Exchange, history: Vec<Exchange>) -> Error {
    let detail = exchange.head.status.to_string();
    let error = Error::new(Kind::Status).with_detail(detail).with_url(&exchange.url);
    error.with_response(exchange).with_history(history)
}

/// A response with an error status. Its response can be read like any other. `?` converts it into
/// an [`Error`] of [`Kind::Status`], with the URL, the head of the response and the history.
///
/// Threads can share it, as errors require. Its response is behind a lock for that purpose, which
/// is never waited for.
pub struct StatusError<R: Runtime, M = Async> {
    status: StatusCode,
    /// Boxed so that a `Result` with this error stays small.
    url: Box<Url>,
    response: Mutex<Response<R, M>>,
}

impl<R: Runtime, M> StatusError<R, M> {
    fn new(response: Response<R, M>) -> Self {
        let mut url = response.url().clone();
        // Both fail only for a URL without a host, and a response has one.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Self { status: response.status(), url: Box::new(url), response: Mutex::new(response) }
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The URL of the response, without userinfo.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the response, with its head and its unread body.
    #[must_use]
    pub fn into_response(self) -> Response<R, M> {
        self.response.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Runtime, M> fmt::Display for StatusError<R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = Url::clone(&self.url);
        url.set_fragment(None);
        write!(f, "the server responded with {} for {url}; read the response in the error", self.status)
    }
}

impl<R: Runtime, M> fmt::Debug for StatusError<R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusError")
            .field("status", &self.status)
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

impl<R: Runtime, M> std::error::Error for StatusError<R, M> {}

impl<R: Runtime, M> From<StatusError<R, M>> for Error {
    /// Keeps the head, and drops the body.
    fn from(failed: StatusError<R, M>) -> Self {
        let response = failed.into_response();
        let attempts = response.attempts().to_vec();
        let (exchange, history) = response.into_exchange();
        error(exchange, history).with_attempts(attempts)
    }
}
