//! The far end of a line.

use std::ops::ControlFlow;
use std::sync::Arc;

use sessio_driver::sessio::Instant;

/// What travels.
pub enum Packet {
    /// At least one.
    Bytes(Vec<u8>),
    /// Nothing more comes.
    End,
    /// The connection is gone.
    Reset,
}

impl Packet {
    /// How many bytes of the window it takes.
    pub fn size(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::End | Self::Reset => 0,
        }
    }

    pub fn said(&self) -> String {
        match self {
            Self::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Self::End => "end".to_owned(),
            Self::Reset => "reset".to_owned(),
        }
    }
}

/// Whoever is connected to: told what comes, and then asked what it does, both under the lock of the network.
pub trait Peer: Send {
    fn hear(&mut self, packet: Packet);

    /// Does what it can do now. It sends no more bytes than there is room for.
    fn go_on(&mut self, now: Instant, room: usize) -> Said;
}

/// What a peer has done.
#[derive(Default)]
pub struct Said {
    pub packets: Vec<Packet>,
    /// When it goes on of itself.
    pub until: Option<Instant>,
    /// How many bytes it was told of and has not read.
    pub unread: usize,
    /// It will do nothing more.
    pub is_over: bool,
}

/// A server: takes what it understands from the start of what has come, and answers. It closes with `Break`.
pub type Server = dyn Fn(&mut Vec<u8>) -> ControlFlow<Vec<u8>, Vec<u8>> + Send + Sync;

/// A server as a peer.
pub struct Site {
    server: Arc<Server>,
    received: Vec<u8>,
    has_news: bool,
    is_over: bool,
}

impl Site {
    pub fn new(server: Arc<Server>) -> Self {
        Self { server, received: Vec::new(), has_news: false, is_over: false }
    }
}

impl Peer for Site {
    fn hear(&mut self, packet: Packet) {
        match packet {
            Packet::Bytes(bytes) => {
                self.received.extend(bytes);
                self.has_news = true;
            }
            Packet::End | Packet::Reset => self.is_over = true,
        }
    }

    fn go_on(&mut self, _: Instant, _: usize) -> Said {
        let mut packets = Vec::new();
        if std::mem::take(&mut self.has_news) && !self.is_over {
            let answer = (self.server)(&mut self.received);
            self.is_over = answer.is_break();
            let (ControlFlow::Break(bytes) | ControlFlow::Continue(bytes)) = answer;
            packets.extend((!bytes.is_empty()).then_some(Packet::Bytes(bytes)));
            packets.extend(self.is_over.then_some(Packet::End));
        }
        Said { packets, is_over: self.is_over, ..Said::default() }
    }
}
