//! The reason why bytes are not a request.

/// The reason why bytes are not a request, with the status of the response to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadRequest {
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
}

impl BadRequest {
    pub(crate) const fn new(reason: &'static str) -> Self {
        Self { status: 400, reason }
    }
}
