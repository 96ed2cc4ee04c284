//! The connection of an exchange, as callers see it.

/// The connection that carried a response.
///
/// ```
/// use sessio::ConnectionInfo;
///
/// fn describe(connection: ConnectionInfo) -> String {
///     let state = if connection.is_reused() { "reused" } else { "new" };
///     format!("connection {}, {state}", connection.number())
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionInfo {
    number: u64,
    is_reused: bool,
}

impl ConnectionInfo {
    pub(crate) const fn new(number: u64, is_reused: bool) -> Self {
        Self { number, is_reused }
    }

    /// The number of the connection within its session: 1 is the first one that was opened. It is 0
    /// if the call had no connection, as with a [transport](crate::transport).
    #[must_use]
    pub const fn number(self) -> u64 {
        self.number
    }

    /// Whether the connection had carried an earlier exchange.
    #[must_use]
    pub const fn is_reused(self) -> bool {
        self.is_reused
    }
}
