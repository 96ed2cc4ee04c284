//! Header compression (RFC 7541), written straight from its text: simple and slow. Tests compare
//! faster implementations with it.

use std::collections::VecDeque;

use super::huffman;
use super::static_table::ENTRIES;

/// The largest integer that is accepted, and the number of bytes that one may have after its prefix
/// (`LONGEST`). The RFC allows an implementation such limits.
const MOST: u64 = (1 << 28) - 1;
const LONGEST: usize = 4;

/// A field of a header block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
    /// Whether the field is never indexed: no hop may put it into a table.
    pub is_never_indexed: bool,
}

/// The dynamic table of one direction.
#[derive(Debug)]
struct Table {
    /// The entries, newest first.
    entries: VecDeque<(Vec<u8>, Vec<u8>)>,
    max: usize,
}

impl Table {
    fn new(max: usize) -> Self {
        Self { entries: VecDeque::new(), max }
    }

    fn get(&self, index: usize) -> Option<(Vec<u8>, Vec<u8>)> {
        if let Some((name, value)) = ENTRIES.get(index.checked_sub(1)?) {
            return Some((name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        }
        self.entries.get(index - 1 - ENTRIES.len()).cloned()
    }

    /// The index of the first entry that `is_wanted`.
    fn find(&self, is_wanted: impl Fn(&[u8], &[u8]) -> bool) -> Option<usize> {
        let fixed = ENTRIES.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let own = self.entries.iter().map(|(name, value)| (&name[..], &value[..]));
        fixed.chain(own).position(|(name, value)| is_wanted(name, value)).map(|at| at + 1)
    }

    fn add(&mut self, name: &[u8], value: &[u8]) {
        self.entries.push_front((name.to_vec(), value.to_vec()));
        self.evict();
    }

    fn resize(&mut self, max: usize) {
        self.max = max;
        self.evict();
    }

    fn evict(&mut self) {
        while self.entries.iter().map(|(name, value)| name.len() + value.len() + 32).sum::<usize>() > self.max
        {
            self.entries.pop_back();
        }
    }
}

/// Decodes header blocks.
#[derive(Debug)]
pub struct HpackDecoder {
    table: Table,
    allowed: usize,
    /// The size that the next block has to set, if one is required.
    owed: Option<usize>,
}

impl HpackDecoder {
    /// A decoder that allows a dynamic table of `max` bytes.
    pub fn new(max: usize) -> Self {
        Self { table: Table::new(max), allowed: max, owed: None }
    }

    /// Limits the table to `max` bytes from the next block on.
    pub fn allow(&mut self, max: usize) {
        self.allowed = max;
        if max < self.table.max {
            self.owed = Some(self.owed.map_or(max, |owed| owed.min(max)));
        }
    }

    /// Decodes a complete block.
    ///
    /// # Errors
    ///
    /// The rule that the block breaks.
    pub fn decode(&mut self, block: &[u8]) -> Result<Vec<Field>, &'static str> {
        let mut fields: Vec<Field> = Vec::new();
        let mut rest = block;
        let mut is_begun = false;
        while let Some(&first) = rest.first() {
            if first & 0xe0 == 0x20 {
                if is_begun {
                    return Err("the table changes its size behind a field");
                }
                let size = integer(&mut rest, 5)?;
                if size > self.allowed {
                    return Err("the table becomes larger than allowed");
                }
                if self.owed.take().is_some_and(|owed| size > owed) {
                    return Err("the table does not become as small as it was to be");
                }
                self.table.resize(size);
                continue;
            }
            is_begun = true;
            if self.owed.is_some() {
                return Err("the table does not become smaller");
            }
            if first & 0x80 != 0 {
                let index = integer(&mut rest, 7)?;
                let (name, value) = self.table.get(index).ok_or("there is no such entry")?;
                fields.push(Field { name, value, is_never_indexed: false });
                continue;
            }
            let is_added = first & 0x40 != 0;
            let index = integer(&mut rest, if is_added { 6 } else { 4 })?;
            let name = match index {
                0 => string(&mut rest)?,
                index => self.table.get(index).ok_or("there is no such entry")?.0,
            };
            let value = string(&mut rest)?;
            if is_added {
                self.table.add(&name, &value);
            }
            fields.push(Field { name, value, is_never_indexed: first & 0xf0 == 0x10 });
        }
        if self.owed.is_some() {
            return Err("the table does not become smaller");
        }
        Ok(fields)
    }
}

fn integer(rest: &mut &[u8], prefix: u32) -> Result<usize, &'static str> {
    const SHORT: &str = "the block ends within an integer";
    let (&first, mut behind) = rest.split_first().ok_or(SHORT)?;
    let mask = (1_u64 << prefix) - 1;
    let mut value = u64::from(first) & mask;
    if value == mask {
        for at in 0.. {
            if at == LONGEST {
                return Err("an integer is too long");
            }
            let (&byte, more) = behind.split_first().ok_or(SHORT)?;
            behind = more;
            value += u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    *rest = behind;
    if value > MOST { Err("an integer is too large") } else { Ok(value as usize) }
}

fn string(rest: &mut &[u8]) -> Result<Vec<u8>, &'static str> {
    const SHORT: &str = "the block ends within a string";
    let is_coded = rest.first().ok_or(SHORT)? & 0x80 != 0;
    let length = integer(rest, 7)?;
    let (text, behind) = rest.split_at_checked(length).ok_or(SHORT)?;
    *rest = behind;
    if is_coded { huffman::decode(text).ok_or("a Huffman code is not valid") } else { Ok(text.to_vec()) }
}

/// Encodes header blocks.
#[derive(Debug)]
pub(super) struct HpackEncoder {
    table: Table,
    resized: Option<usize>,
}

impl HpackEncoder {
    pub(super) fn new() -> Self {
        Self { table: Table::new(4096), resized: None }
    }

