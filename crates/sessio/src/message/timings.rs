//! The times of an exchange.

use std::time::Duration;

/// The times of an exchange, measured from the request for its connection. A time that was not
/// reached, or is unknown, is `None`.
///
/// Each hop of a call has its own. A request that was sent again on a new connection, because a
/// pooled one was stale, continues its times. A reused connection has neither `resolve` nor
/// `connect` nor `secure`.
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
    /// The addresses of the host were known. They always are for pinned hosts and literal
    /// addresses.
    pub resolve: Option<Duration>,
    /// The new connection was open.
    pub connect: Option<Duration>,
    /// Its TLS handshakes were done.
    pub secure: Option<Duration>,
    /// The whole request was sent, as far as the transport reports.
    pub sent: Option<Duration>,
    /// The first byte of a response had arrived, interim responses included.
    pub first_byte: Option<Duration>,
    /// The head of the response was complete (rule S-04).
    pub head: Option<Duration>,
    /// The last byte of the response had arrived.
    pub end: Option<Duration>,
}
