//! The response decoder: bytes become one response.

mod messages;

use std::fmt;
use std::mem;

use super::body::{Body, Next};
use super::buffer::{Buffer, KEPT};
use super::framing::{Decision, Framing};
use super::heads::{Heads, is_interim};
use super::request_context::RequestContext;
use super::reuse::{NoReuse, Reuse};
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::base::limits::Limits;
use crate::message::head::Head;
use crate::message::headers::Headers;

/// Decodes one response, with the interim responses before it, out of one reused buffer.
///
/// The decoder is level-triggered. [`poll`](Self::poll) returns the same event until a head was
/// taken, body bytes were [`consume`](Self::consume)d or bytes were [`received`](Self::received).
/// The events do not depend on how the bytes were cut into reads.
///
/// ```
/// use sessio::h1::{RequestContext, Event, Limits, NoReuse, ResponseDecoder, Reuse};
/// use sessio::http::Method;
///
/// let mut receiver = ResponseDecoder::new(RequestContext::new(&Method::GET), Limits::default(), Vec::new());
/// let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
/// receiver.room()[..bytes.len()].copy_from_slice(bytes);
/// receiver.received(bytes.len());
///
/// let Event::Head(head) = receiver.poll()? else { panic!() };
/// assert_eq!(head.headers.get("content-length"), Some("10"));
/// assert!(matches!(receiver.poll()?, Event::Body(b"hello")));
/// assert!(receiver.room().is_empty(), "received bytes must be read first");
/// receiver.consume(5);
/// assert!(matches!(receiver.poll()?, Event::More));
///
/// receiver.received(0); // the connection ends too soon
/// assert_eq!(receiver.poll().unwrap_err().kind().name(), "incomplete-body");
/// assert_eq!(receiver.reuse(), Reuse::No(NoReuse::Unfinished));
/// # Ok::<(), sessio::Error>(())
/// ```
pub struct ResponseDecoder {
    asked: RequestContext,
    limits: Limits,
    buffer: Buffer,
    state: State,
    ready: Slot,
    body: Body,
    heads: Heads,
    received: u64,
    /// Bytes of room that were lent out.
    offered: usize,
    is_ended: bool,
    /// Nothing has changed since the decoder last ran as far as possible.
    is_settled: bool,
    verdict: Reuse,
    /// Boxed, because few responses have trailers.
    trailers: Option<Box<Headers>>,
    failure: Option<Failure>,
}

/// The place of a head that was not taken yet. Else it holds memory for the fields of the next one:
/// two allocations less for each response.
enum Slot {
    Empty(Headers),
    Full(Head),
}

/// The state of the decoder. Each state but `Done` may need more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Body,
    Trailers,
    Done,
}

/// The full error, once; later its kind only.
enum Failure {
    New(Fault),
    Reported(Kind),
}

/// An event of a response.
#[derive(Debug)]
pub enum Event<'a> {
    /// More bytes must arrive.
    More,
    /// The head of an interim response (1xx); it is returned once.
    Interim(Head),
    /// The head of the response; it is returned once.
    Head(Head),
    /// Body bytes that were not [`consume`](ResponseDecoder::consume)d yet.
    Body(&'a [u8]),
    /// The response is complete.
    End,
}

impl Default for ResponseDecoder {
    /// A decoder for the response to a `GET`, without memory.
    fn default() -> Self {
        Self::new(RequestContext::default(), Limits::default(), Vec::new())
    }
}

impl ResponseDecoder {
    /// Creates a decoder for the response to one request. `buffer` is memory to reuse, from
    /// [`into_buffer`](Self::into_buffer); it may be empty.
    #[must_use]
    pub fn new(asked: RequestContext, limits: Limits, buffer: Vec<u8>) -> Self {
        Self::with_memory(asked, limits, buffer, Headers::new())
    }

