//! The request encoder: one request becomes bytes.

pub(crate) mod messages;

use std::fmt;

use bytes::{Buf, Bytes};
use http::Method;

use super::trailers;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::base::percent;
use crate::message::headers::Headers;

/// Body size in bytes up to which head and body share one write; copying costs less than a second
/// write.
const SMALL: usize = 8 * 1024;
/// Bytes of a source's body that are taken at once.
const PIECE: usize = 64 * 1024;

/// The body of a request, as the encoder sees it.
///
/// ```
/// use sessio::Headers;
/// use sessio::h1::{BodyKind, RequestEncoder};
/// use sessio::http::Method;
///
/// let mut headers = Headers::new();
/// headers.insert("Content-Length", "5")?;
/// let sender = RequestEncoder::new(&Method::PUT, b"/x", &headers, BodyKind::Bytes("hello".into()), Vec::new());
/// assert_eq!(sender.unsent(), b"PUT /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello");
/// # Ok::<(), sessio::Error>(())
/// ```
#[derive(Debug)]
pub enum BodyKind {
    /// No body.
    None,
    /// The whole body in memory.
    Bytes(Bytes),
    /// A body that is [`supplied`](RequestEncoder::supply) in pieces.
    Source {
        /// Its length in bytes if the head declares it; `None` sends chunks.
        length: Option<u64>,
    },
}

/// Encodes one request.
///
/// It makes no decision: the headers already declare the framing of the body (`Content-Length`, or
/// `Transfer-Encoding: chunked` for a source without a length).
///
/// ```
/// use sessio::Headers;
/// use sessio::h1::{BodyKind, RequestEncoder};
/// use sessio::http::Method;
///
/// let mut headers = Headers::new();
/// headers.insert("Host", "example.org")?;
/// headers.insert("Transfer-Encoding", "chunked")?;
/// let body = BodyKind::Source { length: None };
/// let mut sender = RequestEncoder::new(&Method::POST, b"/up", &headers, body, Vec::new());
/// sender.sent(sender.unsent().len()); // the head
///
/// assert_eq!(sender.supply(b"hello")?, 5);
/// assert_eq!(sender.unsent(), b"5\r\nhello\r\n");
/// sender.sent(sender.unsent().len());
/// sender.supply_end()?;
/// assert_eq!(sender.unsent(), b"0\r\n\r\n");
/// sender.sent(5);
/// assert!(sender.is_done());
/// # Ok::<(), sessio::Error>(())
/// ```
pub struct RequestEncoder {
    /// The head, and encoded bytes behind it.
    queue: Vec<u8>,
    /// Number of sent bytes of the queue.
    at: usize,
    /// Length of the head in bytes.
    head: usize,
    is_held: bool,
    /// Bytes to send behind the queue, in the memory of the caller.
    piece: Bytes,
    body: Body,
    sent: u64,
    /// Number of queued or sent bytes that are not body.
    overhead: u64,
    failure: Option<Kind>,
}

/// The supplied part of a body of which no byte has gone out. No peer has seen it, so it is sent
/// over the next connection.
#[derive(Debug)]
pub(crate) struct Unsent {
    /// The queue, with the framing of its chunks.
    queue: Vec<u8>,
    piece: Bytes,
    body: Body,
    overhead: u64,
}

/// The rest of the body.
#[derive(Debug)]
enum Body {
    Complete,
    /// This many bytes of a source with a length.
    Length(u64),
    Chunked,
    /// The request is passed on as a message, without framing.
    Message(Box<Message>),
}

/// The body of a request that is passed on as a message.
#[derive(Debug, Default)]
struct Message {
    /// Number of bytes that a source with a length has yet to supply.
    left: Option<u64>,
    /// All of the body was supplied.
    is_ended: bool,
    /// The transport has taken the end.
    is_end_taken: bool,
    trailers: Headers,
}

impl Default for RequestEncoder {
    /// An encoder with nothing to send.
    fn default() -> Self {
        Self::idle(Vec::new())
    }
}

