//! One connection of a client.

mod control;
mod data;
mod ending;
mod header_block;
mod io;
#[cfg(test)]
mod laws;
mod partial;
mod receiving;
mod sending;
mod state;

use core::time::Duration;
use std::collections::VecDeque;
use std::fmt;

use crate::budget::Budget;
use crate::frame::{self, MAX_WINDOW};
use crate::hpack::{Decoder, Encoder, FieldBlock};
use crate::incoming::{Incoming, Loose};
use crate::outgoing::Outgoing;
use crate::settings::{self, PeerSettings};
use crate::streams::Streams;
use crate::window::Window;
use crate::{Config, ConnectionError, ErrorCode};

use partial::{Assembly, DataFrame};

/// What a client says first, before its SETTINGS.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How much of a GOAWAY's debug data is kept.
const DEBUG_BYTES: usize = 256;

/// How much of our own header table an idle connection keeps.
const IDLE_TABLE: usize = 2048;

/// An HTTP/2 connection of a client, without its transport.
///
/// Whoever owns the transport moves bytes ([`io`](Self::io), [`sent`](Self::sent),
/// [`received`](Self::received)) and asks for events ([`poll_event`](Self::poll_event)) until there is none.
/// Requests are sent by [`open`](Self::open) and [`send_body`](Self::send_body). Bytes of a response are
/// read by [`body`](Self::body) and given up by [`consume`](Self::consume).
///
/// Time is an argument: how long it is since a moment that the caller chooses, the same for all calls. It
/// never goes back.
pub struct Connection {
    config: Config,
    /// The latest time that we were told.
    now: Duration,
    /// When the peer was heard the last time.
    heard: Duration,
    outgoing: Outgoing,
    incoming: Incoming,
    /// The DATA frame that is being read.
    data: Option<DataFrame>,
    /// Bytes of a body that are still among the incoming ones.
    loose: Option<Loose>,
    /// The header block that is being put together.
    assembly: Option<Assembly>,
    decoder: Decoder,
    encoder: Encoder,
    fields: FieldBlock,
    window: Window,
    /// How many bytes we may send.
    send_window: i64,
    peer: PeerSettings,
    /// Whether the peer's first SETTINGS have come.
    is_greeted: bool,
    /// Since when our SETTINGS wait to be acknowledged.
    unacknowledged: Option<Duration>,
    /// When a PING went out, while nothing has come since.
    doubt: Option<Duration>,
    streams: Streams,
    next_id: u32,
    /// Streams whose end is to be told.
    finished: VecDeque<u32>,
    /// Streams that want to send and have credit of their own.
    writable: VecDeque<u32>,
    budgets: Budgets,
    goaway: Option<GoAway>,
    is_closing: bool,
    is_at_end: bool,
    error: Option<ConnectionError>,
}

#[derive(Debug, Default)]
struct Budgets {
    pings: Budget,
    settings: Budget,
    empty_frames: Budget,
    resets: Budget,
    stream_errors: Budget,
    own_resets: Budget,
}

/// A GOAWAY of the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GoAway {
    /// Streams above this one were not processed.
    pub last: u32,
    /// Why the peer shuts down.
    pub code: ErrorCode,
    /// More about it, for people: the first 256 bytes.
    pub debug: Vec<u8>,
}

impl Connection {
    /// A connection whose transport has just been connected. Preface and SETTINGS are the first bytes to send.
    pub fn new(config: &Config, now: Duration) -> Self {
        let config = config.clone();
        let mut outgoing = Outgoing::default();
        let out = &mut outgoing.bytes;
        out.reserve(512);
        out.extend_from_slice(PREFACE);
        let stream_window = config.stream_window.min(MAX_WINDOW);
        let mut ours = vec![
            (settings::ENABLE_PUSH, 0),
            (settings::INITIAL_WINDOW_SIZE, stream_window),
            (settings::MAX_HEADER_LIST_SIZE, u32::try_from(config.limits.header_list).unwrap_or(u32::MAX)),
        ];
        let header_table = u32::try_from(config.header_table).unwrap_or(u32::MAX);
        if header_table != 4096 {
            ours.push((settings::HEADER_TABLE_SIZE, header_table));
        }
        frame::encode::settings(&ours, out);
        let window = config.connection_window.clamp(65_535, MAX_WINDOW);
        if window > 65_535 {
            frame::encode::window_update(0, window - 65_535, out);
        }
        Self {
            now,
            heard: now,
            outgoing,
            incoming: Incoming::default(),
            data: None,
            loose: None,
            assembly: None,
            // Until our SETTINGS are acknowledged the peer may still go by the default.
            decoder: Decoder::new(config.header_table.max(4096)),
            encoder: Encoder::new(config.own_header_table),
            fields: FieldBlock::new(),
            window: Window::new(window),
            send_window: 65_535,
            peer: PeerSettings::new(),
            is_greeted: false,
            unacknowledged: Some(now),
            doubt: None,
            streams: Streams::default(),
            next_id: 1,
            finished: VecDeque::new(),
            writable: VecDeque::new(),
            budgets: Budgets::default(),
            goaway: None,
            is_closing: false,
            is_at_end: false,
            error: None,
            config: Config { stream_window, ..config },
        }
    }

    /// Why the connection failed, if it did.
    pub fn error(&self) -> Option<ConnectionError> {
        self.error
    }

    /// What the peer said when it began to shut down.
    pub fn goaway(&self) -> Option<&GoAway> {
        self.goaway.as_ref()
    }

    /// Begins to shut down: no new streams, GOAWAY to the peer. Open streams go on.
    pub fn close(&mut self) {
        if !self.is_closing && self.error.is_none() {
            self.is_closing = true;
            frame::encode::goaway(0, ErrorCode::NO_ERROR, b"", &mut self.outgoing.bytes);
        }
    }

    /// Gives memory back while no stream is open: to be called when the connection begins to idle. An idle
    /// connection has less than 8 KiB then: itself, a buffer of 512 bytes, and the HPACK tables.
    pub fn rest(&mut self) {
        if self.streams.is_empty() {
            self.settle_loose();
            self.incoming.rest();
            self.outgoing.rest();
            self.streams.rest();
            self.fields = FieldBlock::new();
            (self.finished, self.writable) = (VecDeque::new(), VecDeque::new());
            self.decoder.shrink();
            self.encoder.shrink(IDLE_TABLE);
        }
    }
}

/// Without bytes: among them are secrets.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("state", &self.state(self.now))
            .field("streams", &self.streams.active)
            .field("unsent", &self.outgoing.len())
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
