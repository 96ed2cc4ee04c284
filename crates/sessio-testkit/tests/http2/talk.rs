//! A client and a scripted server, and the bytes between them.

use std::collections::BTreeMap;
use std::time::Duration;

use sessio_h2::{Config, Connection, Event, Field, RequestHead, StreamError, StreamId};
use sessio_testkit::http2::Peer;

/// The outcome of a request.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Response {
    pub(crate) interim: Vec<u16>,
    pub(crate) status: Option<u16>,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) end: Option<Result<(), StreamError>>,
}

pub(crate) struct Talk {
    pub(crate) client: Connection,
    pub(crate) peer: Peer,
    pub(crate) responses: BTreeMap<u32, Response>,
    /// The bytes of bodies that are still to be sent.
    uploads: BTreeMap<StreamId, Vec<u8>>,
    /// The number of bytes that are moved at once.
    pub(crate) piece: usize,
    /// Whether bodies are consumed as they are received.
    pub(crate) does_consume: bool,
}

const NOW: Duration = Duration::ZERO;

impl Talk {
    pub(crate) fn new(config: &Config, peer: Peer) -> Self {
        Self {
            client: Connection::new(config, NOW),
            peer,
            responses: BTreeMap::new(),
            uploads: BTreeMap::new(),
            piece: usize::MAX,
            does_consume: true,
        }
    }

    pub(crate) fn with_piece(mut self, piece: usize) -> Self {
        self.piece = piece;
        self
    }

    pub(crate) fn get(&mut self, path: &str) -> StreamId {
        let head = RequestHead { method: "GET", scheme: "https", authority: Some("example.org"), path };
        let fields = [
            Field::new("Accept", "*/*"),
            Field::new("Connection", "keep-alive, X-Hop"),
            Field::new("X-Hop", "1"),
            Field::new("TE", "trailers, deflate"),
            Field::new("Cookie", "a=1; b=2"),
        ];
        self.client.open(&head, fields, true, NOW).unwrap()
    }

    pub(crate) fn post(&mut self, path: &str, body: Vec<u8>) -> StreamId {
        let head = RequestHead { method: "POST", scheme: "https", authority: Some("example.org"), path };
        let length = body.len().to_string();
        let fields = [Field::new("Content-Length", &length), Field::new("Authorization", "secret")];
        let id = self.client.open(&head, fields, false, NOW).unwrap();
        self.uploads.insert(id, body);
        self.upload(id);
        id
    }

    fn upload(&mut self, id: StreamId) {
        let Some(rest) = self.uploads.get_mut(&id) else { return };
        match self.client.send_body(id, rest, true) {
            Ok(n) if n < rest.len() => drop(rest.drain(..n)),
            // All bytes are sent, or the stream has ended.
            _ => drop(self.uploads.remove(&id)),
        }
    }

    /// The number of bytes of a request that were not taken yet.
    pub(crate) fn unsent(&self, id: StreamId) -> usize {
        self.uploads.get(&id).map_or(0, Vec::len)
    }

    pub(crate) fn response(&self, id: StreamId) -> &Response {
        &self.responses[&id.get()]
    }

    /// Moves a piece in each direction, and lets both sides do what they can. Returns whether
    /// anything moved.
    pub(crate) fn step(&mut self) -> bool {
        let send = self.client.io(NOW).send;
        let n = send.len().min(self.piece);
        self.peer.receive(&send[..n]);
        self.client.sent(n);
        let mut has_moved = n > 0;
        has_moved |= self.peer.turn();
        let recv = self.client.io(NOW).recv;
        let bytes = self.peer.send(self.piece.min(recv.len()));
        recv[..bytes.len()].copy_from_slice(&bytes);
        if !bytes.is_empty() {
            self.client.received(bytes.len(), NOW);
            has_moved = true;
        }
        self.events();
        has_moved
    }

    /// Continues until nothing moves. Ends the transport if the server closes it.
    pub(crate) fn settle(&mut self) {
        while self.step() {}
        if self.peer.is_closed() {
            self.end();
        }
        assert_eq!(self.peer.faults(), [""; 0]);
    }

    /// Ends the transport.
    pub(crate) fn end(&mut self) {
        self.client.received(0, NOW);
        self.events();
    }

    fn events(&mut self) {
        while let Some((id, event)) = self.client.poll_event() {
            let response = self.responses.entry(id.get()).or_default();
            let is_writable = matches!(event, Event::Writable);
            assert!(response.end.is_none() || is_writable, "{event:?} came after the end");
            match event {
                Event::Interim(head) => response.interim.push(head.status),
                Event::Head(head) => {
                    assert_eq!(response.status.replace(head.status), None);
                    response.fields = words(head.fields.iter());
                }
                Event::Body if self.does_consume => {
                    let body = self.client.body(id);
                    response.body.extend_from_slice(body);
                    let n = body.len();
                    self.client.consume(id, n);
                }
                Event::Body => {}
                Event::Trailers(fields) => response.trailers = words(fields.iter()),
                Event::Writable => self.upload(id),
                Event::Ended(outcome) => response.end = Some(outcome),
                other => panic!("{other:?}"),
            }
        }
    }
}

fn words<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<(String, String)> {
    let word = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    fields.map(|(name, value)| (word(name), word(value))).collect()
}

/// A body in which every position can be recognised.
pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 251 + at) as u8).collect()
}
