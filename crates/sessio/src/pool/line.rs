//! Who waits for a connection.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use super::Pool;
use super::lease::{Effects, Grant, Ticket};
use crate::base::time::Instant;

/// The line: whoever's turn has come has a grant that waits to be collected, so that nobody who comes
/// later can take it.
#[derive(Debug)]
pub(super) struct Line<T> {
    next: u64,
    /// Who waits, and for which host.
    waiting: BTreeMap<Ticket, usize>,
    /// The first in line of each host that has room for one more, with its host. They wait for `max_total` alone.
    heads: BTreeSet<(Ticket, usize)>,
    granted: BTreeMap<Ticket, Grant<T>>,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { next: 0, waiting: BTreeMap::new(), heads: BTreeSet::new(), granted: BTreeMap::new() }
    }
}

impl<T> Line<T> {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

impl<K: Eq + Hash + Clone, T> Pool<K, T> {
    /// What a ticket has come to, once its turn has come; until then `None`. A ticket of another pool never comes to
    /// anything.
    pub fn collect(&mut self, ticket: Ticket) -> Option<Grant<T>> {
        self.line.granted.remove(&ticket)
    }

    /// Leaves the line. What was granted meanwhile goes to the next.
    pub fn cancel(&mut self, ticket: Ticket, now: Instant, effects: &mut Effects<T>) {
        if let Some(at) = self.line.waiting.remove(&ticket) {
            if let Some(host) = self.hosts.get_mut(at) {
                host.waiting.remove(&ticket);
            }
            return self.list(at);
        }
        match self.line.granted.remove(&ticket) {
            Some(Grant::Idle(checkout)) => {
                // It was never used: it could go back, but whether it is still good only a probe can tell.
                effects.closed.push(checkout.connection);
                self.discard(checkout.lease, now, effects);
            }
            Some(Grant::Dial(lease)) => self.discard(lease, now, effects),
            Some(Grant::Wait(_)) | None => {}
        }
    }

    pub(super) fn enqueue(&mut self, at: usize) -> Ticket {
        let ticket = Ticket::new(self.line.next, self.number);
        self.line.next += 1;
        self.line.waiting.insert(ticket, at);
        if let Some(host) = self.hosts.get_mut(at) {
            host.waiting.insert(ticket);
        }
        self.list(at);
        ticket
    }

    /// Room has become free at a host: grants it to who has waited longest among those who can use it.
    ///
    /// Whoever waits although its host has room waits for `max_total`, and then no connection idles anywhere. So the
    /// first head that cannot go is the last one to be asked.
    pub(super) fn admit_waiting(&mut self, at: usize, now: Instant, effects: &mut Effects<T>) {
        if self.line.waiting.is_empty() {
            return;
        }
        self.list(at);
        while let Some((ticket, at)) = self.line.heads.first().copied() {
            let Some(grant) = self.admit(at, now, effects) else { return };
            self.line.waiting.remove(&ticket);
            if let Some(host) = self.hosts.get_mut(at) {
                host.waiting.remove(&ticket);
            }
            self.list(at);
            self.line.granted.insert(ticket, grant);
            effects.ready.push(ticket);
        }
    }

    /// Notes who is first in line of a host, if the host has room.
    fn list(&mut self, at: usize) {
        let most = self.policy.most_per_host();
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
