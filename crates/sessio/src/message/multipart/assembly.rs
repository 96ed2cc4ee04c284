//! The assembly of a form with sources during transmission.

use std::fmt;
use std::sync::Arc;

use super::layout::{BREAK, Layout};
use super::part::Content;
use crate::base::escape::escape;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;

/// Iterates over the pieces of a form. A query changes nothing; only reports of progress do.
///
/// It holds no byte of any source: those go from the source to the connection.
///
/// ```
/// use sessio::multipart::{Form, Part, Wanted};
/// use sessio::{Body, Seed};
///
/// let form = Form::new().text("a", "1").part("b", Part::source(Some(5), false));
/// let body = Body::multipart(form, &mut Seed::new(1))?;
/// let mut assembly = body.assembly().unwrap();
/// let mut sent = Vec::new();
/// loop {
///     match assembly.wanted() {
///         Wanted::Bytes(bytes) => {
///             sent.extend_from_slice(bytes);
///             let n = bytes.len();
///             assembly.took(n);
///         }
///         // The request is for one byte more than the rest; the source has no more.
///         Wanted::Source { index: 0, most: 6 } => {
///             sent.extend_from_slice(b"hello");
///             assembly.supplied(5)?;
///         }
///         Wanted::Source { .. } => assembly.ended()?,
///         Wanted::End => break,
///     }
/// }
/// assert_eq!(sent.len() as u64, body.length().unwrap());
/// # Ok::<(), sessio::Error>(())
/// ```
#[derive(Clone)]
pub struct Assembly {
    layout: Arc<Layout>,
    /// Index of the current part; one behind the last is the end of the form.
    part: usize,
    /// Index of the next source.
    source: usize,
    stage: Stage,
    /// Number of bytes of the stage that are done.
    done: u64,
}

/// The stages of a part, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The boundary before the part, or the last one.
    Boundary,
    Head,
    Content,
    Break,
    /// Everything is done.
    Over,
}

/// The next piece of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// Bytes of this source, at most `most`. For a part with a length, `most` is one more than the
    /// rest. So an excess byte is detected before it is sent (row F30).
    Source {
        /// Index of the source, counted over the parts that have one.
        index: usize,
        /// Maximal number of bytes.
        most: u64,
    },
    /// The end of the form.
    End,
}

impl Assembly {
    pub(crate) fn new(layout: Arc<Layout>) -> Self {
        Self { layout, part: 0, source: 0, stage: Stage::Boundary, done: 0 }
    }

    /// The next piece.
    #[must_use]
    pub fn wanted(&self) -> Wanted<'_> {
        let here: &[u8] = match (self.stage, self.layout.pieces.get(self.part)) {
            (Stage::Over, _) => return Wanted::End,
            (Stage::Boundary, Some(_)) => self.layout.opening.as_bytes(),
            (_, None) => self.layout.closing.as_bytes(),
            (Stage::Head, Some(piece)) => &piece.head,
            (Stage::Break, _) => BREAK,
            (Stage::Content, Some(piece)) => match &piece.content {
                Content::Bytes(bytes) => bytes,
                Content::Source { length, .. } => {
                    let left = length.map_or(u64::MAX, |length| length.saturating_sub(self.done));
                    return Wanted::Source { index: self.source, most: left.saturating_add(1) };
                }
            },
        };
        // The offset is within these bytes.
        Wanted::Bytes(here.get(self.done as usize..).unwrap_or_default())
    }

    /// Reports that the first `n` of the requested bytes were taken.
    pub fn took(&mut self, n: usize) {
        let Wanted::Bytes(bytes) = self.wanted() else { return };
        let (n, is_whole) = (n.min(bytes.len()), n >= bytes.len());
        self.done += n as u64;
        if is_whole {
            self.pass();
        }
    }

    /// Reports that the current source has supplied `n` bytes; 0 is not its end.
    ///
    /// # Errors
    ///
    /// - [`Kind::BodyLength`] if they exceed the length of the part: none of them must be sent
    ///   then.
    /// - [`Kind::Misuse`] if no source is current.
    pub fn supplied(&mut self, n: usize) -> Result<()> {
        let left = self.left()?;
        if left.is_some_and(|left| n as u64 > left) {
            return Err(self.wrong("longer"));
        }
        self.done = self.done.saturating_add(n as u64);
        Ok(())
    }

    /// Reports the end of the current source.
    ///
    /// # Errors
    ///
    /// - [`Kind::BodyLength`] if its part is longer.
    /// - [`Kind::Misuse`] if no source is current.
    pub fn ended(&mut self) -> Result<()> {
        if self.left()?.is_some_and(|left| left > 0) {
            return Err(self.wrong("shorter"));
        }
        self.source += 1;
        self.pass();
        Ok(())
    }

    /// Starts over; the sources must start over, too.
    pub fn rewind(&mut self) {
        (self.part, self.source, self.stage, self.done) = (0, 0, Stage::Boundary, 0);
    }

    /// The name of the part that is being sent.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.layout.pieces.get(self.part).map(|piece| &*piece.name)
    }

    /// The rest of the current source in bytes, if its part has a length.
    fn left(&self) -> Result<Option<u64>> {
        match self.layout.pieces.get(self.part).map(|piece| &piece.content) {
            Some(Content::Source { length, .. }) if self.stage == Stage::Content => {
                Ok(length.map(|length| length.saturating_sub(self.done)))
            }
            _ => Err(Fault::new(Kind::Misuse)),
        }
    }

    /// Moves to the next stage that has bytes to send or a source to read.
    fn pass(&mut self) {
        self.done = 0;
        let Some(piece) = self.layout.pieces.get(self.part) else {
            self.stage = Stage::Over;
            return;
        };
        let is_empty = matches!(&piece.content, Content::Bytes(bytes) if bytes.is_empty());
        self.stage = match self.stage {
            Stage::Boundary => Stage::Head,
            Stage::Head if is_empty => Stage::Break,
            Stage::Head => Stage::Content,
            Stage::Content => Stage::Break,
            Stage::Break => {
                self.part += 1;
                Stage::Boundary
            }
            Stage::Over => Stage::Over,
        };
    }

    #[cold]
    fn wrong(&self, how: &str) -> Fault {
        let name = escape(self.name().unwrap_or_default().as_bytes());
        Fault::new(Kind::BodyLength).with_detail(format!("the part \"{name}\" is {how} than declared"))
    }
}

impl fmt::Debug for Assembly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assembly")
            .field("part", &self.part)
            .field("stage", &self.stage)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}
