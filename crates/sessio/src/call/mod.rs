//! One call: a request, and whatever follows from it until its answer is read.
//!
//! A [`Call`] goes through authentication, redirects and retries without doing any IO. Whoever drives it
//! asks [`step`](Call::step) what is wanted now, does it, and tells the outcome. It is *level-triggered*:
//! asking changes nothing, only answers do. An answer that is forgotten shows as the same step twice; an
//! answer that nobody asked for is [`Kind::Misuse`], never a panic.
//!
//! ```text
//!                    ┌────────────── stale connection: once more ──────────────┐
//!                    ▼                                                         │
//!   new ──▶ Connect ──▶ Io: request out, response in ──▶ final head ───────────┘
//!              ▲                                            │
//!              │                              cookie, redirect or challenge?
//!              │                                   no │          │ yes
//!              │                                      │        Turn ──▶ error, with the response
//!              │                                      ▼          │
//!              │   Rewind ◀── Io: skip the body ◀── follow ◀─────┤
//!              │     │                                           │ answer
//!              └─────┘                                Head ◀─────┘
//!                                                       │
//!   Release: as soon as the last byte has come      Body ⇄ Io ──▶ Done
//! ```
//!
//! [`Release`](Step::Release) is wanted in any of these states, as soon as the connection has carried the
//! response whole: often before its head is even looked at.
//!
//! ```
//! use std::time::Instant;
//! use sessio::{Call, Conn, Jar, Memory, Now, Request, Settings, Step, UnixTime, merge, prepare};
//!
//! let now = Now { mono: Instant::now(), wall: UnixTime(1_767_225_600) };
//! let mut jar = Jar::new();
//! let request = prepare(merge(&Settings::default(), Request::get("http://example.org/")), &mut jar, now)?;
//! let mut call = Call::new(request, Memory::default())?;
//! let mut answer = &b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 2\r\n\r\nhi"[..];
//! let mut body = Vec::new();
//! loop {
//!     match call.step(now)? {
//!         Step::Connect(to) => {
//!             assert_eq!(to.url.as_str(), "http://example.org/");
//!             call.connected(Conn::plain(1, now.mono));
//!         }
//!         Step::Io(io) if !io.send.is_empty() => {
//!             assert!(io.send.starts_with(b"GET / HTTP/1.1\r\nHost: example.org\r\n"));
//!             let n = io.send.len();
//!             call.sent(n);
//!         }
//!         Step::Io(io) => {
//!             let n = answer.len().min(io.recv.len());
//!             io.recv[..n].copy_from_slice(&answer[..n]);
//!             answer = &answer[n..];
//!             call.received(n);
//!         }
//!         Step::Release => assert!(call.release().is_some()), // into a pool
//!         Step::Turn => call.turn(&mut jar, now),
//!         Step::Head => assert_eq!(call.take_head().unwrap().status, 200),
//!         Step::Body(bytes) => {
//!             let n = bytes.len();
//!             body.extend_from_slice(bytes);
//!             call.consume(n);
//!         }
//!         Step::Done => break,
//!         other => panic!("{other:?}"),
//!     }
//! }
//! assert_eq!(body, b"hi");
//! assert_eq!(jar.len(), 1);
//! # Ok::<(), sessio::Error>(())
//! ```

mod clock;
mod step;
#[cfg(test)]
mod tests;
mod turn;

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use crate::body::Content;
use crate::conn::Conn;
use crate::cookie::Extracted;
use crate::error::{Error, Kind, Progress, Repeat, Result, Stage, Timeout};
use crate::h1::{Asked, Event, Receiver, Reuse, Sender};
use crate::head::Head;
use crate::headers::Headers;
use crate::history::Exchange;
use crate::now::Now;
use crate::origin::Origin;
use crate::pool::Proof;
use crate::prepared::{Framed, Prepared};
use crate::retry::{self, Failure};
use clock::Clock;
pub use step::{Connect, Io, Step};
use turn::Next;

