//! The reuse of a connection after a response.

use std::fmt;
use std::time::Duration;

/// The reuse of a connection after a response.
///
/// ```
/// use sessio::h1::{NoReuse, Reuse};
///
/// let verdict = Reuse::No(NoReuse::Excess);
/// if let Reuse::No(why) = verdict {
///     assert_eq!(why.to_string(), "bytes came after the end of the response");
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// It may carry another request, if its owner still finds it open and silent.
    Yes {
        /// Maximal idle time: `Keep-Alive: timeout=N` less one second, or half of it if that is
        /// less. So the next request does not cross the server's close (rows Q21, FN12).
        idle_for: Option<Duration>,
        /// Number of further requests: `Keep-Alive: max=N` (row Q22).
        max: Option<u32>,
    },
    /// It must be closed.
    No(NoReuse),
}

/// The reason why a connection must not be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoReuse {
    /// The response has not been read to its end, or never will be.
    Unfinished,
    /// The request contained `Connection: close`.
    ClosedByRequest,
    /// The response contained `Connection: close`.
    ClosedByResponse,
    /// The response is HTTP/1.0 without `Connection: keep-alive`.
    OldVersion,
    /// The body ended with the connection.
    UntilClose,
    /// The peer closed the connection.
    Closed,
    /// `Keep-Alive: max=0`: it was the last response.
    Spent,
    /// Bytes came after the end of the response: they must never be read as the next one (row
    /// V100).
    Excess,
    /// The connection speaks another protocol now: 101, or an accepted CONNECT.
    Upgraded,
    /// Tolerated: a repeated Content-Length or a list, all of the same value (rows P002, P004).
    RepeatedLength,
    /// Tolerated: Content-Length beside Transfer-Encoding (rows P020, P021).
    LengthAndCoding,
    /// Tolerated: Content-Length or Transfer-Encoding in a response without a body: 1xx, 204 (rows
    /// P122, P142).
    BodyWhereNone,
    /// Tolerated: a line of the head ends with LF alone (row P069).
    BareLineFeed,
    /// Tolerated: a field continues on a second line (row P075).
    Folded,
}

impl fmt::Display for NoReuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unfinished => "the response was not read to its end",
            Self::ClosedByRequest => "the request said Connection: close",
            Self::ClosedByResponse => "the response said Connection: close",
            Self::OldVersion => "HTTP/1.0 without Connection: keep-alive",
            Self::UntilClose => "the body ended with the connection",
            Self::Closed => "the peer closed the connection",
            Self::Spent => "the server takes no further request on it",
            Self::Excess => "bytes came after the end of the response",
            Self::Upgraded => "the connection speaks another protocol now",
            Self::RepeatedLength => "Content-Length was repeated",
            Self::LengthAndCoding => "Content-Length stood beside Transfer-Encoding",
            Self::BodyWhereNone => "a body was announced where none can be",
            Self::BareLineFeed => "a line of the head ended with LF alone",
            Self::Folded => "a field was folded over two lines",
        })
    }
}