    /// As [`new`](Self::new), with memory for the fields of the head. The value is large, and is
    /// not moved after this.
    #[inline]
    pub(crate) fn with_memory(
        asked: RequestContext,
        limits: Limits,
        buffer: Vec<u8>,
        spare: Headers,
    ) -> Self {
        Self {
            asked,
            limits,
            buffer: Buffer::new(buffer),
            state: State::Head,
            ready: Slot::Empty(spare),
            body: Body::new(Framing::None),
            heads: Heads::default(),
            received: 0,
            offered: 0,
            is_ended: false,
            // There is nothing to decode before the first bytes.
            is_settled: true,
            verdict: Reuse::No(NoReuse::Unfinished),
            trailers: None,
            failure: None,
        }
    }

    /// The room for the next bytes. It is empty while none are needed: an event was not taken yet,
    /// or the response is over.
    pub fn room(&mut self) -> &mut [u8] {
        self.advance();
        if self.is_blocked() || self.is_ended || self.state == State::Done {
            self.offered = 0;
            return &mut [];
        }
        let room = self.buffer.room(self.limits.head_bytes.saturating_add(KEPT));
        self.offered = room.len();
        room
    }

    /// Reports that `n` bytes were written to the start of [`room`](Self::room); 0 is the end of
    /// the stream.
    ///
    /// A number larger than the room is [`Kind::Misuse`], which the next [`poll`](Self::poll)
    /// reports.
    pub fn received(&mut self, n: usize) {
        self.is_settled = false;
        if n == 0 {
            self.is_ended = true;
        } else if n > mem::take(&mut self.offered) {
            self.fail(Fault::new(Kind::Misuse).with_detail("more bytes than there was room for"));
        } else {
            self.received += n as u64;
            self.buffer.received(n);
        }
    }

