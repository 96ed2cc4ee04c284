//! The scripted server: its state, and the methods that a test calls.

use std::collections::{BTreeMap, VecDeque};

use super::exchange::{Exchange, Step};
use super::frame;
use super::hpack::{HpackDecoder, HpackEncoder};
use super::request::Request;
use super::settings::{HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, MAX_FRAME_SIZE};
use super::windows::{MOST, Windows};

/// The flow-control credit that the server gives for bytes of request bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Credit {
    /// As soon as bytes are received, for the stream and for the connection.
    #[default]
    AsRead,
    /// Never by itself: only [`Exchange::grant`] and [`Peer::grant`] give credit.
    Withheld,
}

/// A scripted HTTP/2 server, without a transport.
///
/// [`receive`](Self::receive) takes bytes from the client, and [`send`](Self::send) returns the
/// bytes of the server. [`turn`](Self::turn) plays at most one step of each stream. By itself the
/// server sends its SETTINGS first, acknowledges SETTINGS and PING, and gives [`Credit`].
#[derive(Debug)]
pub struct Peer {
    pub(super) incoming: Vec<u8>,
    pub(super) is_greeted: bool,
    pub(super) has_settings: bool,
    out: Vec<u8>,
    scripts: VecDeque<Exchange>,
    otherwise: Exchange,
    pub(super) credit: Credit,
    pub(super) piece: usize,
    pub(super) streams: BTreeMap<u32, Stream>,
    pub(super) requests: Vec<Request>,
    pub(super) faults: Vec<String>,
    pub(super) windows: Windows,
    /// The settings that the client has acknowledged.
    pub(super) settings: Settings,
    /// The settings that the client has not acknowledged yet.
    pub(super) pending: VecDeque<Vec<(u16, u32)>>,
    /// The initial window of streams that the client gives.
    pub(super) client_window: u32,
    pub(super) decoder: HpackDecoder,
    pub(super) encoder: HpackEncoder,
    /// The incomplete header block: its stream, whether it ends the stream, its bytes.
    pub(super) block: Option<(u32, bool, Vec<u8>)>,
    pub(super) pings: VecDeque<Vec<u8>>,
    pub(super) goaway: Option<u32>,
    pub(super) client_goaway: Option<u32>,
    pub(super) most_open: usize,
    pub(super) is_closed: bool,
    /// After a connection error: no more bytes can be parsed.
    pub(super) is_lost: bool,
}

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) steps: VecDeque<Step>,
    /// Its index among the requests.
    pub(super) request: usize,
    pub(super) windows: Windows,
    /// The client's side has ended, normally or by a reset.
    pub(super) is_ended: bool,
    /// The server's side has ended.
    pub(super) is_answered: bool,
    /// The server has reset it. Frames that follow are dropped.
    pub(super) is_reset: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) initial_window: u32,
    pub(super) max_frame: u32,
    pub(super) max_streams: Option<u32>,
}

impl Default for Peer {
    fn default() -> Self {
        Self::new()
    }
}

impl Peer {
    /// A server with the default settings of RFC 9113. Its streams have empty scripts.
    pub fn new() -> Self {
        Self {
            incoming: Vec::new(),
            is_greeted: false,
            has_settings: false,
            out: Vec::new(),
            scripts: VecDeque::new(),
            otherwise: Exchange::new(),
            credit: Credit::AsRead,
            piece: 16_384,
            streams: BTreeMap::new(),
            requests: Vec::new(),
            faults: Vec::new(),
            windows: Windows { receive: 65_535, send: 65_535 },
            settings: Settings { initial_window: 65_535, max_frame: 16_384, max_streams: None },
            pending: VecDeque::new(),
            client_window: 65_535,
            decoder: HpackDecoder::new(4096),
            encoder: HpackEncoder::new(),
            block: None,
            pings: VecDeque::new(),
            goaway: None,
            client_goaway: None,
            most_open: 0,
            is_closed: false,
            is_lost: false,
        }
        .greeting()
    }

    fn greeting(mut self) -> Self {
        self.settings(&[]);
        self
    }

    /// Replaces the server's first SETTINGS, given by id and value. Default: none of them. Call it
    /// before all other methods.
    #[must_use]
    pub fn with_settings(mut self, settings: &[(u16, u32)]) -> Self {
        self.out.clear();
        self.pending.clear();
        self.settings(settings);
        self
    }

    /// Adds the script of the next stream, in the order in which the client opens them.
    #[must_use]
    pub fn exchange(mut self, exchange: Exchange) -> Self {
        self.scripts.push_back(exchange);
        self
    }

    /// Sets the script of streams that have no script of their own.
    #[must_use]
    pub fn otherwise(mut self, exchange: Exchange) -> Self {
        self.otherwise = exchange;
        self
    }

    /// Sets when credit is given. Default: [`Credit::AsRead`].
    #[must_use]
    pub fn with_credit(mut self, credit: Credit) -> Self {
        self.credit = credit;
        self
    }

    /// Sets the largest number of body bytes in a DATA frame. Default and maximum: 16,384.
    #[must_use]
    pub fn with_piece(mut self, bytes: usize) -> Self {
        self.piece = bytes.clamp(1, 16_384);
        self
    }

