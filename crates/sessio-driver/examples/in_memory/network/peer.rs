//! The far end of a line.

use std::ops::ControlFlow;
use std::sync::Arc;

use sessio_driver::sessio::Instant;

/// The content of a packet.
pub enum Packet {
    /// At least one byte.
    Bytes(Vec<u8>),
    /// The end of the stream.
    End,
    /// The connection is broken.
    Reset,
}

impl Packet {
    /// The number of bytes that it occupies in the window.
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

/// The peer of a connection: it receives packets and then acts, both under the lock of the network.
pub trait Peer: Send {
    fn deliver(&mut self, packet: Packet);

    /// Acts now. It sends at most `room` bytes.
    fn run(&mut self, now: Instant, room: usize) -> Output;
}

/// The actions of a peer.
#[derive(Default)]
pub struct Output {
    pub packets: Vec<Packet>,
    /// The next time at which it acts without input.
    pub until: Option<Instant>,
    /// The number of received bytes that it has not read.
    pub unread: usize,
    /// It will do nothing more.
    pub is_over: bool,
}

/// A server: consumes complete requests from the start of the received bytes, and returns its
/// responses. It closes with `Break`.
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
    fn deliver(&mut self, packet: Packet) {
        match packet {
            Packet::Bytes(bytes) => {
                self.received.extend(bytes);
                self.has_news = true;
            }
            Packet::End | Packet::Reset => self.is_over = true,
        }
    }

    fn run(&mut self, _: Instant, _: usize) -> Output {
        let mut packets = Vec::new();
        if std::mem::take(&mut self.has_news) && !self.is_over {
            let response = (self.server)(&mut self.received);
            self.is_over = response.is_break();
            let (ControlFlow::Break(bytes) | ControlFlow::Continue(bytes)) = response;
            packets.extend((!bytes.is_empty()).then_some(Packet::Bytes(bytes)));
            packets.extend(self.is_over.then_some(Packet::End));
        }
        Output { packets, is_over: self.is_over, ..Output::default() }
    }
}
