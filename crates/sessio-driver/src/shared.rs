//! What the requests of a session share: its jar, its idle connections, and memory to work in.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sessio::pool::{Policy, Pool, Proof};
use sessio::{Address, Conn, Jar, Memory, Now, Origins, Url};

/// How much memory is kept for calls to come: as many are at work at once, and rarely more.
const MOST_MEMORY: usize = 64;
/// A buffer that has grown beyond this is not worth keeping.
const LARGEST_MEMORY: usize = 256 * 1024;

/// Jar and pool of a session and of all its variants. No lock is ever held across an await, and none
/// of the code under them is the user's, but for [`Session::cookies`](crate::Session::cookies).
#[derive(Debug)]
pub(crate) struct Shared<S> {
    jar: Mutex<Jar>,
    origins: Mutex<Origins>,
    shelf: Mutex<Shelf<S>>,
}

/// A connection with its socket.
pub(crate) struct Line<S> {
    pub(crate) stream: S,
    pub(crate) conn: Conn,
}

#[derive(Debug)]
struct Shelf<S> {
    pool: Pool<Line<S>>,
    memory: Vec<Memory>,
    /// Counts the closes: a connection from before the last one does not come back.
    era: u64,
}

impl<S> Shared<S> {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            jar: Mutex::new(Jar::new()),
            origins: Mutex::new(Origins::new()),
            shelf: Mutex::new(Shelf { pool: Pool::new(policy), memory: Vec::new(), era: 0 }),
        }
    }

    /// The jar. A panic of the user's under its lock leaves it whole: every step of the jar is.
    pub(crate) fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads an address, with what is known from earlier ones.
    pub(crate) fn read(&self, address: &mut Address) {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner).read(address);
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf<S>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn memory(&self) -> Memory {
        self.shelf().memory.pop().unwrap_or_default()
    }

    pub(crate) fn keep_memory(&self, memory: Memory) {
        if memory.capacity() == 0 || memory.capacity() > LARGEST_MEMORY {
            return;
        }
        let mut shelf = self.shelf();
        if shelf.memory.len() < MOST_MEMORY {
            shelf.memory.push(memory);
        }
    }

    /// An idle connection, and whether its socket must be asked first.
    pub(crate) fn checkout(&self, url: &Url, now: Now) -> Option<(Line<S>, bool, u64)> {
        let mut closed = Vec::new();
        let mut shelf = self.shelf();
        let era = shelf.era;
        let checkout = shelf.pool.checkout(url, now.mono, &mut closed);
        drop(shelf);
        // Sockets are closed outside of the lock.
        drop(closed);
        checkout.map(|checkout| (checkout.connection, checkout.probe, era))
    }

    pub(crate) fn checkin(&self, url: &Url, line: Line<S>, proof: Proof, era: u64, now: Now) {
        let mut closed = Vec::new();
        let mut shelf = self.shelf();
        if shelf.era == era {
            shelf.pool.checkin(url, line, proof, now.mono, &mut closed);
        } else {
            closed.push(line);
        }
        drop(shelf);
        drop(closed);
    }

    /// Numbers a connection that was opened.
    pub(crate) fn dialled(&self) -> (u64, u64) {
        let mut shelf = self.shelf();
        (shelf.pool.dialled(), shelf.era)
    }

    pub(crate) fn close(&self) {
        let mut shelf = self.shelf();
        shelf.era += 1;
        shelf.memory = Vec::new();
        let closed = shelf.pool.clear();
        drop(shelf);
        drop(closed);
    }

    pub(crate) fn stats(&self) -> sessio::pool::Stats {
        self.shelf().pool.stats()
    }
}

impl<S> std::fmt::Debug for Line<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.conn, f)
    }
}
