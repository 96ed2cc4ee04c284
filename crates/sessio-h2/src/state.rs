//! The availability of a connection.

/// The availability of a connection for new streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It takes this many streams now, perhaps 0 until others end.
    Open {
        /// Number of streams that can be opened.
        free: u32,
    },
    /// The peer was silent for too long, and a PING was sent. The connection takes no streams until
    /// the peer sends anything.
    Doubtful,
    /// It takes no more streams; open ones continue.
    Draining,
    /// It has ended. Remaining bytes may be sent; then the transport must be closed.
    Dead,
}

impl State {
    /// Returns `true` if streams can be opened now.
    pub fn is_available(self) -> bool {
        matches!(self, Self::Open { free: 1.. })
    }
}
