//! What the requests of a session share: its jar, its connections, and memory to work in.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use sessio::pool::{Effects, Grant, Key, Lease, Policy, Pool, Proof, Stats, Ticket};
use sessio::{Address, Conn, Environment, Jar, Memory, Merged, Now, Origins, Seed};

use crate::flight::part;
use crate::runtime::Stream;

/// How much memory is kept for calls to come. Calls that follow each other pass theirs on, so few wait for one; a burst
/// of more allocates.
const MOST_MEMORY: usize = 16;
/// A buffer that has grown beyond this is not worth keeping.
const LARGEST_MEMORY: usize = 256 * 1024;

/// Jar and pool of a session and of all its variants. No lock is ever held across an await, and none
/// of the code under them is the user's, but for [`Session::cookies`](crate::Session::cookies).
#[derive(Debug)]
pub(crate) struct Shared<S: Stream> {
    jar: Mutex<Jar>,
    desk: Mutex<Desk>,
    seed: Mutex<Seed>,
    /// What was read of the environment, once it was.
    environment: Mutex<Option<Environment>>,
    shelf: Mutex<Shelf<S>>,
}

/// What the next request begins with.
#[derive(Debug, Default)]
struct Desk {
    origins: Origins,
    memory: Vec<Memory>,
}

/// A connection with its socket.
pub(crate) struct Line<S> {
    pub(crate) stream: S,
    pub(crate) conn: Conn,
}

#[derive(Debug)]
struct Shelf<S> {
    pool: Pool<Line<S>>,
    /// Who is to be woken when the turn of a ticket comes.
    wakers: HashMap<Ticket, Waker>,
}

impl<S: Stream> Shared<S> {
    pub(crate) fn new(policy: Policy, seed: Seed) -> Self {
        let shelf = Shelf { pool: Pool::new(policy), wakers: HashMap::new() };
        let (jar, desk) = (Mutex::default(), Mutex::default());
        let environment = Mutex::default();
        Self { jar, desk, seed: Mutex::new(seed), environment, shelf: Mutex::new(shelf) }
    }

    /// Chance for one request: a seed of its own, so that nobody waits while it is made use of.
    pub(crate) fn chance(&self) -> Seed {
        Seed::new(self.seed.lock().unwrap_or_else(PoisonError::into_inner).draw())
    }

    /// Lets the environment take part, read by `read` unless that was done.
    pub(crate) fn surround(&self, merged: &mut Merged, read: impl FnOnce() -> Environment) {
        let mut kept = self.environment.lock().unwrap_or_else(PoisonError::into_inner);
        merged.surround(kept.get_or_insert_with(read));
    }

    /// Goes by this environment from now on; `None` is to read it anew.
    pub(crate) fn set_environment(&self, environment: Option<Environment>) {
        *self.environment.lock().unwrap_or_else(PoisonError::into_inner) = environment;
    }

    /// The jar. A panic of the user's under its lock leaves it whole: every step of the jar is.
    pub(crate) fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads an address, with what is known from earlier ones.
    pub(crate) fn read(&self, address: &mut Address) {
        self.desk().origins.read(address);
    }

    /// The same, and takes memory for the call.
    pub(crate) fn begin(&self, address: &mut Address) -> Memory {
        let mut desk = self.desk();
        desk.origins.read(address);
        desk.memory.pop().unwrap_or_default()
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf<S>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Acts on the pool. Sockets are closed after the lock is gone, and then tasks are woken: whoever may open
    /// a connection in place of another does so when that is closed.
    pub(crate) fn pool<T>(&self, act: impl FnOnce(&mut Pool<Line<S>>, &mut Effects<Line<S>>) -> T) -> T {
        let mut effects = Effects::default();
        let mut shelf = self.shelf();
        let done = act(&mut shelf.pool, &mut effects);
        if !effects.ready.is_empty() || !effects.closed.is_empty() {
            Self::follow(shelf, &mut effects);
        }
        done
    }

    #[cold]
    fn follow(mut shelf: MutexGuard<'_, Shelf<S>>, effects: &mut Effects<Line<S>>) {
        let wakers: Vec<_> = effects.ready.iter().filter_map(|ticket| shelf.wakers.remove(ticket)).collect();
        drop(shelf);
        effects.closed.drain(..).for_each(Line::close);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// What `ticket` has come to; until its turn has come, `cx` is woken for it.
    pub(crate) fn poll_turn(&self, ticket: Ticket, cx: &Context<'_>) -> Poll<Grant<Line<S>>> {
        let mut shelf = self.shelf();
        if let Some(grant) = shelf.pool.collect(ticket) {
            return Poll::Ready(grant);
        }
        let waker = shelf.wakers.entry(ticket).or_insert_with(|| cx.waker().clone());
        waker.clone_from(cx.waker());
        Poll::Pending
    }

    /// Leaves the line.
    pub(crate) fn cancel(&self, ticket: Ticket, now: Now) {
        self.shelf().wakers.remove(&ticket);
        self.pool(|pool, effects| pool.cancel(ticket, now.mono, effects));
    }

    pub(crate) fn checkin(&self, lease: Lease, line: Line<S>, proof: Proof, now: Now) {
        self.pool(|pool, effects| pool.checkin(lease, line, proof, now.mono, effects));
    }

    pub(crate) fn discard(&self, lease: Lease, now: Now) {
        self.pool(|pool, effects| pool.discard(lease, now.mono, effects));
    }

    pub(crate) fn request(&self, key: &Key<'_>, fresh: bool, now: Now) -> Grant<Line<S>> {
        self.pool(|pool, effects| {
            if fresh {
                pool.request_fresh(key, now.mono, effects)
            } else {
                pool.request(key, now.mono, effects)
            }
        })
    }

    pub(crate) fn memory(&self) -> Memory {
        self.desk().memory.pop().unwrap_or_default()
    }

    pub(crate) fn keep_memory(&self, memory: Memory) {
        if memory.capacity() == 0 || memory.capacity() > LARGEST_MEMORY {
            return;
        }
        let mut desk = self.desk();
        if desk.memory.len() < MOST_MEMORY {
            desk.memory.push(memory);
        }
    }

    pub(crate) fn close(&self, now: Now) {
        self.desk().memory = Vec::new();
        self.pool(|pool, effects| pool.clear(effects));
    }

    pub(crate) fn stats(&self) -> Stats {
        self.shelf().pool.stats()
    }
}

impl<S: Stream> Line<S> {
    /// Closes a connection that idles.
    fn close(mut self) {
        part(self.stream, self.conn.farewell());
    }
}

impl<S: Stream> Drop for Shared<S> {
    /// The session is gone, and nobody waits any more.
    fn drop(&mut self) {
        let shelf = self.shelf.get_mut().unwrap_or_else(PoisonError::into_inner);
        while let Some(line) = shelf.pool.take_idle() {
            line.close();
        }
    }
}

impl<S> fmt::Debug for Line<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.conn, f)
    }
}
