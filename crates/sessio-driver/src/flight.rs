//! One call over one socket at a time.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use sessio::call::{Direction, Io};
use sessio::pool::{Grant, Lease, Ticket};
use sessio::{Call, Head, Instant, Kind, Memory, Now, PreparedCall, Result, Step};

use crate::pooled_connection::{PooledConnection, close};
use crate::runtime::{Runtime, Sleep, Stream};
use crate::shared::Shared;
use crate::upload::{Piece, Upload};

/// How many pieces of a body that is always ready go out between two glances at what the peer says (row Q07).
const MOST_PIECES: u32 = 16;

/// How often bytes are moved or handed out before others have their turn, and the clock is read: a peer whose bytes are
/// always there would keep both from happening (row FA1).
const MOST_STEPS: u32 = 64;

/// A call on its way: does what the call wants, and tells it the outcome. It decides nothing.
pub(crate) struct Flight<R: Runtime> {
    pub(crate) call: Call,
    pub(crate) runtime: R,
    pub(crate) shared: Arc<Shared<R::Stream>>,
    stream: Option<R::Stream>,
    /// The process that opened it.
    process: u32,
    /// The right to have that connection open, or to open it.
    lease: Option<Lease>,
    /// A place in line for one.
    ticket: Option<Ticket>,
    upload: Option<Box<Upload>>,
    timer: Option<(Instant, R::Sleep)>,
    pub(crate) now: Now,
    /// Time has passed since: the flight has waited, or was in its caller's hands.
    is_late: bool,
    /// How often bytes were moved or handed out since others had their turn.
    steps: u32,
}

/// Where a flight stops of itself.
enum Stop {
    /// A connection is wanted.
    Connect(ConnectInfo),
    /// The head is there.
    Head,
    /// Bytes of the body are there.
    Body,
    /// It is over.
    Done,
}

/// A connection that is wanted, perhaps a new one, perhaps with the right to open it, and until then.
#[derive(Clone, Copy)]
pub(crate) struct ConnectInfo {
    pub(crate) fresh: bool,
    pub(crate) is_admitted: bool,
    pub(crate) deadline: Option<Instant>,
}

impl<R: Runtime> Flight<R> {
    pub(crate) fn new(
        request: Box<PreparedCall>,
        memory: Memory,
        upload: Option<Box<Upload>>,
        runtime: R,
        shared: Arc<Shared<R::Stream>>,
        now: Now,
    ) -> Result<Box<Self>> {
        // The place first: what is made after that need not be moved there.
        let place = Box::new_uninit();
        let flight = Self {
            call: Call::placed(request, memory),
            runtime,
            shared,
            stream: None,
            process: 0,
            lease: None,
            ticket: None,
            upload,
            timer: None,
            now,
            is_late: false,
            steps: 0,
        };
        let mut flight = Box::write(place, flight);
        flight.call.begin()?;
        Ok(flight)
    }

    /// Up to the head of the answer.
    pub(crate) async fn head(&mut self) -> Result<Head> {
        loop {
            match poll_fn(|cx| self.poll(cx)).await? {
                Stop::Connect(wanted) => self.connect(wanted).await,
                Stop::Head => return self.call.take_head().ok_or_else(|| Kind::Misuse.into()),
                Stop::Body | Stop::Done => return Err(Kind::Misuse.into()),
            }
        }
    }

    /// Up to the next bytes of the body; says whether there are any.
    pub(crate) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool>> {
        self.poll(cx).map(|stop| match stop? {
            Stop::Body => Ok(true),
            Stop::Done => Ok(false),
            Stop::Connect(_) | Stop::Head => Err(Kind::Misuse.into()),
        })
    }

    /// The caller has it back: there is no knowing how long it was away.
    pub(crate) fn resume(&mut self) {
        self.is_late |= self.call.is_timed();
    }

