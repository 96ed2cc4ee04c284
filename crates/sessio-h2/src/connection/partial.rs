//! Frames and header blocks that have arrived in part.

/// The rest of a DATA frame whose header was read.
#[derive(Debug)]
pub(super) struct DataFrame {
    pub(super) stream: u32,
    pub(super) data: u32,
    pub(super) padding: u32,
    pub(super) is_last: bool,
}

/// A header block of several frames.
#[derive(Debug)]
pub(super) struct Assembly {
    pub(super) stream: u32,
    pub(super) is_last: bool,
    pub(super) continuations: u32,
    pub(super) block: Vec<u8>,
}
