//! A call and its current connection.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use sessio::call::{Direction, Io};
use sessio::pool::{Grant, Lease, Ticket};
use sessio::transport::Transfer;
use sessio::{Call, Head, Instant, Kind, Memory, Now, PreparedCall, Result, Step};

use crate::pooled_connection::{PooledConnection, close};
use crate::runtime::{Runtime, Sleep, Stream};
use crate::shared::Shared;
use crate::transport;
use crate::upload::{Piece, Upload};

/// Number of pieces of a ready body that are sent between two reads from the peer (row Q07).
const MOST_PIECES: u32 = 16;

/// Number of moves of bytes before the future yields and reads the clock. Otherwise a peer with
/// endless data would prevent both (row FA1).
const MOST_STEPS: u32 = 64;

/// A running call. It performs each step of the call and reports the outcome. It decides nothing.
pub(crate) struct InFlight<R: Runtime> {
    pub(crate) call: Call,
    pub(crate) runtime: R,
    pub(crate) shared: Arc<Shared<R::Stream>>,
    stream: Option<R::Stream>,
    /// The transfer of a transport, in place of a stream. Boxed twice: it is rare.
    pub(crate) transfer: Option<Box<Box<dyn Transfer>>>,
    /// The process that opened the stream.
    process: u32,
    /// The right to have that connection open, or to open it.
    pub(crate) lease: Option<Lease>,
    /// A place in the queue for a lease.
    pub(crate) ticket: Option<Ticket>,
    upload: Option<Box<Upload>>,
    timer: Option<(Instant, R::Sleep)>,
    pub(crate) now: Now,
    /// The time in `now` is outdated: the flight has waited, or its caller had control.
    is_late: bool,
    /// The number of moves of bytes since the future last yielded.
    steps: u32,
}

/// A point at which a flight returns to its caller.
enum Stop {
    /// The call needs a connection.
    Connect(ConnectInfo),
    /// The head is complete.
    Head,
    /// Bytes of the body are available.
    Body,
    /// The call is over.
    Done,
}

/// The connection that the call needs: whether it must be new, whether the call has the right to
/// open it already, and the deadline.
#[derive(Clone, Copy)]
pub(crate) struct ConnectInfo {
    pub(crate) fresh: bool,
    pub(crate) is_admitted: bool,
    pub(crate) deadline: Option<Instant>,
}

