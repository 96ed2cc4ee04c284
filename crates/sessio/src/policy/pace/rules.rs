//! The settings of a pace.

use std::sync::Arc;
use std::time::Duration;

use super::breaker::CircuitBreaker;
use super::bucket::Rate;
use super::throttle::AutoThrottle;

/// The pace of the requests to one host.
///
/// The pace of a session applies to each origin by itself. The pace of a mount applies to the
/// requests of its pattern, also to each origin by itself. Each attempt counts, and so does each
/// redirect, at the host that receives it.
///
/// ```
/// use std::time::Duration;
/// use sessio::pace::{CircuitBreaker, Pace};
///
/// let pace = Pace::rate(10, Duration::from_secs(1)).concurrency(2).breaker(CircuitBreaker::default());
/// assert_eq!(pace.concurrency, Some(2));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Pace {
    /// The number of requests for each span of time. Default: `None`, which is no limit.
    pub rate: Option<Rate>,
    /// The number of requests at a time, up to the last byte of the response. Default: `None`,
    /// which is no limit. 0 counts as 1.
    pub concurrency: Option<u32>,
    /// The rule for `Retry-After`. Default: [`Hold::default`]. With `None` the header has no effect
    /// on other calls.
    pub hold: Option<Hold>,
    /// A delay that follows the latency of the server. Default: `None`.
    pub throttle: Option<AutoThrottle>,
    /// The rule after many failures. Default: `None`.
    pub breaker: Option<CircuitBreaker>,
}

/// The rule for `Retry-After`: no call sends a request to a host before the time that a response
/// with status 429 or 503 has named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hold {
    /// The longest wait of a call. Default: 60 s. A call that would wait longer fails at once, with
    /// [`Kind::Paced`](crate::Kind::Paced).
    pub max_wait: Duration,
    /// The longest hold that a response can start. Default: 1 hour. A longer `Retry-After` counts as
    /// this.
    pub max: Duration,
}

impl Hold {
    /// Sets the longest wait of a call. Default: 60 s.
    #[must_use]
    pub const fn max_wait(mut self, most: Duration) -> Self {
        self.max_wait = most;
        self
    }

    /// Sets the longest hold that a response can start. Default: 1 hour.
    #[must_use]
    pub const fn max(mut self, most: Duration) -> Self {
        self.max = most;
        self
    }
}

impl Default for Hold {
    fn default() -> Self {
        Self { max_wait: Duration::from_secs(60), max: Duration::from_secs(3600) }
    }
}

impl Pace {
    /// A pace that only follows `Retry-After`.
    #[must_use]
    pub fn new() -> Self {
        Self { rate: None, concurrency: None, hold: Some(Hold::default()), throttle: None, breaker: None }
    }

    /// A pace of this many requests for each span of time, evenly spaced. See [`Rate`].
    #[must_use]
    pub fn rate(requests: u32, per: Duration) -> Self {
        Self { rate: Some(Rate::new(requests, per)), ..Self::new() }
    }

    /// A pace that follows the latency of the server. See [`AutoThrottle`].
    #[must_use]
    pub fn auto() -> Self {
        Self { throttle: Some(AutoThrottle::default()), ..Self::new() }
    }

    /// Sets the number of requests at a time. 0 counts as 1. Default: `None`, no limit.
    #[must_use]
    pub fn concurrency(mut self, most: impl Into<Option<u32>>) -> Self {
        self.concurrency = most.into();
        self
    }

    /// Sets the rule for `Retry-After`. With `None` the header has no effect on other calls. Default:
    /// [`Hold::default`].
    #[must_use]
    pub fn hold(mut self, hold: impl Into<Option<Hold>>) -> Self {
        self.hold = hold.into();
        self
    }

    /// Sets a delay that follows the latency of the server. Default: `None`.
    #[must_use]
    pub fn throttle(mut self, throttle: impl Into<Option<AutoThrottle>>) -> Self {
        self.throttle = throttle.into();
        self
    }

    /// Sets the rule after many failures. Default: `None`.
    #[must_use]
    pub fn breaker(mut self, breaker: impl Into<Option<CircuitBreaker>>) -> Self {
        self.breaker = breaker.into();
        self
    }
}

/// As [`Pace::new`].
impl Default for Pace {
    fn default() -> Self {
        Self::new()
    }
}

/// A pace of this rate, such as `Rate::new(90, minute).burst(10)`. It follows `Retry-After` too.
impl From<Rate> for Pace {
    fn from(rate: Rate) -> Self {
        Self { rate: Some(rate), ..Self::new() }
    }
}

impl From<Pace> for Option<Arc<Pace>> {
    fn from(pace: Pace) -> Self {
        Some(Arc::new(pace))
    }
}
