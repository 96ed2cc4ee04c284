//! Connections that wait for their next request, and requests that wait for a connection.
//!
//! The pool holds whatever the driver gives it: a socket, or in a test a number. It lends out the one that
//! was put back last (LIFO keeps few connections warm rather than many lukewarm), and closes what is too
//! old, too idle or too many. It takes a connection back only with a [`Proof`], and only a call that ended
//! cleanly makes one: a connection with unread bytes cannot come back.
//!
//! Every connection that is open, or being opened, has a [`Lease`]. Where the [`Policy`] limits them, who
//! comes too late gets a [`Ticket`]: first come, first served, and nobody overtakes.
//!
//! ```
//! use std::time::Instant;
//! use sessio::{Url, pool::{Effects, Grant, Key, Policy, Pool}};
//!
//! let (now, url) = (Instant::now(), Url::parse("http://example.org/")?);
//! let key = Key::of(&url);
//! let mut policy = Policy::default();
//! policy.max_per_host = Some(1);
//! let mut pool: Pool<&str> = Pool::new(policy);
//! let mut effects = Effects::default();
//!
//! let Grant::Dial(lease) = pool.request(&key, now, &mut effects) else { panic!() };
//! let Grant::Wait(ticket) = pool.request(&key, now, &mut effects) else { panic!() };
//! pool.discard(lease, now, &mut effects); // could not connect: the next one may try
//! assert_eq!(effects.ready, [ticket]);
//! assert!(matches!(pool.collect(ticket), Some(Grant::Dial(_))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod idle;
mod key;
mod lease;
mod line;
mod policy;
mod slab;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasherDefault;
use std::time::Instant;

use url::Url;

use crate::fingerprint::Mix;
use crate::now::later;
use idle::Idle;
pub use key::Key;
pub use lease::{Checkout, Effects, Grant, Lease, Proof, Ticket};
use line::Line;
pub use policy::{Policy, Stats};
use slab::Slab;

/// The connections of one session: see the [module](self).
#[derive(Debug)]
pub struct Pool<T> {
    policy: Policy,
    by_key: HashMap<Key<'static>, usize, BuildHasherDefault<Mix>>,
    hosts: Slab<Host>,
    /// At how many hosts those without connections and waiters are forgotten; most come back before.
    sweep_at: usize,
    idle: Idle<T>,
    line: Line<T>,
    in_use: usize,
    reused: u64,
    dialled: u64,
    /// Counts the closes: what was lent out before the last one does not come back.
    era: u64,
}

#[derive(Debug)]
struct Host {
    key: Key<'static>,
    /// Its idle connections, the one that was put back last at the end.
    idle: Vec<usize>,
    /// Its connections that are lent out or being opened.
    in_use: usize,
    waiting: VecDeque<Ticket>,
}

impl Host {
    fn is_unused(&self) -> bool {
        self.idle.is_empty() && self.in_use == 0 && self.waiting.is_empty()
    }
}

/// Up to so many hosts none is forgotten.
const FEW_HOSTS: usize = 256;

