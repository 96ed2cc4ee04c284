//! The outcome of a request with a pace.

use std::time::Duration;

use http::StatusCode;

use crate::base::kind::Kind;

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a request has a response, or it has none")]
pub enum Outcome {
    /// The head of a response.
    Status {
        /// The status.
        status: StatusCode,
        /// The wait that it asks for: see [`retry_after`](crate::retry::retry_after()).
        retry_after: Option<Duration>,
        /// The time from the end of the request to the head. `None` counts from the beginning of the
        /// request.
        latency: Option<Duration>,
    },
    /// An error.
    Failed {
        /// The kind of the error.
        kind: Kind,
    },
}