    /// Takes at most `most` bytes of those to be sent, in order.
    pub fn send(&mut self, most: usize) -> Vec<u8> {
        let rest = self.out.split_off(most.min(self.out.len()));
        std::mem::replace(&mut self.out, rest)
    }

    /// The number of bytes still to be sent.
    pub fn unsent(&self) -> usize {
        self.out.len()
    }

    /// Whether the server closes the connection after all bytes are sent.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// The requests, in the order in which their heads were received.
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// The request of a stream.
    pub fn request(&self, stream: u32) -> Option<&Request> {
        self.requests.iter().find(|request| request.stream == stream)
    }

    /// The rules that the client broke, one line each.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }

    /// The error code of the client's GOAWAY.
    pub fn client_goaway(&self) -> Option<u32> {
        self.client_goaway
    }

    /// The largest number of streams that were open at once.
    pub fn most_open(&self) -> usize {
        self.most_open
    }

    /// The number of bytes that the server may send on a stream, without the connection's window.
    /// For stream 0: on the connection.
    pub fn send_window(&self, stream: u32) -> i64 {
        self.windows_of(stream).map_or(0, |windows| windows.send)
    }

    /// The number of bytes that the client may send on a stream, without the connection's window.
    /// For stream 0: on the connection.
    pub fn receive_window(&self, stream: u32) -> i64 {
        self.windows_of(stream).map_or(0, |windows| windows.receive)
    }

    fn windows_of(&self, stream: u32) -> Option<&Windows> {
        if stream == 0 {
            Some(&self.windows)
        } else {
            self.streams.get(&stream).map(|stream| &stream.windows)
        }
    }

    /// Gives the client credit on a stream, or on the connection for stream 0. It never exceeds the
    /// largest window.
    pub fn grant(&mut self, stream: u32, bytes: u32) {
        let windows = if stream == 0 {
            Some(&mut self.windows)
        } else {
            let open = self.streams.get_mut(&stream).filter(|stream| !stream.is_ended && !stream.is_reset);
            open.map(|stream| &mut stream.windows)
        };
        let Some(windows) = windows else { return };
        // Unacknowledged settings may enlarge the window. Half of the space is left for them.
        let bytes = i64::from(bytes).min(MOST / 2 - windows.receive);
        if bytes > 0 {
            windows.receive += bytes;
            self.put(frame::WINDOW_UPDATE, 0, stream, &(bytes as u32).to_be_bytes());
        }
    }

    /// Changes settings, given by id and value. They apply to the client once it acknowledges them.
    pub fn settings(&mut self, settings: &[(u16, u32)]) {
        let payload: Vec<u8> = settings
            .iter()
            .flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        self.put(frame::SETTINGS, 0, 0, &payload);
        self.pending.push_back(settings.to_vec());
    }

    /// Applies settings that the client has acknowledged.
    pub(super) fn apply(&mut self, settings: &[(u16, u32)]) {
        for &(id, value) in settings {
            match id {
                HEADER_TABLE_SIZE => self.decoder.allow(value as usize),
                MAX_CONCURRENT_STREAMS => self.settings.max_streams = Some(value),
                INITIAL_WINDOW_SIZE => {
                    let change = i64::from(value) - i64::from(self.settings.initial_window);
                    self.settings.initial_window = value;
                    self.streams.values_mut().for_each(|stream| stream.windows.receive += change);
                }
                MAX_FRAME_SIZE => self.settings.max_frame = value,
                _ => {}
            }
        }
    }

    /// Sends a PING. A wrong acknowledgement is among the [faults](Self::faults), a missing one is
    /// not.
    pub fn ping(&mut self) {
        let opaque = (self.out.len() as u64 ^ 0x5e55_1000_0000_0000).to_be_bytes().to_vec();
        self.put(frame::PING, 0, 0, &opaque);
        self.pings.push_back(opaque);
    }

    /// The number of PING frames that the client has not acknowledged.
    pub fn open_pings(&self) -> usize {
        self.pings.len()
    }

    /// The number of SETTINGS frames that the client has not acknowledged.
    pub fn open_settings(&self) -> usize {
        self.pending.len()
    }

    /// Resets a stream, if it is open.
    pub fn reset(&mut self, id: u32, code: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if !(stream.is_reset || stream.is_ended && stream.is_answered) {
            (stream.is_reset, stream.is_answered) = (true, true);
            stream.steps.clear();
            self.put(frame::RST_STREAM, 0, id, &code.to_be_bytes());
        }
    }

    /// Sends GOAWAY. Streams above `last` are not processed, and their scripts end. A later GOAWAY
    /// never allows more than an earlier one.
    pub fn goaway(&mut self, last: u32, code: u32) {
        let last = self.goaway.map_or(last, |before| before.min(last));
        self.goaway = Some(last);
        for stream in self.streams.range_mut(last.saturating_add(1)..).map(|(_, stream)| stream) {
            stream.steps.clear();
            (stream.is_answered, stream.is_reset) = (true, true);
        }
        self.put(frame::GOAWAY, 0, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat());
    }

    /// Sends exactly these bytes.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn put(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        frame::put(kind, flags, stream, payload, &mut self.out);
    }

    pub(super) fn next_script(&mut self) -> Exchange {
        self.scripts.pop_front().unwrap_or_else(|| self.otherwise.clone())
    }

    pub(super) fn fault(&mut self, fault: impl Into<String>) {
        self.faults.push(fault.into());
    }
}