impl<T> Pool<T> {
    /// An empty pool.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            by_key: HashMap::default(),
            hosts: Slab::default(),
            sweep_at: FEW_HOSTS,
            idle: Idle::default(),
            line: Line::default(),
            in_use: 0,
            reused: 0,
            dialled: 0,
            era: 0,
        }
    }

    /// The rules in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Wants a connection with this key: the one that was used last, the right to open one, or a place in line.
    pub fn request(&mut self, key: &Key<'_>, now: Instant, effects: &mut Effects<T>) -> Grant<T> {
        self.reap(now, effects);
        let host = self.host(key);
        self.admit(host, now, effects).unwrap_or_else(|| Grant::Wait(self.enqueue(host)))
    }

    /// Wants the right to open a connection with this key, whatever idles: one from here has just failed.
    pub fn request_fresh(&mut self, key: &Key<'_>, now: Instant, effects: &mut Effects<T>) -> Grant<T> {
        if let Some(host) = self.by_key.get(key.whole()) {
            self.evict_host(*host, now, effects);
        }
        self.request(key, now, effects)
    }

    /// Puts a connection back, with the lease that it was lent out on.
    pub fn checkin(
        &mut self,
        lease: Lease,
        connection: T,
        proof: Proof,
        now: Instant,
        effects: &mut Effects<T>,
    ) {
        let mut until = later(now, self.policy.idle_timeout);
        if let Some(span) = proof.idle_for {
            until = until.min(later(now, span));
        }
        if let Some(lifetime) = self.policy.max_lifetime {
            until = until.min(later(proof.opened, lifetime));
        }
        let is_kept = until > now
            && lease.era == self.era
            && self.policy.max_idle > 0
            && self.policy.max_idle_per_host > 0;
        if !is_kept {
            effects.closed.push(connection);
            return self.discard(lease, now, effects);
        }
        self.reap(now, effects);
        if self.idle.len() >= self.policy.max_idle
            && let Some(oldest) = self.idle.oldest()
        {
            self.close(oldest, effects);
        }
        if let Some(host) = self.hosts.get(lease.host)
            && host.idle.len() >= self.policy.max_idle_per_host
        {
            let oldest = host.idle[0];
            self.close(oldest, effects);
        }
        self.give_back(&lease);
        let at = self.idle.insert(connection, lease.host, now, until);
        if let Some(host) = self.hosts.get_mut(lease.host) {
            host.idle.push(at);
        }
        self.admit_waiting(lease.host, now, effects);
    }

    /// Gives a lease back without a connection: it was closed, or never opened.
    pub fn discard(&mut self, lease: Lease, now: Instant, effects: &mut Effects<T>) {
        self.give_back(&lease);
        self.admit_waiting(lease.host, now, effects);
    }

    /// Counts a connection that was opened, and numbers it.
    pub fn dialled(&mut self) -> u64 {
        self.dialled += 1;
        self.dialled
    }

    /// Closes every idle connection, and those that are lent out once they come back. The pool stays usable.
    pub fn clear(&mut self, now: Instant, effects: &mut Effects<T>) {
        self.era += 1;
        self.evict_idle(now, effects);
    }

    /// Closes every idle connection.
    pub fn evict_idle(&mut self, now: Instant, effects: &mut Effects<T>) {
        while let Some(oldest) = self.idle.oldest() {
            self.close_for_waiting(oldest, now, effects);
        }
    }

    /// Takes out the connection that has idled longest, for who gives the pool up and closes them one by one.
    pub fn take_idle(&mut self) -> Option<T> {
        let oldest = self.idle.oldest()?;
        self.take(oldest).map(|(connection, _)| connection)
    }

    /// Closes the idle connections for the origin of `url`, whichever way they go.
    pub fn evict(&mut self, url: &Url, now: Instant, effects: &mut Effects<T>) {
        let plain = Key::of(url);
        let same = self.by_key.iter().filter(|(key, _)| key.origin() == plain.as_str());
        let mut hosts: Vec<_> = same.map(|(_, host)| *host).collect();
        // Not as the keys happen to lie in the map: ports and addresses are in them.
        hosts.sort_unstable();
        for host in hosts {
            self.evict_host(host, now, effects);
        }
    }

    fn evict_host(&mut self, host: usize, now: Instant, effects: &mut Effects<T>) {
        while let Some(at) = self.hosts.get(host).and_then(|host| host.idle.last()) {
            let at = *at;
            self.close_for_waiting(at, now, effects);
        }
    }

    /// The keys that there are connections or waiters for, in no order: each with its idle connections and
    /// those in use.
    pub fn keys(&self) -> impl Iterator<Item = (&Key<'static>, usize, usize)> {
        self.by_key.values().filter_map(|host| {
            let host = self.hosts.get(*host).filter(|host| !host.is_unused())?;
            Some((&host.key, host.idle.len(), host.in_use))
        })
    }

    /// What the pool holds and has done.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            idle: self.idle.len(),
            in_use: self.in_use,
            waiting: self.line.len(),
            reused: self.reused,
            dialled: self.dialled,
        }
    }

    /// What `host` can be given now.
    fn admit(&mut self, host: usize, now: Instant, effects: &mut Effects<T>) -> Option<Grant<T>> {
        while let Some(newest) = self.hosts.get(host)?.idle.last() {
            let newest = *newest;
            if self.idle.until(newest)? <= now {
                self.close(newest, effects);
                continue;
            }
            let (connection, since) = self.take(newest)?;
            self.reused += 1;
            let probe = now.saturating_duration_since(since) >= self.policy.probe_after;
            let lease = self.lend(host);
            return Some(Grant::Idle(Checkout { connection, lease, probe }));
        }
        if self.hosts.get(host)?.in_use >= self.policy.max_per_host.unwrap_or(usize::MAX).max(1) {
            return None;
        }
        if self.in_use + self.idle.len() >= self.policy.max_total.unwrap_or(usize::MAX).max(1) {
            // One that idles for somebody else makes room.
            let oldest = self.idle.oldest()?;
            self.close(oldest, effects);
        }
        Some(Grant::Dial(self.lend(host)))
    }

    fn lend(&mut self, host: usize) -> Lease {
        self.in_use += 1;
        if let Some(host) = self.hosts.get_mut(host) {
            host.in_use += 1;
        }
        Lease { host, era: self.era }
    }

    fn give_back(&mut self, lease: &Lease) {
        if let Some(host) = self.hosts.get_mut(lease.host) {
            host.in_use -= 1;
            self.in_use -= 1;
        }
    }

    fn host(&mut self, key: &Key<'_>) -> usize {
        if let Some(host) = self.by_key.get(key.whole()) {
            return *host;
        }
        if self.by_key.len() >= self.sweep_at {
            self.sweep();
        }
        let key = key.clone().into_owned();
        let new = Host { key: key.clone(), idle: Vec::new(), in_use: 0, waiting: VecDeque::new() };
        let host = self.hosts.insert(new);
        self.by_key.insert(key, host);
        host
    }

    /// Forgets the hosts that nobody uses. It is due again only after as many new ones have come as are left.
    fn sweep(&mut self) {
        let hosts = &mut self.hosts;
        self.by_key.retain(|_, at| {
            let is_used = hosts.get(*at).is_some_and(|host| !host.is_unused());
            if !is_used {
                hosts.remove(*at);
            }
            is_used
        });
        self.sweep_at = FEW_HOSTS.max(self.by_key.len() * 2);
    }

    /// Closes what has idled too long: the oldest first, so that it costs nothing when nothing is due.
    fn reap(&mut self, now: Instant, effects: &mut Effects<T>) {
        while let Some(oldest) = self.idle.oldest()
            && self.idle.until(oldest).is_some_and(|until| until <= now)
        {
            self.close_for_waiting(oldest, now, effects);
        }
    }

    fn close_for_waiting(&mut self, at: usize, now: Instant, effects: &mut Effects<T>) {
        let host = self.idle.host(at);
        self.close(at, effects);
        if let Some(host) = host {
            self.admit_waiting(host, now, effects);
        }
    }

    fn close(&mut self, at: usize, effects: &mut Effects<T>) {
        effects.closed.extend(self.take(at).map(|(connection, _)| connection));
    }

    fn take(&mut self, at: usize) -> Option<(T, Instant)> {
        let (connection, host, since) = self.idle.remove(at)?;
        let host = self.hosts.get_mut(host)?;
        // The newest is taken far more often than any other.
        if host.idle.last() == Some(&at) {
            host.idle.pop();
        } else {
            host.idle.retain(|other| *other != at);
        }
        Some((connection, since))
    }
}
