//! Requests that are passed on as messages: the body without framing, and its end.
//!
//! The queue begins with one byte in place of the head. So the head counts as sent or unsent in the
//! same way as in bytes.

use super::{Body, BodyKind, Message, RequestEncoder, Unsent};
use crate::base::limits::Limits;
use crate::message::headers::Headers;
use crate::wire::h1::decoder::{Event, ResponseDecoder};
use crate::wire::h1::request_context::RequestContext;

/// The part of a message that the transport can take now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    /// The head was not taken yet.
    pub(crate) is_first: bool,
    /// Bytes of the body.
    pub(crate) body: &'a [u8],
    /// The body ends behind these bytes.
    pub(crate) is_last: bool,
    /// The trailers. Empty before the end.
    pub(crate) trailers: &'a Headers,
}

impl Part<'_> {
    /// Whether there is nothing to take.
    pub(crate) fn is_empty(&self) -> bool {
        !self.is_first && self.body.is_empty() && !self.is_last
    }
}

impl Message {
    /// Whether a body of the declared length may have this many more bytes.
    pub(super) fn admits(&self, count: usize) -> bool {
        !self.is_ended && self.left.is_none_or(|left| count as u64 <= left)
    }

    pub(super) fn take(&mut self, count: usize) {
        self.left = self.left.map(|left| left.saturating_sub(count as u64));
    }
}

impl RequestEncoder {
    /// Creates an encoder that passes this body on as a message.
    pub(crate) fn message(body: BodyKind, mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        buffer.push(0);
        let mut encoder = Self { queue: buffer, head: 1, overhead: 1, ..Self::default() };
        let mut message = Message { is_ended: true, ..Message::default() };
        match body {
            BodyKind::None => {}
            BodyKind::Bytes(bytes) => encoder.piece = bytes,
            BodyKind::Source { length } => (message.left, message.is_ended) = (length, false),
        }
        encoder.body = Body::Message(Box::new(message));
        encoder
    }

    /// Whether the request is passed on as a message.
    pub(crate) fn is_message(&self) -> bool {
        matches!(self.body, Body::Message(_))
    }

    /// The part that the transport can take now. Empty if the request is no message.
    pub(crate) fn part(&self) -> Part<'_> {
        static NONE: Headers = Headers::new();
        let mut part = Part { is_first: false, body: &[], is_last: false, trailers: &NONE };
        let Body::Message(message) = &self.body else { return part };
        part.is_first = self.sent == 0 && self.failure.is_none();
        let from = self.at + usize::from(part.is_first);
        let is_queue_out = from >= self.queue.len();
        part.body = match self.failure {
            _ if self.is_held => &[],
            Some(_) => &[],
            None if is_queue_out => &self.piece,
            None => self.queue.get(from..).unwrap_or_default(),
        };
        let is_all = !self.is_held && (is_queue_out || self.piece.is_empty());
        part.is_last = is_all && message.is_ended && !message.is_end_taken && self.failure.is_none();
        if part.is_last {
            part.trailers = &message.trailers;
        }
        part
    }

    /// Reports that the transport took the head, and the first `n` bytes of the body of
    /// [`part`](Self::part). All of a last part includes the end. Returns `false` if there are
    /// fewer bytes.
    pub(crate) fn take_part(&mut self, n: usize) -> bool {
        let part = self.part();
        let (is_first, is_end) = (part.is_first, part.is_last && n == part.body.len());
        if part.is_empty() || n > part.body.len() {
            return false;
        }
        if is_first {
            self.sent(1);
        }
        self.sent(n);
        if let Body::Message(message) = &mut self.body
            && is_end
        {
            message.is_end_taken = true;
            if message.left.is_none() {
                // As the last chunk in bytes: a source without a length has sent something.
                (self.sent, self.overhead) = (self.sent + 1, self.overhead + 1);
            }
        }
        true
    }

    /// Continues with the body of an earlier encoder, of which one at least is for messages.
    pub(super) fn resume_message(&mut self, unsent: Unsent) {
        let (bytes, end) = unsent.into_message(self.declares_length());
        match &mut self.body {
            Body::Message(message) => {
                message.take(bytes.len());
                self.queue.extend_from_slice(&bytes);
            }
            Body::Length(left) => {
                *left = left.saturating_sub(bytes.len() as u64);
                self.queue.extend_from_slice(&bytes);
            }
            Body::Chunked if !bytes.is_empty() => self.chunk(&bytes),
            Body::Chunked | Body::Complete => {}
        }
        if let Some(trailers) = end {
            // It was checked when it was supplied.
            let _ = self.supply_end_with(&trailers);
        }
    }

    fn declares_length(&self) -> bool {
        match &self.body {
            Body::Message(message) => message.left.is_some(),
            Body::Complete | Body::Length(_) => true,
            Body::Chunked => false,
        }
    }
}

impl Unsent {
    /// The bytes without framing, and the trailers if the body has ended.
    fn into_message(self, declares_length: bool) -> (Vec<u8>, Option<Headers>) {
        let Self { mut queue, piece, body, .. } = self;
        let end = match body {
            Body::Message(message) => message.is_ended.then_some(message.trailers),
            Body::Complete if declares_length => Some(Headers::new()),
            Body::Length(_) => None,
            Body::Complete | Body::Chunked => return without_chunks(&queue),
        };
        queue.extend_from_slice(&piece);
        (queue, end)
    }
}

