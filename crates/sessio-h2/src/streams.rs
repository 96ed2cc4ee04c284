//! The streams of a connection by their ids.

use crate::stream::Stream;

/// Ids only grow, so they are a sorted list; the streams themselves are never moved.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    /// Ids in order, each with the index of its stream.
    order: Vec<(u32, u32)>,
    slots: Vec<Option<Stream>>,
    free: Vec<u32>,
    /// Number of concurrent streams.
    pub(crate) active: u32,
}

impl Streams {
    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(crate) fn insert(&mut self, stream: Stream) {
        let id = stream.id;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() as u32 - 1
        });
        self.active += 1;
        self.slots[slot as usize] = Some(stream);
        self.order.push((id, slot));
    }

    fn slot(&self, id: u32) -> Option<usize> {
        let at = self.order.binary_search_by_key(&id, |entry| entry.0).ok()?;
        Some(self.order[at].1 as usize)
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Stream> {
        self.slots[self.slot(id)?].as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        let slot = self.slot(id)?;
        self.slots[slot].as_mut()
    }

    pub(crate) fn remove(&mut self, id: u32) {
        let Ok(at) = self.order.binary_search_by_key(&id, |entry| entry.0) else { return };
        let (_, slot) = self.order.remove(at);
        self.free.push(slot);
        if let Some(stream) = self.slots[slot as usize].take() {
            self.active -= u32::from(stream.is_counted);
        }
    }

    /// A stream whose both directions have ended is not counted any more.
    pub(crate) fn settle(&mut self, id: u32) {
        let Some(stream) = self.get_mut(id) else { return };
        if stream.is_counted && stream.is_closed() {
            stream.is_counted = false;
            self.active -= 1;
        }
    }

    /// Iterates in the order of the ids.
    pub(crate) fn ids_from(&self, first: u32) -> impl Iterator<Item = u32> + '_ {
        let at = self.order.partition_point(|entry| entry.0 < first);
        self.order[at..].iter().map(|entry| entry.0)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.slots.iter_mut().flatten()
    }

    /// Releases memory if there is no stream.
    pub(crate) fn rest(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }
}
