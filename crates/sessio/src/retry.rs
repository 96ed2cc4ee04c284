//! When a request may be sent again without being asked: a pure function over six facts.
//!
//! A connection that waited in the pool may have been closed by the server at any moment. If that shows only
//! after the request went out, the request is sent once more on a new connection, exactly when that
//! cannot do anything twice (rows F10, F11, B47; RFC 9110 section 9.2.2).

use http::Method;

use crate::error::Repeat;
use crate::headers::Headers;

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

    #[test]
    fn f11_the_whole_table() {
        let both = [false, true];
        let mut safe = 0;
        for reused in both {
            for sent in [0, 1, 500] {
                for received in [0, 1] {
                    for idempotent in both {
                        for replayable in both {
                            for retried in both {
                                let failure =
                                    Failure { reused, sent, received, idempotent, replayable, retried };
                                let expected = reused
                                    && !retried
                                    && received == 0
                                    && replayable
                                    && (sent == 0 || idempotent);
                                assert_eq!(is_safe(&failure), expected, "{failure:?}");
                                safe += usize::from(expected);
                                if received > 0 && sent > 0 {
                                    assert_eq!(repeat(&failure), Repeat::No, "{failure:?}");
                                }
                            }
                        }
                    }
                }
            }
        }
        // Reused, first time, nothing received, replayable: nothing sent (2), or sent (2) and idempotent.
        assert_eq!(safe, 4);
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
