//! The request that a client sent on a stream.

use super::hpack::Field;

/// A request as it was received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The id of its stream.
    pub stream: u32,
    /// The fields of its head in order, with the pseudo-fields.
    pub fields: Vec<Field>,
    /// The bytes of its body.
    pub body: Vec<u8>,
    /// Its trailers.
    pub trailers: Vec<Field>,
    /// Whether it has ended.
    pub is_ended: bool,
    /// The error code with which the client reset the stream.
    pub reset: Option<u32>,
}

impl Request {
    /// The value of a pseudo-field, such as `:path`.
    pub fn pseudo(&self, name: &str) -> Option<&[u8]> {
        self.header(name)
    }

    /// The value of the first field with that name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|field| field.name == name.as_bytes()).map(|field| &field.value[..])
    }
}
