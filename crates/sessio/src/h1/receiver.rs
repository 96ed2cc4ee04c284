//! The receiving half: bytes become one response.

use std::fmt;
use std::mem;
use std::ops::Range;

use super::asked::Asked;
use super::buffer::{Buffer, FULL};
use super::chunked::Chunked;
use super::framing::Framing;
use super::limits::Limits;
use super::reuse::{Reuse, Why};
use super::section::{self, Lines};
use crate::error::{Error, Kind, Result};
use crate::head::Head;
use crate::headers::Headers;

/// Reads one response, with the interim responses before it, out of one reused buffer.
///
/// Level-triggered: [`poll`](Self::poll) says what there is and has the same answer until a head was taken,
/// body bytes were [`consume`](Self::consume)d or bytes were [`received`](Self::received). How the bytes
/// were cut into reads changes nothing.
///
/// ```
/// use sessio::h1::{Asked, Event, Limits, Receiver, Reuse, Why};
/// use sessio::http::Method;
///
/// let mut receiver = Receiver::new(Asked::new(&Method::GET), Limits::default(), Vec::new());
/// let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
/// receiver.room()[..bytes.len()].copy_from_slice(bytes);
/// receiver.received(bytes.len());
///
/// let Event::Head(head) = receiver.poll()? else { panic!() };
/// assert_eq!(head.headers.get("content-length"), Some("10"));
/// assert!(matches!(receiver.poll()?, Event::Body(b"hello")));
/// assert!(receiver.room().is_empty(), "what has come must be read first");
/// receiver.consume(5);
/// assert!(matches!(receiver.poll()?, Event::More));
///
/// receiver.received(0); // the connection ends too soon
/// assert_eq!(receiver.poll().unwrap_err().kind().name(), "incomplete-body");
/// assert_eq!(receiver.reuse(), Reuse::No(Why::Unfinished));
/// # Ok::<(), sessio::Error>(())
/// ```
pub struct Receiver {
    asked: Asked,
    limits: Limits,
    buffer: Buffer,
    state: State,
    /// A head that was not taken yet, and how its body is framed.
    ready: Option<Head>,
    /// Body bytes in the buffer that were not consumed yet: they are dealt with, as far as framing goes.
    body: Range<usize>,
    /// Body bytes so far, consumed or not.
    body_bytes: u64,
    /// Bytes of heads so far.
    head_bytes: usize,
    /// Fields of the final head.
    fields: usize,
    interim: usize,
    received: u64,
    /// How much room was handed out.
    offered: usize,
    is_ended: bool,
    verdict: Reuse,
    trailers: Headers,
    failure: Option<Failure>,
}

/// What the machine works on. Each state but `Done` may still want bytes.
enum State {
    Head(Lines),
    /// So many bytes of the body are still to come.
    Length(u64),
    Chunked(Chunked),
    Trailers(Lines),
    UntilClose,
    Done,
}

/// An error in full, once; then its kind.
enum Failure {
    New(Error),
    Told(Kind),
}

/// What there is to know.
#[derive(Debug)]
pub enum Event<'a> {
    /// Nothing before more bytes have come.
    More,
    /// The head of an interim response (1xx); it is handed out once.
    Interim(Head),
    /// The head of the response; it is handed out once.
    Head(Head),
    /// Bytes of the body that were not [`consume`](Receiver::consume)d yet.
    Body(&'a [u8]),
    /// The response is complete.
    End,
}

impl Default for Receiver {
    /// A receiver for the response to a `GET`, without memory.
    fn default() -> Self {
        Self::new(Asked::default(), Limits::default(), Vec::new())
    }
}

impl Receiver {
    /// A receiver for the response to one request. `buffer` is memory to use, as it came out of
    /// [`into_buffer`](Self::into_buffer); an empty one will do.
    #[must_use]
    pub fn new(asked: Asked, limits: Limits, buffer: Vec<u8>) -> Self {
        Self {
            asked,
            limits,
            buffer: Buffer::new(buffer),
            state: State::Head(Lines::default()),
            ready: None,
            body: 0..0,
            body_bytes: 0,
            head_bytes: 0,
            fields: 0,
            interim: 0,
            received: 0,
            offered: 0,
            is_ended: false,
            verdict: Reuse::No(Why::Unfinished),
            trailers: Headers::new(),
            failure: None,
        }
    }

