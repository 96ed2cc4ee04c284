//! What the requests of a session share: its jar, its connections, and memory to work in.

use std::collections::HashMap;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use sessio::pool::{Effects, Grant, Lease, Policy, Pool, ReuseProof, Stats, Ticket};
use sessio::routing::{Key, KeyBuf};
use sessio::{Address, Environment, Instant, Jar, Memory, Merged, Now, Seed, UrlCache};

use crate::pooled_connection::PooledConnection;
use crate::runtime::Stream;
use crate::turns::Turns;

/// How much memory is kept for calls to come. Calls that follow each other pass theirs on, so few wait for one; a burst
/// of more allocates.
const MOST_MEMORY: usize = 16;
/// A buffer that has grown beyond this is not worth keeping.
const LARGEST_MEMORY: usize = 256 * 1024;

/// Jar and pool of a session and of all its variants.
///
/// No lock is held across an await, and none while code of the user runs: flows, wakers, functions of a policy, and the
/// drop of whatever the user has made. So each of them may use the session.
#[derive(Debug)]
pub(crate) struct Shared<S: Stream> {
    jar: Mutex<Jar>,
    jar_changes: Turns,
    desk: Mutex<Desk>,
    seed: Mutex<Seed>,
    /// The process that the seed was drawn for.
    seed_process: u32,
    surroundings: Mutex<Surroundings>,
    shelf: Mutex<Shelf<S>>,
    /// The reactor of the first request: hardly any session meets another one.
    reactor: OnceLock<u64>,
}

/// The environment.
#[derive(Debug, Default)]
struct Surroundings {
    /// What was read of it, once it was.
    environment: Option<Environment>,
    /// How often it was replaced: who read it before that has read an old one.
    replaced: u64,
}

/// What the next request begins with.
#[derive(Debug, Default)]
struct Desk {
    origins: UrlCache,
    memory: Vec<Memory>,
}

#[derive(Debug)]
struct Shelf<S> {
    pool: Pool<KeyBuf, PooledConnection<S>>,
    /// The process that the connections belong to, where that matters.
    process: Option<u32>,
    /// Who is to be woken when the turn of a ticket comes.
    wakers: HashMap<Ticket, Waker>,
}

impl<S: Stream> Shared<S> {
    pub(crate) fn new(policy: Policy, seed: Seed, process: Option<u32>) -> Self {
        let shelf = Shelf { pool: Pool::new(policy), process, wakers: HashMap::new() };
        let (jar, desk) = (Mutex::default(), Mutex::default());
        Self {
            jar,
            jar_changes: Turns::default(),
            desk,
            seed: Mutex::new(seed),
            seed_process: process.unwrap_or_else(std::process::id),
            surroundings: Mutex::default(),
            shelf: Mutex::new(shelf),
            reactor: OnceLock::new(),
        }
    }

    /// Chance for one request in this process: a seed of its own, so that nobody waits while it is made use of. After a
    /// fork parent and child go on from the same state, and draw different seeds all the same.
    pub(crate) fn chance(&self, process: u32) -> Seed {
        let mut seed = self.seed.lock().unwrap_or_else(PoisonError::into_inner).split();
        if process != self.seed_process {
            seed.mix(process.into());
        }
        seed
    }

    /// Lets the environment take part, read by `read` unless that was done.
    pub(crate) fn apply_environment(&self, merged: &mut Merged, read: impl FnOnce() -> Environment) {
        let (kept, replaced) = {
            let kept = self.surroundings();
            (kept.environment.clone(), kept.replaced)
        };
        let environment = kept.unwrap_or_else(|| {
            let environment = read();
            let mut kept = self.surroundings();
            if kept.replaced == replaced {
                kept.environment = Some(environment.clone());
            }
            environment
        });
        merged.apply_environment(&environment);
    }

