//! The dynamic table (RFC 7541 section 2.3.2).

use std::collections::VecDeque;
use std::fmt;

/// Bytes that a field costs in a table and in a header list, beside its text (RFC 7541 section
/// 4.1).
pub const FIELD_OVERHEAD: usize = 32;

/// Entries in the order of their insertion, their bytes in one piece.
pub(super) struct DynamicTable {
    bytes: Vec<u8>,
    /// Number of bytes that were dropped from the front of `bytes` since the start.
    dropped: u64,
    /// The oldest first.
    entries: VecDeque<Entry>,
    size: usize,
    max: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Counted from the first byte that the table ever held.
    start: u64,
    name: u32,
    value: u32,
}

impl Entry {
    fn size(self) -> usize {
        (self.name + self.value) as usize + FIELD_OVERHEAD
    }
}

/// The position of a field in the table. Indices begin at 1, with the newest entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Field(usize),
    Name(usize),
    Nothing,
}

impl DynamicTable {
    pub(super) fn new(max: usize) -> Self {
        Self { bytes: Vec::new(), dropped: 0, entries: VecDeque::new(), size: 0, max }
    }

    pub(super) fn max(&self) -> usize {
        self.max
    }

    pub(super) fn set_max(&mut self, max: usize) {
        self.max = max;
        self.evict(max);
    }

    /// Name and value of an entry.
    pub(super) fn get(&self, index: usize) -> Option<(&[u8], &[u8])> {
        let at = self.entries.len().checked_sub(index)?;
        self.entries.get(at).map(|&entry| self.field(entry))
    }

    fn field(&self, entry: Entry) -> (&[u8], &[u8]) {
        let start = (entry.start - self.dropped) as usize;
        let value = start + entry.name as usize;
        (&self.bytes[start..value], &self.bytes[value..value + entry.value as usize])
    }

    /// Makes room and adds an entry. An entry that is larger than the table empties it (RFC 7541
    /// section 4.4).
    pub(super) fn add(&mut self, name: &[u8], value: &[u8]) {
        let entry = Entry {
            start: self.dropped + self.bytes.len() as u64,
            name: name.len() as u32,
            value: value.len() as u32,
        };
        let Some(room) = self.max.checked_sub(entry.size()) else { return self.evict(0) };
        self.evict(room);
        let start = self.dropped + self.bytes.len() as u64;
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(value);
        self.size += entry.size();
        self.entries.push_back(Entry { start, ..entry });
    }

    /// Drops the oldest entries until at most `most` bytes remain.
    fn evict(&mut self, most: usize) {
        while self.size > most {
            let Some(entry) = self.entries.pop_front() else { break };
            self.size -= entry.size();
        }
        // Each byte is moved at most once for each byte that is dropped.
        let end = self.dropped + self.bytes.len() as u64;
        let dead = (self.entries.front().map_or(end, |entry| entry.start) - self.dropped) as usize;
        if dead > 0 && dead >= self.bytes.len() - dead {
            self.drop_bytes(dead);
        }
    }

    fn drop_bytes(&mut self, n: usize) {
        self.bytes.drain(..n);
        self.dropped += n as u64;
    }

    /// The size as RFC 7541 section 4.1 counts it.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Finds a field, and also its name if `wants_name`.
    pub(super) fn find(&self, name: &[u8], value: &[u8], wants_name: bool) -> Found {
        let mut found = Found::Nothing;
        for (at, &entry) in self.entries.iter().rev().enumerate() {
            if entry.name as usize != name.len() {
                continue;
            }
            let is_value = entry.value as usize == value.len();
            let is_wanted = wants_name && found == Found::Nothing;
            if !is_value && !is_wanted {
                continue;
            }
            let (its_name, its_value) = self.field(entry);
            if its_name == name {
                if is_value && its_value == value {
                    return Found::Field(at + 1);
                }
                if is_wanted {
                    found = Found::Name(at + 1);
                }
            }
        }
        found
    }

    /// Releases unused memory of the buffers.
    pub(super) fn shrink(&mut self) {
        if let Some(first) = self.entries.front() {
            self.drop_bytes((first.start - self.dropped) as usize);
        }
        self.bytes.shrink_to_fit();
        self.entries.shrink_to_fit();
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity() + self.entries.capacity() * size_of::<Entry>()
    }
}

/// Omits the fields: some are secrets.
impl fmt::Debug for DynamicTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries.len();
        let table = &mut f.debug_struct("DynamicTable");
        table.field("entries", &entries).field("size", &self.size).field("max", &self.max).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_entries_make_room() {
        let mut table = DynamicTable::new(100);
        for at in 0..1000_u32 {
            table.add(b"name", at.to_string().as_bytes());
            assert_eq!(table.get(1), Some((&b"name"[..], at.to_string().as_bytes())));
            assert!(table.size <= 100 && table.bytes.len() <= 200, "{table:?}");
        }
        assert_eq!(table.get(3), None);
        assert_eq!(table.get(0), None);
        assert_eq!(table.find(b"name", b"998", true), Found::Field(2));
        assert_eq!(table.find(b"name", b"997", true), Found::Name(1));
        assert_eq!(table.find(b"nome", b"998", true), Found::Nothing);
        table.add(&[b'x'; 69], b"");
        assert_eq!(table.get(1), None);
    }
}
