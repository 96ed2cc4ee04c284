//! Writing the value of a `Cookie` header.

/// Pairs joined by `; ` at the end of a buffer. Rule 40.
pub(crate) struct HeaderLine<'o> {
    out: &'o mut Vec<u8>,
    written: usize,
}

impl<'o> HeaderLine<'o> {
    pub(crate) const fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, written: 0 }
    }

    /// The number of pairs written.
    pub(crate) const fn written(&self) -> usize {
        self.written
    }

    /// Adds a finished pair: `name=value`, or the value of a cookie without a name.
    pub(crate) fn push(&mut self, pair: &[u8]) {
        self.next();
        self.out.extend_from_slice(pair);
    }

    /// Adds a pair from its parts.
    pub(crate) fn push_parts(&mut self, name: &[u8], value: &[u8]) {
        self.next();
        if !name.is_empty() {
            self.out.extend_from_slice(name);
            self.out.push(b'=');
        }
        self.out.extend_from_slice(value);
    }

    fn next(&mut self) {
        if self.written > 0 {
            self.out.extend_from_slice(b"; ");
        }
        self.written += 1;
    }
}
