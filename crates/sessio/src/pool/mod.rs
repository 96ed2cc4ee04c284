//! Connections that wait for their next request, and requests that wait for a connection.
//!
//! The pool holds whatever the driver gives it: a socket, or in a test a number. It lends out the one that
//! was put back last (LIFO keeps few connections warm rather than many lukewarm), and closes what is too
//! old, too idle or too many. It takes a connection back only with a [`ReuseProof`], and only a call that ended
//! cleanly makes one: a connection with unread bytes cannot come back.
//!
//! Every connection that is open, or being opened, has a [`Lease`]. Where the [`Policy`] limits them, who
//! comes too late gets a [`Ticket`]: first come, first served, and nobody overtakes.
//!
//! ```
//! use sessio::Instant;
//! use sessio::pool::{Effects, Grant, Policy, Pool};
//!
//! let (now, key) = (Instant::from_nanos(1 << 42), "http://example.org");
//! let mut policy = Policy::default();
//! policy.max_per_host = Some(1);
//! let mut pool: Pool<String, &str> = Pool::new(policy);
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
mod policy;
mod slab;
#[cfg(test)]
mod tests;

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hash};

use crate::base::fnv::Fnv;
use crate::base::time::Instant;
use idle::{Ends, Idle};
use lease::PoolNumber;
pub use lease::{Checkout, Effects, Grant, Lease, ReuseProof, Ticket};
use line::Line;
pub use policy::{Policy, Stats};
use slab::Slab;

/// The connections of one session: see the [module](self).
#[derive(Debug)]
pub struct Pool<K, T> {
    /// What leases and tickets of this pool are known by.
    number: PoolNumber,
    policy: Policy,
    by_key: HashMap<K, usize, BuildHasherDefault<Fnv>>,
    hosts: Slab<Host<K>>,
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
struct Host<K> {
    key: K,
    /// Its idle connections.
    idle: Ends,
    /// Idle connections with a lower number are not used any more: a newer one has failed.
    trusted_from: u64,
    /// Its connections that are lent out or being opened.
    in_use: usize,
    /// Who waits for one of its connections.
    waiting: BTreeSet<Ticket>,
    /// The ticket that stands for this host among the heads of the line.
    listed: Option<Ticket>,
}

impl<K> Host<K> {
    fn is_unused(&self) -> bool {
        self.idle.len() == 0 && self.in_use == 0 && self.waiting.is_empty()
    }
}

/// Up to so many hosts none is forgotten.
const FEW_HOSTS: usize = 256;

/// How many connections that are too old one request closes, or one that comes back: of all hosts, and of its own. More
/// would be paid for by whoever comes first after a pause. It is more than one, so that they become fewer with each use.
const MOST_EXPIRED: usize = 8;

impl<K: Eq + Hash + Clone, T> Pool<K, T> {
    /// An empty pool.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            number: PoolNumber::next(),
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
    pub fn request<Q>(&mut self, key: &Q, now: Instant, effects: &mut Effects<T>) -> Grant<T>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        self.reap(now, effects);
        let host = self.host(key);
        self.admit(host, now, effects).unwrap_or_else(|| Grant::Wait(self.enqueue(host)))
    }

    /// Wants the right to open a connection with this key, whatever idles: one from here has just failed. Those that idle
    /// are not used any more. They are closed by this request and by later ones, a few each.
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

    /// Puts a connection back, with the lease that it was lent out on. On a lease of another pool it is closed.
    pub fn checkin(
        &mut self,
        lease: Lease,
        connection: T,
        proof: ReuseProof,
        now: Instant,
        effects: &mut Effects<T>,
    ) {
        let mut until = now + self.policy.idle_timeout;
        if let Some(span) = proof.idle_for {
            until = until.min(now + span);
        }
        if let Some(lifetime) = self.policy.max_lifetime {
            until = until.min(proof.opened + lifetime);
        }
        let is_kept = until > now
            && lease.era == self.era
            && self.policy.max_idle > 0
            && self.policy.max_idle_per_host > 0;
        if !is_kept {
            effects.closed.push(connection);
            return self.discard(lease, now, effects);
        }
        let Some(at) = self.give_back(&lease) else { return effects.closed.push(connection) };
        self.reap(now, effects);
        if self.idle.len() >= self.policy.max_idle
            && let Some(oldest) = self.idle.oldest()
        {
            self.close(oldest, effects);
        }
        let idle = self.hosts.get(at).map(|host| host.idle).unwrap_or_default();
        if idle.len() >= self.policy.max_idle_per_host
            && let Some(oldest) = idle.oldest()
        {
            self.close(oldest, effects);
        }
        if let Some(host) = self.hosts.get_mut(at) {
            self.idle.insert(connection, at, until, &mut host.idle);
        }
        self.admit_waiting(at, now, effects);
    }

