//! Idle connections by age.

use std::time::Instant;

use super::slab::Slab;

/// The idle connections of all hosts, linked in the order in which they were put back.
#[derive(Debug)]
pub(super) struct Idle<T> {
    entries: Slab<Entry<T>>,
    len: usize,
    oldest: Option<usize>,
    newest: Option<usize>,
}

#[derive(Debug)]
struct Entry<T> {
    connection: T,
    host: usize,
    since: Instant,
    until: Instant,
    older: Option<usize>,
    newer: Option<usize>,
}

impl<T> Default for Idle<T> {
    fn default() -> Self {
        Self { entries: Slab::default(), len: 0, oldest: None, newest: None }
    }
}

impl<T> Idle<T> {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn oldest(&self) -> Option<usize> {
        self.oldest
    }

    pub(super) fn until(&self, at: usize) -> Option<Instant> {
        self.entries.get(at).map(|entry| entry.until)
    }

    pub(super) fn host(&self, at: usize) -> Option<usize> {
        self.entries.get(at).map(|entry| entry.host)
    }

    pub(super) fn insert(&mut self, connection: T, host: usize, since: Instant, until: Instant) -> usize {
        let older = self.newest;
        let at = self.entries.insert(Entry { connection, host, since, until, older, newer: None });
        match older.and_then(|older| self.entries.get_mut(older)) {
            Some(older) => older.newer = Some(at),
            None => self.oldest = Some(at),
        }
        self.newest = Some(at);
        self.len += 1;
        at
    }

    /// The connection, its host, and since when it was idle.
    pub(super) fn remove(&mut self, at: usize) -> Option<(T, usize, Instant)> {
        let entry = self.entries.remove(at)?;
        self.len -= 1;
        match entry.older.and_then(|older| self.entries.get_mut(older)) {
            Some(older) => older.newer = entry.newer,
            None => self.oldest = entry.newer,
        }
        match entry.newer.and_then(|newer| self.entries.get_mut(newer)) {
            Some(newer) => newer.older = entry.older,
            None => self.newest = entry.older,
        }
        Some((entry.connection, entry.host, entry.since))
    }
}
