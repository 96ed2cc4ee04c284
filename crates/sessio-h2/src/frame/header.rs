//! The nine-byte header of a frame.

use std::fmt;

/// The largest window, the largest increment, and the largest stream id.
pub const MAX_WINDOW: u32 = (1 << 31) - 1;

/// The type of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind(pub u8);

impl Kind {
    /// Bytes of a body.
    pub const DATA: Self = Self(0);
    /// The beginning of a header block.
    pub const HEADERS: Self = Self(1);
    /// A priority, deprecated.
    pub const PRIORITY: Self = Self(2);
    /// The end of a stream by an error.
    pub const RST_STREAM: Self = Self(3);
    /// Settings of the connection.
    pub const SETTINGS: Self = Self(4);
    /// The announcement of a pushed response.
    pub const PUSH_PROMISE: Self = Self(5);
    /// A check whether the peer is alive.
    pub const PING: Self = Self(6);
    /// The end of the connection.
    pub const GOAWAY: Self = Self(7);
    /// Credit for the sender of DATA.
    pub const WINDOW_UPDATE: Self = Self(8);
    /// The rest of a header block.
    pub const CONTINUATION: Self = Self(9);
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            "DATA",
            "HEADERS",
            "PRIORITY",
            "RST_STREAM",
            "SETTINGS",
            "PUSH_PROMISE",
            "PING",
            "GOAWAY",
            "WINDOW_UPDATE",
            "CONTINUATION",
        ];
        match names.get(usize::from(self.0)) {
            Some(name) => f.write_str(name),
            None => write!(f, "frame of type {:#x}", self.0),
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Length of the payload in bytes, at most 2^24 - 1.
    pub length: u32,
    /// The type.
    pub kind: Kind,
    /// The flags, as on the wire.
    pub flags: u8,
    /// The stream; 0 is the connection.
    pub stream: u32,
}

impl Header {
    /// Length of a header in bytes.
    pub const LEN: usize = 9;
    /// DATA and HEADERS: no more frames of this kind follow on the stream.
    pub const END_STREAM: u8 = 0x1;
    /// SETTINGS and PING: the frame acknowledges one of the other side.
    pub const ACK: u8 = 0x1;
    /// The header block ends with this frame.
    pub const END_HEADERS: u8 = 0x4;
    /// The payload is padded.
    pub const PADDED: u8 = 0x8;
    /// HEADERS: a priority precedes the header block.
    pub const PRIORITY: u8 = 0x20;

    /// Parses a header. Any nine bytes are valid.
    pub fn parse(bytes: &[u8; Self::LEN]) -> Self {
        let [a, b, c, kind, flags, s, t, u, v] = *bytes;
        Self {
            length: u32::from_be_bytes([0, a, b, c]),
            kind: Kind(kind),
            flags,
            stream: u32::from_be_bytes([s, t, u, v]) & MAX_WINDOW,
        }
    }

    /// Writes the header.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let [_, a, b, c] = self.length.to_be_bytes();
        let [s, t, u, v] = self.stream.to_be_bytes();
        [a, b, c, self.kind.0, self.flags, s, t, u, v]
    }

    /// Returns `true` if all bits of `flag` are set.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag == flag
    }

    /// Returns `true` if the frame ends its stream: only DATA and HEADERS do.
    pub fn is_end_stream(&self) -> bool {
        matches!(self.kind, Kind::DATA | Kind::HEADERS) && self.has(Self::END_STREAM)
    }

    /// Returns `true` if the frame acknowledges SETTINGS or a PING.
    pub fn is_ack(&self) -> bool {
        matches!(self.kind, Kind::SETTINGS | Kind::PING) && self.has(Self::ACK)
    }
}