impl RequestEncoder {
    /// Creates an encoder of this request. `target` is the request target of the request line.
    /// `buffer` is memory to reuse; it may be empty.
    #[must_use]
    pub fn new(method: &Method, target: &[u8], headers: &Headers, body: BodyKind, buffer: Vec<u8>) -> Self {
        let mut queue = buffer;
        queue.clear();
        queue.reserve(512);
        queue.extend_from_slice(method.as_str().as_bytes());
        queue.push(b' ');
        write_target(target, &mut queue);
        queue.extend_from_slice(b" HTTP/1.1\r\n");
        headers.encode(&mut queue);
        queue.extend_from_slice(b"\r\n");
        let head = queue.len();
        let mut piece = Bytes::new();
        let body = match body {
            BodyKind::None => Body::Complete,
            BodyKind::Bytes(bytes) if bytes.len() <= SMALL => {
                queue.extend_from_slice(&bytes);
                Body::Complete
            }
            BodyKind::Bytes(bytes) => {
                piece = bytes;
                Body::Complete
            }
            BodyKind::Source { length: Some(length) } => Body::Length(length),
            BodyKind::Source { length: None } => Body::Chunked,
        };
        let overhead = head as u64;
        Self { queue, at: 0, head, is_held: false, piece, body, sent: 0, overhead, failure: None }
    }

    /// An encoder with nothing to send, and memory for the next one.
    pub(crate) fn idle(buffer: Vec<u8>) -> Self {
        Self {
            queue: buffer,
            at: 0,
            head: 0,
            is_held: false,
            piece: Bytes::new(),
            body: Body::Complete,
            sent: 0,
            overhead: 0,
            failure: None,
        }
    }

    /// Holds the body back after the head until [`release`](Self::release), because the request
    /// expects `100 Continue`. No effect once bytes were sent.
    pub fn hold(&mut self) {
        self.is_held = self.sent == 0;
    }

    /// Sends the body after the head.
    pub fn release(&mut self) {
        self.is_held = false;
    }

