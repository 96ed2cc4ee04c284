//! Values with an index that stays the same while they are stored.

#[derive(Debug)]
pub(super) struct Slab<V> {
    places: Vec<Option<V>>,
    free: Vec<usize>,
}

impl<V> Default for Slab<V> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<V> Slab<V> {
    pub(super) fn insert(&mut self, value: V) -> usize {
        if let Some(at) = self.free.pop() {
            self.places[at] = Some(value);
            return at;
        }
        self.places.push(Some(value));
        self.places.len() - 1
    }

    /// The largest number of values that it has had at once.
    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.places.len()
    }

    pub(super) fn remove(&mut self, at: usize) -> Option<V> {
        let value = self.places.get_mut(at)?.take()?;
        self.free.push(at);
        Some(value)
    }

    pub(super) fn get(&self, at: usize) -> Option<&V> {
        #[cfg(test)]
        super::tests::steps::count();
        self.places.get(at)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut V> {
        #[cfg(test)]
        super::tests::steps::count();
        self.places.get_mut(at)?.as_mut()
    }
}
