//! Defaults of the session that do not apply to a request.

/// A default of the session that did not apply to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The kind of the default.
    pub part: Part,
    /// The name of the header, or the key of the parameter.
    pub name: Box<str>,
    /// Whether the request was sent without it. Otherwise the request had a value of its own.
    pub removed: bool,
    /// Whether the default belongs to the origin of `base_url`, and the request goes to another
    /// origin.
    pub other_origin: bool,
}

impl Override {
    pub(crate) const fn by_request(part: Part, name: Box<str>, removed: bool) -> Self {
        Self { part, name, removed, other_origin: false }
    }

    pub(crate) fn by_origin(part: Part, name: &str) -> Self {
        Self { part, name: name.into(), removed: true, other_origin: true }
    }
}

/// The kinds of defaults that a request overrides by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// A header.
    Header,
    /// A query parameter.
    Param,
    /// The session's `auth`.
    Auth,
    /// The session's client certificate.
    Identity,
}
