//! A delay that follows the latency of the server.

use std::time::Duration;

use crate::base::time::Instant;

/// A delay between two requests to a host, which follows the latency of its responses.
///
/// The delay aims at a number of requests under way: `latency / concurrency`. After each response
/// it goes half the way there, and the whole way up. An error never makes it shorter: a server that
/// fails fast would otherwise get more requests (row FR8). Errors are
/// failures, and statuses of 400 and above.
///
/// The latency is the time from the end of the request to the head of the response. That of a
/// failure is the time since the request was admitted.
///
/// ```
/// use sessio::pace::{AutoThrottle, Pace};
///
/// let pace = Pace::new().throttle(AutoThrottle::default().concurrency(2.0));
/// assert_eq!(pace.rate, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct AutoThrottle {
    /// The number of requests under way that the delay aims at. Default: 1. A value that is not
    /// above zero counts as 1.
    pub concurrency: f64,
    /// The delay before the first response. Default: 1 s.
    pub start: Duration,
    /// The shortest delay. Default: zero.
    pub min: Duration,
    /// The longest delay. Default: 60 s.
    pub max: Duration,
}

impl Default for AutoThrottle {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { concurrency: 1.0, start: seconds(1), min: Duration::ZERO, max: seconds(60) }
    }
}

impl AutoThrottle {
    /// Sets the number of requests under way that the delay aims at. Default: 1.
    #[must_use]
    pub const fn concurrency(mut self, requests: f64) -> Self {
        self.concurrency = requests;
        self
    }

    /// Sets the delay before the first response. Default: 1 s.
    #[must_use]
    pub const fn start(mut self, delay: Duration) -> Self {
        self.start = delay;
        self
    }

    /// Sets the shortest delay. Default: zero.
    #[must_use]
    pub const fn min(mut self, delay: Duration) -> Self {
        self.min = delay;
        self
    }

    /// Sets the longest delay. Default: 60 s.
    #[must_use]
    pub const fn max(mut self, delay: Duration) -> Self {
        self.max = delay;
        self
    }

    fn bounded(&self, delay: Duration) -> Duration {
        delay.max(self.min).min(self.max)
    }

    fn target(&self, latency: Duration) -> Duration {
        let concurrency = if self.concurrency > 0.0 { self.concurrency } else { 1.0 };
        Duration::try_from_secs_f64(latency.as_secs_f64() / concurrency).unwrap_or(self.max)
    }
}

/// The current delay, and the time of the last request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ThrottleState {
    delay: Option<Duration>,
    last: Option<Instant>,
}

impl ThrottleState {
    pub(super) fn delay(self, throttle: &AutoThrottle) -> Duration {
        self.delay.unwrap_or_else(|| throttle.bounded(throttle.start))
    }

    /// The time of the next request.
    pub(super) fn next(self, throttle: &AutoThrottle) -> Instant {
        self.last.map_or(Instant::ZERO, |last| last + self.delay(throttle))
    }

    /// The earliest time of a request that has `before` others before it, whatever the latencies
    /// are.
    pub(super) fn earliest(self, throttle: &AutoThrottle, before: usize, from: Instant) -> Instant {
        let before = u32::try_from(before).unwrap_or(u32::MAX);
        let shortest = throttle.bounded(throttle.min);
        from.max(self.last.map_or(Instant::ZERO, |last| last + shortest)) + shortest.saturating_mul(before)
    }

    pub(super) fn start(&mut self, now: Instant) {
        self.last = Some(now);
    }

    pub(super) fn report(&mut self, throttle: &AutoThrottle, latency: Duration, is_error: bool) {
        let (before, target) = (self.delay(throttle), throttle.target(latency));
        let after = throttle.bounded(target.max(before.saturating_add(target) / 2));
        self.delay = Some(if is_error { after.max(before) } else { after });
    }

    pub(super) fn is_fresh(self) -> bool {
        self.delay.is_none() && self.last.is_none()
    }
}
