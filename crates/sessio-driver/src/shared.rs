//! The state that the requests of a session share: its jar, its connections, and reused memory.

use std::collections::HashMap;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use sessio::pace::{Outcome, Pace, PaceKey, PaceWait};
use sessio::pool::{Effects, Grant, Lease, Policy, Pool, ReuseProof, Stats, Ticket};
use sessio::routing::{Key, KeyBuf};
use sessio::{Address, Environment, Instant, Jar, Memory, Merged, Now, Seed, SessionState, UrlCache};

use crate::pooled_connection::PooledConnection;
use crate::runtime::Stream;
use crate::turns::Turns;

/// Maximal number of memories that are stored for later calls. A call that starts after another has
/// ended takes its memory, so few are stored. More concurrent calls allocate.
const MOST_MEMORY: usize = 14;
/// Maximal size in bytes of a buffer that is stored.
const LARGEST_MEMORY: usize = 256 * 1024;

/// The jar and pool of a session and of all its variants.
///
/// No lock is held across an await, or while code of the caller runs. Such code is flows, wakers,
/// functions of a policy, and drops of the caller's values. So each of them may use the session.
#[derive(Debug)]
pub(crate) struct Shared<S: Stream> {
    state: Mutex<SessionState>,
    jar_changes: Turns,
    caches: Mutex<Caches>,
    seed: Mutex<Seed>,
    /// The process that the seed was drawn for.
    seed_process: u32,
    environment: Mutex<CachedEnvironment>,
    pool_state: Mutex<PoolState<S>>,
    /// The reactor of the first request. Few sessions use another one.
    reactor: OnceLock<u64>,
}

/// The environment of the session.
#[derive(Debug, Default)]
struct CachedEnvironment {
    /// The environment, once it was read.
    environment: Option<Environment>,
    /// The number of replacements. A reader that began before the last one has read an old
    /// environment.
    replaced: u64,
}

/// Values that requests reuse.
#[derive(Debug, Default)]
struct Caches {
    origins: UrlCache,
    memory: Vec<Memory>,
}

#[derive(Debug)]
struct PoolState<S> {
    pool: Pool<KeyBuf, PooledConnection<S>>,
    /// The process that the connections belong to, if a fork is supported.
    process: Option<u32>,
    /// The wakers of requests in the queue.
    wakers: HashMap<Ticket, Waker>,
}

/// A pool in which the connections of a mount have the limits of the mount.
fn new_pool<S>(policy: Policy) -> Pool<KeyBuf, PooledConnection<S>> {
    Pool::new(policy).with_host_policies(|key: &KeyBuf| key.as_key().host_policy().copied())
}

impl<S: Stream> Shared<S> {
    pub(crate) fn new(policy: Policy, seed: Seed, process: Option<u32>) -> Self {
        let pool_state = PoolState { pool: new_pool(policy), process, wakers: HashMap::new() };
        let mut seed = seed;
        Self {
            state: Mutex::new(SessionState::new(seed.split())),
            jar_changes: Turns::default(),
            caches: Mutex::default(),
            seed: Mutex::new(seed),
            seed_process: process.unwrap_or_else(std::process::id),
            environment: Mutex::default(),
            pool_state: Mutex::new(pool_state),
            reactor: OnceLock::new(),
        }
    }

    /// A seed for one request in this process. Each request has its own seed, so none waits while
    /// another uses one. After a fork, parent and child have the same state and still draw
    /// different seeds.
    pub(crate) fn chance(&self, process: u32) -> Seed {
        let mut seed = self.seed.lock().unwrap_or_else(PoisonError::into_inner).split();
        if process != self.seed_process {
            seed.mix(process.into());
        }
        seed
    }

    /// Applies the environment. `read` reads it, unless that was done before.
    pub(crate) fn apply_environment(&self, merged: &mut Merged, read: impl FnOnce() -> Environment) {
        let (kept, replaced) = {
            let kept = self.environment();
            (kept.environment.clone(), kept.replaced)
        };
        let environment = kept.unwrap_or_else(|| {
            let environment = read();
            let mut kept = self.environment();
            if kept.replaced == replaced {
                kept.environment = Some(environment.clone());
            }
            environment
        });
        merged.apply_environment(&environment);
    }

    /// Stores the certificates that were read, unless the environment was replaced meanwhile.
    pub(crate) fn learn(&self, before: &Environment, read: &Environment) {
        let (kept, replaced) = {
            let kept = self.environment();
            (kept.environment.clone(), kept.replaced)
        };
        let Some(kept) = kept.filter(|kept| kept.unread() == before.unread()) else { return };
        let learned = kept.with_certificates_of(read);
        let old = {
            let mut kept = self.environment();
            match kept.replaced == replaced {
                true => kept.environment.replace(learned),
                false => None,
            }
        };
        drop(old);
    }

