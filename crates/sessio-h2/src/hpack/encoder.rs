//! Encoding of header blocks.

use super::dynamic_table::{DynamicTable, FIELD_OVERHEAD, Found};
use super::{huffman, integer, static_table};

/// Encodes the header blocks of one direction of a connection.
#[derive(Debug)]
pub struct Encoder {
    table: DynamicTable,
    /// The largest table that is used, even if the peer allows more.
    most: usize,
    /// Size updates for the start of the next block: the smallest size since the last block, and
    /// the current one.
    resized: Option<(usize, usize)>,
}

/// Permission of a field to enter the dynamic table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indexing {
    /// It enters the table, and costs one byte from then on.
    Incremental,
    /// It does not enter the table.
    Without,
    /// It never enters any table, at any hop (RFC 7541 section 7.1.3): for secrets.
    Never,
}

impl Encoder {
    /// Creates an encoder with a table of at most `most` bytes. It begins with 4096 bytes or
    /// `most`, if that is less.
    pub fn new(most: usize) -> Self {
        let begin = most.min(4096);
        let resized = (begin < 4096).then_some((begin, begin));
        Self { table: DynamicTable::new(begin), most, resized }
    }

    /// Sets the table size in bytes that the peer allows (SETTINGS_HEADER_TABLE_SIZE).
    pub fn set_max_table_size(&mut self, max: usize) {
        let max = max.min(self.most);
        if max == self.table.max() {
            return;
        }
        let least = self.resized.map_or(max, |(least, _)| least.min(max));
        self.resized = Some((least, max));
        self.table.set_max(max);
    }

    /// Begins a header block. Call it before the fields of each block.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        if let Some((least, last)) = self.resized.take() {
            if least < last {
                integer::encode(least, 0x20, 5, out);
            }
            integer::encode(last, 0x20, 5, out);
        }
    }

    /// Appends a field. The name must be in lower case.
    pub fn encode(&mut self, name: &[u8], value: &[u8], indexing: Indexing, out: &mut Vec<u8>) {
        let named = static_table::find(name);
        // A secret is never looked up. A reference to an entry would reveal the value.
        let mut index = named;
        if indexing != Indexing::Never {
            if let Some(index) = named.and_then(|first| static_table::find_value(first, name, value)) {
                return integer::encode(index, 0x80, 7, out);
            }
            match self.table.find(name, value, named.is_none()) {
                Found::Field(at) => return integer::encode(at + static_table::ENTRIES.len(), 0x80, 7, out),
                Found::Name(at) => index = Some(at + static_table::ENTRIES.len()),
                Found::Nothing => {}
            }
        }
        // A field that would evict most of the table is not added.
        let size = name.len() + value.len() + FIELD_OVERHEAD;
        let is_added = indexing == Indexing::Incremental && size <= self.table.max() / 4 * 3;
        let (flags, prefix) = match indexing {
            Indexing::Never => (0x10, 4),
            _ if is_added => (0x40, 6),
            _ => (0x00, 4),
        };
        integer::encode(index.unwrap_or(0), flags, prefix, out);
        if index.is_none() {
            text(name, out);
        }
        text(value, out);
        if is_added {
            self.table.add(name, value);
        }
    }

    /// Releases unused memory of the buffers. A table of more than `most` bytes is emptied, which
    /// the next block announces.
    pub fn shrink(&mut self, most: usize) {
        let max = self.table.max();
        if self.table.size() > most {
            self.set_max_table_size(0);
            self.set_max_table_size(max);
        }
        self.table.shrink();
    }

    /// Bytes of the table on the heap.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.table.memory()
    }
}

/// Appends a string in its shorter form.
fn text(text: &[u8], out: &mut Vec<u8>) {
    let coded = huffman::encoded_len(text);
    if coded < text.len() {
        integer::encode(coded, 0x80, 7, out);
        huffman::encode(text, out);
    } else {
        integer::encode(text.len(), 0, 7, out);
        out.extend_from_slice(text);
    }
}