impl<R: Runtime> InFlight<R> {
    pub(crate) fn new(
        request: Box<PreparedCall>,
        memory: Memory,
        upload: Option<Box<Upload>>,
        runtime: R,
        shared: Arc<Shared<R::Stream>>,
        now: Now,
    ) -> Result<Box<Self>> {
        // The memory is allocated first, so that the call is built in place and not moved there.
        let place = Box::new_uninit();
        let flight = Self {
            call: Call::placed(request, memory),
            runtime,
            shared,
            stream: None,
            transfer: None,
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

    /// Runs up to the head of the response.
    pub(crate) async fn head(&mut self) -> Result<Head> {
        loop {
            match poll_fn(|cx| self.poll(cx)).await? {
                Stop::Connect(wanted) => self.connect(wanted).await,
                Stop::Head => return self.call.take_head().ok_or_else(|| Kind::Misuse.into()),
                Stop::Body | Stop::Done => return Err(Kind::Misuse.into()),
            }
        }
    }

    /// Runs up to the next bytes of the body. Returns `false` at its end.
    pub(crate) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool>> {
        self.poll(cx).map(|stop| match stop? {
            Stop::Body => Ok(true),
            Stop::Done => Ok(false),
            Stop::Connect(_) | Stop::Head => Err(Kind::Misuse.into()),
        })
    }

    /// The caller polls again, after an unknown time.
    pub(crate) fn resume(&mut self) {
        self.is_late |= self.call.is_timed();
    }

    /// The available bytes of the body.
    pub(crate) fn body(&self) -> &[u8] {
        self.call.unread()
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stop>> {
        // The source of the body has no bytes now.
        let mut source_pending = false;
        let mut pieces = 0;
        self.steps += 1;
        loop {
            if self.steps > MOST_STEPS && self.pause(cx).is_pending() {
                return Poll::Pending;
            }
            let now = self.now();
            if self.upload.is_some() && !self.call.needs_source() {
                // The source, perhaps a file, is released at the end of the upload, and not with the
                // response.
                self.upload = None;
            }
            match self.call.step(now) {
                // The body is sent before the flight reads: a response rarely precedes the end of
                // the request.
                Ok(Step::Io(io))
                    if io.send.is_empty() && io.body > 0 && !source_pending && pieces < MOST_PIECES =>
                {
                    let wanted = io.body;
                    source_pending = !self.poll_supply(cx, wanted);
                    pieces += 1;
                }
                Ok(Step::Io(io)) => {
                    let deadline = io.deadline;
                    // A read between pieces of the body: a peer that accepts all bytes may have
                    // responded long ago.
                    let is_read_check = io.send.is_empty() && io.body > 0 && !source_pending;
                    let moved = match &mut self.stream {
                        Some(stream) => transfer(stream, io, cx),
                        None => Moved::Failed(Direction::Receive, io::ErrorKind::NotConnected.into()),
                    };
                    if is_read_check {
                        pieces = 0;
                        self.report(moved);
                    } else if !self.report(moved) {
                        match self.poll_deadline(cx, deadline) {
                            Poll::Ready(()) => {}
                            Poll::Pending => return self.wait(),
                        }
                    }
                }
                Ok(Step::Message(io))
                    if !io.has_request() && io.source > 0 && !source_pending && pieces < MOST_PIECES =>
                {
                    let wanted = io.source;
                    source_pending = !self.poll_supply(cx, wanted);
                    pieces += 1;
                }
                Ok(Step::Message(io)) => {
                    let deadline = io.deadline;
                    let is_read_check = !io.has_request() && io.source > 0 && !source_pending;
                    let passed = transport::pass_on(self.transfer.as_deref_mut(), io, cx, now);
                    self.is_late = true;
                    self.steps += 1;
                    let has_passed = transport::report(&mut self.call, passed);
                    if is_read_check {
                        pieces = 0;
                    } else if !has_passed {
                        let wake_at = self.transfer.as_ref().and_then(|transfer| transfer.wake_at());
                        let deadline = deadline.into_iter().chain(wake_at).min();
                        self.look_at_clock();
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
                    self.report_pace();
                    let shared = &self.shared;
                    self.call.decide_with(|act| act(&mut shared.state()), self.now);
                }
                Ok(Step::Wait { until, .. }) => {
                    self.close();
                    match self.poll_deadline(cx, Some(until)) {
                        Poll::Ready(()) => {}
                        Poll::Pending => return self.wait(),
                    }
                }
                Ok(Step::Turn { deadline, .. }) => {
                    self.close();
                    self.steps += 1;
                    // The flow is code of the caller.
                    let turn = self.call.poll_turn(cx);
                    self.look_at_clock();
                    if turn.is_pending() {
                        match self.poll_deadline(cx, deadline) {
                            Poll::Ready(()) => {}
                            Poll::Pending => return self.wait(),
                        }
                    }
                }
                Ok(Step::Rewind) => match self.poll_rewind(cx) {
                    Poll::Ready(()) => {}
                    Poll::Pending => return self.wait(),
                },
                Ok(_) => return Poll::Ready(Err(Kind::Misuse.into())),
                Err(error) => {
                    self.close();
                    return Poll::Ready(Err(error));
                }
            }
        }
    }

    /// Reports a move of bytes to the call. Returns `false` if nothing was moved.
    fn report(&mut self, moved: Moved) -> bool {
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

    /// Yields to other tasks, and reads the clock. The task may drop this future then. A stream
    /// that blocks has its own thread, and does not yield.
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

    /// Supplies bytes of the request's body. Returns `false` if the source is pending.
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

    /// Is ready once the deadline has passed. It compares the clock before it polls the timer,
    /// because a runtime may report a timer late.
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
                // A timer may end a tick before this clock reaches the deadline.
                self.now.mono = self.now.mono.max(deadline);
                self.timer = None;
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Is ready with the output of `future`, or with `None` at the deadline.
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

    /// The current time. The monotonic clock is read once after every wait. The wall clock is read
    /// only for `Step::Decide` and for a new connection.
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

    /// Requests a connection of the pool, or the right to open one; `None` at the deadline.
    pub(crate) async fn admission(
        &mut self,
        fresh: bool,
        deadline: Option<Instant>,
    ) -> Option<Grant<PooledConnection<R::Stream>>> {
        self.close();
        if self.call.options().pace.is_some() {
            return Box::pin(self.paced_admission(true, fresh, deadline)).await;
        }
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

    /// Holds a lease until the connection is released or given up.
    pub(crate) fn hold(&mut self, lease: Lease) {
        self.lease = Some(lease);
    }

    /// Closes the current connection. A replacement reuses its lease.
    pub(crate) fn make_way(&mut self) {
        self.stream = None;
    }

    pub(crate) fn connected(&mut self, pooled: PooledConnection<R::Stream>) {
        let PooledConnection { stream, conn, process } = pooled;
        (self.stream, self.process) = (Some(stream), process);
        self.call.connected(conn);
    }

    fn release(&mut self) {
        self.report_pace();
        // If an observer panics here, the drop of the flight returns the stream and the lease.
        let released = self.call.release();
        match (released, self.stream.take(), self.lease.take()) {
            (Some((conn, proof)), Some(stream), Some(lease)) => {
                let pooled = PooledConnection { stream, conn, process: self.process };
                self.shared.checkin(lease, pooled, proof, self.now);
            }
            (_, stream, lease) => {
                (self.stream, self.lease) = (stream, lease);
                self.close();
            }
        }
    }

    /// Closes the connection, and gives up the lease and the place in the queue.
    pub(crate) fn close(&mut self) {
        if self.stream.is_some() {
            self.close_stream();
        }
        self.transfer = None;
        if (self.lease.is_some() || self.ticket.is_some()) && self.call.options().pace.is_some() {
            // The caller may have kept the response for long, and the pace needs the time of its end.
            self.look_at_clock();
        }
        if let Some(lease) = self.lease.take() {
            self.shared.discard(lease, self.now);
        }
        if let Some(ticket) = self.ticket.take() {
            self.shared.cancel(ticket, self.now);
        }
    }
}

impl<R: Runtime> InFlight<R> {
    #[cold]
    fn close_stream(&mut self) {
        if let Some(stream) = self.stream.take() {
            close(stream, self.call.farewell(), self.process);
        }
    }
}

/// The result of one operation of a stream.
enum Moved {
    Nothing,
    Out(usize),
    In(usize),
    Failed(Direction, io::Error),
}

/// Moves bytes in one direction. It reads only if the stream accepts no bytes now: a response
/// rarely precedes the end of the request. If the peer sent something before the first byte of the
/// request, that is read first.
fn transfer(stream: &mut impl Stream, io: Io<'_>, cx: &mut Context<'_>) -> Moved {
    let is_early = io.look && !stream.is_idle_open();
    // There are no bytes to send, and no source may supply some soon.
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

impl<R: Runtime> Drop for InFlight<R> {
    /// Cancels everything that is unfinished, and closes the connection. Only its memory is kept.
    fn drop(&mut self) {
        self.close();
        self.shared.keep_memory(self.call.take_memory());
    }
}

impl<R: Runtime> std::fmt::Debug for InFlight<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.call, f)
    }
}