    /// Sets the environment. After `None` it is read again.
    pub(crate) fn set_environment(&self, environment: Option<Environment>) {
        let before = {
            let mut kept = self.environment();
            kept.replaced += 1;
            mem::replace(&mut kept.environment, environment)
        };
        drop(before);
    }

    fn environment(&self) -> MutexGuard<'_, CachedEnvironment> {
        self.environment.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `change` on a copy of the jar, then applies its changes to the jar. Cookies that
    /// responses set meanwhile are kept, unless `change` has set them too. Changes by several
    /// threads take turns. A nested change is applied at once.
    pub(crate) fn change_jar<T>(&self, change: impl FnOnce(&mut Jar) -> T, now: impl Fn() -> Now) -> T {
        let turn = self.jar_changes.join();
        let mut base = self.state().jar.clone();
        let mut changed = base.clone();
        let done = change(&mut changed);
        loop {
            let mut state = self.state();
            if state.jar.is_unchanged(&base) {
                // The dropped value may be the caller's: a list of public suffixes.
                let before = mem::replace(&mut state.jar, changed);
                drop(state);
                drop(turn);
                drop(before);
                return done;
            }
            let current = state.jar.clone();
            drop(state);
            let mut redone = current.clone();
            redone.redo(&base, &changed, now().wall);
            (base, changed) = (current, redone);
        }
    }

    /// The state that the session learns, for operations that run no code of the caller.
    pub(crate) fn state(&self) -> MutexGuard<'_, SessionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Parses an address, with the results of earlier ones.
    pub(crate) fn read(&self, address: &mut Address) {
        self.caches().origins.read(address);
    }

    /// Parses an address, and takes memory for the call.
    pub(crate) fn begin(&self, address: &mut Address) -> Memory {
        let mut caches = self.caches();
        caches.origins.read(address);
        caches.memory.pop().unwrap_or_default()
    }

    fn caches(&self) -> MutexGuard<'_, Caches> {
        self.caches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pool_state(&self) -> MutexGuard<'_, PoolState<S>> {
        self.pool_state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `act` on the pool. After the lock is released it closes sockets, and then wakes tasks.
    /// The order matters: a request may open a connection in place of another only when that is
    /// closed.
    ///
    /// Both run code of the caller, and panics there are caught, because they belong to other
    /// requests. The other sockets are closed and the other tasks are woken all the same, and the
    /// result of `act` is returned.
    pub(crate) fn pool<T>(
        &self,
        act: impl FnOnce(&mut Pool<KeyBuf, PooledConnection<S>>, &mut Effects<PooledConnection<S>>) -> T,
    ) -> T {
        let mut effects = Effects::default();
        let mut pool_state = self.pool_state();
        let done = act(&mut pool_state.pool, &mut effects);
        if !effects.ready.is_empty() || !effects.closed.is_empty() {
            Self::apply_effects(pool_state, &mut effects);
        }
        done
    }

    #[cold]
    fn apply_effects(
        mut pool_state: MutexGuard<'_, PoolState<S>>,
        effects: &mut Effects<PooledConnection<S>>,
    ) {
        let wakers: Vec<_> =
            effects.ready.iter().filter_map(|ticket| pool_state.wakers.remove(ticket)).collect();
        drop(pool_state);
        effects.closed.drain(..).for_each(|pooled| catch_panic(|| pooled.close()));
        wakers.into_iter().for_each(|waker| catch_panic(|| waker.wake()));
    }

    /// The grant of `ticket`. While it is in the queue, `cx` is woken when its turn comes.
    pub(crate) fn poll_turn(&self, ticket: Ticket, cx: &Context<'_>) -> Poll<Grant<PooledConnection<S>>> {
        {
            let mut pool_state = self.pool_state();
            if let Some(grant) = pool_state.pool.collect(ticket) {
                return Poll::Ready(grant);
            }
            if pool_state.wakers.get(&ticket).is_some_and(|waker| waker.will_wake(cx.waker())) {
                return Poll::Pending;
            }
        }
        // Cloning and dropping a waker runs code of the caller.
        let waker = cx.waker().clone();
        let before = {
            let mut pool_state = self.pool_state();
            // The ticket may have been granted meanwhile.
            if let Some(grant) = pool_state.pool.collect(ticket) {
                return Poll::Ready(grant);
            }
            pool_state.wakers.insert(ticket, waker)
        };
        drop(before);
        Poll::Pending
    }