    /// The bytes of the body that are there.
    pub(crate) fn body(&self) -> &[u8] {
        self.call.unread()
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stop>> {
        // The source of the body has nothing for now.
        let mut is_dry = false;
        let mut pieces = 0;
        self.steps += 1;
        loop {
            if self.steps > MOST_STEPS && self.pause(cx).is_pending() {
                return Poll::Pending;
            }
            let now = self.now();
            if self.upload.is_some() && !self.call.needs_source() {
                // What it holds, a file perhaps, goes with the upload, not with the response.
                self.upload = None;
            }
            match self.call.step(now) {
                // The body goes on before the response is looked for, which rarely comes first.
                Ok(Step::Io(io)) if io.send.is_empty() && io.body > 0 && !is_dry && pieces < MOST_PIECES => {
                    let wanted = io.body;
                    is_dry = !self.poll_supply(cx, wanted);
                    pieces += 1;
                }
                Ok(Step::Io(io)) => {
                    let deadline = io.deadline;
                    // A glance at what the peer says: who reads all that is sent may have answered long ago.
                    let is_glance = io.send.is_empty() && io.body > 0 && !is_dry;
                    let moved = match &mut self.stream {
                        Some(stream) => transfer(stream, io, cx),
                        None => Moved::Failed(Direction::Receive, io::ErrorKind::NotConnected.into()),
                    };
                    if is_glance {
                        pieces = 0;
                        self.tell(moved);
                    } else if !self.tell(moved) {
                        match self.poll_deadline(cx, deadline) {
                            Poll::Ready(()) => {}
                            Poll::Pending => return self.wait(),
                        }
                    }
                }
                Ok(Step::Connect(wanted)) => {
                    let wanted = ConnectInfo {
                        fresh: wanted.fresh,
                        is_admitted: wanted.is_admitted,
                        deadline: wanted.deadline,
                    };
                    return Poll::Ready(Ok(Stop::Connect(wanted)));
                }
                Ok(Step::Head) => return Poll::Ready(Ok(Stop::Head)),
                Ok(Step::Body(_)) => return Poll::Ready(Ok(Stop::Body)),
                Ok(Step::Done) => return Poll::Ready(Ok(Stop::Done)),
                Ok(Step::Release) => self.release(),
                Ok(Step::Decide) => {
                    self.now = self.runtime.now();
                    let shared = &self.shared;
                    self.call.decide_with(|act| act(&mut shared.jar()), self.now);
                }
                Ok(Step::Rewind) => match self.poll_rewind(cx) {
                    Poll::Ready(()) => {}
                    Poll::Pending => return self.wait(),
                },
                Ok(_) => return Poll::Ready(Err(Kind::Misuse.into())),
                Err(error) => {
                    self.hang_up();
                    return Poll::Ready(Err(error));
                }
            }
        }
    }

    /// Tells the call what has moved; says whether anything has.
    fn tell(&mut self, moved: Moved) -> bool {
        match moved {
            Moved::Nothing => return false,
            Moved::Out(n) => self.call.sent(n),
            Moved::In(n) => self.call.received(n),
            Moved::Failed(direction, error) => self.call.broken(direction, error),
        }
        self.is_late |= R::Stream::BLOCKS;
        self.steps += 1;
        true
    }

    /// Lets others have their turn, who may drop this future, and reads the clock. A stream that blocks has a thread of
    /// its own.
    #[cold]
    fn pause(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.steps = 0;
        self.is_late = true;
        if R::Stream::BLOCKS {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Feeds the request's body; says whether anything came of it.
    fn poll_supply(&mut self, cx: &mut Context<'_>, wanted: usize) -> bool {
        let Some(upload) = &mut self.upload else {
            self.call.supply_failed(io::Error::other("the request has no source for its body"));
            return true;
        };
        match upload.poll(cx, wanted) {
            Poll::Ready(Ok(Piece::Bytes(bytes))) => {
                let taken = self.call.supply_shared(bytes);
                upload.taken(taken);
            }
            Poll::Ready(Ok(Piece::End)) => self.call.supply_end_with(&upload.trailers()),
            Poll::Ready(Err(error)) => self.call.supply_refused(error),
            Poll::Pending => return false,
        }
        true
    }

    fn poll_rewind(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let rewound = match &mut self.upload {
            Some(upload) => upload.poll_rewind(cx),
            None => Poll::Ready(Ok(())),
        };
        rewound.map(|done| match done {
            Ok(()) => self.call.rewound(),
            Err(error) => self.call.supply_refused(error),
        })
    }

    /// Ready once the deadline has passed. The clock is asked before the timer: a runtime may be slow to
    /// say that time is up.
    pub(crate) fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()> {
        let Some(deadline) = deadline else { return Poll::Pending };
        if self.now.mono >= deadline {
            return Poll::Ready(());
        }
        let timer = match &mut self.timer {
            Some((at, timer)) => {
                if *at != deadline {
                    *at = deadline;
                    timer.reset(deadline);
                }
                timer
            }
            none => &mut none.insert((deadline, self.runtime.sleep_until(deadline))).1,
        };
        match timer.poll_elapsed(cx) {
            Poll::Ready(()) => {
                self.look_at_clock();
                // A timer may go off a tick early by our clock.
                self.now.mono = self.now.mono.max(deadline);
                self.timer = None;
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Ready when `future` is, or with `None` at the deadline.
    pub(crate) async fn within<T>(
        &mut self,
        deadline: Option<Instant>,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        let mut future = std::pin::pin!(future);
        poll_fn(|cx| {
            if let Poll::Ready(done) = future.as_mut().poll(cx) {
                self.is_late |= R::Stream::BLOCKS;
                return Poll::Ready(Some(done));
            }
            self.look_at_clock();
            match self.poll_deadline(cx, deadline) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => self.wait(),
            }
        })
        .await
    }

    /// What time it is, by a clock that is read once after every wait. The calendar's is for turns alone and
    /// is read then.
    pub(crate) fn now(&mut self) -> Now {
        if self.is_late {
            self.look_at_clock();
        }
        self.now
    }

    pub(crate) fn look_at_clock(&mut self) {
        self.now.mono = self.runtime.mono();
        self.is_late = false;
    }

    pub(crate) fn wait<T>(&mut self) -> Poll<T> {
        self.is_late = true;
        self.steps = 0;
        Poll::Pending
    }

    /// Wants a connection of the pool, or the right to open one; `None` if that took too long.
    pub(crate) async fn admission(
        &mut self,
        fresh: bool,
        deadline: Option<Instant>,
    ) -> Option<Grant<PooledConnection<R::Stream>>> {
        self.hang_up();
        let now = self.now();
        if let Some(process) = self.runtime.process() {
            self.shared.belong_to(process);
        }
        let key = self.shared.key(self.call.key(), self.runtime.reactor());
        let ticket = match self.shared.request(&key, fresh, now) {
            Grant::Wait(ticket) => ticket,
            grant => return Some(grant),
        };
        self.ticket = Some(ticket);
        let shared = Arc::clone(&self.shared);
        let grant = self.within(deadline, poll_fn(|cx| shared.poll_turn(ticket, cx))).await;
        if grant.is_some() {
            self.ticket = None;
        }
        grant
    }

    /// Holds the right to open a connection until there is one, or until nobody wants it any more.
    pub(crate) fn hold(&mut self, lease: Lease) {
        self.lease = Some(lease);
    }

    /// Another connection comes in the place of this one, which is closed first.
    pub(crate) fn make_way(&mut self) {
        self.stream = None;
    }

    pub(crate) fn connected(&mut self, line: PooledConnection<R::Stream>) {
        let PooledConnection { stream, conn, process } = line;
        (self.stream, self.process) = (Some(stream), process);
        self.call.connected(conn);
    }

    fn release(&mut self) {
        // An observer that panics in here leaves both to be given back when the flight is dropped.
        let released = self.call.release();
        match (released, self.stream.take(), self.lease.take()) {
            (Some((conn, proof)), Some(stream), Some(lease)) => {
                let line = PooledConnection { stream, conn, process: self.process };
                self.shared.checkin(lease, line, proof, self.now);
            }
            (_, stream, lease) => {
                (self.stream, self.lease) = (stream, lease);
                self.hang_up();
            }
        }
    }

    /// Closes the connection and gives up the right to one.
    fn hang_up(&mut self) {
        if self.stream.is_some() {
            self.part();
        }
        if let Some(lease) = self.lease.take() {
            self.shared.discard(lease, self.now);
        }
        if let Some(ticket) = self.ticket.take() {
            self.shared.cancel(ticket, self.now);
        }
    }
}

impl<R: Runtime> Flight<R> {
    #[cold]
    fn part(&mut self) {
        if let Some(stream) = self.stream.take() {
            close(stream, self.call.farewell(), self.process);
        }
    }
}

/// What a stream has done.
enum Moved {
    Nothing,
    Out(usize),
    In(usize),
    Failed(Direction, io::Error),
}

/// Moves bytes one way. Reading can wait while the stream takes what there is to write: the answer rarely
/// comes before that. If a peer has spoken before the first byte goes out, that is read first.
fn transfer(stream: &mut impl Stream, io: Io<'_>, cx: &mut Context<'_>) -> Moved {
    let is_early = io.look && !stream.is_idle_open();
    // Neither is there anything to write, nor may a source have something soon.
    let is_alone = io.send.is_empty() && io.body == 0;
    if !io.send.is_empty()
        && !is_early
        && let Poll::Ready(written) = stream.poll_write(cx, io.send)
    {
        return match written {
            Ok(0) => Moved::Failed(Direction::Send, io::ErrorKind::WriteZero.into()),
            Ok(n) => Moved::Out(n),
            Err(error) => Moved::Failed(Direction::Send, error),
        };
    }
    if io.recv.is_empty() {
        return Moved::Nothing;
    }
    let read = match is_alone {
        true => stream.poll_read_alone(cx, io.recv, io.deadline),
        false => stream.poll_read(cx, io.recv),
    };
    match read {
        Poll::Ready(Ok(n)) => Moved::In(n),
        Poll::Ready(Err(error)) => Moved::Failed(Direction::Receive, error),
        Poll::Pending => Moved::Nothing,
    }
}

impl<R: Runtime> Drop for Flight<R> {
    /// Whatever was on its way is given up, and its connection closed; only memory is kept.
    fn drop(&mut self) {
        self.hang_up();
        self.shared.keep_memory(self.call.take_memory());
    }
}

impl<R: Runtime> std::fmt::Debug for Flight<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.call, f)
    }
}
