//! A server for tests: it validates all input, tracks its own windows, and acts on request.

use std::collections::{BTreeMap, VecDeque};

use crate::ErrorCode;
use crate::frame::{self, Frame, Header, Kind};
use crate::hpack::{Decoder, Encoder, FieldBlock, Indexing, ListLimits};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[derive(Debug, Default, Clone)]
pub(crate) struct Book {
    /// The limit in force: the last one that the client has acknowledged.
    pub(crate) max_streams: Option<u32>,
    pub(crate) initial_window: i64,
    pub(crate) max_frame: usize,
}

#[derive(Debug)]
pub(crate) struct PeerStream {
    /// Bytes that the client may send.
    pub(crate) window: i64,
    /// Bytes that this side may send.
    pub(crate) credit: i64,
    pub(crate) got: usize,
    pub(crate) sent: usize,
    /// Set if the client has ended its request.
    pub(crate) is_asked: bool,
    pub(crate) has_head: bool,
    /// Set if this side has ended the response.
    pub(crate) is_answered: bool,
    pub(crate) is_reset: bool,
}

impl PeerStream {
    pub(crate) fn is_open(&self) -> bool {
        !(self.is_reset || self.is_asked && self.is_answered)
    }
}

/// Names and values of a request's fields.
type Request = Vec<(Vec<u8>, Vec<u8>)>;

pub(crate) struct Peer {
    unread: Vec<u8>,
    has_preface: bool,
    decoder: Decoder,
    encoder: Encoder,
    fields: FieldBlock,
    pub(crate) out: Vec<u8>,
    pub(crate) streams: BTreeMap<u32, PeerStream>,
    pub(crate) book: Book,
    /// Settings that the client has not acknowledged, in order.
    pending: VecDeque<Vec<(u16, u32)>>,
    pub(crate) window: i64,
    pub(crate) credit: i64,
    client_window: i64,
    /// The last initial window sent to the client: no window may exceed 2^31 - 1 in either side's
    /// view.
    pub(crate) told_window: i64,
    /// The requests by their streams.
    pub(crate) requests: BTreeMap<u32, Request>,
    pub(crate) goaway: Option<(u32, ErrorCode)>,
    pub(crate) pings: usize,
    heads: u32,
    block: Vec<u8>,
}

impl Peer {
    pub(crate) fn new() -> Self {
        let mut peer = Self {
            unread: Vec::new(),
            has_preface: false,
            decoder: Decoder::new(4096),
            encoder: Encoder::new(4096),
            fields: FieldBlock::new(),
            out: Vec::new(),
            streams: BTreeMap::new(),
            book: Book { max_streams: None, initial_window: 65_535, max_frame: 16_384 },
            pending: VecDeque::new(),
            window: 65_535,
            credit: 65_535,
            client_window: 65_535,
            told_window: 65_535,
            requests: BTreeMap::new(),
            goaway: None,
            pings: 0,
            heads: 0,
            block: Vec::new(),
        };
        peer.settings(&[(3, 8)]);
        peer
    }

