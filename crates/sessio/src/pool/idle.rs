//! Idle connections by age.

use std::time::Instant;

use super::slab::Slab;

/// The idle connections of all hosts, linked in the order in which they were put back.
#[derive(Debug)]
pub(super) struct Idle<T> {
    entries: Slab<Entry<T>>,
    len: usize,
    oldest: usize,
    newest: usize,
}

/// A place where nothing ever is: half the size of an `Option`, and there are many entries.
const NOWHERE: usize = usize::MAX;

#[derive(Debug)]
struct Entry<T> {
    connection: T,
    host: usize,
    since: Instant,
    until: Instant,
    older: usize,
    newer: usize,
}

impl<T> Default for Idle<T> {
    fn default() -> Self {
        Self { entries: Slab::default(), len: 0, oldest: NOWHERE, newest: NOWHERE }
    }
}

impl<T> Idle<T> {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn oldest(&self) -> Option<usize> {
        (self.oldest != NOWHERE).then_some(self.oldest)
    }

    pub(super) fn until(&self, at: usize) -> Option<Instant> {
        self.entries.get(at).map(|entry| entry.until)
    }

    pub(super) fn host(&self, at: usize) -> Option<usize> {
        self.entries.get(at).map(|entry| entry.host)
    }

    pub(super) fn insert(&mut self, connection: T, host: usize, since: Instant, until: Instant) -> usize {
        let older = self.newest;
        let at = self.entries.insert(Entry { connection, host, since, until, older, newer: NOWHERE });
        match self.entries.get_mut(older) {
            Some(older) => older.newer = at,
            None => self.oldest = at,
        }
        self.newest = at;
        self.len += 1;
        at
    }

    /// The connection, its host, and since when it was idle.
    pub(super) fn remove(&mut self, at: usize) -> Option<(T, usize, Instant)> {
        let entry = self.entries.remove(at)?;
        self.len -= 1;
        match self.entries.get_mut(entry.older) {
            Some(older) => older.newer = entry.newer,
            None => self.oldest = entry.newer,
        }
        match self.entries.get_mut(entry.newer) {
            Some(newer) => newer.older = entry.older,
            None => self.newest = entry.older,
        }
        Some((entry.connection, entry.host, entry.since))
    }
}
