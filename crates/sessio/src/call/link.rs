//! The connection of an exchange, by what outlives it.

use std::net::SocketAddr;
use std::sync::Arc;

/// Facts about the connection of the exchange at hand. They stay when the connection is given back.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// The number of the connection within its session.
    pub(super) number: u64,
    /// The address of its other end, where there is one.
    pub(super) remote: Option<Arc<SocketAddr>>,
    /// Whether it had carried an earlier exchange.
    pub(super) is_reused: bool,
    /// Whether it was given back to be used again.
    pub(super) is_kept: bool,
    /// Whether the transport reported that the request was not processed.
    pub(super) is_unprocessed: bool,
}
