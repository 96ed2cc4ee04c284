//! When a request may be sent again without being asked: a pure function over six facts.
//!
//! A connection that waited in the pool may have been closed by the server at any moment. If that shows only
//! after the request went out, the request is sent once more on a new connection, exactly when that
//! cannot do anything twice (rows F10, F11, B47; RFC 9110 section 9.2.2).

use http::Method;

use crate::base::repeat::Repeat;
use crate::message::headers::Headers;

/// What is known when an exchange has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "built by whoever decides")]
pub struct Failure {
    /// Whether the connection had carried an earlier exchange.
    pub reused: bool,
    /// Bytes of the request that the transport took.
    pub sent: u64,
    /// Bytes of the response that came.
    pub received: u64,
    /// Whether the request means the same when it is sent twice: see [`is_idempotent`].
    pub idempotent: bool,
    /// Whether its body can be sent again.
    pub replayable: bool,
    /// Whether this request was sent again before.
    pub retried: bool,
}

/// Whether to send the request again, on a new connection.
///
/// ```
/// use sessio::retry::{Failure, is_safe};
///
/// let stale = Failure { reused: true, sent: 80, received: 0, idempotent: true, replayable: true, retried: false };
/// assert!(is_safe(&stale));
/// assert!(!is_safe(&Failure { received: 1, ..stale }));
/// ```
#[must_use]
pub const fn is_safe(failure: &Failure) -> bool {
    failure.reused
        && !failure.retried
        && failure.received == 0
        && failure.replayable
        && (failure.sent == 0 || failure.idempotent)
}

/// What a caller may make of a failure that was not retried.
#[must_use]
pub const fn repeat(failure: &Failure) -> Repeat {
    match failure {
        Failure { sent: 0, .. } => Repeat::Safe,
        Failure { received: 0, replayable: true, .. } => Repeat::IfIdempotent,
        _ => Repeat::No,
    }
}

/// Whether a request means the same when it is sent twice: by its method, or because it has an
/// `Idempotency-Key`.
#[must_use]
pub fn is_idempotent(method: &Method, headers: &Headers) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::PUT | Method::DELETE | Method::OPTIONS | Method::TRACE
    ) || headers.contains("Idempotency-Key")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of the facts, written down by hand from RFC 9110 section 9.2.2 and rows F10, F11 and B47.
    ///
    /// Of each row: bytes sent, bytes received, whether the request is idempotent and its body replayable. Then what
    /// happens by itself on a connection that was used before, the first time, and what the caller is told otherwise.
    #[test]
    fn f11_the_whole_table() {
        use Repeat::{IfIdempotent, No, Safe};
        let (yes, no) = (true, false);
        let table = [
            // sent, received, idempotent, replayable, again, told
            (0, 0, no, no, no, Safe),
            (0, 0, no, yes, yes, Safe),
            (0, 0, yes, no, no, Safe),
            (0, 0, yes, yes, yes, Safe),
            (0, 1, no, no, no, Safe),
            (0, 1, no, yes, no, Safe),
            (0, 1, yes, no, no, Safe),
            (0, 1, yes, yes, no, Safe),
            (1, 0, no, no, no, No),
            (1, 0, no, yes, no, IfIdempotent),
            (1, 0, yes, no, no, No),
            (1, 0, yes, yes, yes, IfIdempotent),
            (1, 1, no, no, no, No),
            (1, 1, no, yes, no, No),
            (1, 1, yes, no, no, No),
            (1, 1, yes, yes, no, No),
            (500, 0, no, no, no, No),
            (500, 0, no, yes, no, IfIdempotent),
            (500, 0, yes, no, no, No),
            (500, 0, yes, yes, yes, IfIdempotent),
            (500, 900, no, no, no, No),
            (500, 900, no, yes, no, No),
            (500, 900, yes, no, no, No),
            (500, 900, yes, yes, no, No),
        ];
        for (sent, received, idempotent, replayable, again, told) in table {
            let failure = Failure { reused: true, sent, received, idempotent, replayable, retried: false };
            assert_eq!((is_safe(&failure), repeat(&failure)), (again, told), "{failure:?}");
            // A fresh connection is never stale, and once more is once.
            for other in [
                Failure { reused: false, ..failure },
                Failure { retried: true, ..failure },
                Failure { reused: false, retried: true, ..failure },
            ] {
                assert_eq!((is_safe(&other), repeat(&other)), (false, told), "{other:?}");
            }
        }
    }

    #[test]
    fn methods_of_rfc_9110() {
        let mut headers = Headers::new();
        assert!(is_idempotent(&Method::PUT, &headers));
        assert!(!is_idempotent(&Method::POST, &headers) && !is_idempotent(&Method::PATCH, &headers));
        headers.insert("idempotency-key", "x").unwrap();
        assert!(is_idempotent(&Method::POST, &headers));
    }
}
