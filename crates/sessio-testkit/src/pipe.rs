//! A connection in memory, as the thread of the server sees it: a socket without a kernel, in the
//! time of its network.
//! The thread and the network take turns. The thread runs only while the network waits for it. When
//! it would block, it returns the turn. So the result does not depend on how threads are scheduled.

use std::io;
use std::net::Shutdown;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::packet::Packet;

/// The server's end of the connection.
#[derive(Debug)]
pub(crate) struct Pipe(Arc<SharedPipe>);

/// The state that both ends share.
#[derive(Debug)]
pub(crate) struct SharedPipe {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) now: Instant,
    turn: Turn,
    wait_for: WaitFor,
    /// Something changed that the thread may be waiting for.
    is_notified: bool,
    pub(crate) received: Vec<u8>,
    /// The client has ended its direction.
    pub(crate) is_ended: bool,
    /// The client has reset the connection.
    pub(crate) is_reset: bool,
    pub(crate) sent: Vec<Packet>,
    /// The number of bytes that may still be sent in this turn.
    pub(crate) room: usize,
    has_shut_reading: bool,
    has_shut_writing: bool,
    pub(crate) is_closed: bool,
    read_timeout: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Network,
    Server,
    /// The network no longer waits for the thread, which runs to its end.
    Nobody,
    /// The thread has ended.
    Over,
}

/// The event that the thread waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WaitFor {
    /// Its first turn.
    Turn,
    Bytes(Option<Instant>),
    Room,
    Time(Instant),
    /// An action of a test, such as opening a gate.
    Notification,
}

impl WaitFor {
    /// The end of the wait, if time alone ends it.
    pub(crate) fn until(self) -> Option<Instant> {
        match self {
            Self::Bytes(until) => until,
            Self::Time(until) => Some(until),
            Self::Turn | Self::Room | Self::Notification => None,
        }
    }
}

impl SharedPipe {
    pub(crate) fn new(now: Instant) -> Arc<Self> {
        let state = State {
            now,
            turn: Turn::Network,
            wait_for: WaitFor::Turn,
            is_notified: false,
            received: Vec::new(),
            is_ended: false,
            is_reset: false,
            sent: Vec::new(),
            room: 0,
            has_shut_reading: false,
            has_shut_writing: false,
            is_closed: false,
            read_timeout: None,
        };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the turn is `theirs`.
    fn wait_out<'s>(&self, mut state: MutexGuard<'s, State>, theirs: Turn) -> MutexGuard<'s, State> {
        while state.turn == theirs {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    fn turn(&self, turn: Turn) {
        let mut state = self.lock();
        if state.turn != Turn::Over {
            state.turn = turn;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// For the thread: returns the turn until this event has happened.
    fn wait<'s>(&'s self, mut state: MutexGuard<'s, State>, wait_for: WaitFor) -> MutexGuard<'s, State> {
        if state.turn == Turn::Server {
            state.wait_for = wait_for;
            state.turn = Turn::Network;
            self.changed.notify_all();
        }
        self.wait_out(state, Turn::Network)
    }

    /// For the network: gives the thread a turn if its event has happened. Returns the state after it.
    pub(crate) fn run(&self, now: Instant, room: usize) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        state.now = now;
        state.room = room;
        if state.turn == Turn::Network && state.is_ready() {
            state.is_notified = false;
            state.turn = Turn::Server;
            self.changed.notify_all();
            state = self.wait_out(state, Turn::Server);
        }
        state
    }

    /// Stops waiting for the thread.
    pub(crate) fn release(&self) {
        self.turn(Turn::Nobody);
    }
}

impl State {
    fn is_ready(&self) -> bool {
        let is_time = self.wait_for.until().is_some_and(|until| until <= self.now);
        is_time
            || match self.wait_for {
                WaitFor::Turn => true,
                WaitFor::Bytes(_) => {
                    !self.received.is_empty() || self.is_ended || self.is_reset || self.has_shut_reading
                }
                WaitFor::Room => self.room > 0 || self.is_reset || self.has_shut_writing,
                WaitFor::Time(_) => false,
                WaitFor::Notification => self.is_notified,
            }
    }

    /// The event that the thread waits for, if it waits.
    pub(crate) fn wait_for(&self) -> Option<WaitFor> {
        (self.turn == Turn::Network).then_some(self.wait_for)
    }

    /// Whether the thread has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.turn == Turn::Over
    }
}

impl Pipe {
    pub(crate) fn new(middle: Arc<SharedPipe>) -> Self {
        Self(middle)
    }

    pub(crate) fn peek(&self, room: &mut [u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        let until = state.read_timeout.map(|limit| state.now + limit);
        loop {
            let n = room.len().min(state.received.len());
            if n > 0 {
                room[..n].copy_from_slice(&state.received[..n]);
                return Ok(n);
            }
            if state.is_reset {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            if state.is_ended || state.has_shut_reading {
                return Ok(0);
            }
            if state.turn == Turn::Nobody || until.is_some_and(|until| until <= state.now) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            state = self.0.wait(state, WaitFor::Bytes(until));
        }
    }

    pub(crate) fn take(&self, count: usize) {
        let mut state = self.0.lock();
        let n = count.min(state.received.len());
        state.received.drain(..n);
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        loop {
            if state.is_reset || state.turn == Turn::Nobody {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            if state.has_shut_writing {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let n = bytes.len().min(state.room);
            if n > 0 {
                state.room -= n;
                state.sent.push(Packet::Bytes(bytes[..n].to_vec()));
                return Ok(n);
            }
            state = self.0.wait(state, WaitFor::Room);
        }
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let mut state = self.0.lock();
        if state.is_reset {
            return Err(io::ErrorKind::NotConnected.into());
        }
        if how != Shutdown::Read && !state.has_shut_writing {
            state.has_shut_writing = true;
            state.sent.push(Packet::End);
        }
        state.has_shut_reading |= how != Shutdown::Write;
        state.is_notified = true;
        Ok(())
    }

    pub(crate) fn set_read_timeout(&self, limit: Option<Duration>) {
        self.0.lock().read_timeout = limit;
    }

    pub(crate) fn now(&self) -> Instant {
        self.0.lock().now
    }

    pub(crate) fn sleep(&self, time: Duration) {
        let mut state = self.0.lock();
        let until = state.now + time;
        while state.now < until && state.turn != Turn::Nobody {
            state = self.0.wait(state, WaitFor::Time(until));
        }
    }

    /// Lets the thread check its condition again.
    pub(crate) fn notify(&self) {
        self.0.lock().is_notified = true;
    }

    /// Returns the turn until the next [`notify`](Self::notify).
    pub(crate) fn wait_for_notification(&self) {
        drop(self.0.wait(self.0.lock(), WaitFor::Notification));
    }

    /// Whether the network waits for the thread.
    pub(crate) fn has_network(&self) -> bool {
        self.0.lock().turn != Turn::Nobody
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        let has_read = std::mem::take(&mut state.received).is_empty();
        if state.is_reset || (has_read && state.has_shut_writing) {
            return;
        }
        state.sent.push(if has_read { Packet::End } else { Packet::Reset });
    }
}

/// The guard of a server's thread from its first turn to its end.
pub(crate) struct Turns(Arc<SharedPipe>);

impl Turns {
    pub(crate) fn of(middle: Arc<SharedPipe>) -> Self {
        drop(middle.wait_out(middle.lock(), Turn::Network));
        Self(middle)
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        self.0.turn(Turn::Over);
    }
}
