//! Events of streams.

use crate::StreamError;
use crate::hpack::Fields;

/// The number of a stream on its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub(crate) u32);

impl StreamId {
    /// The number on the wire.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// An event of a stream.
///
/// The order is: any number of `Interim`, one `Head`, any number of `Body`, perhaps `Trailers`, and
/// exactly one `Ended`. An error can occur at every point; then `Ended` is the next event.
/// `Writable` can occur at any point until the request has ended; a response may end before its
/// request.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'c> {
    /// An interim response (1xx).
    Interim(Head<'c>),
    /// The head of the response.
    Head(Head<'c>),
    /// Bytes of the body have arrived: [`Connection::body`](crate::Connection::body) returns them.
    Body,
    /// The trailers.
    Trailers(Fields<'c>),
    /// [`Connection::send_body`](crate::Connection::send_body) takes bytes again.
    Writable,
    /// The response is complete, or the stream failed. Unconsumed bytes of the body may remain.
    Ended(Result<(), StreamError>),
}

/// The head of a response. The names of its fields are in lower case.
#[derive(Debug, Clone, Copy)]
pub struct Head<'c> {
    /// The status, from 100 to 999.
    pub status: u16,
    /// The fields, without `:status`.
    pub fields: Fields<'c>,
}
