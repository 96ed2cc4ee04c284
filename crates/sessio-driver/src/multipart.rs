//! Forms of several parts, `multipart/form-data`, whose files are read piece by piece.
//!
//! [`sessio::multipart::Part`] has the headers of a part, and contents in memory. The part here
//! adds a [`Source`] for other contents. A backend adds parts from files.

use std::fmt;

use sessio::Bytes;
use sessio::multipart;

use crate::source::{Feed, Source};

/// One part of a [`Form`].
#[must_use = "a part is not sent unless it is put into a form"]
pub struct Part {
    part: multipart::Part,
    source: Option<Box<dyn Source>>,
}

/// A form of several parts, in sending order, for
/// [`RequestBuilder::multipart`](crate::RequestBuilder::multipart).
///
/// Contents of sources are not collected in memory. The length of the form is exact if every part
/// has one. Else the form is sent in chunks. It can be sent again, for a redirect, a challenge or a
/// retry, if all of its parts can.
#[derive(Default)]
#[must_use = "a form is not sent unless a request has it"]
pub struct Form {
    form: multipart::Form,
    sources: Vec<Box<dyn Source>>,
}

macro_rules! steps {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        $(
            #[doc = concat!("See [`sessio::multipart::Part::", stringify!($name), "`].")]
            pub fn $name(mut self, $($argument: $type),*) -> Self {
                self.part = self.part.$name($($argument),*);
                self
            }
        )*
    };
}

impl Part {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { part: multipart::Part::text(text), source: None }
    }

    /// Bytes of any kind.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self { part: multipart::Part::bytes(bytes), source: None }
    }

    /// Content that is read piece by piece: `length` bytes, or chunks if it is `None`. `replayable`
    /// means that the source can start over. A source with more or less than its length is
    /// [`Kind::BodyLength`](sessio::Kind::BodyLength), and the error names the part.
    pub fn source(source: impl Source, length: Option<u64>, replayable: bool) -> Self {
        Self::feed(Feed::new(source, length, replayable))
    }

    /// Content that is read piece by piece, such as a file that the backend opens. See
    /// [`source`](Self::source).
    pub fn feed(feed: Feed) -> Self {
        Self { part: multipart::Part::source(feed.length, feed.is_replayable), source: Some(feed.source) }
    }

    steps! {
        file_name(name: impl Into<String>);
        content_type(kind: impl Into<String>);
        header(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>);
    }

    /// See [`sessio::multipart::Part::guess_type`].
    #[cfg(feature = "mime")]
    pub fn guess_type(mut self) -> Self {
        self.part = self.part.guess_type();
        self
    }

    /// The length of its content in bytes; `None` if it is unknown before the end.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.part.length()
    }
}

impl Form {
    /// A form without parts.
    pub const fn new() -> Self {
        Self { form: multipart::Form::new(), sources: Vec::new() }
    }

    /// Adds a field with a text.
    pub fn text(self, name: impl AsRef<str>, text: impl Into<String>) -> Self {
        self.part(name, Part::text(text))
    }

    /// Adds fields with texts, in their order.
    pub fn fields<K: AsRef<str>, V: Into<String>>(mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        self.form = self.form.fields(pairs);
        self
    }

    /// Adds a part as the field `name`. See [`sessio::multipart::Form::part`].
    pub fn part(mut self, name: impl AsRef<str>, part: Part) -> Self {
        self.form = self.form.part(name, part.part);
        self.sources.extend(part.source);
        self
    }

    pub(crate) fn into_parts(self) -> (multipart::Form, Vec<Box<dyn Source>>) {
        (self.form, self.sources)
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.part, f)
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.form, f)
    }
}
