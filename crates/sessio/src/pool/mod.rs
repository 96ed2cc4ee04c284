//! Idle connections, and requests that wait for a connection.
//!
//! The pool stores any value as a connection: a socket, or a number in a test. It lends the one
//! that was returned last, since LIFO keeps few connections in frequent use. It closes connections
//! that are too old, idle for too long, or too many. It takes a connection back only with a
//! [`ReuseProof`], which only a cleanly ended call makes. So a connection with unread bytes cannot
//! return.
//!
//! Every connection that is open, or being opened, has a [`Lease`]. If the [`Policy`] limits them,
//! a request over the limit gets a [`Ticket`]: first come, first served, without overtaking.
//!
//! ```
//! use sessio::Instant;
//! use sessio::pool::{Effects, Grant, Policy, Pool};
//!
//! let (now, key) = (Instant::from_nanos(1 << 42), "http://example.org");
//! let mut pool: Pool<String, &str> = Pool::new(Policy::new().max_per_host(1));
//! let mut effects = Effects::default();
//!
//! let Grant::Dial(lease) = pool.request(key, now, &mut effects) else { panic!() };
//! let Grant::Wait(ticket) = pool.request(key, now, &mut effects) else { panic!() };
//! pool.discard(lease, now, &mut effects); // could not connect: the next one may try
//! assert_eq!(effects.ready, [ticket]);
//! assert!(matches!(pool.collect(ticket), Some(Grant::Dial(_))));
//! ```

mod idle;
mod lease;
mod line;
mod paced;
mod policy;
mod policy_change;
mod slab;
#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hash};

use crate::base::fnv::Fnv;
use crate::base::time::Instant;
pub use crate::policy::host_policy::HostPolicy;
use idle::{Ends, Idle};
use lease::PoolNumber;
pub use lease::{Checkout, Effects, Grant, Lease, ReuseProof, Ticket};
use line::Line;
use paced::Lanes;
pub use policy::{Policy, Stats};
use slab::Slab;

/// The connections of one session: see the [module](self).
#[derive(Debug)]
pub struct Pool<K, T> {
    /// The number that this pool's leases and tickets have.
    number: PoolNumber,
    policy: Policy,
    /// The limits of a key, in place of those of the policy.
    limits_of: fn(&K) -> Option<HostPolicy>,
    by_key: HashMap<K, usize, BuildHasherDefault<Fnv>>,
    hosts: Slab<Host<K>>,
    /// The number of hosts at which those without connections and waiters are forgotten. Most of
    /// them return before.
    sweep_at: usize,
    idle: Idle<T>,
    line: Line<T>,
    in_use: usize,
    reused: u64,
    dialled: u64,
    /// Counts the closes. A connection that was lent before the last close does not return.
    era: u32,
    /// The paces. `None` before the first request with one.
    lanes: Option<Box<Lanes<K>>>,
}

#[derive(Debug)]
struct Host<K> {
    key: K,
    /// Limits in place of those of the policy.
    limits: Option<Box<HostPolicy>>,
    /// The host's idle connections.
    idle: Ends,
    /// Idle connections with a lower number are not used any more: a newer one has failed.
    trusted_from: u64,
    /// The host's connections that are lent or being opened.
    in_use: usize,
    /// The tickets that wait for one of the host's connections.
    waiting: BTreeSet<Ticket>,
    /// The host's ticket among the heads of the queue.
    listed: Option<Ticket>,
}

impl<K> Host<K> {
    fn is_unused(&self) -> bool {
        self.idle.len() == 0 && self.in_use == 0 && self.waiting.is_empty()
    }
}

/// No host is forgotten up to this number.
const FEW_HOSTS: usize = 256;

/// Number of expired connections that one request, or one return, closes: of all hosts, and of its
/// own host. A higher number would slow down the first request after a pause. It is more than one,
/// so that each use leaves fewer.
const MOST_EXPIRED: usize = 8;

