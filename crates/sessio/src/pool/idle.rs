//! Idle connections, by age.

use crate::base::time::Instant;

use super::slab::Slab;

/// The idle connections of all hosts, linked in the order of their return. One list is over all
/// hosts, and each host has one of its own. Removing a connection costs the same at any place.
#[derive(Debug)]
pub(super) struct Idle<T> {
    entries: Slab<Entry<T>>,
    all: Ends,
    /// The number of the next connection that is inserted.
    next: u64,
}

/// Both ends of a list, and its length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    oldest: usize,
    newest: usize,
    len: usize,
}

/// An index that is never used. It needs half the size of an `Option`, and there are many entries.
const NOWHERE: usize = usize::MAX;

#[derive(Debug)]
struct Entry<T> {
    connection: T,
    host: usize,
    number: u64,
    until: Instant,
    /// Links in the list of all, and in that of the host.
    links: [Link; 2],
}

#[derive(Clone, Copy, Debug)]
struct Link {
    older: usize,
    newer: usize,
}

/// Indexes of the two links.
const ALL: usize = 0;
const OWN: usize = 1;

impl Default for Ends {
    fn default() -> Self {
        Self { oldest: NOWHERE, newest: NOWHERE, len: 0 }
    }
}

impl Ends {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn oldest(&self) -> Option<usize> {
        (self.oldest != NOWHERE).then_some(self.oldest)
    }

    pub(super) fn newest(&self) -> Option<usize> {
        (self.newest != NOWHERE).then_some(self.newest)
    }

    fn push<T>(&mut self, entries: &mut Slab<Entry<T>>, at: usize, which: usize) {
        let older = self.newest;
        if let Some(entry) = entries.get_mut(at) {
            entry.links[which].older = older;
        }
        match entries.get_mut(older) {
            Some(older) => older.links[which].newer = at,
            None => self.oldest = at,
        }
        self.newest = at;
        self.len += 1;
    }

    fn unlink<T>(&mut self, entries: &mut Slab<Entry<T>>, link: Link, which: usize) {
        match entries.get_mut(link.older) {
            Some(older) => older.links[which].newer = link.newer,
            None => self.oldest = link.newer,
        }
        match entries.get_mut(link.newer) {
            Some(newer) => newer.links[which].older = link.older,
            None => self.newest = link.older,
        }
        self.len -= 1;
    }
}

impl<T> Default for Idle<T> {
    fn default() -> Self {
        Self { entries: Slab::default(), all: Ends::default(), next: 0 }
    }
}

impl<T> Idle<T> {
    pub(super) const fn len(&self) -> usize {
        self.all.len
    }

    pub(super) fn oldest(&self) -> Option<usize> {
        self.all.oldest()
    }

    /// The connection that was returned next after this one, of any host.
    pub(super) fn newer(&self, at: usize) -> Option<usize> {
        self.entries.get(at).map(|entry| entry.links[ALL].newer).filter(|newer| *newer != NOWHERE)
    }

    pub(super) fn until(&self, at: usize) -> Option<Instant> {
        self.entries.get(at).map(|entry| entry.until)
    }

    /// Ends the idle time of a connection at `latest`, unless it ends before.
    pub(super) fn shorten(&mut self, at: usize, latest: Instant) {
        if let Some(entry) = self.entries.get_mut(at) {
            entry.until = entry.until.min(latest);
        }
    }

    pub(super) fn host(&self, at: usize) -> Option<usize> {
        self.entries.get(at).map(|entry| entry.host)
    }

    /// The number of a connection. Numbers rise in the order of insertion.
    pub(super) fn number(&self, at: usize) -> Option<u64> {
        self.entries.get(at).map(|entry| entry.number)
    }

    /// The number of the next connection.
    pub(super) const fn next_number(&self) -> u64 {
        self.next
    }

    /// Inserts a connection. `own` is the list of its host.
    pub(super) fn insert(&mut self, connection: T, host: usize, until: Instant, own: &mut Ends) {
        let number = self.next;
        self.next += 1;
        let links = [Link { older: NOWHERE, newer: NOWHERE }; 2];
        let at = self.entries.insert(Entry { connection, host, number, until, links });
        self.all.push(&mut self.entries, at, ALL);
        own.push(&mut self.entries, at, OWN);
    }

    /// Removes a connection. `own` is the list of its host.
    pub(super) fn remove(&mut self, at: usize, own: &mut Ends) -> Option<T> {
        let entry = self.entries.remove(at)?;
        self.all.unlink(&mut self.entries, entry.links[ALL], ALL);
        own.unlink(&mut self.entries, entry.links[OWN], OWN);
        Some(entry.connection)
    }
}
