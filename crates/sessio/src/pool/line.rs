//! The queue of requests that wait for a connection.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use super::Pool;
use super::lease::{Effects, Grant, PoolNumber, Ticket};
use crate::base::time::Instant;

/// The queue. A ticket that is served has a grant that waits to be collected, so that no later
/// request can take it.
#[derive(Debug)]
pub(super) struct Line<T> {
    next: u64,
    /// The waiting tickets, each with its host.
    waiting: BTreeMap<Ticket, usize>,
    /// The first ticket of each host that has room for another connection, with its host. They wait
    /// only for `max_total`.
    heads: BTreeSet<(Ticket, usize)>,
    pub(super) granted: BTreeMap<Ticket, Grant<T>>,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { next: 0, waiting: BTreeMap::new(), heads: BTreeSet::new(), granted: BTreeMap::new() }
    }
}

impl<T> Line<T> {
    /// The next ticket.
    pub(super) fn ticket(&mut self, pool: PoolNumber) -> Ticket {
        self.next += 1;
        Ticket::new(self.next, pool)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

impl<K: Eq + Hash + Clone, T> Pool<K, T> {
    /// The grant of a ticket. `None` until the ticket is served, and always for a ticket of another
    /// pool.
    pub fn collect(&mut self, ticket: Ticket) -> Option<Grant<T>> {
        self.line.granted.remove(&ticket)
    }

    /// Leaves the queue. A grant that the ticket already has goes to the next one.
    pub fn cancel(&mut self, ticket: Ticket, now: Instant, effects: &mut Effects<T>) {
        let has_left_lane = self.cancel_paced(ticket);
        if self.drop_out(ticket) || has_left_lane {
            return self.settle_lanes(now, effects);
        }
        match self.line.granted.remove(&ticket) {
            Some(Grant::Idle(checkout)) => {
                // The connection was not used and could return. But only a check of its socket
                // could show that it is still good.
                effects.closed.push(checkout.connection);
                self.discard(checkout.lease, now, effects);
            }
            Some(Grant::Dial(lease)) => self.discard(lease, now, effects),
            Some(Grant::Wait(_) | Grant::Refused(_)) | None => {}
        }
    }

    pub(super) fn enqueue(&mut self, at: usize) -> Ticket {
        let ticket = self.line.ticket(self.number);
        self.line_up(ticket, at);
        ticket
    }

    /// Puts a ticket into the queue, in its place by number.
    pub(super) fn line_up(&mut self, ticket: Ticket, at: usize) {
        self.line.waiting.insert(ticket, at);
        if let Some(host) = self.hosts.get_mut(at) {
            host.waiting.insert(ticket);
        }
        self.list(at);
    }

    /// Takes a ticket out of the queue. Returns `false` if it does not wait there.
    pub(super) fn drop_out(&mut self, ticket: Ticket) -> bool {
        let Some(at) = self.line.waiting.remove(&ticket) else { return false };
        if let Some(host) = self.hosts.get_mut(at) {
            host.waiting.remove(&ticket);
        }
        self.list(at);
        true
    }

    /// Grants free room at a host to the ticket that has waited longest among those that can use
    /// it.
    ///
    /// A ticket that waits although its host has room waits for `max_total`, and then no connection
    /// is idle anywhere. So the loop ends at the first head that cannot be served.
    pub(super) fn admit_waiting(&mut self, at: usize, now: Instant, effects: &mut Effects<T>) {
        if self.line.waiting.is_empty() {
            return;
        }
        self.list(at);
        while let Some((ticket, at)) = self.line.heads.first().copied() {
            if !self.may_begin(ticket, now) {
                self.drop_out(ticket);
                continue;
            }
            let Some(mut grant) = self.admit(at, now, effects) else { return };
            self.drop_out(ticket);
            self.begin_paced(ticket, &mut grant, now);
            self.line.granted.insert(ticket, grant);
            effects.ready.push(ticket);
        }
    }

    /// Lists the first ticket of a host, if the host has room.
    pub(super) fn list(&mut self, at: usize) {
        let most = self.policy_at(at).most_per_host();
        let Some(host) = self.hosts.get_mut(at) else { return };
        let has_room = host.idle.len() > 0 || host.in_use < most;
        let head = host.waiting.first().copied().filter(|_| has_room);
        let before = std::mem::replace(&mut host.listed, head);
        if before == head {
            return;
        }
        if let Some(before) = before {
            self.line.heads.remove(&(before, at));
        }
        if let Some(head) = head {
            self.line.heads.insert((head, at));
        }
    }
}