    /// Where the next bytes go. Empty while none are wanted: something that came was not taken yet, or the
    /// response is over.
    pub fn room(&mut self) -> &mut [u8] {
        self.advance();
        if self.is_blocked() || self.is_ended || matches!(self.state, State::Done) {
            self.offered = 0;
            return &mut [];
        }
        let room = self.buffer.room(self.limits.head_bytes.saturating_add(FULL));
        self.offered = room.len();
        room
    }

    /// `n` bytes were written to the start of [`room`](Self::room); 0 is the end of the stream.
    ///
    /// More than there was room for is [`Kind::Misuse`], which the next [`poll`](Self::poll) tells.
    pub fn received(&mut self, n: usize) {
        if n == 0 {
            self.is_ended = true;
        } else if n > mem::take(&mut self.offered) {
            self.fail(Error::new(Kind::Misuse).with_detail("more bytes than there was room for"));
        } else {
            self.received += n as u64;
            self.buffer.received(n);
        }
    }

    /// What there is.
    ///
    /// # Errors
    /// What is wrong with the response, after every body byte that came before it was consumed. It stays
    /// wrong: every later call gives an error of the same kind.
    pub fn poll(&mut self) -> Result<Event<'_>> {
        self.advance();
        if let Some(head) = self.ready.take() {
            let event = if is_interim(&head) { Event::Interim } else { Event::Head };
            return Ok(event(head));
        }
        if !self.body.is_empty() {
            return Ok(Event::Body(self.buffer.read(self.body.start, self.body.end)));
        }
        if let Some(failure) = &mut self.failure {
            let told = Failure::Told(failure.kind());
            return Err(match mem::replace(failure, told) {
                Failure::New(error) => error,
                Failure::Told(kind) => Error::new(kind),
            });
        }
        Ok(if matches!(self.state, State::Done) { Event::End } else { Event::More })
    }

    /// The first `n` bytes of [`Event::Body`] were read.
    ///
    /// More than there were is [`Kind::Misuse`], which the next [`poll`](Self::poll) tells.
    pub fn consume(&mut self, n: usize) {
        if n > self.body.len() {
            self.body = 0..0;
            self.fail(Error::new(Kind::Misuse).with_detail("more body bytes than there were"));
        } else {
            self.body.start += n;
        }
    }

    /// Whether the last byte of the response has come, be it consumed or not. Of a chunked body that shows
    /// only once it has been consumed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        matches!(self.state, State::Done) && self.failure.is_none()
    }

    /// Whether the connection may carry another request. Known once the response
    /// [is complete](Self::is_complete); until then no.
    ///
    /// It speaks for the bytes that have come. Bytes that come later are for whoever keeps the connection
    /// to notice, before it is used again (row P133).
    #[must_use]
    pub fn reuse(&self) -> Reuse {
        if !self.is_complete() {
            return Reuse::No(Why::Unfinished);
        }
        match self.verdict {
            Reuse::No(Why::Upgraded | Why::UntilClose) => self.verdict,
            _ if !self.buffer.is_empty() => Reuse::No(Why::Excess),
            Reuse::Yes { .. } if self.is_ended => Reuse::No(Why::Closed),
            verdict => verdict,
        }
    }

    /// The trailers of a chunked body, complete after [`Event::End`]. They are not part of the head: what
    /// a server could say in them was decided before (RFC 9110 section 6.5.1).
    #[must_use]
    pub fn trailers(&self) -> &Headers {
        &self.trailers
    }

    /// Takes the trailers out.
    pub fn take_trailers(&mut self) -> Headers {
        mem::take(&mut self.trailers)
    }

    /// How many bytes have come, heads, framing and excess included.
    #[must_use]
    pub fn bytes_received(&self) -> u64 {
        self.received
    }

    /// How many bytes of the body have come, whether consumed or not.
    #[must_use]
    pub fn body_received(&self) -> u64 {
        self.body_bytes
    }

    /// How many bytes of the body were not consumed yet, where that is known: not for a chunked body and
    /// not for one that ends with the connection.
    #[must_use]
    pub fn left(&self) -> Option<u64> {
        let here = self.body.len() as u64;
        match self.state {
            State::Length(to_come) => Some(here + to_come),
            State::Done => Some(here),
            _ => None,
        }
    }

    /// Bytes that came after the end of the response. After a 101 or a granted CONNECT they are the first of
    /// the other protocol (row Q02); otherwise nobody may look at them, and [`reuse`](Self::reuse) says no.
    #[must_use]
    pub fn leftover(&self) -> &[u8] {
        if matches!(self.state, State::Done) { self.buffer.unread() } else { &[] }
    }

    /// The memory, for the next receiver.
    #[must_use]
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer.into_bytes()
    }

    /// Something has to be taken before anything more is looked at.
    fn is_blocked(&self) -> bool {
        self.ready.is_some() || !self.body.is_empty() || self.failure.is_some()
    }

    fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(Failure::New(error));
    }

    /// Goes as far as the bytes lead.
    fn advance(&mut self) {
        while !self.is_blocked() {
            match self.step() {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return self.fail(error),
            }
        }
    }

    /// One piece of the response; whether there was one.
    fn step(&mut self) -> Result<bool> {
        match &mut self.state {
            State::Done => Ok(false),
            State::Head(_) => self.step_head(),
            State::Trailers(_) => self.step_trailers(),
            State::Length(to_come) => {
                let to_come = *to_come;
                let here = self.take_body(to_come);
                let left = to_come - here;
                self.state = if left == 0 { State::Done } else { State::Length(left) };
                if left > 0 && here == 0 && self.is_ended {
                    let want = self.body_bytes + left;
                    return Err(self.incomplete(format!("got {} of {want} bytes", self.body_bytes)));
                }
                Ok(here > 0)
            }
            State::UntilClose => {
                let most = self.limits.body_bytes.map_or(u64::MAX, |most| most - self.body_bytes);
                if most == 0 && !self.buffer.is_empty() {
                    return Err(Error::new(Kind::BodyTooLarge));
                }
                let here = self.take_body(most);
                if here == 0 && self.is_ended {
                    self.state = State::Done;
                }
                Ok(here > 0)
            }
            State::Chunked(chunked) => {
                let decoded = chunked.decode(self.buffer.unread_mut(), &self.limits);
                let is_last = chunked.is_last();
                let at = self.buffer.advance(decoded.used);
                self.body = at + decoded.data.start..at + decoded.data.end;
                self.body_bytes += self.body.len() as u64;
                if let Some(error) = decoded.error {
                    return Err(error);
                }
                if is_last {
                    self.state = State::Trailers(Lines::default());
                } else if decoded.used == 0 {
                    return self.incomplete_if_ended("and no last chunk");
                }
                Ok(true)
            }
        }
    }

    /// Hands out what there is of the body, `most` bytes at most.
    fn take_body(&mut self, most: u64) -> u64 {
        let there = self.buffer.unread().len();
        let here = usize::try_from(most).map_or(there, |most| most.min(there));
        let at = self.buffer.advance(here);
        self.body = at..at + here;
        self.body_bytes += here as u64;
        here as u64
    }

    fn step_head(&mut self) -> Result<bool> {
        let State::Head(lines) = &mut self.state else { return Ok(false) };
        let window = window(&self.buffer, self.limits.head_bytes, self.head_bytes);
        let is_first = self.interim == 0;
        section::check_greeting(window, is_first)?;
        let Some(len) = lines.find_end(window, self.limits.fields.saturating_add(1), true)? else {
            if window.len() == self.limits.head_bytes - self.head_bytes {
                return Err(Error::new(Kind::HeadTooLarge));
            }
            return match self.received {
                _ if !self.is_ended => Ok(false),
                0 => Err(Error::new(Kind::ClosedBeforeResponse)),
                n => Err(Error::new(Kind::IncompleteHead).with_detail(format!("after {n} bytes"))),
            };
        };
        let lines = mem::take(lines);
        let bytes = &mut self.buffer.unread_mut()[..len];
        if lines.folded {
            lines.unfold(bytes).map_err(|detail| Error::new(Kind::BadHead).with_detail(detail))?;
        }
        let (head, decision) = section::parse_head(bytes, &lines, self.asked)?;
        self.buffer.advance(len);
        self.head_bytes += len;
        if lines.folded {
            self.close(Why::Folded);
        }
        if lines.bare_line_feed {
            self.close(Why::BareLineFeed);
        }
        if is_interim(&head) {
            self.interim += 1;
            if self.interim > self.limits.interim {
                return Err(Error::new(Kind::TooManyInterim));
            }
            if let Reuse::No(why) = decision.reuse {
                self.close(why);
            }
        } else {
            self.fields = lines.count() - 1;
            self.start_body(decision.framing, decision.reuse);
        }
        self.ready = Some(head);
        Ok(true)
    }

    fn start_body(&mut self, framing: Framing, reuse: Reuse) {
        // What an earlier head said against reuse stands, unless the connection is no longer ours at all.
        if self.verdict == Reuse::No(Why::Unfinished) || matches!(reuse, Reuse::No(Why::Upgraded)) {
            self.verdict = reuse;
        }
        self.state = match framing {
            Framing::None | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunked(Chunked::default()),
            Framing::UntilClose => State::UntilClose,
        };
        if let (Framing::Length(length), Some(most)) = (framing, self.limits.body_bytes)
            && length > most
        {
            let detail = format!("{length} bytes, and {most} are allowed");
            self.fail(Error::new(Kind::BodyTooLarge).with_detail(detail));
        }
    }

    fn step_trailers(&mut self) -> Result<bool> {
        let State::Trailers(lines) = &mut self.state else { return Ok(false) };
        let window = window(&self.buffer, self.limits.head_bytes, self.head_bytes);
        let end = lines.find_end(window, self.limits.fields.saturating_sub(self.fields), false)?;
        if lines.bare_line_feed {
            // Never within chunked framing (row P037).
            return Err(Error::new(Kind::BadChunk).with_detail("LF alone in the trailers"));
        }
        let Some(len) = end else {
            if window.len() == self.limits.head_bytes - self.head_bytes {
                return Err(Error::new(Kind::HeadTooLarge).with_detail("trailers"));
            }
            return self.incomplete_if_ended("and the trailers did not end");
        };
        let lines = mem::take(lines);
        if lines.count() > 0 || lines.folded {
            let bytes = &mut self.buffer.unread_mut()[..len];
            if lines.folded {
                lines.unfold(bytes).map_err(|detail| Error::new(Kind::BadChunk).with_detail(detail))?;
            }
            self.trailers = section::parse_trailers(bytes, &lines)?;
        }
        if lines.folded {
            self.close(Why::Folded);
        }
        self.buffer.advance(len);
        self.head_bytes += len;
        self.state = State::Done;
        Ok(false)
    }

    /// The connection will not be used again; the first reason is the one that is told.
    fn close(&mut self, why: Why) {
        if matches!(self.verdict, Reuse::Yes { .. } | Reuse::No(Why::Unfinished)) {
            self.verdict = Reuse::No(why);
        }
    }

    fn incomplete_if_ended(&self, missing: &str) -> Result<bool> {
        if self.is_ended {
            return Err(self.incomplete(format!("got {} bytes, {missing}", self.body_bytes)));
        }
        Ok(false)
    }

    #[cold]
    fn incomplete(&self, detail: String) -> Error {
        Error::new(Kind::IncompleteBody).with_detail(detail)
    }
}

/// As much of the unread bytes as the budget for heads lets us look at.
fn window(buffer: &Buffer, most: usize, spent: usize) -> &[u8] {
    let unread = buffer.unread();
    &unread[..unread.len().min(most - spent)]
}

/// A response before the response: 101 is the last one in HTTP (RFC 9110 section 15.2).
fn is_interim(head: &Head) -> bool {
    head.status.is_informational() && head.status != http::StatusCode::SWITCHING_PROTOCOLS
}

impl Failure {
    fn kind(&self) -> Kind {
        match self {
            Self::New(error) => error.kind(),
            Self::Told(kind) => *kind,
        }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Head(_) => "head",
            State::Length(_) => "body with a length",
            State::Chunked(_) => "chunked body",
            State::Trailers(_) => "trailers",
            State::UntilClose => "body until close",
            State::Done => "done",
        };
        f.debug_struct("Receiver")
            .field("state", &state)
            .field("received", &self.received)
            .field("body_received", &self.body_bytes)
            .finish_non_exhaustive()
    }
}
