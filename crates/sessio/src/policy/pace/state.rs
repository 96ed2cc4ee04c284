//! The state of one pace.

use std::time::Duration;

use super::breaker::BreakerState;
use super::bucket::Bucket;
use super::outcome::Outcome;
use super::refusal::{Reason, Refusal};
use super::rules::Pace;
use super::throttle::ThrottleState;
use crate::base::time::Instant;

/// The state of the requests that share one pace, as a function of the time.
///
/// [`check`](Self::check) decides whether a request may begin, and changes nothing.
/// [`start`](Self::start) begins it. [`report`](Self::report) takes its outcome, and
/// [`finish`](Self::finish) ends it. A request that ends without an outcome only gives its place
/// back.
///
/// ```
/// use std::time::Duration;
/// use sessio::Instant;
/// use sessio::pace::{Pace, PaceState, Pass};
///
/// let (pace, mut state) = (Pace::rate(2, Duration::from_secs(1)), PaceState::default());
/// let now = Instant::from_nanos(1 << 42);
/// assert_eq!(state.check(&pace, now), Pass::Go);
/// let permit = state.start(&pace, now);
/// assert_eq!(state.check(&pace, now), Pass::At(now + Duration::from_millis(500)));
/// state.finish(permit, now);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaceState {
    bucket: Bucket,
    throttle: ThrottleState,
    breaker: BreakerState,
    held_until: Instant,
    running: u32,
}

/// Whether a request may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "callers handle each of them")]
pub enum Pass {
    /// Now.
    Go,
    /// At this time.
    At(Instant),
    /// Once another request has ended.
    Full,
    /// Not soon.
    Refused(Refusal),
}

/// A request that has begun.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a permit that is not given back counts for ever"]
pub struct Permit {
    /// The only request of the half-open state.
    is_trial: bool,
    is_reported: bool,
    generation: u32,
    began: Instant,
}

/// The wait of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PaceWait {
    /// The time at which the request may begin, as known now. `None` if it waits for the end of
    /// others.
    pub until: Option<Instant>,
    /// A time before which it does not begin, unless requests before it are given up or the pace
    /// changes.
    pub earliest: Instant,
}

impl PaceState {
    /// Whether a request may begin now.
    #[must_use]
    pub fn check(&self, pace: &Pace, now: Instant) -> Pass {
        if pace.breaker.is_some()
            && let Err(refusal) = self.breaker.check(now)
        {
            return Pass::Refused(refusal);
        }
        let held_until = self.held_until(pace);
        if pace.hold.is_some_and(|hold| held_until - now > hold.max_wait) {
            return Pass::Refused(Refusal::new(Reason::HoldTooLong, Some(held_until), now));
        }
        let by_rate = pace.rate.as_ref().map(|rate| self.bucket.earliest(rate, 0, now));
        let by_throttle = pace.throttle.as_ref().map(|throttle| self.throttle.next(throttle));
        let at = by_rate.into_iter().chain(by_throttle).fold(held_until, Instant::max);
        if at > now {
            return Pass::At(at);
        }
        match pace.concurrency {
            Some(most) if self.running >= most.max(1) => Pass::Full,
            _ => Pass::Go,
        }
    }

    /// A time before which a request cannot begin, if `before` others come first. Neither a response
    /// nor the end of a request makes it earlier.
    #[must_use]
    pub fn earliest(&self, pace: &Pace, before: usize, now: Instant) -> Instant {
        let from = now.max(self.held_until(pace));
        let by_rate = pace.rate.as_ref().map(|rate| self.bucket.earliest(rate, before, from));
        let by_throttle = pace.throttle.as_ref().map(|it| self.throttle.earliest(it, before, from));
        by_rate.into_iter().chain(by_throttle).fold(from, Instant::max)
    }

    /// Begins a request that [`check`](Self::check) lets go.
    pub fn start(&mut self, pace: &Pace, now: Instant) -> Permit {
        if let Some(rate) = &pace.rate {
            self.bucket.take(rate, now);
        }
        if pace.throttle.is_some() {
            self.throttle.start(now);
        }
        self.running += 1;
        let is_trial = pace.breaker.is_some() && self.breaker.start();
        Permit { is_trial, is_reported: false, generation: self.breaker.generation, began: now }
    }

    /// Takes the outcome of a request. Only the first one counts. Returns whether it has started or
    /// extended a hold.
    pub fn report(&mut self, pace: &Pace, permit: &mut Permit, outcome: &Outcome, now: Instant) -> bool {
        if std::mem::replace(&mut permit.is_reported, true) {
            return false;
        }
        let (latency, is_error) = match *outcome {
            Outcome::Status { status, latency, .. } => (latency, status.as_u16() >= 400),
            Outcome::Failed { .. } => (None, true),
        };
        if let Some(throttle) = &pace.throttle {
            let latency = latency.unwrap_or(now - permit.began);
            self.throttle.report(throttle, latency, is_error);
        }
        if let Some(breaker) = &pace.breaker
            && permit.generation == self.breaker.generation
        {
            self.breaker.report(breaker, permit.is_trial, outcome, now);
        }
        let (Some(hold), Outcome::Status { status, retry_after: Some(wait), .. }) = (pace.hold, outcome)
        else {
            return false;
        };
        let until = now + (*wait).min(hold.max);
        let is_held = matches!(status.as_u16(), 429 | 503) && until > self.held_until.max(now);
        if is_held {
            self.held_until = until;
        }
        is_held
    }

    /// Ends a request.
    pub fn finish(&mut self, permit: Permit, now: Instant) {
        self.running -= 1;
        // Without an outcome of its own the circuit is in the state of its beginning.
        if permit.is_trial && permit.generation == self.breaker.generation {
            self.breaker.give_up(now);
        }
    }

    /// The number of requests that have begun and not ended.
    #[must_use]
    pub const fn running(&self) -> u32 {
        self.running
    }

    /// The delay of an [`AutoThrottle`](super::AutoThrottle) at present.
    #[must_use]
    pub fn delay(&self, pace: &Pace) -> Option<Duration> {
        pace.throttle.as_ref().map(|throttle| self.throttle.delay(throttle))
    }

    /// Whether a new state would decide the same from now on.
    #[must_use]
    pub fn is_at_rest(&self, now: Instant) -> bool {
        self.running == 0
            && self.held_until <= now
            && self.bucket.is_full(now)
            && self.throttle.is_fresh()
            && self.breaker.is_fresh()
    }

    fn held_until(&self, pace: &Pace) -> Instant {
        if pace.hold.is_some() { self.held_until } else { Instant::ZERO }
    }
}
