//! Errors of sending a request.

use std::fmt;

use crate::request::InvalidRequest;

/// The reason why a stream could not be opened. Nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// No stream is available now: all are in use, or the peer was silent for too long and has not
    /// acknowledged a PING.
    Full,
    /// No stream will be available again: the connection is draining or dead.
    Closed,
    /// The request cannot be sent.
    Invalid(InvalidRequest),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the HTTP/2 connection takes no stream now"),
            Self::Closed => f.write_str("the HTTP/2 connection takes no more streams"),
            Self::Invalid(error) => write!(f, "the request cannot be sent: {error}"),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<InvalidRequest> for OpenError {
    fn from(error: InvalidRequest) -> Self {
        Self::Invalid(error)
    }
}

/// The stream takes no bytes: its request has ended, or the stream has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotSending;

impl fmt::Display for NotSending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stream takes no more bytes of its request")
    }
}

impl std::error::Error for NotSending {}
