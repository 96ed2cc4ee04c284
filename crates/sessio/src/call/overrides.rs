//! The session's defaults that do not hold for a request.

/// One of the session's defaults that did not hold for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// What kind of default it was.
    pub part: Part,
    /// Which one: the name of the header, the key of the parameter.
    pub name: Box<str>,
    /// Whether the request went without; otherwise it had a value of its own.
    pub removed: bool,
    /// Whether it belongs to the origin of `base_url` and the request goes to another one.
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

/// The kinds of defaults that requests override by name.
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
