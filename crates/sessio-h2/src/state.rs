//! Whether a connection takes streams.

/// Whether a connection takes streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It takes this many streams now; perhaps none until others end.
    Open {
        /// How many.
        free: u32,
    },
    /// The peer was quiet for long and was asked whether it lives. It takes no streams before it says
    /// anything.
    Doubtful,
    /// It takes no streams any more; those that are open go on.
    Draining,
    /// It has ended. What is to be sent may be sent; then the transport is to be closed.
    Dead,
}

impl State {
    /// Whether streams can be opened now.
    pub fn is_available(self) -> bool {
        matches!(self, Self::Open { free: 1.. })
    }
}