/// One call, driven from outside: see the [module](self).
pub struct Call {
    /// The request of this hop.
    request: Prepared,
    framed: Framed,
    phase: Phase,
    conn: Option<Conn>,
    /// The connection's number and whether it was used before; they outlive it.
    connection: (u64, bool),
    sender: Sender,
    receiver: Receiver,
    /// For the sender and the receiver, until they have it.
    memory: Memory,
    clock: Clock,
    /// When this hop began, and how long it took until the head was there.
    began: Option<Instant>,
    elapsed: Option<Duration>,
    head: Option<Head>,
    history: Vec<Exchange>,
    /// What the jar made of the answer's cookies.
    extracted: Extracted,
    /// The request that a redirect leads to, where redirects are handed over.
    next: Option<Result<Prepared>>,
    /// Marks of the requests sent so far, to see a loop by.
    marks: Vec<u64>,
    redirects: u32,
    challenges: u32,
    is_retried: bool,
    /// The transport took no more of the request: what the peer says is still read (row Q08).
    send_failure: Option<io::Error>,
    /// Nothing more can come from the peer.
    receive_failure: Option<io::Error>,
}

/// Where a call stands.
#[derive(Debug)]
enum Phase {
    /// Wants a connection, and a new one if one from the pool has just failed.
    Connect {
        fresh: bool,
        is_resolved: bool,
    },
    Exchange,
    Turn,
    Answer,
    Read,
    /// The rest of a response that is followed: so many bytes of it may still be read.
    Skip {
        next: Next,
        budget: u64,
    },
    Rewind,
    Done,
    Failed(Kind),
    /// Failed, and the error was not told yet.
    Failing(Error),
}

/// Memory that calls use one after another, so that none of them allocates buffers of its own.
///
/// It holds no data between calls; an empty one will do.
#[derive(Debug, Default)]
pub struct Memory {
    pub(crate) send: Vec<u8>,
    pub(crate) recv: Vec<u8>,
}

impl Memory {
    /// How many bytes it holds.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.send.capacity() + self.recv.capacity()
    }
}

impl Call {
    /// A call that will send this request.
    ///
    /// # Errors
    /// If an edit has broken the request: [`Kind::InvalidHeader`] or [`Kind::UnsupportedScheme`].
    pub fn new(request: Prepared, memory: Memory) -> Result<Self> {
        let framed = request.check()?;
        Ok(Self {
            sender: Sender::default(),
            receiver: Receiver::default(),
            memory,
            request,
            framed,
            phase: Phase::Connect { fresh: false, is_resolved: false },
            conn: None,
            connection: (0, false),
            clock: Clock::default(),
            began: None,
            elapsed: None,
            head: None,
            history: Vec::new(),
            extracted: Extracted::default(),
            next: None,
            marks: Vec::new(),
            redirects: 0,
            challenges: 0,
            is_retried: false,
            send_failure: None,
            receive_failure: None,
        })
    }

