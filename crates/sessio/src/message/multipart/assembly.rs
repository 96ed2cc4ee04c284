//! A form of sources, put together as it is sent.

use std::fmt;
use std::sync::Arc;

use super::layout::{BREAK, Layout};
use super::part::Content;
use crate::base::escape::escape;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;

/// Says what of a form comes next. Asking changes nothing; answers do.
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
///         // The source is asked for one byte more than it should have; it has no more.
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
    /// Which part it is; one behind the last is the end of the form.
    part: usize,
    /// Which source is the next.
    source: usize,
    stage: Stage,
    /// How much of the stage has passed.
    done: u64,
}

/// What is sent of a part, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The boundary in front of it, or the last one.
    Boundary,
    Head,
    Content,
    Break,
    /// Everything has passed.
    Over,
}

/// What of a form comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// Bytes of this source, `most` at most: one more than are left where the part has a length, so that one that has
    /// more is seen before an excess byte leaves (row F30).
    Source {
        /// Which of the sources, counted in the order of the parts that have one.
        index: usize,
        /// How many bytes at most.
        most: u64,
    },
    /// Nothing: that was all.
    End,
}

impl Assembly {
    pub(crate) fn new(layout: Arc<Layout>) -> Self {
        Self { layout, part: 0, source: 0, stage: Stage::Boundary, done: 0 }
    }

    /// What comes next.
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
        // What has passed of bytes that are here fits.
        Wanted::Bytes(here.get(self.done as usize..).unwrap_or_default())
    }

    /// The first `n` of the bytes that are wanted were taken.
    pub fn took(&mut self, n: usize) {
        let Wanted::Bytes(bytes) = self.wanted() else { return };
        let (n, is_whole) = (n.min(bytes.len()), n >= bytes.len());
        self.done += n as u64;
        if is_whole {
            self.pass();
        }
    }

    /// The source that is wanted has given `n` bytes; none are not its end.
    ///
    /// # Errors
    /// [`Kind::BodyLength`] if they are more than its part has: none of these must be sent then. [`Kind::Misuse`] if
    /// no source is wanted.
    pub fn supplied(&mut self, n: usize) -> Result<()> {
        let left = self.left()?;
        if left.is_some_and(|left| n as u64 > left) {
            return Err(self.wrong("longer"));
        }
        self.done = self.done.saturating_add(n as u64);
        Ok(())
    }

    /// The source that is wanted has no more.
    ///
    /// # Errors
    /// [`Kind::BodyLength`] if its part has more. [`Kind::Misuse`] if no source is wanted.
    pub fn ended(&mut self) -> Result<()> {
        if self.left()?.is_some_and(|left| left > 0) {
            return Err(self.wrong("shorter"));
        }
        self.source += 1;
        self.pass();
        Ok(())
    }

    /// Back to the start; the sources have to go back to theirs.
    pub fn rewind(&mut self) {
        (self.part, self.source, self.stage, self.done) = (0, 0, Stage::Boundary, 0);
    }

    /// The name of the part that is being sent.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.layout.pieces.get(self.part).map(|piece| &*piece.name)
    }

    /// How much of the wanted source is left, if its part has a length.
    fn left(&self) -> Result<Option<u64>> {
        match self.layout.pieces.get(self.part).map(|piece| &piece.content) {
            Some(Content::Source { length, .. }) if self.stage == Stage::Content => {
                Ok(length.map(|length| length.saturating_sub(self.done)))
            }
            _ => Err(Fault::new(Kind::Misuse)),
        }
    }

    /// Goes on to what has bytes to send or a source to ask.
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