    /// Handles bytes of the client. It panics on a violation of RFC 9113.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
        if !self.has_preface {
            if self.unread.len() < PREFACE.len() {
                return;
            }
            assert_eq!(self.unread.drain(..PREFACE.len()).collect::<Vec<_>>(), PREFACE);
            self.has_preface = true;
        }
        let unread = std::mem::take(&mut self.unread);
        let mut rest = &unread[..];
        while let Some(head) = rest.first_chunk() {
            let header = Header::parse(head);
            assert!(header.length as usize <= self.book.max_frame.max(16_384), "{header:?}");
            let end = Header::LEN + header.length as usize;
            let Some(payload) = rest.get(Header::LEN..end) else { break };
            self.on_frame(&header, Frame::parse(&header, payload).unwrap());
            rest = &rest[end..];
        }
        self.unread = rest.to_vec();
    }

    fn on_frame(&mut self, header: &Header, frame: Frame<'_>) {
        let id = header.stream;
        assert!(self.block.is_empty() || header.kind == Kind::CONTINUATION, "within a block: {header:?}");
        match frame {
            Frame::Headers { block, .. } | Frame::Continuation(block) => {
                if header.kind == Kind::HEADERS {
                    self.begin(id, header.is_end_stream());
                }
                self.block.extend_from_slice(block);
                if header.has(Header::END_HEADERS) {
                    let block = std::mem::take(&mut self.block);
                    self.decoder.decode(&block, ListLimits::new(1 << 20), &mut self.fields).unwrap();
                    let fields = self.fields.fields().iter();
                    let fields = fields.map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
                    self.requests.entry(id).or_insert(fields);
                }
            }
            Frame::Data(data) => {
                let length = i64::from(header.length);
                self.window -= length;
                let stream = self.streams.get_mut(&id).expect("DATA on a stream that is open");
                assert!(!stream.is_asked, "DATA behind the end");
                stream.window -= length;
                // An empty frame needs no window.
                assert!(length == 0 || self.window >= 0 && stream.window >= 0, "{} {stream:?}", self.window);
                stream.got += data.len();
                stream.is_asked = header.is_end_stream();
            }
            Frame::Settings(_) if header.is_ack() => {
                for (id, value) in self.pending.pop_front().expect("settings to acknowledge") {
                    match id {
                        3 => self.book.max_streams = Some(value),
                        4 => {
                            let change = i64::from(value) - self.book.initial_window;
                            self.book.initial_window = value.into();
                            self.streams.values_mut().for_each(|stream| stream.window += change);
                        }
                        5 => self.book.max_frame = value as usize,
                        _ => {}
                    }
                }
            }
            Frame::Settings(payload) => {
                for pair in payload.chunks(6) {
                    let value = u32::from_be_bytes([pair[2], pair[3], pair[4], pair[5]]);
                    match pair[1] {
                        2 => assert_eq!(value, 0),
                        4 => self.client_window = value.into(),
                        _ => {}
                    }
                }
                frame::encode::settings_ack(&mut self.out);
            }
            Frame::WindowUpdate(increment) => {
                assert!(increment > 0);
                let credit = match id {
                    0 => Some(&mut self.credit),
                    id => self.streams.get_mut(&id).map(|stream| &mut stream.credit),
                };
                let credit = credit.unwrap();
                *credit += i64::from(increment);
                assert!(*credit <= i64::from(frame::MAX_WINDOW));
            }
            Frame::Reset(_) => {
                self.streams.get_mut(&id).expect("a stream to reset").is_reset = true;
            }
            Frame::Ping(opaque) => {
                if !header.is_ack() {
                    self.pings += 1;
                    frame::encode::ping(opaque, true, &mut self.out);
                }
            }
            Frame::GoAway { last, code, .. } => self.goaway = Some((last, code)),
            other => panic!("a client does not send {other:?}"),
        }
    }

    fn begin(&mut self, id: u32, is_last: bool) {
        if let Some(stream) = self.streams.get_mut(&id) {
            assert!(is_last && !stream.is_asked, "trailers end a request");
            stream.is_asked = true;
            return;
        }
        assert!(id % 2 == 1 && self.streams.keys().next_back().is_none_or(|&last| last < id), "{id}");
        let open = self.streams.values().filter(|stream| stream.is_open()).count();
        assert!(self.book.max_streams.is_none_or(|most| open < most as usize), "{open} {:?}", self.book);
        let stream = PeerStream {
            window: self.book.initial_window,
            credit: self.client_window,
            got: 0,
            sent: 0,
            is_asked: is_last,
            has_head: false,
            is_answered: false,
            is_reset: false,
        };
        self.streams.insert(id, stream);
    }

    pub(crate) fn settings(&mut self, settings: &[(u16, u32)]) {
        frame::encode::settings(settings, &mut self.out);
        self.pending.push_back(settings.to_vec());
        if let Some((_, value)) = settings.iter().rev().find(|setting| setting.0 == 4) {
            self.told_window = (*value).into();
        }
    }

    /// The streams whose responses have not ended, as this side sees it.
    pub(crate) fn unanswered(&self) -> Vec<u32> {
        let open = self.streams.iter().filter(|(_, stream)| !stream.is_reset && !stream.is_answered);
        open.map(|(&id, _)| id).collect()
    }

    /// Appends a head with a unique field, or trailers if there is no status. Returns the value of
    /// `x-head`.
    pub(crate) fn head(&mut self, id: u32, status: &str, is_last: bool, cut: usize) -> String {
        self.heads += 1;
        let value = format!("head {} of stream {id}", self.heads);
        let mut block = Vec::new();
        self.encoder.begin(&mut block);
        if !status.is_empty() {
            self.encoder.encode(b":status", status.as_bytes(), Indexing::Incremental, &mut block);
        }
        self.encoder.encode(b"x-head", value.as_bytes(), Indexing::Incremental, &mut block);
        self.encoder.encode(b"server", b"scripted", Indexing::Incremental, &mut block);
        frame::encode::headers(id, &block, is_last, cut.max(1), &mut self.out);
        let stream = self.streams.get_mut(&id).unwrap();
        stream.has_head |= !status.starts_with('1');
        stream.is_answered |= is_last;
        value
    }

    /// Appends DATA, as far as the windows allow. Returns the number of bytes.
    pub(crate) fn data(&mut self, id: u32, n: usize, padding: Option<u8>, is_last: bool) -> usize {
        let stream = self.streams.get_mut(&id).unwrap();
        let extra = padding.map_or(0, |padding| i64::from(padding) + 1);
        let room = self.credit.min(stream.credit).min(16_384) - extra;
        if room < 0 {
            return 0;
        }
        let n = n.min(room as usize);
        let mut payload: Vec<u8> = padding.into_iter().collect();
        payload.extend((stream.sent..stream.sent + n).map(|at| at as u8));
        payload.resize(payload.len() + usize::from(padding.unwrap_or(0)), 0);
        stream.sent += n;
        stream.credit -= payload.len() as i64;
        self.credit -= payload.len() as i64;
        stream.is_answered |= is_last;
        let flags = if padding.is_some() { Header::PADDED } else { 0 } | u8::from(is_last);
        frame::encode::frame(Kind::DATA, flags, id, &payload, &mut self.out);
        n
    }

    pub(crate) fn reset(&mut self, id: u32, code: ErrorCode) {
        frame::encode::reset(id, code, &mut self.out);
        self.streams.get_mut(&id).unwrap().is_reset = true;
    }

    /// Gives credit, unless a window would become too large on either side.
    pub(crate) fn update(&mut self, id: u32, increment: u32) {
        let told = self.told_window;
        let initial = self.book.initial_window;
        let window = match id {
            0 => &mut self.window,
            id => &mut self.streams.get_mut(&id).unwrap().window,
        };
        let most = *window + i64::from(increment) + if id == 0 { 0 } else { (told - initial).max(0) };
        if increment > 0 && most < 1 << 28 {
            *window += i64::from(increment);
            frame::encode::window_update(id, increment, &mut self.out);
        }
    }
}
