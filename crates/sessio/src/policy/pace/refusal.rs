//! The reason why a request is not sent now.

use std::fmt;
use std::time::Duration;

use crate::base::kind::Kind;
use crate::base::time::Instant;

/// The reason why a request is not sent now, and the time at which another one may be.
///
/// [`Error::pace_refusal`](crate::Error::pace_refusal) returns that of a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The rule that refused.
    pub reason: Reason,
    /// The earliest time at which a request may be sent. `None` if it is not known: another request
    /// is trying the host.
    pub until: Option<Instant>,
    /// The time from the refusal until then.
    pub wait: Option<Duration>,
}

/// The rule that refused a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The [circuit breaker](super::CircuitBreaker) is open.
    CircuitOpen,
    /// The wait for `Retry-After` is longer than [`Hold::max_wait`](super::Hold::max_wait).
    HoldTooLong,
    /// The wait does not end before the time limit of the whole call.
    DeadlineTooNear,
}

impl Refusal {
    pub(crate) fn new(reason: Reason, until: Option<Instant>, now: Instant) -> Self {
        Self { reason, until, wait: until.map(|until| until - now) }
    }

    /// The kind of the call's error.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.reason {
            Reason::CircuitOpen => Kind::CircuitOpen,
            Reason::HoldTooLong | Reason::DeadlineTooNear => Kind::Paced,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reason {
            Reason::CircuitOpen => "the circuit breaker is open",
            Reason::HoldTooLong => "the server asks for a longer wait than `hold.max_wait`",
            Reason::DeadlineTooNear => "the wait does not fit into the time limit of the call",
        })?;
        match self.wait {
            Some(wait) => write!(f, ", and the next request may be sent in {wait:?}"),
            None => f.write_str(", and another request is trying the host"),
        }
    }
}

impl std::error::Error for Refusal {}
