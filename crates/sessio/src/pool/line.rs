//! Who waits for a connection.

use std::collections::BTreeMap;
use std::time::Instant;

use super::Pool;
use super::lease::{Effects, Grant, Ticket};

/// The line: whoever's turn has come has a grant that waits to be collected, so that nobody who comes
/// later can take it.
#[derive(Debug)]
pub(super) struct Line<T> {
    next: u64,
    /// Who waits, oldest first, and for which host.
    waiting: BTreeMap<Ticket, usize>,
    granted: BTreeMap<Ticket, Grant<T>>,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { next: 0, waiting: BTreeMap::new(), granted: BTreeMap::new() }
    }
}

impl<T> Line<T> {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

impl<T> Pool<T> {
    /// What a ticket has come to, once its turn has come; until then `None`.
    pub fn collect(&mut self, ticket: Ticket) -> Option<Grant<T>> {
        self.line.granted.remove(&ticket)
    }

    /// Leaves the line. What was granted meanwhile goes to the next.
    pub fn cancel(&mut self, ticket: Ticket, now: Instant, effects: &mut Effects<T>) {
        if let Some(host) = self.line.waiting.remove(&ticket) {
            if let Some(host) = self.hosts.get_mut(host) {
                host.waiting.retain(|other| *other != ticket);
            }
            return;
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

    pub(super) fn enqueue(&mut self, host: usize) -> Ticket {
        let ticket = Ticket(self.line.next);
        self.line.next += 1;
        self.line.waiting.insert(ticket, host);
        if let Some(host) = self.hosts.get_mut(host) {
            host.waiting.push_back(ticket);
        }
        ticket
    }

    /// Room has become free at `host`: grants it to who has waited longest among those who can use it.
    pub(super) fn admit_waiting(&mut self, host: usize, now: Instant, effects: &mut Effects<T>) {
        if self.line.waiting.is_empty() {
            return;
        }
        if self.policy.max_total.is_none() {
            // Hosts do not stand in each other's way.
            while let Some(first) = self.hosts.get(host).and_then(|host| host.waiting.front()) {
                let first = *first;
                if !self.grant(first, host, now, effects) {
                    return;
                }
            }
            return;
        }
        let tickets: Vec<_> = self.line.waiting.iter().map(|(ticket, host)| (*ticket, *host)).collect();
        for (ticket, host) in tickets {
            self.grant(ticket, host, now, effects);
        }
    }

    fn grant(&mut self, ticket: Ticket, host: usize, now: Instant, effects: &mut Effects<T>) -> bool {
        let Some(grant) = self.admit(host, now, effects) else { return false };
        self.line.waiting.remove(&ticket);
        if let Some(host) = self.hosts.get_mut(host) {
            // Most often it is the first of its host.
            match host.waiting.front() {
                Some(first) if *first == ticket => drop(host.waiting.pop_front()),
                _ => host.waiting.retain(|other| *other != ticket),
            }
        }
        self.line.granted.insert(ticket, grant);
        effects.ready.push(ticket);
        true
    }
}
