//! A multipart form.

use std::fmt;

use super::boundary;
use super::layout::{Layout, Piece};
use super::part::Part;
use crate::base::fault::{Fault, Result};
use crate::base::time::Seed;

/// A form of several parts, in the order of transmission. Names may occur more than once.
///
/// ```
/// use sessio::multipart::{Form, Part};
///
/// let form = Form::new()
///     .text("user", "ada")
///     .text("tag", "1")
///     .text("tag", "2")
///     .part("report", Part::source(Some(1_000_000), true).file_name("report.pdf"));
/// assert_eq!(form.len(), 4);
/// ```
#[derive(Default)]
#[must_use = "a form is not sent unless a request has it"]
pub struct Form {
    pieces: Vec<Piece>,
    problem: Option<Fault>,
}

impl Form {
    /// A form without parts. Its body is only the end of a form, as browsers send it (rule P-48).
    pub const fn new() -> Self {
        Self { pieces: Vec::new(), problem: None }
    }

    /// Adds a field with a text.
    pub fn text(self, name: impl AsRef<str>, text: impl Into<String>) -> Self {
        self.part(name, Part::text(text))
    }

    /// Adds fields with texts, in their order.
    pub fn fields<K: AsRef<str>, V: Into<String>>(self, pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        pairs.into_iter().fold(self, |form, (name, text)| form.text(name, text))
    }

    /// Adds a part as the field `name`.
    ///
    /// In field names and file names, `"`, CR and LF are escaped as in browsers. Other control
    /// characters are an error, which is reported when the request is prepared. Line ends are not
    /// converted, in names or in contents: browsers write CRLF for each, requests and curl do not.
    ///
    /// A backslash is sent as it is, as all of them do. Servers disagree on its meaning in a name.
    /// Some remove it, some read no name behind it, and some take the text before it for a path.
    pub fn part(mut self, name: impl AsRef<str>, mut part: Part) -> Self {
        let name = name.as_ref();
        match part.head(name) {
            Ok(head) => {
                self.pieces.push(Piece { name: name.into(), head: head.into(), content: part.content });
            }
            Err(problem) => {
                self.problem.get_or_insert(problem);
            }
        }
        self
    }

    /// Number of parts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Returns `true` if there are no parts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Draws a boundary that occurs nowhere in the form's own bytes.
    pub(crate) fn layout(self, seed: &mut Seed) -> Result<Layout> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        loop {
            let boundary = boundary::draw(seed);
            if self.pieces.iter().all(|piece| !piece.contains(&boundary)) {
                return Layout::new(self.pieces, boundary);
            }
        }
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.pieces).finish()
    }
}
