//! The body of a request.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::base::fault::Result;
use crate::base::time::Seed;
use crate::message::coding::{BodyEncoder, ContentCoding};
use crate::message::multipart::{Assembly, Form, Layout};
use crate::uri::pair::Pair;
use crate::uri::params::encode_pairs;

/// The body of a request.
///
/// Bytes can be sent again after a redirect or a challenge; a source only if it is declared
/// replayable.
#[derive(Clone, Default)]
pub struct Body {
    pub(crate) content: Content,
    /// The media type of the body, unless the request has a Content-Type of its own (rule P-43).
    pub(crate) content_type: Option<&'static str>,
    /// The form of a multipart body. It is kept until the request has named a boundary, and beyond
    /// that if it has sources.
    pub(crate) form: Option<Arc<Layout>>,
    /// Content coding and uncoded length in bytes.
    pub(crate) coding: Option<Box<(ContentCoding, Option<u64>)>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Content {
    #[default]
    None,
    Bytes(Bytes),
    Source {
        length: Option<u64>,
        replayable: bool,
    },
}

impl Body {
    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self::of(Content::None, None)
    }

    /// Encodes key and value pairs as `application/x-www-form-urlencoded` (rules P-21, P-36).
    /// Without a pair there is no body. See [`Pair`](crate::Pair).
    ///
    /// ```
    /// let body = sessio::Body::form([("user", "a b"), ("lang", "en")]);
    /// assert_eq!(body.as_bytes().unwrap(), b"user=a+b&lang=en");
    /// ```
    #[must_use]
    pub fn form<P: Pair>(pairs: impl IntoIterator<Item = P>) -> Self {
        let pairs: Vec<(String, String)> = pairs.into_iter().map(Pair::into_texts).collect();
        if pairs.is_empty() {
            return Self::empty();
        }
        let mut text = String::new();
        encode_pairs(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())), &mut text);
        Self::of(Content::Bytes(text.into()), Some("application/x-www-form-urlencoded"))
    }

    /// Encodes a serde value as a form: a struct or a map, in its order, or a sequence of pairs. A
    /// sequence as a value gives one pair for each element, and `None` gives no pair (rule P-22).
    ///
    /// # Errors
    /// [`InvalidBody`](crate::Kind::InvalidBody) if the value is not made of pairs, such as one
    /// that contains a map.
    #[cfg(feature = "json")]
    pub fn form_from<T: serde::Serialize + ?Sized>(value: &T) -> Result<Self> {
        let invalid =
            |error| crate::base::fault::Fault::new(crate::base::kind::Kind::InvalidBody).with_source(error);
        crate::uri::pairs::of(value).map(Self::form).map_err(invalid)
    }

    /// Encodes a form of several parts: see [`multipart`](crate::message::multipart). Its boundary
    /// is drawn from `seed`, unless the request's own Content-Type names one.
    ///
    /// # Errors
    ///
    /// - The error of an invalid part.
    /// - [`InvalidBody`](crate::Kind::InvalidBody) if the total length exceeds the range of a
    ///   length.
    pub fn multipart(form: Form, seed: &mut Seed) -> Result<Self> {
        let layout = form.layout(seed)?;
        let (length, replayable) = (layout.length(), layout.is_replayable());
        let content = Content::Source { length, replayable };
        Ok(Self { form: Some(Arc::new(layout)), ..Self::of(content, None) })
    }

    /// Encodes a value as JSON, in the format of Python (rule P-32).
    ///
    /// # Errors
    /// [`InvalidBody`](crate::Kind::InvalidBody) if the value has no JSON form.
    #[cfg(feature = "json")]
    pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<Self> {
        let text = crate::message::json::write(value)?;
        Ok(Self::of(Content::Bytes(text.into()), Some("application/json")))
    }

    /// A body that the driver supplies in pieces: `length` bytes, or an unknown number.
    /// `replayable` is set if the source can start again.
    #[must_use]
    pub const fn source(length: Option<u64>, replayable: bool) -> Self {
        Self::of(Content::Source { length, replayable }, None)
    }

    const fn of(content: Content, content_type: Option<&'static str>) -> Self {
        Self { content, content_type, form: None, coding: None }
    }

    /// The encoder of a source whose request [compresses](crate::Request::compress) it: the
    /// supplier sends the encoder's output. Bodies of bytes are encoded when their request is
    /// prepared.
    #[must_use]
    pub fn encoding(&self) -> Option<BodyEncoder> {
        match (&self.coding, &self.content) {
            (Some(coded), Content::Source { .. }) => Some(BodyEncoder::new(coded.0, coded.1)),
            _ => None,
        }
    }

    /// The assembly of the body, if it is a [form](Self::multipart) with sources.
    #[must_use]
    pub fn assembly(&self) -> Option<Assembly> {
        self.form.clone().map(Assembly::new)
    }

    /// The bytes, if the body consists of bytes. A form does so once its request is prepared.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &self.content {
            Content::None => Some(b""),
            Content::Bytes(bytes) => Some(bytes),
            Content::Source { .. } => None,
        }
    }

    /// The length in bytes; `None` if it is known only at the end.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match &self.content {
            Content::None => Some(0),
            Content::Bytes(bytes) => Some(bytes.len() as u64),
            Content::Source { length, .. } => *length,
        }
    }

    /// Returns `true` if there is no body. An empty body is a body.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.content == Content::None
    }

    /// Returns `true` if the body can be sent again.
    #[must_use]
    pub fn is_replayable(&self) -> bool {
        !matches!(self.content, Content::Source { replayable: false, .. })
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self::of(Content::Bytes(bytes.into()), None)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::None => f.write_str("Body(empty)"),
            Content::Bytes(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Content::Source { length: Some(length), .. } => write!(f, "Body(source of {length} bytes)"),
            Content::Source { length: None, .. } => f.write_str("Body(source)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b18_no_bytes_no_body_and_no_known_length_are_three_things() {
        for (body, length, is_empty, is_replayable) in [
            (Body::empty(), Some(0), true, true),
            (Body::form([("", ""); 0]), Some(0), true, true),
            ("".into(), Some(0), false, true),
            ("abc".into(), Some(3), false, true),
            (Body::source(Some(0), false), Some(0), false, false),
            (Body::source(None, true), None, false, true),
        ] {
            assert_eq!(
                (body.length(), body.is_empty(), body.is_replayable()),
                (length, is_empty, is_replayable),
                "{body:?}"
            );
        }
        assert_eq!(Body::source(None, true).as_bytes(), None);
    }

    #[test]
    fn s21_a_body_is_not_shown() {
        let shown = format!("{:?} {:?}", Body::from("hunter2"), Body::form([("password", "hunter2")]));
        assert_eq!(shown, "Body(7 bytes) Body(16 bytes)");
    }
}