    /// Gives a lease back without a connection: it was closed, or never opened. A lease of another pool counts for
    /// nothing here.
    pub fn discard(&mut self, lease: Lease, now: Instant, effects: &mut Effects<T>) {
        if let Some(at) = self.give_back(&lease) {
            self.admit_waiting(at, now, effects);
        }
    }

    /// Counts a connection that was opened, and numbers it.
    pub fn dialled(&mut self) -> u64 {
        self.dialled += 1;
        self.dialled
    }

    /// Closes every idle connection, and those that are lent out once they come back. The pool stays usable.
    pub fn clear(&mut self, effects: &mut Effects<T>) {
        self.era += 1;
        self.close_idle(effects);
    }

    // Nobody who waits gains by what is closed below: while a connection idles, `max_total` keeps nobody waiting, and
    // nobody waits at a host that has an idle one.

    /// Closes every idle connection.
    pub fn close_idle(&mut self, effects: &mut Effects<T>) {
        while let Some(oldest) = self.idle.oldest() {
            self.close(oldest, effects);
        }
    }

    /// Closes every connection that has idled for too long, and looks at all that idle. Requests close a few of them.
    pub fn close_expired(&mut self, now: Instant, effects: &mut Effects<T>) {
        let mut next = self.idle.oldest();
        while let Some(at) = next {
            next = self.idle.newer(at);
            if self.idle.until(at).is_some_and(|until| until <= now) {
                self.close(at, effects);
            }
        }
    }

    /// When the first of the idle connections will have idled for too long; `None` if none idles. It looks at all that
    /// idle.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Instant> {
        let all = std::iter::successors(self.idle.oldest(), |at| self.idle.newer(*at));
        all.filter_map(|at| self.idle.until(at)).min()
    }

    /// Takes out the connection that has idled longest, for who gives the pool up and closes them one by one.
    pub fn take_idle(&mut self) -> Option<T> {
        let oldest = self.idle.oldest()?;
        self.take(oldest)
    }

    /// Closes the idle connections whose key is chosen.
    pub fn close_idle_of(&mut self, is_chosen: impl Fn(&K) -> bool, effects: &mut Effects<T>) {
        let chosen = self.by_key.iter().filter(|(key, _)| is_chosen(key));
        let mut hosts: Vec<_> = chosen.map(|(_, host)| *host).collect();
        // Not as the keys happen to lie in the map: ports and addresses are in them.
        hosts.sort_unstable();
        for host in hosts {
            while let Some(newest) = self.hosts.get(host).and_then(|host| host.idle.newest()) {
                self.close(newest, effects);
            }
        }
    }

    /// The keys that there are connections or waiters for, in no order: each with its idle connections and
    /// those in use.
    pub fn keys(&self) -> impl Iterator<Item = (&K, usize, usize)> {
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

    /// What a host can be given now.
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
        if self.hosts.get(at)?.in_use >= self.policy.most_per_host() {
            return None;
        }
        if self.in_use + self.idle.len() >= self.policy.most_in_all() {
            // One that idles for somebody else makes room.
            let oldest = self.idle.oldest()?;
            self.close(oldest, effects);
        }
        Some(Grant::Dial(self.lend(at)))
    }

    fn lend(&mut self, at: usize) -> Lease {
        self.in_use += 1;
        if let Some(host) = self.hosts.get_mut(at) {
            host.in_use += 1;
        }
        // There is no memory for four billion hosts.
        Lease { host: at as u32, era: self.era, pool: self.number }
    }

    /// Takes a lease back, and says of which host; `None` if another pool has lent it.
    fn give_back(&mut self, lease: &Lease) -> Option<usize> {
        if lease.pool != self.number {
            return None;
        }
        let at = lease.host as usize;
        // It is not forgotten while a lease of it is out.
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

    /// Closes some of what has idled too long: the oldest first, so that it costs nothing when nothing is due.
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