    /// Keeps what was read of the environment's certificates, unless the environment is another one by now.
    pub(crate) fn learn(&self, before: &Environment, read: &Environment) {
        let (kept, replaced) = {
            let kept = self.surroundings();
            (kept.environment.clone(), kept.replaced)
        };
        let Some(kept) = kept.filter(|kept| kept.unread() == before.unread()) else { return };
        let learned = kept.with_certificates_of(read);
        let old = {
            let mut kept = self.surroundings();
            match kept.replaced == replaced {
                true => kept.environment.replace(learned),
                false => None,
            }
        };
        drop(old);
    }

    /// Goes by this environment from now on; `None` is to read it anew.
    pub(crate) fn set_environment(&self, environment: Option<Environment>) {
        let before = {
            let mut kept = self.surroundings();
            kept.replaced += 1;
            mem::replace(&mut kept.environment, environment)
        };
        drop(before);
    }

    fn surroundings(&self) -> MutexGuard<'_, Surroundings> {
        self.surroundings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `change` on a copy of the jar, and does the same to the jar then. What responses have set meanwhile is kept,
    /// unless `change` has set it too. Changes of several threads take turns; one within another is made at once.
    pub(crate) fn change_jar<T>(&self, change: impl FnOnce(&mut Jar) -> T, now: impl Fn() -> Now) -> T {
        let turn = self.jar_changes.join();
        let mut base = self.jar().clone();
        let mut changed = base.clone();
        let done = change(&mut changed);
        loop {
            let mut jar = self.jar();
            if jar.is_unchanged(&base) {
                // What is dropped may be the user's: a list of public suffixes.
                let before = mem::replace(&mut *jar, changed);
                drop(jar);
                drop(turn);
                drop(before);
                return done;
            }
            let current = jar.clone();
            drop(jar);
            let mut redone = current.clone();
            redone.redo(&base, &changed, now().wall);
            (base, changed) = (current, redone);
        }
    }

    /// The jar, for what calls no code of the user.
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
    /// a connection in place of another does so when that is closed. Both run code of the user. If it panics, the others
    /// are closed and woken all the same, and `act` has its outcome: the panic is not the caller's.
    pub(crate) fn pool<T>(
        &self,
        act: impl FnOnce(&mut Pool<KeyBuf, PooledConnection<S>>, &mut Effects<PooledConnection<S>>) -> T,
    ) -> T {
        let mut effects = Effects::default();
        let mut shelf = self.shelf();
        let done = act(&mut shelf.pool, &mut effects);
        if !effects.ready.is_empty() || !effects.closed.is_empty() {
            Self::follow(shelf, &mut effects);
        }
        done
    }

    #[cold]
    fn follow(mut shelf: MutexGuard<'_, Shelf<S>>, effects: &mut Effects<PooledConnection<S>>) {
        let wakers: Vec<_> = effects.ready.iter().filter_map(|ticket| shelf.wakers.remove(ticket)).collect();
        drop(shelf);
        effects.closed.drain(..).for_each(|line| unharmed(|| line.close()));
        wakers.into_iter().for_each(|waker| unharmed(|| waker.wake()));
    }

    /// What `ticket` has come to; until its turn has come, `cx` is woken for it.
    pub(crate) fn poll_turn(&self, ticket: Ticket, cx: &Context<'_>) -> Poll<Grant<PooledConnection<S>>> {
        {
            let mut shelf = self.shelf();
            if let Some(grant) = shelf.pool.collect(ticket) {
                return Poll::Ready(grant);
            }
            if shelf.wakers.get(&ticket).is_some_and(|waker| waker.will_wake(cx.waker())) {
                return Poll::Pending;
            }
        }
        // To clone a waker and to drop one is code of the user.
        let waker = cx.waker().clone();
        let before = {
            let mut shelf = self.shelf();
            // Its turn may have come since.
            if let Some(grant) = shelf.pool.collect(ticket) {
                return Poll::Ready(grant);
            }
            shelf.wakers.insert(ticket, waker)
        };
        drop(before);
        Poll::Pending
    }

    /// Leaves the line.
    pub(crate) fn cancel(&self, ticket: Ticket, now: Now) {
        let waker = self.shelf().wakers.remove(&ticket);
        self.pool(|pool, effects| pool.cancel(ticket, now.mono, effects));
        unharmed(|| drop(waker));
    }

