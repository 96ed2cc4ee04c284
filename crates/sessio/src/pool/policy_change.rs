//! A new policy for a pool that is in use.

use std::hash::Hash;

use super::Pool;
use super::lease::Effects;
use super::policy::Policy;
use crate::base::time::Instant;

impl<K: Eq + Hash + Clone, T> Pool<K, T> {
    /// Sets the policy, and applies it to the connections and to the queue.
    ///
    /// - Idle connections over a limit are closed, the longest idle first. A connection in use is
    ///   not cut off. It is closed when it returns, as long as there are too many.
    /// - Tickets that a higher limit admits are granted, first come, first served.
    /// - Connections that are idle now stay so for at most the new `idle_timeout` from `now`. A
    ///   longer one applies to those that return later. So does `max_lifetime`.
    ///
    /// It looks at all idle connections and at all hosts.
    pub fn set_policy(&mut self, policy: Policy, now: Instant, effects: &mut Effects<T>) {
        self.policy = policy;
        self.shorten_idle_times(now, effects);
        let mut hosts: Vec<_> = self.by_key.values().copied().collect();
        // A fixed order, not that of the map.
        hosts.sort_unstable();
        for host in &hosts {
            self.close_surplus_of(*host, effects);
        }
        while self.idle.len() > policy.max_idle || self.open() > policy.most_in_all() {
            let Some(oldest) = self.idle.oldest() else { break };
            self.close(oldest, effects);
        }
        // All heads first: the queue is of all hosts.
        for host in &hosts {
            self.list(*host);
        }
        if let Some(host) = hosts.first() {
            self.admit_waiting(*host, now, effects);
        }
        self.settle_lanes(now, effects);
    }

    /// Whether a connection that returns to this host is within the limits. It still counts as in use.
    /// Only after a limit was lowered it may not be.
    pub(super) fn has_room_to_return(&self, at: usize) -> bool {
        let own = self.hosts.get(at).map_or(0, |host| host.in_use + host.idle.len());
        own <= self.policy_at(at).most_per_host() && self.open() <= self.policy.most_in_all()
    }

    fn open(&self) -> usize {
        self.in_use + self.idle.len()
    }

    fn shorten_idle_times(&mut self, now: Instant, effects: &mut Effects<T>) {
        let mut next = self.idle.oldest();
        while let Some(at) = next {
            next = self.idle.newer(at);
            let policy = self.idle.host(at).map_or(self.policy, |host| self.policy_at(host));
            self.idle.shorten(at, now + policy.idle_timeout);
        }
        self.close_expired(now, effects);
    }

    fn close_surplus_of(&mut self, at: usize, effects: &mut Effects<T>) {
        let policy = self.policy_at(at);
        while let Some(host) = self.hosts.get(at) {
            let is_surplus = host.idle.len() > policy.max_idle_per_host
                || host.in_use + host.idle.len() > policy.most_per_host();
            match host.idle.oldest().filter(|_| is_surplus) {
                Some(oldest) => self.close(oldest, effects),
                None => return,
            }
        }
    }
}
