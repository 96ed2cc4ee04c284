//! The circuit breaker.

use std::time::Duration;

use super::outcome::Outcome;
use super::refusal::{Reason, Refusal};
use crate::base::kind::{Kind, Timeout};
use crate::base::time::Instant;
use crate::policy::retry::{FailureClass, FailureSet, StatusSet};

/// The rule after many failures: no request is sent for a while, and calls fail at once with
/// [`Kind::CircuitOpen`]. Then one request tries whether the host is well again.
///
/// ```text
/// closed ── too many failures ──▶ open ── `open_for` ──▶ half-open ── success ──▶ closed
///                                  ▲                        │
///                                  └──────── failure ───────┘
/// ```
///
/// In the half-open state exactly one request goes through (row FR9). If its caller drops it, the next one
/// takes its place.
///
/// A response with another status is a success, also a 404 or 429. A call that its caller drops is
/// neither, and neither is an error that is not listed here.
///
/// ```
/// use std::time::Duration;
/// use sessio::pace::{CircuitBreaker, FailureShare};
///
/// // Half of at least 20 requests within a minute.
/// let share = FailureShare::new(50, 20, Duration::from_secs(60));
/// let breaker = CircuitBreaker::default().open_for(Duration::from_secs(10)).share(share);
/// assert_eq!(breaker.failures, 5);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CircuitBreaker {
    /// The number of failures in a row that opens the circuit. Default: 5. 0 is no limit.
    pub failures: u32,
    /// The share of failures that opens the circuit. Default: `None`.
    pub share: Option<FailureShare>,
    /// The time for which the circuit stays open. Default: 30 s.
    pub open_for: Duration,
    /// The failures that count. Default: resolve, connect, closed and timeout. The time limit of
    /// the whole call counts as a timeout.
    pub kinds: FailureSet,
    /// The statuses that count. Default: 500, 502, 503 and 504.
    pub statuses: StatusSet,
}

/// A share of failures within a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailureShare {
    /// Failures for each 100 requests.
    pub percent: u32,
    /// The number of requests below which the share does not count.
    pub at_least: u32,
    /// The span of time in which requests are counted. Then counting starts over.
    pub within: Duration,
}

impl FailureShare {
    /// This many failures for each 100 requests, of at least this many within this span of time.
    #[must_use]
    pub const fn new(percent: u32, at_least: u32, within: Duration) -> Self {
        Self { percent, at_least, within }
    }
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self {
            failures: 5,
            share: None,
            open_for: Duration::from_secs(30),
            kinds: FailureSet::default(),
            statuses: StatusSet::new([500, 502, 503, 504]),
        }
    }
}

impl CircuitBreaker {
    /// Sets the number of failures in a row that opens the circuit. 0 is no limit. Default: 5.
    #[must_use]
    pub fn failures(mut self, most: u32) -> Self {
        self.failures = most;
        self
    }

    /// Sets the share of failures that opens the circuit. Default: `None`.
    #[must_use]
    pub fn share(mut self, share: impl Into<Option<FailureShare>>) -> Self {
        self.share = share.into();
        self
    }

    /// Sets the time for which the circuit stays open. Default: 30 s.
    #[must_use]
    pub fn open_for(mut self, span: Duration) -> Self {
        self.open_for = span;
        self
    }

    /// Sets the failures that count. Default: resolve, connect, closed and timeout.
    #[must_use]
    pub fn kinds(mut self, kinds: FailureSet) -> Self {
        self.kinds = kinds;
        self
    }

    /// Sets the statuses that count. Default: 500, 502, 503 and 504.
    #[must_use]
    pub fn statuses(mut self, statuses: StatusSet) -> Self {
        self.statuses = statuses;
        self
    }

    /// Whether this outcome is a failure. `None` if it says nothing about the host.
    fn is_failure(&self, outcome: &Outcome) -> Option<bool> {
        match *outcome {
            Outcome::Status { status, .. } => Some(self.statuses.contains(status.as_u16())),
            Outcome::Failed { kind } => {
                let class = match kind {
                    Kind::Timeout(Timeout::Total) => Some(FailureClass::Timeout),
                    kind => FailureClass::of(kind),
                };
                class.filter(|class| self.kinds.contains(*class)).map(|_| true)
            }
        }
    }
}

/// The state of a breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BreakerState {
    circuit: Circuit,
    /// The number of changes of the circuit. Outcomes of requests from before one are ignored.
    pub(super) generation: u32,
    in_a_row: u32,
    counted_since: Instant,
    requests: u32,
    failed: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Circuit {
    #[default]
    Closed,
    /// No request before this time, and then one.
    Open(Instant),
    /// One request is under way.
    HalfOpen,
}

impl BreakerState {
    /// Whether a request may be sent.
    pub(super) fn check(self, now: Instant) -> Result<(), Refusal> {
        match self.circuit {
            Circuit::Closed => Ok(()),
            Circuit::Open(until) if until <= now => Ok(()),
            Circuit::Open(until) => Err(Refusal::new(Reason::CircuitOpen, Some(until), now)),
            Circuit::HalfOpen => Err(Refusal::new(Reason::CircuitOpen, None, now)),
        }
    }

    /// Begins a request. Returns `true` if it is the only one in the half-open state.
    pub(super) fn start(&mut self) -> bool {
        if matches!(self.circuit, Circuit::Closed) {
            return false;
        }
        self.change(Circuit::HalfOpen);
        true
    }

    pub(super) fn report(
        &mut self,
        breaker: &CircuitBreaker,
        is_trial: bool,
        outcome: &Outcome,
        now: Instant,
    ) {
        let Some(is_failure) = breaker.is_failure(outcome) else { return };
        if is_trial {
            return match is_failure {
                true => self.change(Circuit::Open(now + breaker.open_for)),
                false => self.change(Circuit::Closed),
            };
        }
        self.in_a_row = if is_failure { self.in_a_row.saturating_add(1) } else { 0 };
        let is_share_reached = breaker.share.is_some_and(|share| {
            if now - self.counted_since >= share.within {
                (self.counted_since, self.requests, self.failed) = (now, 0, 0);
            }
            self.requests = self.requests.saturating_add(1);
            self.failed = self.failed.saturating_add(u32::from(is_failure));
            let percent = u64::from(self.requests) * u64::from(share.percent);
            is_failure && self.requests >= share.at_least && u64::from(self.failed) * 100 >= percent
        });
        if is_share_reached || (breaker.failures > 0 && self.in_a_row >= breaker.failures) {
            self.change(Circuit::Open(now + breaker.open_for));
        }
    }

    /// The only request of the half-open state ended without an outcome.
    pub(super) fn give_up(&mut self, now: Instant) {
        self.change(Circuit::Open(now));
    }

    fn change(&mut self, circuit: Circuit) {
        *self = Self { circuit, generation: self.generation.wrapping_add(1), ..Self::default() };
    }

    /// Whether nothing is to be remembered.
    pub(super) fn is_fresh(self) -> bool {
        self.circuit == Circuit::Closed && self.in_a_row == 0 && self.requests == 0
    }
}
