//! A packet of a connection in memory.

/// The unit that travels over a network in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// Bytes, at least one. The packets of a server are as it wrote them.
    Bytes(Vec<u8>),
    /// The end of the stream: its sender sends nothing more.
    End,
    /// A reset of the connection.
    Reset,
}
