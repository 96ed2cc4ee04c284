//! A packet of a connection in memory.

/// What travels over a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// Bytes, at least one. A server's are as it wrote them.
    Bytes(Vec<u8>),
    /// Nothing more will be sent.
    End,
    /// The connection is gone.
    Reset,
}