    /// The grant of a `ticket` with a pace, or its wait. `cx` is woken when its turn comes, or its
    /// wait changes. `None` is a wait for a connection.
    pub(crate) fn poll_paced(
        &self,
        ticket: Ticket,
        now: Now,
        cx: &Context<'_>,
    ) -> Result<Grant<PooledConnection<S>>, Option<PaceWait>> {
        // Cloning and dropping a waker runs code of the caller.
        let waker = cx.waker().clone();
        let before = self.pool_state().wakers.insert(ticket, waker);
        drop(before);
        // A change after this point wakes the task.
        let asked = self.pool(|pool, effects| {
            pool.collect_at(ticket, now.mono, effects).ok_or_else(|| pool.pace_wait(ticket, now.mono))
        });
        if asked.is_ok() {
            let waker = self.pool_state().wakers.remove(&ticket);
            catch_panic(|| drop(waker));
        }
        asked
    }

    /// Requests a connection with this key at the pace of its host. Without a key it requests the
    /// right to begin.
    pub(crate) fn request_paced(
        &self,
        key: Option<&Key<'_>>,
        fresh: bool,
        host: PaceKey,
        pace: &Arc<Pace>,
        now: Now,
    ) -> Grant<PooledConnection<S>> {
        self.pool(|pool, effects| pool.request_paced(key, fresh, host, pace, now.mono, effects))
    }

    /// Takes the outcome of a request with a pace.
    pub(crate) fn report(&self, lease: &Lease, outcome: &Outcome, now: Now) {
        self.pool(|pool, effects| pool.report(lease, outcome, now.mono, effects));
    }

    /// Removes a ticket from the queue.
    pub(crate) fn cancel(&self, ticket: Ticket, now: Now) {
        let waker = self.pool_state().wakers.remove(&ticket);
        self.pool(|pool, effects| pool.cancel(ticket, now.mono, effects));
        catch_panic(|| drop(waker));
    }

    pub(crate) fn checkin(&self, lease: Lease, pooled: PooledConnection<S>, proof: ReuseProof, now: Now) {
        self.pool(|pool, effects| pool.checkin(lease, pooled, proof, now.mono, effects));
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

    /// Sets the process of the following requests. After a fork the parent continues to use the
    /// existing connections. So the child drops them without sending anything, and its queue is
    /// empty.
    pub(crate) fn belong_to(&self, process: u32) {
        let mut pool_state = self.pool_state();
        if pool_state.process == Some(process) {
            return;
        }
        let before = pool_state.process.replace(process);
        if before.is_some() {
            Self::start_over(pool_state);
            self.state().mix(process.into());
        }
    }

    #[cold]
    fn start_over(mut pool_state: MutexGuard<'_, PoolState<S>>) {
        let policy = *pool_state.pool.policy();
        let pool = std::mem::replace(&mut pool_state.pool, new_pool(policy));
        let wakers = std::mem::take(&mut pool_state.wakers);
        drop(pool_state);
        drop((pool, wakers));
    }

    /// Closes up to `count` idle connections, the longest idle first. Returns `false` if there was
    /// none.
    pub(crate) fn make_room(&self, count: usize) -> bool {
        let closed: Vec<_> =
            self.pool(|pool, _| std::iter::from_fn(|| pool.take_idle()).take(count).collect());
        let is_any = !closed.is_empty();
        closed.into_iter().for_each(PooledConnection::close);
        is_any
    }

    pub(crate) fn memory(&self) -> Memory {
        self.caches().memory.pop().unwrap_or_default()
    }

    pub(crate) fn keep_memory(&self, memory: Memory) {
        if memory.capacity() == 0 || memory.capacity() > LARGEST_MEMORY {
            return;
        }
        let mut caches = self.caches();
        if caches.memory.len() < MOST_MEMORY {
            caches.memory.push(memory);
        }
    }

    pub(crate) fn close(&self) {
        self.caches().memory = Vec::new();
        self.pool(|pool, effects| pool.clear(effects));
    }

    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.pool_state().pool.next_expiry()
    }

    pub(crate) fn pool_policy(&self) -> Policy {
        *self.pool_state().pool.policy()
    }

    pub(crate) fn stats(&self) -> Stats {
        self.pool_state().pool.stats()
    }
}

impl<S: Stream> Drop for Shared<S> {
    /// Closes the idle connections. The session was dropped, so no request is waiting.
    fn drop(&mut self) {
        let pool_state = self.pool_state.get_mut().unwrap_or_else(PoisonError::into_inner);
        while let Some(pooled) = pool_state.pool.take_idle() {
            catch_panic(|| pooled.close());
        }
    }
}

/// Runs code of the caller that belongs to another request. The panic hook reports a panic, and it
/// is caught here.
pub(crate) fn catch_panic(act: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(act));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream for its type only: nothing is sent.
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
