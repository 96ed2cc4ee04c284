//! The input of the server in a row, and the outcome that is required.

use std::time::Duration;

use sessio_h2::frame::{Header, Kind, encode};
use sessio_h2::hpack::{Encoder, Indexing};
use sessio_h2::{ConnectionErrorKind, ErrorCode, StreamErrorKind};

/// The required outcome of an input.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// Nothing fails, and the connection stays usable.
    Tolerated,
    /// This stream fails, and the connection stays usable.
    Stream(u32, ErrorCode, StreamErrorKind),
    /// The connection fails.
    Connection(ErrorCode, ConnectionErrorKind),
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) cves: &'static str,
    is_greeted: bool,
    script: Vec<Step>,
    pub(crate) outcome: Outcome,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Bytes(Vec<u8>),
    Wait(Duration),
    /// The transport ends.
    End,
    /// The transport takes no more bytes.
    Stall,
}

impl Row {
    /// A row whose script follows the server's SETTINGS.
    pub(crate) fn new(id: &'static str, script: Script, outcome: Outcome) -> Self {
        Self { id, cves: "", is_greeted: true, script: script.0, outcome }
    }

    /// A row whose script begins with the first byte of the server.
    pub(crate) fn first(id: &'static str, script: Script, outcome: Outcome) -> Self {
        Self { is_greeted: false, ..Self::new(id, script, outcome) }
    }

    pub(crate) fn cves(self, cves: &'static str) -> Self {
        Self { cves, ..self }
    }

    pub(crate) fn steps(&self) -> impl Iterator<Item = Step> {
        let greeting =
            self.is_greeted.then(|| Step::Bytes(Script::default().settings(&[]).settings_ack().bytes()));
        greeting.into_iter().chain(self.script.iter().cloned())
    }

    pub(crate) fn length(&self) -> usize {
        let first = self.script.first();
        first.map_or(0, |step| if let Step::Bytes(bytes) = step { bytes.len() } else { 0 })
    }
}

/// A sequence of frames and other steps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script(Vec<Step>);

impl Script {
    fn out(&mut self) -> &mut Vec<u8> {
        if !matches!(self.0.last(), Some(Step::Bytes(_))) {
            self.0.push(Step::Bytes(Vec::new()));
        }
        match self.0.last_mut() {
            Some(Step::Bytes(bytes)) => bytes,
            _ => unreachable!("it was pushed"),
        }
    }

    fn bytes(mut self) -> Vec<u8> {
        std::mem::take(self.out())
    }

    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.out().extend_from_slice(bytes);
        self
    }

    /// Any frame, with the length of its payload.
    pub(crate) fn frame(mut self, kind: Kind, flags: u8, stream: u32, payload: &[u8]) -> Self {
        encode::frame(kind, flags, stream, payload, self.out());
        self
    }

    /// The same frame many times.
    pub(crate) fn frames(mut self, n: usize, kind: Kind, flags: u8, stream: u32, payload: &[u8]) -> Self {
        for _ in 0..n {
            self = self.frame(kind, flags, stream, payload);
        }
        self
    }

    /// The header of a frame whose payload does not follow.
    pub(crate) fn header(mut self, kind: Kind, length: u32, stream: u32) -> Self {
        let header = Header { length, kind, flags: 0, stream };
        self.out().extend_from_slice(&header.encode());
        self
    }

    pub(crate) fn settings(mut self, settings: &[(u16, u32)]) -> Self {
        encode::settings(settings, self.out());
        self
    }

    pub(crate) fn settings_ack(mut self) -> Self {
        encode::settings_ack(self.out());
        self
    }

    pub(crate) fn window_update(mut self, stream: u32, increment: u32) -> Self {
        encode::window_update(stream, increment, self.out());
        self
    }

    pub(crate) fn reset(mut self, stream: u32, code: ErrorCode) -> Self {
        encode::reset(stream, code, self.out());
        self
    }

    pub(crate) fn goaway(mut self, last: u32, code: ErrorCode, debug: &[u8]) -> Self {
        encode::goaway(last, code, debug, self.out());
        self
    }

    pub(crate) fn data(mut self, stream: u32, bytes: &[u8], is_last: bool) -> Self {
        encode::data(stream, bytes, is_last, self.out());
        self
    }

    /// HEADERS with these fields. They are not added to a table.
    pub(crate) fn head(self, stream: u32, fields: &[(&str, &str)], is_last: bool) -> Self {
        self.block(stream, &block(fields), is_last)
    }

    /// HEADERS with these bytes as its header block.
    pub(crate) fn block(mut self, stream: u32, block: &[u8], is_last: bool) -> Self {
        encode::headers(stream, block, is_last, 16_384, self.out());
        self
    }

    /// A whole response.
    pub(crate) fn response(self, stream: u32) -> Self {
        self.head(stream, &[(":status", "200")], false).data(stream, b"hi", true)
    }

    pub(crate) fn wait(mut self, time: Duration) -> Self {
        self.0.push(Step::Wait(time));
        self
    }

    pub(crate) fn end(mut self) -> Self {
        self.0.push(Step::End);
        self
    }

    pub(crate) fn stall(mut self) -> Self {
        self.0.push(Step::Stall);
        self
    }
}

/// A header block.
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let (mut encoder, mut out) = (Encoder::new(4096), Vec::new());
    encoder.begin(&mut out);
    for (name, value) in fields {
        encoder.encode(name.as_bytes(), value.as_bytes(), Indexing::Without, &mut out);
    }
    out
}

pub(crate) fn script() -> Script {
    Script::default()
}
