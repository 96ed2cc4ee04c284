//! Decisions of the fuzzer.

/// Bytes of the fuzzer as decisions. After the last byte every decision is 0.
pub(super) struct Dice<'a>(pub(super) &'a [u8]);

impl Dice<'_> {
    pub(super) fn next(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        usize::from(self.next()) % n
    }

    pub(super) fn bit(&mut self) -> bool {
        self.next() & 1 == 1
    }

    pub(super) fn among<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
