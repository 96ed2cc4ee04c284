//! Decoding of header blocks.

use super::decode_error::DecodeError;
use super::dynamic_table::{DynamicTable, FIELD_OVERHEAD};
use super::field_block::{FieldBlock, Span};
use super::{huffman, integer, static_table};

/// Decodes the header blocks of one direction of a connection.
#[derive(Debug)]
pub struct Decoder {
    table: DynamicTable,
    /// The largest table that the peer may choose.
    allowed: usize,
    /// Size to which the next block must shrink the table first, even if a larger one is allowed
    /// again.
    owed: Option<usize>,
}

/// Limits of a header list in bytes, as RFC 9113 section 6.5.2 counts them: names, values, and 32
/// for each field.
#[derive(Debug, Clone, Copy)]
pub struct ListLimits {
    /// Above it fields are dropped, and [`FieldBlock::is_cut`] is set. The decoder stays in sync.
    pub cut: usize,
    /// Above it decoding fails.
    pub fail: usize,
}

impl ListLimits {
    /// Drops fields above `cut`, and fails above four times that.
    pub fn new(cut: usize) -> Self {
        Self { cut, fail: cut.saturating_mul(4) }
    }
}

impl Decoder {
    /// Creates a decoder whose peer may use a dynamic table of `max` bytes
    /// (SETTINGS_HEADER_TABLE_SIZE).
    pub fn new(max: usize) -> Self {
        Self { table: DynamicTable::new(max), allowed: max, owed: None }
    }

    /// Limits the peer's table to `max` bytes, from the next block on.
    pub fn set_max_table_size(&mut self, max: usize) {
        self.allowed = max;
        if max < self.table.max() {
            self.owed = Some(self.owed.map_or(max, |owed| owed.min(max)));
        }
    }

    /// Decodes a whole header block. Earlier contents of `fields` are replaced.
    ///
    /// # Errors
    /// The block is invalid, or its list is larger than [`ListLimits::fail`].
    pub fn decode(
        &mut self,
        block: &[u8],
        limits: ListLimits,
        fields: &mut FieldBlock,
    ) -> Result<(), DecodeError> {
        fields.clear();
        let mut at = 0;
        while let Some(&first) = block.get(at) {
            if first & 0xe0 != 0x20 {
                break;
            }
            let size = integer::decode(block, &mut at, 5)?;
            if size > self.allowed {
                return Err(DecodeError::TableTooLarge);
            }
            if self.owed.take().is_some_and(|owed| size > owed) {
                return Err(DecodeError::MissingTableSize);
            }
            self.table.set_max(size);
        }
        if self.owed.is_some() {
            return Err(DecodeError::MissingTableSize);
        }
        let mut list = 0;
        while let Some(&first) = block.get(at) {
            let name = fields.bytes.len();
            let (value, is_added) = match first {
                0x80.. => {
                    let index = integer::decode(block, &mut at, 7)?;
                    (self.indexed(index, &mut fields.bytes)?, false)
                }
                0x40.. => (self.literal(block, &mut at, 6, &mut fields.bytes)?, true),
                0x20.. => return Err(DecodeError::LateTableSize),
                _ => (self.literal(block, &mut at, 4, &mut fields.bytes)?, false),
            };
            let end = fields.bytes.len();
            if is_added {
                self.table.add(&fields.bytes[name..value], &fields.bytes[value..]);
            }
            list += end - name + FIELD_OVERHEAD;
            if list > limits.fail {
                return Err(DecodeError::ListTooLarge);
            }
            if list > limits.cut {
                fields.is_cut = true;
                fields.bytes.truncate(name);
            } else {
                fields.spans.push(Span {
                    name: name as u32,
                    value: value as u32,
                    end: end as u32,
                    is_sensitive: first & 0xf0 == 0x10,
                });
            }
        }
        Ok(())
    }

    /// Appends name and value of an entry; returns the position of the value.
    fn indexed(&self, index: usize, out: &mut Vec<u8>) -> Result<usize, DecodeError> {
        let (name, value) = self.entry(index)?;
        out.extend_from_slice(name);
        let at = out.len();
        out.extend_from_slice(value);
        Ok(at)
    }

    fn entry(&self, index: usize) -> Result<(&[u8], &[u8]), DecodeError> {
        if let Some(&entry) = static_table::ENTRIES.get(index.wrapping_sub(1)) {
            return Ok(entry);
        }
        let index = index.checked_sub(static_table::ENTRIES.len()).ok_or(DecodeError::InvalidIndex)?;
        self.table.get(index).ok_or(DecodeError::InvalidIndex)
    }

