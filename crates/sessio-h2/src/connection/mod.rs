//! A client connection.

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

/// The first bytes of a client, before its SETTINGS.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a GOAWAY's debug data that are kept.
const DEBUG_BYTES: usize = 256;

/// Bytes of the encoder's dynamic table that an idle connection keeps.
const IDLE_TABLE: usize = 2048;

/// The HTTP/2 connection of a client, without its transport.
///
/// The owner of the transport moves bytes by [`io`](Self::io), [`sent`](Self::sent) and
/// [`received`](Self::received). It takes events by [`poll_event`](Self::poll_event) until there
/// are none. [`open`](Self::open) and [`send_body`](Self::send_body) send requests.
/// [`body`](Self::body) reads bytes of a response, and [`consume`](Self::consume) releases them.
///
/// Time is an argument: the duration since a moment that the caller chooses, the same for all
/// calls. It never goes back.
pub struct Connection {
    config: Config,
    /// The latest time that the caller passed.
    now: Duration,
    /// Time of the last received byte.
    heard: Duration,
    outgoing: Outgoing,
    incoming: Incoming,
    /// The DATA frame that is being read.
    data: Option<DataFrame>,
    /// Body bytes that are still in the incoming buffer.
    loose: Option<Loose>,
    /// The header block that is being assembled.
    assembly: Option<Assembly>,
    decoder: Decoder,
    encoder: Encoder,
    fields: FieldBlock,
    window: Window,
    /// Number of bytes that may be sent.
    send_window: i64,
    peer: PeerSettings,
    /// Set once the peer's first SETTINGS have arrived.
    is_greeted: bool,
    /// Time of SETTINGS that are not acknowledged yet.
    unacknowledged: Option<Duration>,
    /// Time of a PING since which nothing has arrived.
    doubt: Option<Duration>,
    streams: Streams,
    next_id: u32,
    /// Streams whose end must be reported.
    finished: VecDeque<u32>,
    /// Streams that have bytes to send and credit of their own.
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
    /// The reason of the shutdown.
    pub code: ErrorCode,
    /// Debug data, for people: the first 256 bytes.
    pub debug: Vec<u8>,
}

impl Connection {
    /// Creates a connection over a fresh transport. Preface and SETTINGS are the first bytes to
    /// send.
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
            // Until our SETTINGS are acknowledged the peer may still use the default.
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

    /// The reason why the connection failed, if it did.
    pub fn error(&self) -> Option<ConnectionError> {
        self.error
    }

    /// The GOAWAY of the peer, if it is shutting down.
    pub fn goaway(&self) -> Option<&GoAway> {
        self.goaway.as_ref()
    }

    /// Starts a shutdown: no new streams, GOAWAY to the peer. Open streams continue.
    pub fn close(&mut self) {
        if !self.is_closing && self.error.is_none() {
            self.is_closing = true;
            frame::encode::goaway(0, ErrorCode::NO_ERROR, b"", &mut self.outgoing.bytes);
        }
    }

    /// Releases memory while no stream is open. Call it when the connection becomes idle. An idle
    /// connection then has less than 8 KiB: itself, a buffer of 512 bytes, and the HPACK tables.
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

/// Omits the bytes: they contain secrets.
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