impl<K: Eq + Hash + Clone, T> Pool<K, T> {
    /// Creates an empty pool.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            number: PoolNumber::next(),
            policy,
            limits_of: |_| None,
            by_key: HashMap::default(),
            hosts: Slab::default(),
            sweep_at: FEW_HOSTS,
            idle: Idle::default(),
            line: Line::default(),
            in_use: 0,
            reused: 0,
            dialled: 0,
            era: 0,
            lanes: None,
        }
    }

    /// The policy in force. [`set_policy`](Self::set_policy) changes it.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The pool with limits of its own for some keys. `limits_of` is asked once for each new key.
    ///
    /// ```
    /// use sessio::Instant;
    /// use sessio::pool::{Effects, Grant, HostPolicy, Policy, Pool};
    ///
    /// let one = |key: &String| (key == "slow").then(|| HostPolicy::new().max_connections(1));
    /// let mut pool: Pool<String, u8> = Pool::new(Policy::default()).with_host_policies(one);
    /// let mut effects = Effects::default();
    /// let mut grant = |key: &str| pool.request(key, Instant::ZERO, &mut effects);
    /// assert!(matches!((grant("fast"), grant("fast")), (Grant::Dial(_), Grant::Dial(_))));
    /// assert!(matches!((grant("slow"), grant("slow")), (Grant::Dial(_), Grant::Wait(_))));
    /// ```
    #[must_use]
    pub fn with_host_policies(mut self, limits_of: fn(&K) -> Option<HostPolicy>) -> Self {
        self.limits_of = limits_of;
        self
    }

    /// Requests a connection with this key. Returns the one that was used last, the right to open
    /// one, or a place in the queue.
    pub fn request<Q>(&mut self, key: &Q, now: Instant, effects: &mut Effects<T>) -> Grant<T>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        self.reap(now, effects);
        let host = self.host(key);
        self.admit(host, now, effects).unwrap_or_else(|| Grant::Wait(self.enqueue(host)))
    }

    /// Requests the right to open a connection with this key, even if others are idle: one of them
    /// has just failed. The idle ones are not used any more. This request and later ones close
    /// them, a few each.
    pub fn request_fresh<Q>(&mut self, key: &Q, now: Instant, effects: &mut Effects<T>) -> Grant<T>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(host) = self.by_key.get(key)
            && let Some(host) = self.hosts.get_mut(*host)
        {
            host.trusted_from = self.idle.next_number();
        }
        self.request(key, now, effects)
    }

    /// Returns a connection with the lease that it was lent on. With a lease of another pool, the
    /// connection is closed.
    pub fn checkin(
        &mut self,
        lease: Lease,
        connection: T,
        proof: ReuseProof,
        now: Instant,
        effects: &mut Effects<T>,
    ) {
        let policy = self.policy_at(lease.host as usize);
        let mut until = now + policy.idle_timeout;
        if let Some(span) = proof.idle_for {
            until = until.min(now + span);
        }
        if let Some(lifetime) = policy.max_lifetime {
            until = until.min(proof.opened + lifetime);
        }
        let is_kept = until > now
            && lease.era == self.era
            && policy.max_idle > 0
            && policy.max_idle_per_host > 0
            && self.has_room_to_return(lease.host as usize);
        if !is_kept {
            effects.closed.push(connection);
            return self.discard(lease, now, effects);
        }
        let Some(at) = self.give_back(&lease) else { return effects.closed.push(connection) };
        self.reap(now, effects);
        if self.idle.len() >= policy.max_idle
            && let Some(oldest) = self.idle.oldest()
        {
            self.close(oldest, effects);
        }
        let idle = self.hosts.get(at).map(|host| host.idle).unwrap_or_default();
        if idle.len() >= policy.max_idle_per_host
            && let Some(oldest) = idle.oldest()
        {
            self.close(oldest, effects);
        }
        if let Some(host) = self.hosts.get_mut(at) {
            self.idle.insert(connection, at, until, &mut host.idle);
        }
        self.admit_after(&lease, at, now, effects);
    }

    /// Returns a lease without a connection: it was closed, or never opened. A lease of another
    /// pool is ignored.
    pub fn discard(&mut self, lease: Lease, now: Instant, effects: &mut Effects<T>) {
        if lease.host == Lease::NO_HOST {
            return self.end_paced(&lease, now, effects);
        }
        if let Some(at) = self.give_back(&lease) {
            self.admit_after(&lease, at, now, effects);
        }
    }

    /// Gives the room that a lease has left to the requests that wait for it.
    fn admit_after(&mut self, lease: &Lease, at: usize, now: Instant, effects: &mut Effects<T>) {
        if self.lanes.is_none() {
            return self.admit_waiting(at, now, effects);
        }
        // A request that its pace lets go now may have waited longer than those in the queue.
        self.list(at);
        self.end_paced(lease, now, effects);
        self.admit_waiting(at, now, effects);
        self.settle_lanes(now, effects);
    }

    /// Counts a connection that was opened. Returns its number.
    pub fn dialled(&mut self) -> u64 {
        self.dialled += 1;
        self.dialled
    }

    /// Closes every idle connection, and each lent one when it returns. The pool stays usable.
    pub fn clear(&mut self, effects: &mut Effects<T>) {
        self.era = self.era.wrapping_add(1);
        self.close_idle(effects);
    }

    // No ticket gains by the closes below. While a connection is idle, no ticket waits for
    // `max_total`, and none waits at a host with an idle connection.

    /// Closes every idle connection.
    pub fn close_idle(&mut self, effects: &mut Effects<T>) {
        while let Some(oldest) = self.idle.oldest() {
            self.close(oldest, effects);
        }
    }

    /// Closes every connection that was idle for too long, and looks at all idle ones. Requests
    /// close a few of them.
    pub fn close_expired(&mut self, now: Instant, effects: &mut Effects<T>) {
        let mut next = self.idle.oldest();
        while let Some(at) = next {
            next = self.idle.newer(at);
            if self.idle.until(at).is_some_and(|until| until <= now) {
                self.close(at, effects);
            }
        }
    }

    /// The time at which the first idle connection expires. `None` if none is idle. It looks at all
    /// idle connections.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Instant> {
        let all = std::iter::successors(self.idle.oldest(), |at| self.idle.newer(*at));
        all.filter_map(|at| self.idle.until(at)).min()
    }

    /// Removes the connection that has been idle longest. For an owner that gives the pool up and
    /// closes them one by one.
    pub fn take_idle(&mut self) -> Option<T> {
        let oldest = self.idle.oldest()?;
        self.take(oldest)
    }

    /// Closes the idle connections whose key is chosen.
    pub fn close_idle_of(&mut self, is_chosen: impl Fn(&K) -> bool, effects: &mut Effects<T>) {
        let chosen = self.by_key.iter().filter(|(key, _)| is_chosen(key));
        let mut hosts: Vec<_> = chosen.map(|(_, host)| *host).collect();
        // A fixed order, not that of the map: its keys contain ports and addresses, which differ
        // from run to run.
        hosts.sort_unstable();
        for host in hosts {
            while let Some(newest) = self.hosts.get(host).and_then(|host| host.idle.newest()) {
                self.close(newest, effects);
            }
        }
    }

    /// The keys with connections or waiters, in no order. Each has its number of idle connections
    /// and of those in use.
    pub fn keys(&self) -> impl Iterator<Item = (&K, usize, usize)> {
        self.by_key.values().filter_map(|host| {
            let host = self.hosts.get(*host).filter(|host| !host.is_unused())?;
            Some((&host.key, host.idle.len(), host.in_use))
        })
    }

    /// The contents and counters of the pool.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            idle: self.idle.len(),
            in_use: self.in_use,
            waiting: self.line.len() + self.lanes.as_ref().map_or(0, |lanes| lanes.len()),
            reused: self.reused,
            dialled: self.dialled,
        }
    }

    /// The grant that a host can have now.
    fn admit(&mut self, at: usize, now: Instant, effects: &mut Effects<T>) -> Option<Grant<T>> {
        for _ in 0..MOST_EXPIRED {
            let host = self.hosts.get(at)?;
            let Some(newest) = host.idle.newest() else { break };
            if self.idle.until(newest)? <= now || self.idle.number(newest)? < host.trusted_from {
                self.close(newest, effects);
                continue;
            }
            let connection = self.take(newest)?;
            self.reused += 1;
            let lease = self.lend(at);
            return Some(Grant::Idle(Checkout { connection, lease }));
        }
        if self.hosts.get(at)?.in_use >= self.policy_at(at).most_per_host() {
            return None;
        }
        if self.in_use + self.idle.len() >= self.policy.most_in_all() {
            // An idle connection of another host makes room.
            let oldest = self.idle.oldest()?;
            self.close(oldest, effects);
        }
        Some(Grant::Dial(self.lend(at)))
    }

    /// The policy with the limits of a host.
    pub(super) fn policy_at(&self, at: usize) -> Policy {
        match self.hosts.get(at).and_then(|host| host.limits.as_ref()) {
            Some(limits) => self.policy.limited_by(limits),
            None => self.policy,
        }
    }

    fn lend(&mut self, at: usize) -> Lease {
        self.in_use += 1;
        if let Some(host) = self.hosts.get_mut(at) {
            host.in_use += 1;
        }
        // There is no memory for four billion hosts.
        Lease { host: at as u32, era: self.era, pool: self.number, permit: 0 }
    }

    /// Takes a lease back. Returns its host, or `None` if another pool has lent it.
    fn give_back(&mut self, lease: &Lease) -> Option<usize> {
        if lease.pool != self.number || lease.host == Lease::NO_HOST {
            return None;
        }
        let at = lease.host as usize;
        // A host is not forgotten while a lease of it is out.
        self.hosts.get_mut(at)?.in_use -= 1;
        self.in_use -= 1;
        Some(at)
    }

    fn host<Q>(&mut self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(host) = self.by_key.get(key) {
            return *host;
        }
        if self.by_key.len() >= self.sweep_at {
            self.sweep();
        }
        let key = key.to_owned();
        let new = Host {
            limits: (self.limits_of)(&key).map(Box::new),
            key: key.clone(),
            idle: Ends::default(),
            trusted_from: 0,
            in_use: 0,
            waiting: BTreeSet::new(),
            listed: None,
        };
        let host = self.hosts.insert(new);
        self.by_key.insert(key, host);
        host
    }

    /// Forgets unused hosts. It runs again only after as many new hosts have come as are left.
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

    /// Closes some of the expired connections, oldest first. It costs nothing if none has expired.
    fn reap(&mut self, now: Instant, effects: &mut Effects<T>) {
        for _ in 0..MOST_EXPIRED {
            match self.idle.oldest() {
                Some(oldest) if self.idle.until(oldest).is_some_and(|until| until <= now) => {
                    self.close(oldest, effects);
                }
                _ => return,
            }
        }
    }

    fn close(&mut self, at: usize, effects: &mut Effects<T>) {
        effects.closed.extend(self.take(at));
    }

    fn take(&mut self, at: usize) -> Option<T> {
        let host = self.idle.host(at)?;
        self.idle.remove(at, &mut self.hosts.get_mut(host)?.idle)
    }
}