    /// What is wanted now. Nothing but the clock moves.
    ///
    /// # Errors
    /// Why the call has failed; it stays failed, and the driver drops its connection.
    pub fn step(&mut self, now: Now) -> Result<Step<'_>> {
        let now = now.mono;
        self.clock.start(&self.request.timeouts, now);
        if self.clock.total_is_over(now)
            && !matches!(self.phase, Phase::Done | Phase::Failed(_) | Phase::Failing(_))
        {
            self.fail(Kind::Timeout(Timeout::Total).into());
        }
        let began = *self.began.get_or_insert(now);
        if self.head.is_some() && self.elapsed.is_none() {
            self.elapsed = Some(now.saturating_duration_since(began));
        }
        if self.conn.is_some() && self.has_carried() {
            return Ok(Step::Release);
        }
        match &self.phase {
            Phase::Connect { fresh, is_resolved } => {
                let (fresh, is_resolved) = (*fresh, *is_resolved);
                self.connect(if is_resolved { Timeout::Connect } else { Timeout::Resolve }, fresh, now)
            }
            Phase::Exchange => self.send_and_wait(now),
            Phase::Turn => Ok(Step::Turn),
            Phase::Answer => Ok(Step::Head),
            Phase::Read => self.read(now),
            Phase::Skip { .. } => self.io(Timeout::Read, now),
            Phase::Rewind => Ok(Step::Rewind),
            Phase::Done => Ok(Step::Done),
            Phase::Failed(_) | Phase::Failing(_) => Err(self.tell()),
        }
    }

    fn connect(&mut self, limit: Timeout, fresh: bool, now: Instant) -> Result<Step<'_>> {
        match self.clock.wait(limit, &self.request.timeouts, now) {
            Ok(deadline) => Ok(Step::Connect(Connect { url: &self.request.url, fresh, deadline })),
            Err(timeout) => self.expire(timeout),
        }
    }

    fn send_and_wait(&mut self, now: Instant) -> Result<Step<'_>> {
        let is_sending = !self.sender.is_done() && self.send_failure.is_none();
        self.io(if is_sending { Timeout::Send } else { Timeout::Head }, now)
    }

    fn read(&mut self, now: Instant) -> Result<Step<'_>> {
        match self.receiver.poll() {
            // Asked again below: what is borrowed here could not be handed out only sometimes.
            Ok(Event::Body(_)) => {}
            Ok(Event::End) => {
                self.phase = Phase::Done;
                return Ok(Step::Done);
            }
            Ok(_) => {
                return match self.receive_failure.take() {
                    Some(cause) => {
                        self.fail(Error::new(Kind::IncompleteBody).with_source(cause));
                        Err(self.tell())
                    }
                    None => self.io(Timeout::Read, now),
                };
            }
            Err(error) => {
                self.fail(error);
                return Err(self.tell());
            }
        }
        // The caller has something to read: the time it takes is its own.
        self.clock.rest();
        match self.receiver.poll()? {
            Event::Body(bytes) => Ok(Step::Body(bytes)),
            _ => Ok(Step::Done),
        }
    }

    fn io(&mut self, limit: Timeout, now: Instant) -> Result<Step<'_>> {
        let deadline = match self.clock.wait(limit, &self.request.timeouts, now) {
            Ok(deadline) => deadline,
            Err(timeout) => return self.expire(timeout),
        };
        let wants_body = matches!(self.phase, Phase::Exchange) && self.send_failure.is_none();
        let body = if wants_body { self.sender.wanted() } else { 0 };
        if self.conn.is_none() {
            self.misuse();
            return Err(self.tell());
        }
        let Some(conn) = &mut self.conn else { return Err(Kind::Misuse.into()) };
        let (send, recv) = conn.io(&self.sender, &mut self.receiver);
        Ok(Step::Io(Io { send: if wants_body { send } else { &[] }, recv, body, deadline }))
    }

    /// The host's addresses are known: from here on the limit for connecting runs. Says until when.
    pub fn resolved(&mut self, now: Now) -> Option<Instant> {
        let Phase::Connect { is_resolved, .. } = &mut self.phase else {
            self.misuse();
            return None;
        };
        *is_resolved = true;
        self.clock.wait(Timeout::Connect, &self.request.timeouts, now.mono).ok().flatten()
    }

    /// Here is the connection, new or out of a pool.
    pub fn connected(&mut self, conn: Conn) {
        if !matches!(self.phase, Phase::Connect { .. }) {
            return self.misuse();
        }
        self.clock.rest();
        self.connection = (conn.id(), conn.exchanges > 0);
        self.conn = Some(conn);
        let request = &self.request;
        let mut asked = Asked::new(&request.method);
        asked.close = says_close(&request.headers);
        asked.upgrade = request.headers.contains("Upgrade");
        let Memory { send, recv } = std::mem::take(&mut self.memory);
        self.receiver = Receiver::new(asked, request.limits, recv);
        let target = request.target().as_bytes();
        let outgoing = request.outgoing(self.framed);
        self.sender = Sender::new(&request.method, target, &request.headers, outgoing, send);
        self.phase = Phase::Exchange;
        self.settle();
    }

    /// No connection can be made; `error` says why.
    pub fn unreachable(&mut self, error: Error) {
        if !matches!(self.phase, Phase::Connect { .. }) {
            return self.misuse();
        }
        self.fail(error);
    }

    /// The transport took the first `n` bytes of [`Io::send`].
    pub fn sent(&mut self, n: usize) {
        let (Phase::Exchange, Some(conn)) = (&self.phase, &mut self.conn) else { return self.misuse() };
        conn.sent(n, &mut self.sender);
        self.clock.progress(Timeout::Send);
        self.settle();
    }

    /// `n` bytes were written to the start of [`Io::recv`]; 0 is the end of the stream.
    pub fn received(&mut self, n: usize) {
        let reading = matches!(self.phase, Phase::Exchange | Phase::Read | Phase::Skip { .. });
        let (true, Some(conn)) = (reading, &mut self.conn) else { return self.misuse() };
        if let Err(error) = conn.received(n, &mut self.receiver) {
            return self.fail(error);
        }
        if self.sender.bytes_sent() == 0 && self.receiver.bytes_received() > 0 {
            // Whatever it is, it is no answer to us (row Q13).
            return self.fail(Kind::UnsolicitedData.into());
        }
        self.clock.progress(Timeout::Read);
        self.settle();
    }

    /// The transport failed, in the direction of sending or in that of receiving.
    pub fn broken(&mut self, direction: Direction, cause: io::Error) {
        match (direction, &self.phase) {
            (Direction::Send, Phase::Exchange) => self.send_failure = Some(cause),
            (Direction::Receive, Phase::Exchange) => {
                let is_first = self.receiver.bytes_received() == 0;
                let kind = if is_first { Kind::ClosedBeforeResponse } else { Kind::IncompleteHead };
                self.lose(Error::new(kind).with_source(cause));
            }
            (Direction::Receive, Phase::Read) => self.receive_failure = Some(cause),
            (Direction::Receive, Phase::Skip { .. }) => self.skipped(false),
            _ => self.misuse(),
        }
    }

    /// Supplies bytes of the request's body; says how many were taken. What is left is offered again when
    /// [`Io::body`] asks for it.
    pub fn supply(&mut self, bytes: &[u8]) -> usize {
        if !matches!(self.phase, Phase::Exchange) {
            self.misuse();
            return 0;
        }
        match self.sender.supply(bytes) {
            Ok(n) => {
                self.clock.progress(Timeout::Send);
                self.settle();
                n
            }
            Err(error) => {
                self.fail(error);
                0
            }
        }
    }

    /// The request's body has ended.
    pub fn supply_end(&mut self) {
        if !matches!(self.phase, Phase::Exchange) {
            return self.misuse();
        }
        match self.sender.supply_end() {
            Ok(()) => self.settle(),
            Err(error) => self.fail(error),
        }
    }

    /// The source of the request's body has failed: the request is aborted, and never looks complete to the
    /// peer (row F29).
    pub fn supply_failed(&mut self, cause: io::Error) {
        if !matches!(self.phase, Phase::Exchange | Phase::Rewind) {
            return self.misuse();
        }
        self.fail(Error::new(Kind::BodySource).with_source(cause));
    }

    /// The source of the request's body stands at its start again.
    pub fn rewound(&mut self) {
        if !matches!(self.phase, Phase::Rewind) {
            return self.misuse();
        }
        self.phase = Phase::Connect { fresh: self.is_retried, is_resolved: false };
    }

    /// Gives the connection back: with the proof that it can be used again, or not at all, and then the
    /// socket is to be closed.
    pub fn release(&mut self) -> Option<(Conn, Proof)> {
        if !self.has_carried() {
            self.misuse();
            return None;
        }
        let mut conn = self.conn.take()?;
        conn.exchanges = conn.exchanges.saturating_add(1);
        let proof = match self.receiver.reuse() {
            Reuse::Yes { idle_for, max }
                if self.sender.is_done() && self.send_failure.is_none() && max != Some(0) =>
            {
                Some(Proof { opened: conn.opened(), idle_for })
            }
            _ => None,
        };
        self.settle();
        proof.map(|proof| (conn, proof))
    }

    /// Decides what follows from the response: keeps its cookies, answers a challenge, follows a redirect.
    /// All policy is here, and here alone.
    pub fn turn(&mut self, jar: &mut crate::cookie::Jar, now: Now) {
        if !matches!(self.phase, Phase::Turn) {
            return self.misuse();
        }
        self.decide(jar, now);
        self.settle();
    }

    /// Takes the head of the answer.
    pub fn take_head(&mut self) -> Option<Head> {
        if !matches!(self.phase, Phase::Answer) {
            self.misuse();
            return None;
        }
        self.phase = Phase::Read;
        self.head.take()
    }

    /// The caller has read the first `n` bytes of [`Step::Body`].
    pub fn consume(&mut self, n: usize) {
        if !matches!(self.phase, Phase::Read) {
            return self.misuse();
        }
        self.receiver.consume(n);
        self.settle();
    }

    /// The request of this hop: after the head, the one that was answered.
    #[must_use]
    pub fn request(&self) -> &Prepared {
        &self.request
    }

    /// The responses on the way, first to last.
    #[must_use]
    pub fn history(&self) -> &[Exchange] {
        &self.history
    }

    /// The exchange at hand, with its head.
    #[must_use]
    pub fn exchange(&self, head: Head) -> Exchange {
        let (connection, reused) = self.connection;
        Exchange {
            method: self.request.method.clone(),
            url: self.request.url.clone(),
            sent: self.request.headers.clone(),
            head,
            elapsed: self.elapsed(),
            reused,
            connection,
        }
    }

    /// What the jar made of the answer's cookies.
    #[must_use]
    pub fn extracted(&self) -> &Extracted {
        &self.extracted
    }

    /// From the wish for a connection to the answer's head.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed.unwrap_or_default()
    }

    /// The number of the connection of this hop, and whether it had carried an earlier exchange.
    #[must_use]
    pub fn connection(&self) -> (u64, bool) {
        self.connection
    }

    /// How many bytes of the answer's body are still to be read, where that is known.
    #[must_use]
    pub fn body_left(&self) -> Option<u64> {
        self.receiver.left()
    }

    /// The trailers of the answer, once its body has been read.
    #[must_use]
    pub fn trailers(&self) -> &Headers {
        self.receiver.trailers()
    }

    /// The request that the answer's redirect leads to, where it was not to be followed: as it would have
    /// been sent (rule R-25, row B22).
    pub fn take_next(&mut self) -> Option<Result<Prepared>> {
        self.next.take()
    }

    /// The memory, for the next call. This one is over then.
    #[must_use]
    pub fn take_memory(&mut self) -> Memory {
        if self.memory.capacity() == 0 {
            self.recycle();
        }
        if !matches!(self.phase, Phase::Failed(_)) {
            self.conn = None;
            self.phase = Phase::Done;
        }
        std::mem::take(&mut self.memory)
    }

    /// Takes the memory back from the sender and the receiver.
    fn recycle(&mut self) {
        self.memory.send = std::mem::take(&mut self.sender).into_buffer();
        self.memory.recv = std::mem::take(&mut self.receiver).into_buffer();
    }

    /// Whether the connection has done all that this exchange needs of it.
    fn has_carried(&self) -> bool {
        self.receiver.is_complete() && !matches!(self.phase, Phase::Failed(_) | Phase::Failing(_))
    }

    /// Goes as far as what has come leads, without time or policy.
    fn settle(&mut self) {
        if let Some(conn) = &mut self.conn
            && let Err(error) = conn.pump(&mut self.sender, &mut self.receiver)
        {
            return self.fail(error);
        }
        match self.phase {
            Phase::Exchange => self.await_head(),
            Phase::Skip { .. } => self.skip(),
            _ => {}
        }
    }

    fn await_head(&mut self) {
        loop {
            match self.receiver.poll() {
                Ok(Event::Interim(_)) => {}
                Ok(Event::Head(head)) => {
                    self.clock.rest();
                    self.phase = if self.needs_turn(&head) { Phase::Turn } else { Phase::Answer };
                    self.head = Some(head);
                    return;
                }
                Ok(_) => return,
                Err(error) => return self.lose(error),
            }
        }
    }

    /// Reads on to the end of a response that is followed, if that is not far: the connection is worth so
    /// much and no more (rows Q18, Q19, V117).
    fn skip(&mut self) {
        loop {
            let Phase::Skip { budget, .. } = &mut self.phase else { return };
            if !self.sender.is_done() || self.receiver.left().is_some_and(|left| left > *budget) {
                return self.skipped(false);
            }
            match self.receiver.poll() {
                Ok(Event::Body(bytes)) => {
                    let n = bytes.len();
                    if n as u64 > *budget {
                        return self.skipped(false);
                    }
                    *budget -= n as u64;
                    self.receiver.consume(n);
                }
                Ok(Event::End) => {
                    // The connection is given back first; the end comes round again then.
                    if self.conn.is_none() {
                        self.skipped(true);
                    }
                    return;
                }
                Ok(_) => return,
                Err(_) => return self.skipped(false),
            }
        }
    }

    /// The exchange came to nothing before its head was whole: once more where that is safe.
    fn lose(&mut self, error: Error) {
        let failure = self.failure();
        let is_lost = error.kind() == Kind::ClosedBeforeResponse;
        if is_lost && retry::is_safe(&failure) {
            self.conn = None;
            self.is_retried = true;
            self.send_failure = None;
            let is_source = matches!(self.request.body.content, Content::Source { .. });
            self.phase =
                if is_source { Phase::Rewind } else { Phase::Connect { fresh: true, is_resolved: false } };
            return self.recycle();
        }
        let error = match self.send_failure.take() {
            Some(cause) if is_lost => Error::new(Kind::Io).with_source(cause),
            _ => error,
        };
        self.fail(error);
    }

    fn failure(&self) -> Failure {
        let request = &self.request;
        Failure {
            reused: self.connection.1,
            sent: self.sender.bytes_sent(),
            received: self.receiver.bytes_received(),
            idempotent: retry::is_idempotent(&request.method, &request.headers),
            replayable: request.body.is_replayable(),
            retried: self.is_retried,
        }
    }

    fn expire<T>(&mut self, timeout: Timeout) -> Result<T> {
        self.fail(Kind::Timeout(timeout).into());
        Err(self.tell())
    }

    fn misuse(&mut self) {
        self.fail(Kind::Misuse.into());
    }

    fn fail(&mut self, error: Error) {
        if matches!(self.phase, Phase::Failed(_) | Phase::Failing(_)) {
            return;
        }
        let error = error.with_url(&self.request.url).with_progress(self.progress());
        self.conn = None;
        self.phase = Phase::Failing(error);
    }

    fn tell(&mut self) -> Error {
        let kind = match &self.phase {
            Phase::Failing(error) => error.kind(),
            Phase::Failed(kind) => *kind,
            _ => Kind::Misuse,
        };
        match std::mem::replace(&mut self.phase, Phase::Failed(kind)) {
            Phase::Failing(error) => error,
            _ => kind.into(),
        }
    }

    fn progress(&self) -> Progress {
        let stage = match self.phase {
            Phase::Connect { .. } | Phase::Rewind => Stage::Connect,
            Phase::Exchange if self.sender.is_done() => Stage::Head,
            Phase::Exchange => Stage::Send,
            Phase::Turn | Phase::Skip { .. } => Stage::Turn,
            Phase::Answer | Phase::Read | Phase::Done | Phase::Failed(_) | Phase::Failing(_) => Stage::Body,
        };
        let is_before = stage == Stage::Connect;
        Progress {
            stage,
            peer: Origin::of(&self.request.url),
            hop: self.redirects,
            bytes_sent: if is_before { 0 } else { self.sender.bytes_sent() },
            bytes_received: if is_before { 0 } else { self.receiver.bytes_received() },
            reused: !is_before && self.connection.1,
            repeat: if is_before { Repeat::Safe } else { retry::repeat(&self.failure()) },
        }
    }
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Direction {
    /// To the peer.
    Send,
    /// From the peer.
    Receive,
}

/// RFC 9112 section 9.6: who says close sends no further request on that connection.
fn says_close(headers: &Headers) -> bool {
    headers
        .get_all("Connection")
        .flat_map(|value| value.split(|b| *b == b','))
        .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("phase", &self.phase)
            .field("request", &self.request)
            .field("redirects", &self.redirects)
            .finish_non_exhaustive()
    }
}
