//! One request and its response.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use http::Method;
use url::{Position, Url};

use crate::message::head::Head;
use crate::message::headers::Headers;
use crate::message::timings::Timings;
use crate::uri::redacted::RedactedUrl;

/// One request and the head of its response.
///
/// A response has one for itself. Its history has one for each redirect and each challenge before
/// it, first to last (rules ).
#[derive(Clone)]
#[non_exhaustive]
pub struct Exchange {
    /// The method that was sent.
    pub method: Method,
    /// The URL of the request, with its fragment.
    pub url: Url,
    /// The header fields that were sent, in the order of transmission.
    pub sent: Headers,
    /// The head of the response.
    pub head: Head,
    /// Time from the request for a connection to the end of the head; the body is not included
    /// (rule S-04).
    pub elapsed: Duration,
    /// Times of the exchange. The end of a response that was followed is missing, unless it had
    /// arrived with the head.
    pub timings: Timings,
    /// The peer's address, if known: not over a Unix socket.
    pub remote: Option<SocketAddr>,
    /// Set if the connection had carried an earlier exchange.
    pub reused: bool,
    /// The number of the connection within its session, counted from 1.
    pub connection: u64,
}

impl Exchange {
    /// Path and query, as in the request line unless the caller had set another target.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.method, RedactedUrl::new(&self.url), self.head.status.as_u16())
    }
}