/// Decodes chunks of this client, up to the last one if it is there.
fn without_chunks(chunks: &[u8]) -> (Vec<u8>, Option<Headers>) {
    let mut decoder = ResponseDecoder::new(RequestContext::default(), Limits::default(), Vec::new());
    let (mut data, mut trailers) = (Vec::new(), None);
    let mut input = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    input.extend_from_slice(chunks);
    let mut input = &*input;
    loop {
        match decoder.poll() {
            Ok(Event::Body(bytes)) => {
                data.extend_from_slice(bytes);
                let n = bytes.len();
                decoder.consume(n);
            }
            Ok(Event::Interim(_) | Event::Head(_)) => {}
            Ok(Event::More) if !input.is_empty() => {
                let room = decoder.room();
                let n = room.len().min(input.len());
                let (now, later) = input.split_at(n);
                room[..n].copy_from_slice(now);
                decoder.received(n);
                input = later;
            }
            Ok(Event::End) => {
                trailers = Some(decoder.take_trailers());
                break;
            }
            Ok(Event::More) | Err(_) => break,
        }
    }
    (data, trailers)
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    /// An encoder whose body is held, for messages or for bytes, with a body from a source.
    fn held(is_message: bool, length: Option<u64>) -> RequestEncoder {
        let (body, headers) = (BodyKind::Source { length }, Headers::new());
        let mut encoder = match is_message {
            true => RequestEncoder::message(body, Vec::new()),
            false => RequestEncoder::new(&Method::PUT, b"/", &headers, body, Vec::new()),
        };
        encoder.release();
        encoder
    }

    /// Sends everything. Returns the body without framing, and the trailers if it has ended.
    fn send(mut encoder: RequestEncoder, length: Option<u64>) -> (Vec<u8>, Option<String>) {
        let mut body = Vec::new();
        if !matches!(encoder.body, Body::Message(_)) {
            let head = encoder.head;
            while !encoder.unsent().is_empty() {
                body.extend_from_slice(encoder.unsent());
                encoder.sent(encoder.unsent().len());
            }
            body.drain(..head);
            if length.is_none() {
                let (data, end) = without_chunks(&body);
                return (data, end.map(|trailers| format!("{trailers:?}")));
            }
            return (body, encoder.is_done().then(|| format!("{:?}", Headers::new())));
        }
        let mut end = None;
        while !encoder.part().is_empty() {
            let part = encoder.part();
            body.extend_from_slice(part.body);
            if part.is_last {
                end = Some(format!("{:?}", part.trailers));
            }
            assert!(encoder.take_part(part.body.len()));
        }
        assert_eq!(end.is_some(), encoder.is_done());
        (body, end)
    }

    #[test]
    fn fs9_unsent_bytes_of_a_source_move_between_connections_and_carriers() {
        let large = vec![7; 10_000];
        for length in [None, Some(10_005)] {
            for (from, to) in [(true, true), (true, false), (false, true), (false, false)] {
                for ends in [false, true] {
                    let mut first = held(from, length);
                    assert_eq!(first.supply(b"first").unwrap(), 5);
                    assert_eq!(first.supply_shared(&large.clone().into()).unwrap(), large.len());
                    let mut trailers = Headers::new();
                    if length.is_none() {
                        trailers.insert("X-Sum", "1").unwrap();
                    }
                    if ends {
                        first.supply_end_with(&trailers).unwrap();
                    }
                    let mut second = held(to, length);
                    second.resume(first.take_unsent().unwrap());
                    let (body, end) = send(second, length);
                    assert_eq!(body, [&b"first"[..], &large].concat(), "{length:?} {from} {to}");
                    let is_known = ends || (!to && length.is_some());
                    assert_eq!(
                        end,
                        is_known.then(|| format!("{trailers:?}")),
                        "{length:?} {from} {to} {ends}"
                    );
                }
            }
        }
    }

    #[test]
    fn f30_a_source_that_does_not_fit_its_length_is_an_error() {
        let mut encoder = held(true, Some(2));
        assert!(encoder.supply(b"abc").is_err());
        assert!(encoder.part().is_empty());
        let mut encoder = held(true, Some(2));
        assert_eq!(encoder.supply(b"a").unwrap(), 1);
        assert!(encoder.supply_end().is_err());
        assert!(encoder.part().is_empty() && !encoder.is_done());
    }

    #[test]
    fn a_held_body_follows_its_head() {
        let mut encoder = RequestEncoder::message(BodyKind::Bytes("hello".into()), Vec::new());
        encoder.hold();
        let part = encoder.part();
        assert_eq!((part.is_first, part.body, part.is_last), (true, &b""[..], false));
        assert!(encoder.take_part(0) && encoder.part().is_empty());
        encoder.release();
        let part = encoder.part();
        assert_eq!((part.is_first, part.body, part.is_last), (false, &b"hello"[..], true));
        assert!(encoder.take_part(2) && !encoder.is_done());
        assert!(encoder.take_part(3) && encoder.is_done());
        assert!(!encoder.take_part(0));
    }
}
