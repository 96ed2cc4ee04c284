//! Decoded fields: one piece of bytes, and the position of each field in it.

use std::fmt;

/// A buffer for the fields of one header block. It keeps its memory from block to block.
#[derive(Default)]
pub struct FieldBlock {
    pub(super) bytes: Vec<u8>,
    pub(super) spans: Vec<Span>,
    pub(super) is_cut: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) name: u32,
    pub(super) value: u32,
    pub(super) end: u32,
    pub(super) is_sensitive: bool,
}

impl FieldBlock {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// The fields of the last decoded block, in order.
    pub fn fields(&self) -> Fields<'_> {
        Fields { bytes: &self.bytes, spans: &self.spans }
    }

    /// Returns `true` if the list exceeded its limit, so that fields are missing.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
        self.is_cut = false;
    }
}

impl fmt::Debug for FieldBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields().fmt(f)
    }
}

/// Fields in the order of arrival. Names are in lower case, as HTTP/2 requires.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Fields<'a> {
    /// Number of fields.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Returns `true` if there are no fields.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Iterates over name and value of each field.
    pub fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = (&'a [u8], &'a [u8])> + ExactSizeIterator + Clone + use<'a> {
        let bytes = self.bytes;
        self.spans.iter().map(move |span| {
            (&bytes[span.name as usize..span.value as usize], &bytes[span.value as usize..span.end as usize])
        })
    }

    /// The value of the first field of that name, which must be in lower case.
    pub fn get(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.iter().find(|field| field.0 == name).map(|field| field.1)
    }

    /// Returns `true` if the peer marked the field at this index as never indexed.
    pub fn is_sensitive(&self, at: usize) -> bool {
        self.spans.get(at).is_some_and(|span| span.is_sensitive)
    }

    /// Drops the first `n` fields.
    pub(crate) fn skip(self, n: usize) -> Self {
        Self { spans: self.spans.get(n..).unwrap_or_default(), ..self }
    }
}

/// Shows names only: a value may be a secret.
impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| String::from_utf8_lossy(name))).finish()
    }
}
