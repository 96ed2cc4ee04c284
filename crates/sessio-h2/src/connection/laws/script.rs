//! The bytes of a server, and the resulting events.

use core::time::Duration;

use crate::frame::{self, Header, Kind};
use crate::hpack::{Encoder, Indexing};
use crate::{Config, Connection, ConnectionErrorKind, Event, Field, RequestHead, StreamErrorKind, StreamId};

pub(crate) const GET: RequestHead<'_> =
    RequestHead { method: "GET", scheme: "https", authority: Some("example.org"), path: "/" };

/// The bytes of a server. They begin with its settings.
pub(crate) struct Script {
    pub(crate) bytes: Vec<u8>,
    pub(crate) encoder: Encoder,
}

impl Script {
    pub(crate) fn new() -> Self {
        let mut bytes = Vec::new();
        frame::encode::settings(&[], &mut bytes);
        Self { bytes, encoder: Encoder::new(4096) }
    }

    pub(crate) fn block(&mut self, fields: &[(&str, &str)]) -> Vec<u8> {
        let mut block = Vec::new();
        self.encoder.begin(&mut block);
        for (name, value) in fields {
            self.encoder.encode(name.as_bytes(), value.as_bytes(), Indexing::Incremental, &mut block);
        }
        block
    }

    pub(crate) fn fields(mut self, id: u32, fields: &[(&str, &str)], is_last: bool) -> Self {
        let block = self.block(fields);
        frame::encode::headers(id, &block, is_last, 16_384, &mut self.bytes);
        self
    }

    /// A head with `:status` alone.
    pub(crate) fn head(self, id: u32, status: &str, is_last: bool) -> Self {
        self.fields(id, &[(":status", status)], is_last)
    }

    pub(crate) fn data(mut self, id: u32, bytes: &[u8], is_last: bool) -> Self {
        frame::encode::data(id, bytes, is_last, &mut self.bytes);
        self
    }

    pub(crate) fn padded(mut self, id: u32, bytes: &[u8], padding: u8, is_last: bool) -> Self {
        let payload = [&[padding], bytes, &vec![0; padding.into()]].concat();
        let flags = Header::PADDED | u8::from(is_last);
        frame::encode::frame(Kind::DATA, flags, id, &payload, &mut self.bytes);
        self
    }

    /// Any frame.
    pub(crate) fn frame(mut self, kind: Kind, flags: u8, id: u32, payload: &[u8]) -> Self {
        frame::encode::frame(kind, flags, id, payload, &mut self.bytes);
        self
    }
}

/// Feeds bytes to a connection in pieces, and takes all events after each.
pub(crate) fn feed(connection: &mut Connection, mut bytes: &[u8], cut: usize, log: &mut Log) {
    while !bytes.is_empty() {
        let now = connection.now;
        let recv = connection.io(now).recv;
        let n = cut.min(bytes.len()).min(recv.len());
        if n == 0 {
            break;
        }
        recv[..n].copy_from_slice(&bytes[..n]);
        connection.received(n, now);
        bytes = &bytes[n..];
        log.take(connection);
    }
}

/// The events as text. Pieces of bodies are joined.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Log {
    pub(crate) events: Vec<(u32, Entry)>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Entry {
    Interim(u16),
    Head(u16, String),
    Body(Vec<u8>),
    Trailers(String),
    Writable,
    Ended(Result<(), StreamErrorKind>, bool),
}

impl Log {
    pub(crate) fn take(&mut self, connection: &mut Connection) {
        while let Some((id, event)) = connection.poll_event() {
            let entry = match event {
                Event::Interim(head) => Entry::Interim(head.status),
                Event::Head(head) => Entry::Head(head.status, words(head.fields.iter())),
                Event::Trailers(fields) => Entry::Trailers(words(fields.iter())),
                Event::Writable => Entry::Writable,
                Event::Ended(outcome) => {
                    let is_safe = outcome.as_ref().is_err_and(crate::StreamError::is_retry_safe);
                    Entry::Ended(outcome.map_err(|error| error.kind()), is_safe)
                }
                Event::Body => {
                    let body = connection.body(id).to_vec();
                    connection.consume(id, body.len());
                    let before = self.events.iter_mut().rev().find(|entry| entry.0 == id.get());
                    if let Some((_, Entry::Body(before))) = before {
                        before.extend_from_slice(&body);
                        continue;
                    }
                    Entry::Body(body)
                }
            };
            self.events.push((id.get(), entry));
        }
    }

    /// The outcome of a stream.
    pub(crate) fn end(&self, id: u32) -> Result<(), StreamErrorKind> {
        let ends = self.events.iter().filter(|event| event.0 == id);
        let mut ends = ends.filter_map(|(_, entry)| match entry {
            Entry::Ended(outcome, _) => Some(*outcome),
            _ => None,
        });
        let end = ends.next().expect("an end");
        assert_eq!(ends.next(), None);
        end
    }
}

fn words<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> String {
    let words = fields.map(|(name, value)| {
        format!("{}={};", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
    });
    words.collect()
}

/// A connection with open streams, each with a GET.
pub(crate) fn connection(config: &Config, streams: usize) -> Connection {
    let mut connection = Connection::new(config, Duration::ZERO);
    for _ in 0..streams {
        connection.open(&GET, [Field::new("accept", "*/*")], true, Duration::ZERO).unwrap();
    }
    flush(&mut connection);
    connection
}

/// Takes all outgoing bytes.
pub(crate) fn flush(connection: &mut Connection) -> Vec<u8> {
    let now = connection.now;
    let sent = connection.io(now).send.to_vec();
    connection.sent(sent.len());
    sent
}

/// Parses the frames of sent bytes, after the preface.
pub(crate) fn frames(mut bytes: &[u8]) -> Vec<(Header, Vec<u8>)> {
    let mut frames = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk() {
        let header = Header::parse(head);
        let (payload, behind) = rest.split_at(header.length as usize);
        frames.push((header, payload.to_vec()));
        bytes = behind;
    }
    frames
}

/// Runs a script with some streams open. Returns the log and the error of the connection.
pub(crate) fn run(config: &Config, streams: usize, script: &Script) -> (Log, Option<ConnectionErrorKind>) {
    let mut connection = connection(config, streams);
    let mut log = Log::default();
    feed(&mut connection, &script.bytes, usize::MAX, &mut log);
    (log, connection.error().map(|error| error.kind()))
}

pub(crate) fn id(n: u32) -> StreamId {
    StreamId(n)
}