    /// Appends name and value of a literal field; returns the position of the value.
    fn literal(
        &self,
        block: &[u8],
        at: &mut usize,
        prefix: u32,
        out: &mut Vec<u8>,
    ) -> Result<usize, DecodeError> {
        match integer::decode(block, at, prefix)? {
            0 => text(block, at, out)?,
            index => out.extend_from_slice(self.entry(index)?.0),
        }
        let value = out.len();
        text(block, at, out)?;
        Ok(value)
    }

    /// Releases unused memory of the buffers.
    pub fn shrink(&mut self) {
        self.table.shrink();
    }

    /// Bytes of the table on the heap.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.table.memory()
    }
}

/// Appends a string.
fn text(block: &[u8], at: &mut usize, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let is_coded = block.get(*at).is_some_and(|first| first & 0x80 != 0);
    let length = integer::decode(block, at, 7)?;
    let bytes = block.get(*at..*at + length).ok_or(DecodeError::Truncated)?;
    *at += length;
    if is_coded {
        return huffman::decode(bytes, out).map_err(|_| DecodeError::InvalidHuffman);
    }
    out.extend_from_slice(bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Field = (Vec<u8>, Vec<u8>);

    fn decoded(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<Field>, DecodeError> {
        let mut fields = FieldBlock::new();
        decoder.decode(block, ListLimits::new(1000), &mut fields)?;
        Ok(fields.fields().iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect())
    }

    #[test]
    fn blocks_that_are_not_valid_are_refused() {
        let table: &[(&[u8], DecodeError)] = &[
            (&[0x80], DecodeError::InvalidIndex),
            (&[0xbe], DecodeError::InvalidIndex),
            (&[0xff, 0xff, 0xff, 0xff], DecodeError::Truncated),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], DecodeError::IntegerTooLarge),
            (&[0x7f, 0x00, 0x00], DecodeError::InvalidIndex),
            (&[0x40], DecodeError::Truncated),
            (&[0x40, 0x01], DecodeError::Truncated),
            (&[0x40, 0x01, b'a'], DecodeError::Truncated),
            (&[0x40, 0x01, b'a', 0x05, b'b'], DecodeError::Truncated),
            (&[0x40, 0x01, b'a', 0xff, 0xff, 0xff, 0x7f], DecodeError::Truncated),
            (&[0x40, 0x81, 0x00, 0x00], DecodeError::InvalidHuffman),
            (&[0x40, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00], DecodeError::InvalidHuffman),
            (&[0x3f, 0xe2, 0x1f], DecodeError::TableTooLarge),
            (&[0x88, 0x20], DecodeError::LateTableSize),
        ];
        for (block, error) in table {
            assert_eq!(decoded(&mut Decoder::new(4096), block), Err(*error), "{block:x?}");
        }
    }

    /// RFC 7541 section 4.2: the peer must announce that its table shrinks.
    #[test]
    fn a_smaller_table_has_to_be_acknowledged() {
        let mut decoder = Decoder::new(4096);
        let field = (b"a".to_vec(), b"b".to_vec());
        assert_eq!(decoded(&mut decoder, &[0x40, 0x01, b'a', 0x01, b'b']), Ok(vec![field.clone()]));
        decoder.set_max_table_size(100);
        assert_eq!(decoded(&mut decoder, &[0xbe]), Err(DecodeError::MissingTableSize));
        assert_eq!(decoded(&mut decoder, &[0x3f, 0x45, 0xbe]), Ok(vec![field]));
        assert_eq!(decoded(&mut decoder, &[0x3f, 0x46]), Err(DecodeError::TableTooLarge));
        // The smallest size must be announced, also if a larger one is allowed before the next
        // block.
        decoder.set_max_table_size(50);
        decoder.set_max_table_size(4096);
        assert_eq!(decoded(&mut decoder, &[0xbe]), Err(DecodeError::MissingTableSize));
        assert_eq!(
            decoded(&mut decoder, &[0x3f, 0x1c, 0x3f, 0x45, 0xbe]),
            Err(DecodeError::MissingTableSize)
        );
        // An empty table has lost its entries.
        assert_eq!(decoded(&mut decoder, &[0x20, 0xbe]), Err(DecodeError::InvalidIndex));
    }
}
