//! What was exchanged on the way to a response.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use http::Method;
use url::{Position, Url};

use crate::message::head::Head;
use crate::message::headers::Headers;
use crate::message::timings::Timings;
use crate::uri::address::Shown;

/// One request that went out and the head that answered it.
///
/// A response has one for itself and, in its history, one for each redirect and each challenge before it,
/// first to last (rules ).
#[derive(Clone)]
#[non_exhaustive]
pub struct Exchange {
    /// The method that was sent.
    pub method: Method,
    /// The URL that was asked, with its fragment.
    pub url: Url,
    /// The header fields that were sent, in the order in which they went over the wire.
    pub sent: Headers,
    /// The head of the response.
    pub head: Head,
    /// From the moment the connection was wanted to the moment the head was whole; the body is not in it
    /// (rule S-04).
    pub elapsed: Duration,
    /// When it came how far. Of a response that was followed the end is not in it, unless that had come with the head.
    pub timings: Timings,
    /// The address that the connection leads to, where it is known: not over a Unix socket.
    pub remote: Option<SocketAddr>,
    /// Whether the connection had carried an earlier exchange.
    pub reused: bool,
    /// The number of the connection within its session, counted from 1.
    pub connection: u64,
}

impl Exchange {
    /// Path and query, as they stood in the request line unless the caller had set another target.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.method, Shown(&self.url), self.head.status.as_u16())
    }
}
