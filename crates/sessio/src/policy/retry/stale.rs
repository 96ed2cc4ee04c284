//! The retry of a stale connection: a pure function over six facts.
//!
//! The server may close a pooled connection at any moment. If the client notices only after it has
//! sent a request, it may send that request a second time, on a new connection. It does so exactly
//! when that cannot repeat an effect (rows F10, F11, B47; RFC 9110 section 9.2.2).

use http::Method;

use crate::base::repeat::Repeat;
use crate::message::headers::Headers;
use crate::policy::retry::idempotency_key::IDEMPOTENCY_KEY;

/// The facts about a failed exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "built by whoever decides")]
pub struct Failure {
    /// The connection had carried an earlier exchange.
    pub reused: bool,
    /// Bytes of the request that the transport took.
    pub sent: u64,
    /// Bytes of the response that arrived.
    pub received: u64,
    /// The request is idempotent: see [`is_idempotent`].
    pub idempotent: bool,
    /// The body can be sent again.
    pub replayable: bool,
    /// This request was sent again before.
    pub retried: bool,
}

/// Returns `true` if the request may be sent again, on a new connection.
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

/// The advice to the caller after a failure without a retry.
#[must_use]
pub const fn repeat(failure: &Failure) -> Repeat {
    match failure {
        Failure { sent: 0, .. } => Repeat::Safe,
        Failure { received: 0, replayable: true, .. } => Repeat::IfIdempotent,
        _ => Repeat::No,
    }
}

/// Returns `true` if sending the request twice has the effect of sending it once: by its method, or
/// because it has an `Idempotency-Key`.
#[must_use]
pub fn is_idempotent(method: &Method, headers: &Headers) -> bool {
    has_idempotent_method(method) || headers.contains(IDEMPOTENCY_KEY)
}

/// Whether the method is idempotent (RFC 9110 section 9.2.2).
pub(crate) fn has_idempotent_method(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::PUT | Method::DELETE | Method::OPTIONS | Method::TRACE
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every combination of the facts, written by hand from RFC 9110 section 9.2.2 and rows F10,
    /// F11 and B47.
    ///
    /// Of each row: bytes sent, bytes received, whether the request is idempotent and its body
    /// replayable. Then the automatic decision for the first failure of a reused connection, and
    /// the advice otherwise.
    #[test]
    fn f11_the_whole_table() {
        use Repeat::{IfIdempotent, No, Safe};
        let (yes, no) = (true, false);
        let table = [
            // sent, received, idempotent, replayable, retry, advice
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
        for (sent, received, idempotent, replayable, retry, advice) in table {
            let failure = Failure { reused: true, sent, received, idempotent, replayable, retried: false };
            assert_eq!((is_safe(&failure), repeat(&failure)), (retry, advice), "{failure:?}");
            // A fresh connection is never stale, and there is at most one retry.
            for other in [
                Failure { reused: false, ..failure },
                Failure { retried: true, ..failure },
                Failure { reused: false, retried: true, ..failure },
            ] {
                assert_eq!((is_safe(&other), repeat(&other)), (false, advice), "{other:?}");
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
