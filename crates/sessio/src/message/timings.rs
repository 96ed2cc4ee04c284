//! The times at which an exchange made progress.

use std::time::Duration;

/// When an exchange came how far: how long it took from the moment its connection was wanted. What has not come to
/// pass, or is not known, is `None`.
///
/// Each hop of a call has its own; one that was sent again on a new connection, because one from the pool was stale,
/// goes on counting. A connection that had carried an earlier exchange was neither resolved nor opened nor secured.
///
/// ```no_run
/// # fn print(timings: sessio::Timings) {
/// if let (Some(sent), Some(first_byte)) = (timings.sent, timings.first_byte) {
///     println!("the server thought for {:?}", first_byte.saturating_sub(sent));
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timings {
    /// The addresses of the host were known. Those of pinned hosts and of literal addresses always are.
    pub resolve: Option<Duration>,
    /// There was a new connection.
    pub connect: Option<Duration>,
    /// It was secured.
    pub secure: Option<Duration>,
    /// The whole request was out, as far as the transport is concerned.
    pub sent: Option<Duration>,
    /// The first byte of a response had come, of an interim one, too.
    pub first_byte: Option<Duration>,
    /// The head of the response was whole (rule S-04).
    pub head: Option<Duration>,
    /// The last byte of the response had come.
    pub end: Option<Duration>,
}
