//! Connections that wait for their next request.
//!
//! The pool holds whatever the driver gives it: a socket, or in a test a number. It hands out the one that
//! was put back last (LIFO keeps few connections warm rather than many lukewarm), and closes what is too
//! old, too idle or too many. It takes a connection back only with a [`Proof`], and only a call that
//! ended cleanly makes one: a connection with unread bytes cannot come back.

mod key;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::time::{Duration, Instant};

use url::Url;

use crate::fingerprint::Mix;
use crate::now::later;
pub use key::Key;

/// How many connections are kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Idle connections kept for one key, 128 at first.
    pub max_idle_per_host: usize,
    /// Idle connections kept in all, 1024 at first.
    pub max_idle: usize,
    /// How long a connection may idle, 90 s at first. A server that announces less in `Keep-Alive` gets
    /// less (row Q21).
    pub idle_timeout: Duration,
    /// How long a connection may live in all, `None` at first.
    pub max_lifetime: Option<Duration>,
    /// From which idle time on the driver asks the socket whether the peer has closed it or spoken out of
    /// turn, 1 ms at first: in a tight loop the question would be a system call for nothing.
    pub probe_after: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_idle_per_host: 128,
            max_idle: 1024,
            idle_timeout: Duration::from_secs(90),
            max_lifetime: None,
            probe_after: Duration::from_millis(1),
        }
    }
}

/// The evidence that an exchange ended cleanly: request sent whole, response received whole, nothing behind
/// it, and neither side wants to close. Made by [`Call::release`](crate::Call::release) alone.
#[derive(Debug)]
pub struct Proof {
    pub(crate) opened: Instant,
    /// How long the server keeps the connection, if it said so.
    pub(crate) idle_for: Option<Duration>,
}

/// A connection taken out of the pool.
#[derive(Debug)]
#[non_exhaustive]
pub struct Checkout<T> {
    /// What was put in.
    pub connection: T,
    /// Whether it idled for so long that the socket must be asked before it is used.
    pub probe: bool,
}

/// What the pool holds and has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections that wait in the pool now.
    pub idle: usize,
    /// Connections that were handed out again so far.
    pub reused: u64,
    /// Connections that were opened so far.
    pub dialled: u64,
}

/// The idle connections of one session.
///
/// ```
/// use std::time::Instant;
/// use sessio::{Url, pool::{Policy, Pool}};
///
/// let mut pool: Pool<u32> = Pool::new(Policy::default());
/// let nothing = pool.checkout(&Url::parse("http://example.org/")?, Instant::now(), &mut Vec::new());
/// assert!(nothing.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pool<T> {
    policy: Policy,
    by_key: HashMap<Key, usize, BuildHasherDefault<Mix>>,
    hosts: Slab<Host>,
    idle: Slab<Idle<T>>,
    /// The connection that has idled longest, and the one that was put back last.
    ends: Option<(usize, usize)>,
    /// Hosts without a connection; they are kept for a while, as most come back.
    empty_hosts: usize,
    stats: Stats,
}

#[derive(Debug)]
struct Host {
    key: Key,
    /// Its idle connections, the one that was put back last at the end.
    idle: Vec<usize>,
}

#[derive(Debug)]
struct Idle<T> {
    connection: T,
    host: usize,
    since: Instant,
    until: Instant,
    older: Option<usize>,
    newer: Option<usize>,
}

/// How many hosts without a connection are remembered.
const EMPTY_HOSTS: usize = 256;

