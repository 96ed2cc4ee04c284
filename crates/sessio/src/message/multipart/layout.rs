//! A form with its boundary: every byte of it is known except those of its sources.

use std::fmt;

use bytes::Bytes;
use memchr::memmem;

use super::part::Content;
use crate::base::escape::escape;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;

/// The parts and their delimiters.
pub(crate) struct Layout {
    pub(super) pieces: Vec<Piece>,
    pub(super) boundary: String,
    /// The line before a part.
    pub(super) opening: String,
    /// The line behind the last part.
    pub(super) closing: String,
    length: Option<u64>,
}

/// A part, ready to be sent.
#[derive(Clone)]
pub(super) struct Piece {
    pub(super) name: Box<str>,
    pub(super) head: Bytes,
    pub(super) content: Content,
}

/// The line end behind every content.
pub(super) const BREAK: &[u8] = b"\r\n";

impl Layout {
    pub(super) fn new(pieces: Vec<Piece>, boundary: String) -> Result<Self> {
        let opening = format!("--{boundary}\r\n");
        let closing = format!("--{boundary}--\r\n");
        let around = (opening.len() + BREAK.len()) as u64;
        let mut length = Some(closing.len() as u64);
        let is_sized = pieces.iter().all(|piece| piece.content.length().is_some());
        for piece in &pieces {
            let own = around + piece.head.len() as u64;
            length =
                length.and_then(|sum| sum.checked_add(own)?.checked_add(piece.content.length().unwrap_or(0)));
        }
        if length.is_none() {
            return Err(Fault::new(Kind::InvalidBody).with_detail("the form is longer than a length can say"));
        }
        Ok(Self { pieces, boundary, opening, closing, length: length.filter(|_| is_sized) })
    }

    /// The same form with a boundary of the caller.
    pub(crate) fn with_boundary(&self, boundary: String) -> Result<Self> {
        if let Some(piece) = self.pieces.iter().find(|piece| piece.contains(&boundary)) {
            let detail = format!("the boundary occurs in the part \"{}\"", escape(piece.name.as_bytes()));
            return Err(Fault::new(Kind::InvalidBody).with_detail(detail));
        }
        Self::new(self.pieces.clone(), boundary)
    }

    pub(crate) fn boundary(&self) -> &str {
        &self.boundary
    }

    /// The length in bytes, if all parts have a known length.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    pub(crate) fn is_replayable(&self) -> bool {
        !self.pieces.iter().any(|piece| matches!(piece.content, Content::Source { replayable: false, .. }))
    }

    /// The whole form, if it has no sources.
    pub(crate) fn bytes(&self) -> Option<Bytes> {
        let length = usize::try_from(self.length?).ok()?;
        if self.pieces.iter().any(|piece| matches!(piece.content, Content::Source { .. })) {
            return None;
        }
        let mut out = Vec::with_capacity(length);
        for piece in &self.pieces {
            out.extend_from_slice(self.opening.as_bytes());
            out.extend_from_slice(&piece.head);
            if let Content::Bytes(bytes) = &piece.content {
                out.extend_from_slice(bytes);
            }
            out.extend_from_slice(BREAK);
        }
        out.extend_from_slice(self.closing.as_bytes());
        Some(out.into())
    }
}

impl Piece {
    /// Returns `true` if the boundary occurs in the form's own bytes.
    pub(super) fn contains(&self, boundary: &str) -> bool {
        let occurs = |bytes: &[u8]| memmem::find(bytes, boundary.as_bytes()).is_some();
        occurs(&self.head) || matches!(&self.content, Content::Bytes(bytes) if occurs(bytes))
    }
}

impl fmt::Debug for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.pieces).finish()
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = escape(self.name.as_bytes());
        match self.content.length() {
            Some(length) => write!(f, "{name}: {length} bytes"),
            None => write!(f, "{name}: source"),
        }
    }
}
