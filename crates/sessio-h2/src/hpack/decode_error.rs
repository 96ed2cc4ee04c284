//! Errors of header block decoding.

use std::fmt;

/// The fault in a header block. The dynamic table is out of sync then: the connection must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The block ends within a field.
    Truncated,
    /// An integer is larger than 2^28 - 1, or is padded with zeros.
    IntegerTooLarge,
    /// No entry of the tables has this index.
    InvalidIndex,
    /// A Huffman code is not valid.
    InvalidHuffman,
    /// The table is resized beyond the allowed size.
    TableTooLarge,
    /// A change of the table's size is not at the beginning of the block.
    LateTableSize,
    /// The table must shrink, and the block does not announce it.
    MissingTableSize,
    /// The header list is larger than [`ListLimits::fail`](super::ListLimits::fail).
    ListTooLarge,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the header block ends within a field",
            Self::IntegerTooLarge => "an integer in the header block is too large",
            Self::InvalidIndex => "the header block refers to an entry that does not exist",
            Self::InvalidHuffman => "a Huffman code in the header block is not valid",
            Self::TableTooLarge => "the header block makes the dynamic table larger than allowed",
            Self::LateTableSize => "the header block changes the size of the dynamic table behind a field",
            Self::MissingTableSize => "the header block does not shrink the dynamic table as it must",
            Self::ListTooLarge => "the header list is larger than its limit",
        })
    }
}

impl std::error::Error for DecodeError {}
