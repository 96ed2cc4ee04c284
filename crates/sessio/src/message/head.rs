//! The head of a response.

use std::borrow::Cow;

use http::{StatusCode, Version};

use crate::message::headers::Headers;

/// Status, version, reason and headers of a response.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// The status code.
    pub status: StatusCode,
    /// HTTP/1.0 or HTTP/1.1.
    pub version: Version,
    /// The header fields: order and spelling as received, values as bytes, with three exceptions.
    ///
    /// - A Content-Length beside Transfer-Encoding is left out, as it has no effect.
    /// - A repeated Content-Length occurs once.
    /// - A field that was folded over several lines is one line, with one blank for each fold.
    pub headers: Headers,
    /// The reason phrase as received, often empty; it has no meaning (RFC 9112 section 4). The
    /// usual phrases are borrowed.
    pub reason: Cow<'static, [u8]>,
}

impl Head {
    /// Builds a head without a connection: for tests and for embedders with their own framing.
    #[must_use]
    pub fn new(status: StatusCode, headers: Headers) -> Self {
        Self { status, version: Version::HTTP_11, headers, reason: Cow::Borrowed(b"") }
    }
}

impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {} {:?}", self.version, self.status.as_u16(), self.headers)
    }
}
