//! The client that each row runs against.

use std::collections::BTreeMap;
use std::time::Duration;

use sessio_h2::frame::{Frame, Header, encode};
use sessio_h2::{
    Config, Connection, ConnectionError, ErrorCode, Event, Field, RequestHead, State, StreamError, StreamId,
};

use crate::script::Step;

/// A connection with streams in every state. 1 and 3 have sent a GET, 5 a HEAD. 7 has sent a part
/// of a POST.
pub(crate) struct Client {
    connection: Connection,
    now: Duration,
    ended: BTreeMap<StreamId, Vec<Result<(), StreamError>>>,
    written: Vec<u8>,
    is_stalled: bool,
}

/// The windows of the client, in bytes.
const STREAM_WINDOW: u32 = 20_000;
const CONNECTION_WINDOW: u32 = 65_535;

impl Client {
    pub(crate) fn new() -> Self {
        let mut config = Config::default();
        (config.stream_window, config.max_stream_window) = (STREAM_WINDOW, STREAM_WINDOW);
        config.connection_window = CONNECTION_WINDOW;
        let connection = Connection::new(&config, Duration::ZERO);
        let mut client = Self {
            connection,
            now: Duration::ZERO,
            ended: BTreeMap::new(),
            written: Vec::new(),
            is_stalled: false,
        };
        for method in ["GET", "GET", "HEAD", "POST"] {
            client.open(method, method != "POST");
        }
        client.write();
        client
    }

    fn open(&mut self, method: &str, is_last: bool) -> StreamId {
        let head = RequestHead { method, scheme: "https", authority: Some("example.org"), path: "/" };
        self.connection.open(&head, [Field::new("accept", "*/*")], is_last, self.now).unwrap()
    }

    fn write(&mut self) {
        if self.is_stalled {
            return;
        }
        let io = self.connection.io(self.now);
        self.written.extend_from_slice(io.send);
        let n = io.send.len();
        self.connection.sent(n);
    }

    pub(crate) fn play(&mut self, step: Step, piece: usize, first: usize) {
        match step {
            Step::Wait(time) => {
                self.now += time;
                self.write();
                self.events();
            }
            Step::End => {
                self.connection.received(0, self.now);
                self.events();
            }
            Step::Stall => self.is_stalled = true,
            Step::Bytes(bytes) => {
                let (head, rest) = bytes.split_at(first.min(bytes.len()));
                let pieces = rest.chunks(piece.min(rest.len()).max(1));
                for piece in std::iter::once(head).filter(|head| !head.is_empty()).chain(pieces) {
                    self.receive(piece);
                }
            }
        }
    }

    fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.connection.io(self.now).recv;
            let n = room.len().min(bytes.len());
            if n == 0 {
                assert!(self.is_over(), "it takes no bytes and is not over");
                return;
            }
            room[..n].copy_from_slice(&bytes[..n]);
            bytes = &bytes[n..];
            self.connection.received(n, self.now);
            self.events();
            self.write();
        }
    }

    /// Takes all events. Bodies are not consumed, so the windows are not credited.
    fn events(&mut self) {
        while let Some((id, event)) = self.connection.poll_event() {
            let ended = self.ended.entry(id).or_default();
            assert!(ended.is_empty(), "{event:?} came after the end of stream {}", id.get());
            if let Event::Ended(outcome) = event {
                ended.push(outcome);
            }
        }
    }

    pub(crate) fn error(&self) -> Option<ConnectionError> {
        self.connection.error()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.connection.state(self.now) == State::Dead
    }

    /// The streams that have failed.
    pub(crate) fn failures(&self) -> Vec<(u32, StreamError)> {
        let failed = |(id, ended): (&StreamId, &Vec<_>)| {
            ended.iter().find_map(|end: &Result<_, _>| Some((id.get(), end.err()?)))
        };
        self.ended.iter().filter_map(failed).collect()
    }

    /// The code of the GOAWAY that the client sent to the peer.
    pub(crate) fn told(&mut self) -> Option<ErrorCode> {
        self.is_stalled = false;
        self.write();
        let mut rest = &self.written["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len()..];
        let mut code = None;
        while let Some(head) = rest.first_chunk() {
            let header = Header::parse(head);
            let (frame, behind) = rest[Header::LEN..].split_at(header.length as usize);
            rest = behind;
            if let Ok(Frame::GoAway { code: told, .. }) = Frame::parse(&header, frame) {
                assert_eq!(code.replace(told), None, "it says goodbye twice");
            }
        }
        code
    }

    /// Asserts that a new stream gets its response, unless the server has begun to shut down.
    pub(crate) fn works(&mut self, context: &str) {
        if self.connection.goaway().is_some() || self.connection.state(self.now) == (State::Open { free: 0 })
        {
            return;
        }
        let id = self.open("GET", true);
        let mut bytes = Vec::new();
        // An indexed field alone: `:status: 200`.
        encode::headers(id.get(), &[0x88], true, 16_384, &mut bytes);
        self.receive(&bytes);
        assert_eq!(self.ended.get(&id), Some(&vec![Ok(())]), "{context}: the connection is of no more use");
    }

    /// Ends the transport, and asserts that each stream has ended exactly once.
    pub(crate) fn streams_end_once(&mut self, context: &str) {
        self.connection.received(0, self.now);
        self.events();
        for id in [1, 3, 5, 7] {
            let ended = self.ended.iter().find(|(stream, _)| stream.get() == id);
            assert_eq!(ended.map(|(_, ended)| ended.len()), Some(1), "{context}: stream {id}");
        }
    }
}