    /// Sets the size of the table that the peer allows. The table is never larger than the default.
    pub(super) fn allow(&mut self, max: usize) {
        let max = max.min(4096);
        if max < self.table.max {
            self.resized = Some(max);
            self.table.resize(max);
        }
    }

    /// Encodes a complete block. Each field with a non-empty value enters the table. Half of the
    /// strings are Huffman-coded.
    pub(super) fn encode(&mut self, fields: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(size) = self.resized.take() {
            put_integer(size, 0x20, 5, &mut out);
        }
        for (name, value) in fields {
            if let Some(index) = self.table.find(|its_name, its_value| (its_name, its_value) == (name, value))
            {
                put_integer(index, 0x80, 7, &mut out);
                continue;
            }
            let is_added = !value.is_empty();
            let (flags, prefix) = if is_added { (0x40, 6) } else { (0, 4) };
            let index = self.table.find(|its_name, _| its_name == name);
            put_integer(index.unwrap_or(0), flags, prefix, &mut out);
            if index.is_none() {
                put_string(name, &mut out);
            }
            put_string(value, &mut out);
            if is_added {
                self.table.add(name, value);
            }
        }
        out
    }
}

fn put_integer(value: usize, flags: u8, prefix: u32, out: &mut Vec<u8>) {
    let mask = (1 << prefix) - 1;
    if value < mask {
        return out.push(flags | value as u8);
    }
    out.push(flags | mask as u8);
    let mut rest = value - mask;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn put_string(text: &[u8], out: &mut Vec<u8>) {
    if text.len() % 2 == 1 {
        let coded = huffman::encode(text);
        put_integer(coded.len(), 0x80, 7, out);
        out.extend_from_slice(&coded);
    } else {
        put_integer(text.len(), 0, 7, out);
        out.extend_from_slice(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(fields: Vec<Field>) -> Vec<(Vec<u8>, Vec<u8>)> {
        fields.into_iter().map(|field| (field.name, field.value)).collect()
    }

    #[test]
    fn what_is_encoded_comes_back_through_tables_of_every_size() {
        let (mut encoder, mut decoder) = (HpackEncoder::new(), HpackDecoder::new(4096));
        for at in 0..100_usize {
            if at % 20 == 19 {
                encoder.allow(3000 - at * 30);
                decoder.allow(3000 - at * 30);
            }
            let field = |name: &str, value: String| (name.as_bytes().to_vec(), value.into_bytes());
            let fields = vec![
                field(":status", "200".to_owned()),
                field("server", "x".repeat(at)),
                field(&format!("x-{}", at % 7), format!("{}", at % 5)),
                field("empty", String::new()),
            ];
            assert_eq!(decoder.decode(&encoder.encode(&fields)).map(pairs), Ok(fields));
        }
    }

    /// RFC 7541 section C.5: a table of 256 bytes that evicts.
    #[test]
    fn an_example_of_the_rfc_with_a_small_table() {
        let mut decoder = HpackDecoder::new(256);
        let first =
            b"\x48\x03302\x58\x07private\x61\x1dMon, 21 Oct 2013 20:13:21 GMT\x6e\x17https://www.example.com";
        assert_eq!(decoder.decode(first).unwrap().len(), 4);
        let second = decoder.decode(b"\x48\x03307\xc1\xc0\xbf").unwrap();
        let words: Vec<String> =
            second.iter().map(|field| String::from_utf8_lossy(&field.value).into_owned()).collect();
        assert_eq!(words, ["307", "private", "Mon, 21 Oct 2013 20:13:21 GMT", "https://www.example.com"]);
        // `:status: 302` was evicted.
        assert!(decoder.decode(&[0xc2]).is_err());
    }
}
