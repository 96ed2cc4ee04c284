//! Decisions from the bytes of proptest, so that it can shrink them.

pub(crate) struct Dice<'a> {
    bytes: std::slice::Iter<'a, u8>,
}

impl<'a> Dice<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.iter() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.as_slice().is_empty()
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let mut number = || usize::from(self.bytes.next().copied().unwrap_or(0));
        let number = if n <= 256 { number() } else { number() << 16 | number() << 8 | number() };
        number % n.max(1)
    }

    /// A number below `n`, small ones more often.
    pub(crate) fn size(&mut self, n: usize) -> usize {
        let most = [1, 2, 10, 100, 1000, n][self.below(6)];
        self.below(most.min(n) + 1)
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { Some(from[self.below(from.len())]) }
    }
}