impl<T> Pool<T> {
    /// An empty pool.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            by_key: HashMap::default(),
            hosts: Slab::default(),
            idle: Slab::default(),
            ends: None,
            empty_hosts: 0,
            stats: Stats::default(),
        }
    }

    /// The rules in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Takes out the connection for `url` that was used last; what turns out to be too old on the way goes
    /// to `closed`, for the caller to drop outside of its lock.
    pub fn checkout(&mut self, url: &Url, now: Instant, closed: &mut Vec<T>) -> Option<Checkout<T>> {
        self.reap(now, closed);
        let host = *self.by_key.get(&*Key::text_of(url))?;
        loop {
            let newest = *self.hosts.get(host)?.idle.last()?;
            let idle = self.take(newest)?;
            if idle.until <= now {
                closed.push(idle.connection);
                continue;
            }
            self.stats.reused += 1;
            let probe = now.saturating_duration_since(idle.since) >= self.policy.probe_after;
            return Some(Checkout { connection: idle.connection, probe });
        }
    }

    /// Puts a connection back; what has to go in its favour comes out in `closed`.
    pub fn checkin(&mut self, url: &Url, connection: T, proof: Proof, now: Instant, closed: &mut Vec<T>) {
        let mut until = later(now, self.policy.idle_timeout);
        if let Some(span) = proof.idle_for {
            until = until.min(later(now, span));
        }
        if let Some(lifetime) = self.policy.max_lifetime {
            until = until.min(later(proof.opened, lifetime));
        }
        if until <= now || self.policy.max_idle == 0 || self.policy.max_idle_per_host == 0 {
            closed.push(connection);
            return;
        }
        self.reap(now, closed);
        if self.stats.idle >= self.policy.max_idle
            && let Some((oldest, _)) = self.ends
        {
            closed.extend(self.take(oldest).map(|idle| idle.connection));
        }
        let host = self.host(url);
        if let Some(full) = self.hosts.get(host)
            && full.idle.len() >= self.policy.max_idle_per_host
        {
            let oldest = full.idle[0];
            closed.extend(self.take(oldest).map(|idle| idle.connection));
        }
        self.put(host, connection, now, until);
    }

    /// Counts a connection that was opened, and numbers it.
    pub fn dialled(&mut self) -> u64 {
        self.stats.dialled += 1;
        self.stats.dialled
    }

    /// Takes out everything, for the caller to drop.
    pub fn clear(&mut self) -> Vec<T> {
        self.by_key.clear();
        self.hosts = Slab::default();
        self.ends = None;
        self.empty_hosts = 0;
        self.stats.idle = 0;
        std::mem::take(&mut self.idle).into_iter().map(|idle| idle.connection).collect()
    }

    /// What the pool holds and has done.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Closes what has idled too long: the oldest first, so that it costs nothing when nothing is due.
    fn reap(&mut self, now: Instant, closed: &mut Vec<T>) {
        while let Some((oldest, _)) = self.ends
            && self.idle.get(oldest).is_some_and(|idle| idle.until <= now)
        {
            closed.extend(self.take(oldest).map(|idle| idle.connection));
        }
    }

    fn host(&mut self, url: &Url) -> usize {
        let text = Key::text_of(url);
        if let Some(host) = self.by_key.get(&*text) {
            return *host;
        }
        let key = Key::of(url);
        let host = self.hosts.insert(Host { key: key.clone(), idle: Vec::new() });
        self.by_key.insert(key, host);
        self.empty_hosts += 1;
        host
    }

    fn put(&mut self, host: usize, connection: T, since: Instant, until: Instant) {
        let older = self.ends.map(|(_, newest)| newest);
        let new = self.idle.insert(Idle { connection, host, since, until, older, newer: None });
        if let Some(older) = older.and_then(|older| self.idle.get_mut(older)) {
            older.newer = Some(new);
        }
        self.ends = Some((self.ends.map_or(new, |(oldest, _)| oldest), new));
        if let Some(host) = self.hosts.get_mut(host) {
            self.empty_hosts -= usize::from(host.idle.is_empty());
            host.idle.push(new);
        }
        self.stats.idle += 1;
    }

    fn take(&mut self, at: usize) -> Option<Idle<T>> {
        let idle = self.idle.remove(at)?;
        self.stats.idle -= 1;
        let (mut oldest, mut newest) = self.ends?;
        match idle.older.and_then(|older| self.idle.get_mut(older)) {
            Some(older) => older.newer = idle.newer,
            None => oldest = idle.newer.unwrap_or(oldest),
        }
        match idle.newer.and_then(|newer| self.idle.get_mut(newer)) {
            Some(newer) => newer.older = idle.older,
            None => newest = idle.older.unwrap_or(newest),
        }
        self.ends = (self.stats.idle > 0).then_some((oldest, newest));
        let host = self.hosts.get_mut(idle.host)?;
        // The newest is taken far more often than any other.
        if host.idle.last() == Some(&at) {
            host.idle.pop();
        } else {
            host.idle.retain(|other| *other != at);
        }
        if host.idle.is_empty() {
            self.empty_hosts += 1;
            if self.empty_hosts > EMPTY_HOSTS
                && let Some(host) = self.hosts.remove(idle.host)
            {
                self.empty_hosts -= 1;
                self.by_key.remove(&host.key);
            }
        }
        Some(idle)
    }
}

/// Values at places that stay the same while they are in.
#[derive(Debug)]
struct Slab<V> {
    places: Vec<Option<V>>,
    free: Vec<usize>,
}

impl<V> Default for Slab<V> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<V> Slab<V> {
    fn insert(&mut self, value: V) -> usize {
        if let Some(at) = self.free.pop() {
            self.places[at] = Some(value);
            return at;
        }
        self.places.push(Some(value));
        self.places.len() - 1
    }

    fn remove(&mut self, at: usize) -> Option<V> {
        let value = self.places.get_mut(at)?.take()?;
        self.free.push(at);
        Some(value)
    }

    fn get(&self, at: usize) -> Option<&V> {
        self.places.get(at)?.as_ref()
    }

    fn get_mut(&mut self, at: usize) -> Option<&mut V> {
        self.places.get_mut(at)?.as_mut()
    }

    fn into_iter(self) -> impl Iterator<Item = V> {
        self.places.into_iter().flatten()
    }
}