    pub(crate) fn checkin(&self, lease: Lease, line: PooledConnection<S>, proof: ReuseProof, now: Now) {
        self.pool(|pool, effects| pool.checkin(lease, line, proof, now.mono, effects));
    }

    pub(crate) fn discard(&self, lease: Lease, now: Now) {
        self.pool(|pool, effects| pool.discard(lease, now.mono, effects));
    }

    pub(crate) fn request(&self, key: &Key<'_>, fresh: bool, now: Now) -> Grant<PooledConnection<S>> {
        self.pool(|pool, effects| {
            if fresh {
                pool.request_fresh(key, now.mono, effects)
            } else {
                pool.request(key, now.mono, effects)
            }
        })
    }

    /// The key of connections that depend on this reactor.
    pub(crate) fn key<'a>(&self, key: Key<'a>, reactor: u64) -> Key<'a> {
        match *self.reactor.get_or_init(|| reactor) == reactor {
            true => key,
            false => key.on_reactor(reactor),
        }
    }

    /// The requests that follow are made in this process. After a fork its parent goes on with the connections that there
    /// are, so they are let go of without a word to the peer, and nobody waits here any more.
    pub(crate) fn belong_to(&self, process: u32) {
        let mut shelf = self.shelf();
        if shelf.process == Some(process) {
            return;
        }
        let before = shelf.process.replace(process);
        if before.is_some() {
            Self::start_over(shelf);
        }
    }

    #[cold]
    fn start_over(mut shelf: MutexGuard<'_, Shelf<S>>) {
        let policy = *shelf.pool.policy();
        let pool = std::mem::replace(&mut shelf.pool, Pool::new(policy));
        let wakers = std::mem::take(&mut shelf.wakers);
        drop(shelf);
        drop((pool, wakers));
    }

    /// Closes up to `count` idle connections, those that have idled longest; says whether there was one.
    pub(crate) fn make_room(&self, count: usize) -> bool {
        let closed: Vec<_> =
            self.pool(|pool, _| std::iter::from_fn(|| pool.take_idle()).take(count).collect());
        let is_any = !closed.is_empty();
        closed.into_iter().for_each(PooledConnection::close);
        is_any
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

    pub(crate) fn close(&self) {
        self.desk().memory = Vec::new();
        self.pool(|pool, effects| pool.clear(effects));
    }

    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.shelf().pool.next_expiry()
    }

    pub(crate) fn stats(&self) -> Stats {
        self.shelf().pool.stats()
    }
}

impl<S: Stream> Drop for Shared<S> {
    /// The session is gone, and nobody waits any more.
    fn drop(&mut self) {
        let shelf = self.shelf.get_mut().unwrap_or_else(PoisonError::into_inner);
        while let Some(line) = shelf.pool.take_idle() {
            unharmed(|| line.close());
        }
    }
}

/// Runs code of the user that has nothing to do with who is running it. The hook for panics tells of one; it goes no
/// further.
fn unharmed(act: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(act));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only its type matters: nothing goes over it.
    struct Nothing;

    impl Stream for Nothing {
        fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<std::io::Result<usize>> {
            Poll::Ready(Ok(0))
        }

        fn poll_write(&mut self, _: &mut Context<'_>, _: &[u8]) -> Poll<std::io::Result<usize>> {
            Poll::Ready(Ok(0))
        }

        fn is_idle_open(&self) -> bool {
            false
        }
    }

    #[test]
    fn fs6_parent_and_child_draw_different_seeds_from_the_same_state() {
        let before_the_fork = || Shared::<Nothing>::new(Policy::default(), Seed::new(1), Some(100));
        let drawn = |process| {
            let shared = before_the_fork();
            [0; 3].map(|_| shared.chance(process).draw())
        };
        assert_eq!(drawn(100), drawn(100));
        let all: std::collections::HashSet<_> = [100, 101, 102].into_iter().flat_map(drawn).collect();
        assert_eq!(all.len(), 9);
    }
}