    /// Returns the current event.
    ///
    /// # Errors
    /// A fault in the response, after every body byte before it was consumed. The error is
    /// permanent: every later call returns an error of the same kind.
    pub fn poll(&mut self) -> Result<Event<'_>> {
        self.advance();
        if let Slot::Full(_) = self.ready
            && let Slot::Full(head) = mem::replace(&mut self.ready, Slot::Empty(Headers::new()))
        {
            self.is_settled = false;
            let event = if is_interim(head.status) { Event::Interim } else { Event::Head };
            return Ok(event(head));
        }
        if !self.unread().is_empty() {
            return Ok(Event::Body(self.unread()));
        }
        if let Some(failure) = &mut self.failure {
            let reported = Failure::Reported(failure.kind());
            return Err(match mem::replace(failure, reported) {
                Failure::New(error) => error,
                Failure::Reported(kind) => Fault::new(kind),
            });
        }
        Ok(if self.state == State::Done { Event::End } else { Event::More })
    }

    /// Reports that the first `n` bytes of [`Event::Body`] were read.
    ///
    /// A number larger than that event is [`Kind::Misuse`], which the next [`poll`](Self::poll)
    /// reports.
    pub fn consume(&mut self, n: usize) {
        self.is_settled = false;
        if !self.body.consume(n) {
            self.fail(Fault::new(Kind::Misuse).with_detail("more body bytes than there were"));
        }
    }

    /// The bytes of [`Event::Body`] that are decoded already; empty if there are none.
    #[inline]
    pub(crate) fn unread(&self) -> &[u8] {
        self.buffer.read(self.body.unread())
    }

    /// Returns `true` if the last byte of the response has arrived, consumed or not. For a chunked
    /// body this is known only once the body has been consumed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.state == State::Done && self.failure.is_none()
    }

    /// Reports whether the connection may carry another request. It is known once the response [is
    /// complete](Self::is_complete), and `No` until then.
    ///
    /// The result covers the bytes that have arrived. The owner of the connection must check for
    /// later bytes before it is used again (row P133).
    #[must_use]
    pub fn reuse(&self) -> Reuse {
        if !self.is_complete() {
            return Reuse::No(NoReuse::Unfinished);
        }
        match self.verdict {
            Reuse::No(NoReuse::Upgraded | NoReuse::UntilClose) => self.verdict,
            _ if !self.buffer.is_empty() => Reuse::No(NoReuse::Excess),
            Reuse::Yes { .. } if self.is_ended => Reuse::No(NoReuse::Closed),
            verdict => verdict,
        }
    }

    /// Returns `true` if a head has begun to arrive and is not complete.
    pub(crate) fn is_within_head(&self) -> bool {
        self.state == State::Head && matches!(self.ready, Slot::Empty(_)) && !self.buffer.is_empty()
    }

    /// Returns `true` if the head rules out reuse of the connection.
    pub(crate) fn is_last(&self) -> bool {
        matches!(self.verdict, Reuse::No(why) if why != NoReuse::Unfinished)
    }

    /// The trailers of a chunked body, complete after [`Event::End`]. They are not merged into the
    /// head.
    ///
    /// Fields that are valid only in a head, such as Content-Length, Set-Cookie and Authorization,
    /// are dropped (RFC 9110 section 6.5.1).
    #[must_use]
    pub fn trailers(&self) -> &Headers {
        static NONE: Headers = Headers::new();
        self.trailers.as_deref().unwrap_or(&NONE)
    }

    /// Takes the trailers out.
    pub fn take_trailers(&mut self) -> Headers {
        self.trailers.take().map_or_else(Headers::new, |trailers| *trailers)
    }

    /// Number of received bytes, with heads, framing and excess.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.received
    }

    /// Number of received body bytes, consumed or not.
    #[must_use]
    pub fn body_received(&self) -> u64 {
        self.body.got()
    }

    /// The body length in bytes that the head announced.
    pub(crate) fn announced(&self) -> Option<u64> {
        self.body.announced()
    }

    /// Number of body bytes that were not consumed yet, if known. It is unknown before the head,
    /// for a chunked body, and for a body that ends with the connection.
    #[must_use]
    pub fn left(&self) -> Option<u64> {
        match self.state {
            State::Head => None,
            State::Body => self.body.left(),
            State::Trailers | State::Done => Some(self.body.unread().len() as u64),
        }
    }

    /// Bytes after the end of the response. After a 101 or an accepted CONNECT they are the first
    /// of the other protocol (row Q02). Otherwise they must be ignored, and [`reuse`](Self::reuse)
    /// returns `No`.
    #[must_use]
    pub fn leftover(&self) -> &[u8] {
        if self.state == State::Done { self.buffer.unread() } else { &[] }
    }

    /// Returns the memory, for the next decoder.
    #[must_use]
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer.into_bytes()
    }

    /// Takes the memory out of a decoder that is not needed any more.
    pub(crate) fn take_buffer(&mut self) -> Vec<u8> {
        self.body = Body::new(Framing::None);
        mem::replace(&mut self.buffer, Buffer::new(Vec::new())).into_bytes()
    }

    /// Offers the memory of headers that are not needed any more, for the fields of the next head.
    pub(crate) fn reuse_headers(&mut self, headers: Headers) {
        if let Slot::Empty(spare) = &mut self.ready {
            *spare = headers.into_memory();
        }
    }

    /// Takes the memory for the fields of the next head.
    pub(crate) fn take_spare(&mut self) -> Headers {
        match &mut self.ready {
            Slot::Empty(spare) => mem::take(spare),
            Slot::Full(head) => mem::take(&mut head.headers).into_memory(),
        }
    }

    /// Prepares for the next response. Keeps the memory.
    pub(crate) fn restart(&mut self, asked: RequestContext, limits: Limits) {
        let (buffer, spare) = (self.take_buffer(), self.take_spare());
        *self = Self::with_memory(asked, limits, buffer, spare);
    }

    /// Returns `true` if an event must be taken before decoding continues.
    fn is_blocked(&self) -> bool {
        matches!(self.ready, Slot::Full(_)) || !self.body.unread().is_empty() || self.failure.is_some()
    }

    fn fail(&mut self, error: Fault) {
        self.failure.get_or_insert(Failure::New(error));
    }

    /// Decodes as far as the bytes allow. All other methods do so by themselves; call it to know at
    /// once whether the response [is complete](Self::is_complete).
    #[inline]
    pub(crate) fn advance(&mut self) {
        if !self.is_settled {
            self.go_on();
        }
    }

    fn go_on(&mut self) {
        while !self.is_settled {
            self.is_settled = self.is_blocked()
                || match self.step() {
                    Ok(goes_on) => !goes_on,
                    Err(error) => {
                        self.fail(error);
                        true
                    }
                };
        }
    }

    /// Decodes one element of the response; returns `true` if another may follow.
    fn step(&mut self) -> Result<bool> {
        match self.state {
            State::Head => self.step_head(),
            State::Body => self.step_body(),
            State::Trailers => self.step_trailers(),
            State::Done => Ok(false),
        }
    }

    fn step_head(&mut self) -> Result<bool> {
        let Slot::Empty(spare) = &mut self.ready else { return Ok(false) };
        let head = self.heads.head(&mut self.buffer, self.asked, &self.limits, spare)?;
        let Some((head, decision)) = head else {
            return match self.received {
                _ if !self.is_ended => Ok(false),
                0 => Err(Fault::new(Kind::ClosedBeforeResponse)),
                _ if self.buffer.is_empty() => {
                    Err(Fault::new(Kind::ClosedBeforeResponse).with_detail("only interim responses came"))
                }
                n => Err(Fault::new(Kind::IncompleteHead).with_detail(format!("after {n} bytes"))),
            };
        };
        if is_interim(head.status) {
            if let Reuse::No(why) = decision.reuse {
                self.close(why);
            }
        } else {
            self.start_body(decision);
        }
        self.ready = Slot::Full(head);
        Ok(true)
    }

    fn start_body(&mut self, decision: Decision) {
        self.set_body(decision, Body::new(decision.framing));
        if matches!(decision.framing, Framing::None | Framing::Length(0)) {
            self.state = State::Done;
        }
    }

    fn set_body(&mut self, Decision { framing, reuse, .. }: Decision, body: Body) {
        // The reason of an interim head is kept, unless the connection has switched protocols.
        if self.verdict == Reuse::No(NoReuse::Unfinished) || reuse == Reuse::No(NoReuse::Upgraded) {
            self.verdict = reuse;
        }
        self.body = body;
        self.state = State::Body;
        if let (Framing::Length(length), Some(most)) = (framing, self.limits.body_bytes)
            && length > most
        {
            let detail = format!("{length} bytes, and {most} are allowed");
            self.fail(Fault::new(Kind::BodyTooLarge).with_detail(detail));
        }
    }

    fn step_body(&mut self) -> Result<bool> {
        let next = self.body.advance(&mut self.buffer, &self.limits, self.is_ended)?;
        match next {
            Next::Again | Next::Wait => {}
            Next::Trailers => self.state = State::Trailers,
            Next::Done => self.state = State::Done,
        }
        Ok(next != Next::Wait)
    }

    fn step_trailers(&mut self) -> Result<bool> {
        let Some((trailers, tolerated)) = self.heads.trailers(&mut self.buffer, &self.limits)? else {
            return match self.is_ended {
                true => Err(self.body.incomplete("and the trailers did not end")),
                false => Ok(false),
            };
        };
        if !trailers.is_empty() {
            self.trailers = Some(Box::new(trailers));
        }
        if let Some(why) = tolerated {
            self.close(why);
        }
        self.state = State::Done;
        Ok(false)
    }

    /// Rules out reuse of the connection; the first reason is the one that is reported.
    fn close(&mut self, why: NoReuse) {
        if matches!(self.verdict, Reuse::Yes { .. } | Reuse::No(NoReuse::Unfinished)) {
            self.verdict = Reuse::No(why);
        }
    }
}

impl Failure {
    fn kind(&self) -> Kind {
        match self {
            Self::New(error) => error.kind(),
            Self::Reported(kind) => *kind,
        }
    }
}

impl fmt::Debug for ResponseDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseDecoder")
            .field("state", &self.state)
            .field("received", &self.received)
            .field("body_received", &self.body.got())
            .finish_non_exhaustive()
    }
}
