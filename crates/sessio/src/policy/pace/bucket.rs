//! The token bucket.

use std::time::Duration;

use crate::base::time::Instant;

/// A number of requests for each span of time: a token bucket.
///
/// In any span of time at most `burst` requests begin, and one more for each `per / requests` of the
/// span. With a burst of 1, the default, requests are `per / requests` apart, and at most `requests`
/// begin within any `per` (row FR7).
///
/// A request begins when it is admitted, just before its connection is taken from the pool or
/// opened.
///
/// ```
/// use std::time::Duration;
/// use sessio::pace::Rate;
///
/// // At most 100 within any minute.
/// let strict = Rate::new(100, Duration::from_secs(60));
/// // 10 at once after a pause, then one each 0.6 s.
/// let rate = strict.burst(10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// The number of requests for each span of time. 0 counts as 1.
    pub requests: u32,
    /// The span of time. Zero is no limit.
    pub per: Duration,
    /// The number of requests that may begin at once after a pause. Default: 1. 0 counts as 1.
    pub burst: u32,
}

impl Rate {
    /// This many requests for each span of time, without bursts.
    #[must_use]
    pub const fn new(requests: u32, per: Duration) -> Self {
        Self { requests, per, burst: 1 }
    }

    /// Sets the number of requests that may begin at once after a pause.
    #[must_use]
    pub const fn burst(self, burst: u32) -> Self {
        Self { burst, ..self }
    }

    /// The time between two requests, rounded up: the rate is never exceeded.
    fn interval(&self) -> Duration {
        let nanos = self.per.as_nanos().div_ceil(u128::from(self.requests.max(1)));
        // The time of a full burst does not saturate, so that a burst is never without end.
        let longest = (1 << 62) / u64::from(self.burst.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX).min(longest))
    }

    fn slack(&self) -> Duration {
        self.interval().saturating_mul(self.burst.max(1) - 1)
    }
}

/// The state of a bucket: the time at which it is full again. It has lost a token for each interval
/// until then (the generic cell rate algorithm).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    full_at: Instant,
}

impl Bucket {
    /// The earliest time of the next request, if `before` others come first, and none before `from`.
    pub(super) fn earliest(self, rate: &Rate, before: usize, from: Instant) -> Instant {
        let before = u32::try_from(before).unwrap_or(u32::MAX);
        let full_at = match before {
            0 => self.full_at,
            _ => self.full_at.max(from) + rate.interval().saturating_mul(before),
        };
        from.max(full_at - rate.slack())
    }

    /// Takes a token.
    pub(super) fn take(&mut self, rate: &Rate, now: Instant) {
        self.full_at = self.full_at.max(now) + rate.interval();
    }

    pub(super) fn is_full(self, now: Instant) -> bool {
        self.full_at <= now
    }
}