    /// Returns `true` if the body is held back.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.is_held
    }

    /// The bytes to send now: the head and a small body together, later the body. Empty if there is
    /// nothing to send for now.
    #[must_use]
    pub fn unsent(&self) -> &[u8] {
        if self.failure.is_some() {
            return &[];
        }
        let end = if self.is_held { self.head } else { self.queue.len() };
        if self.at == end && !self.is_held {
            return &self.piece;
        }
        self.queue.get(self.at..end).unwrap_or_default()
    }

    /// Reports that the transport took the first `n` bytes of [`unsent`](Self::unsent).
    pub fn sent(&mut self, n: usize) {
        let n = n.min(self.unsent().len());
        self.sent += n as u64;
        if self.at < self.queue.len() {
            self.at += n;
        } else {
            self.piece.advance(n);
            if self.piece.is_empty() {
                // Release it now: a caller that shares the memory may reuse it.
                self.piece = Bytes::new();
            }
        }
        if self.at == self.queue.len() {
            self.queue.clear();
            self.at = 0;
        }
    }

    /// The number of body bytes to request from the source now; 0 if none.
    ///
    /// For a declared length it is one more than the rest, also if that is 0. So a source that has
    /// more is detected before an excess byte is sent (row F30), and any other source reports its
    /// end.
    ///
    /// Bytes may be supplied before the head is sent, to share one write. Send
    /// [`unsent`](Self::unsent) bytes before waiting for a slow source.
    #[must_use]
    pub fn wanted(&self) -> usize {
        let most = match self.body {
            _ if self.is_held || self.failure.is_some() => 0,
            // One piece of the caller's memory at a time: later bytes follow it.
            _ if !self.piece.is_empty() => 0,
            Body::Complete => 0,
            Body::Length(left) => left.saturating_add(1),
            Body::Chunked => u64::MAX,
            Body::Message(ref message) if message.is_ended => 0,
            Body::Message(ref message) => message.left.map_or(u64::MAX, |left| left.saturating_add(1)),
        };
        let queued = self.queue.len() - self.at;
        // Half a queue keeps a transport busy; less than half is not worth a request to the source.
        let free = if queued > PIECE / 2 { 0 } else { PIECE - queued };
        usize::try_from(most).map_or(free, |most| most.min(free))
    }

    /// Supplies the next bytes of the body; returns the number of bytes taken, at most
    /// [`wanted`](Self::wanted).
    ///
    /// # Errors
    /// Nothing more is sent after an error.
    ///
    /// - [`Kind::BodyLength`] if there are more bytes than declared, before an excess byte is sent
    ///   (row F30).
    /// - [`Kind::Misuse`] if there is no source or it had ended.
    pub fn supply(&mut self, bytes: &[u8]) -> Result<usize> {
        self.admit(bytes)?;
        let taken = self.wanted().min(bytes.len());
        if taken == 0 {
            return Ok(0);
        }
        self.compact();
        let bytes = &bytes[..taken];
        if let Body::Length(left) = &mut self.body {
            *left -= taken as u64;
            self.queue.extend_from_slice(bytes);
        } else if let Body::Message(message) = &mut self.body {
            message.take(taken);
            self.queue.extend_from_slice(bytes);
        } else {
            self.chunk(bytes);
        }
        Ok(taken)
    }

    /// Queues one chunk.
    fn chunk(&mut self, bytes: &[u8]) {
        let before = self.queue.len();
        write_size(bytes.len(), &mut self.queue);
        self.queue.extend_from_slice(bytes);
        self.queue.extend_from_slice(b"\r\n");
        self.overhead += (self.queue.len() - before - bytes.len()) as u64;
    }

    /// Supplies bytes like [`supply`](Self::supply), from shared memory. A long piece of a body
    /// with a length is taken whole and sent without a copy, even if it exceeds
    /// [`wanted`](Self::wanted). Shorter pieces, and chunks, are copied.
    ///
    /// # Errors
    /// As [`supply`](Self::supply).
    pub fn supply_shared(&mut self, bytes: &Bytes) -> Result<usize> {
        let is_free = self.wanted() > 0;
        match &mut self.body {
            Body::Length(left) if is_free && bytes.len() > SMALL && bytes.len() as u64 <= *left => {
                *left -= bytes.len() as u64;
                self.piece = bytes.clone();
                Ok(bytes.len())
            }
            Body::Message(message) if is_free && bytes.len() > SMALL && message.admits(bytes.len()) => {
                message.take(bytes.len());
                self.piece = bytes.clone();
                Ok(bytes.len())
            }
            _ => self.supply(bytes),
        }
    }

    /// Checks whether the source may supply these bytes.
    fn admit(&mut self, bytes: &[u8]) -> Result<()> {
        self.check()?;
        match &self.body {
            // Empty bytes are not the end: an empty chunk would mean the end.
            _ if bytes.is_empty() => Ok(()),
            Body::Complete => Err(self.fail(Kind::Misuse, "no body was to come")),
            Body::Message(message) if message.is_ended => Err(self.fail(Kind::Misuse, "no body was to come")),
            Body::Message(message) if !message.admits(bytes.len()) => {
                Err(self.fail(Kind::BodyLength, "longer than declared"))
            }
            Body::Length(left) if bytes.len() as u64 > *left => {
                Err(self.fail(Kind::BodyLength, "longer than declared"))
            }
            Body::Length(_) | Body::Chunked | Body::Message(_) => Ok(()),
        }
    }

    /// Ends the body. A second call has no effect.
    ///
    /// # Errors
    /// [`Kind::BodyLength`] if fewer bytes than declared were supplied. Nothing more is sent then:
    /// the server must not accept a part as the whole.
    pub fn supply_end(&mut self) -> Result<()> {
        self.supply_end_with(&Headers::new())
    }

    /// Ends a chunked body with trailers (RFC 9112 section 7.1.2).
    ///
    /// # Errors
    /// Nothing more is sent after an error.
    ///
    /// - [`Kind::InvalidHeader`] if the body is not chunked, or a field is not allowed in trailers
    ///   (RFC 9110 section 6.5.1).
    /// - The errors of [`supply_end`](Self::supply_end).
    pub fn supply_end_with(&mut self, trailers: &Headers) -> Result<()> {
        self.check()?;
        if !trailers.is_empty() {
            let allows = match &self.body {
                Body::Chunked => true,
                Body::Message(message) => message.left.is_none(),
                Body::Complete | Body::Length(_) => false,
            };
            if !allows {
                return Err(self.fail(Kind::InvalidHeader, "trailers go behind a body in chunks alone"));
            }
            if let Err(error) = trailers::check(trailers) {
                self.failure = Some(error.kind());
                return Err(error);
            }
        }
        match &mut self.body {
            Body::Message(message) => match message.left {
                Some(left) if left > 0 => return Err(self.fail(Kind::BodyLength, "shorter than declared")),
                _ if message.is_ended => {}
                _ => {
                    message.is_ended = true;
                    message.trailers = trailers.clone();
                }
            },
            Body::Length(0) => self.body = Body::Complete,
            Body::Length(_) => return Err(self.fail(Kind::BodyLength, "shorter than declared")),
            Body::Chunked => {
                let before = self.queue.len();
                self.queue.extend_from_slice(b"0\r\n");
                trailers.encode(&mut self.queue);
                self.queue.extend_from_slice(b"\r\n");
                self.overhead += (self.queue.len() - before) as u64;
                self.body = Body::Complete;
            }
            Body::Complete => {}
        }
        Ok(())
    }

    /// Returns `true` if the whole request was sent.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let is_all_here = match &self.body {
            Body::Complete | Body::Length(0) => true,
            Body::Message(message) => message.is_end_taken,
            Body::Length(_) | Body::Chunked => false,
        };
        is_all_here && self.piece.is_empty() && self.at == self.queue.len() && self.failure.is_none()
    }

    /// Number of bytes that the transport took.
    #[must_use]
    pub fn bytes_sent(&self) -> u64 {
        self.sent
    }

    /// Number of body bytes that the transport took, without chunk framing. While a chunk is being
    /// sent the number may be a few bytes too small.
    #[must_use]
    pub fn body_sent(&self) -> u64 {
        self.sent.saturating_sub(self.overhead)
    }

    /// Returns `true` if no byte of the body or its framing was sent: all supplied bytes are still
    /// here.
    pub(crate) fn is_body_unsent(&self) -> bool {
        self.sent <= self.head as u64
    }

    /// Takes out the supplied part of the body, if none of it was sent.
    pub(crate) fn take_unsent(&mut self) -> Option<Unsent> {
        let head_left = (self.head as u64).checked_sub(self.sent).filter(|_| self.failure.is_none())?;
        let queue = self.queue.get(self.at + usize::try_from(head_left).ok()?..)?.to_vec();
        Some(Unsent {
            queue,
            piece: std::mem::take(&mut self.piece),
            body: std::mem::replace(&mut self.body, Body::Complete),
            overhead: self.overhead.saturating_sub(self.head as u64),
        })
    }

    /// Continues with the body of an earlier encoder. This one has the same request, and nothing of
    /// its body yet.
    pub(crate) fn resume(&mut self, unsent: Unsent) {
        if matches!(self.body, Body::Message(_)) || matches!(unsent.body, Body::Message(_)) {
            return self.resume_message(unsent);
        }
        self.queue.extend_from_slice(&unsent.queue);
        (self.piece, self.body) = (unsent.piece, unsent.body);
        self.overhead += unsent.overhead;
    }

    /// Returns the memory, for the next encoder.
    #[must_use]
    pub fn into_buffer(self) -> Vec<u8> {
        self.queue
    }

    /// Takes the memory out of an encoder that is not needed any more.
    pub(crate) fn take_buffer(&mut self) -> Vec<u8> {
        (self.at, self.head) = (0, 0);
        std::mem::take(&mut self.queue)
    }

    fn check(&self) -> Result<()> {
        self.failure.map_or(Ok(()), |kind| Err(Fault::new(kind)))
    }

    #[cold]
    fn fail(&mut self, kind: Kind, detail: &'static str) -> Fault {
        self.failure = Some(kind);
        Fault::new(kind).with_detail(detail)
    }

    /// Drops the sent bytes once they are the larger part: no byte is moved more than once on
    /// average.
    fn compact(&mut self) {
        if self.at > self.queue.len() / 2 {
            self.queue.drain(..self.at);
            self.at = 0;
        }
    }
}

/// Writes the request target; a byte that would end the request line is escaped, even if it was
/// accepted before (row V41).
fn write_target(target: &[u8], out: &mut Vec<u8>) {
    if target.is_empty() {
        out.push(b'/');
    } else if target.iter().all(u8::is_ascii_graphic) {
        out.extend_from_slice(target);
    } else {
        for &byte in target {
            if byte.is_ascii_graphic() {
                out.push(byte);
            } else {
                out.extend_from_slice(&percent::encode(byte));
            }
        }
    }
}

/// Writes the size line of a chunk.
fn write_size(size: usize, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digits = (usize::BITS - size.leading_zeros()).div_ceil(4).max(1);
    out.extend((0..digits).rev().map(|digit| HEX[size >> (digit * 4) & 15]));
    out.extend_from_slice(b"\r\n");
}

impl fmt::Debug for RequestEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestEncoder")
            .field("sent", &self.sent)
            .field("unsent", &self.unsent().len())
            .field("is_held", &self.is_held)
            .field("is_done", &self.is_done())
            .finish_non_exhaustive()
    }
}
