//! Whether a request may be sent again.

/// Whether sending the same request again could do harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repeat {
    /// The server cannot have acted on the request.
    Safe,
    /// The server may have acted on it. Repeat only idempotent requests (RFC 9110 section 9.2.2).
    IfIdempotent,
    /// The server has responded, or the body cannot be sent again.
    No,
}
