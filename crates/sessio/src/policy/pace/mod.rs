//! Pace: how fast, and how many at a time, requests go to one host.
//!
//! A session has no pace unless [`Settings::pace`](crate::Settings::pace) or
//! [`Mount::pace`](crate::Mount::pace) sets one. A [`Pace`] has five parts, and each can be used
//! alone:
//!
//! - [`Rate`]: requests for each span of time, as a token bucket.
//! - [`Pace::concurrency`]: requests at a time.
//! - [`Hold`]: no request before the time that a 429 or 503 names in `Retry-After` (row FR6).
//! - [`AutoThrottle`]: a delay that follows the latency of the server.
//! - [`CircuitBreaker`]: no request for a while after many failures.
//!
//! [`PaceState`] is the state of one host, as a function of the time. The [pool](crate::pool) has
//! one for each [`PaceKey`], and requests wait in its queue, first come, first served. So the limits
//! of the pool and of the pace are one wait, which [`Timeouts::pool`](crate::Timeouts::pool) limits.
//!
//! ```
//! use std::time::Duration;
//! use sessio::Settings;
//! use sessio::pace::Pace;
//!
//! let mut settings = Settings::default();
//! settings.pace = Pace::rate(100, Duration::from_secs(60)).concurrency(4).into();
//! ```

mod breaker;
mod bucket;
mod key;
mod outcome;
mod refusal;
mod rules;
mod state;
mod throttle;

pub use breaker::{CircuitBreaker, FailureShare};
pub use bucket::Rate;
pub use key::{PaceKey, PaceRule};
pub use outcome::Outcome;
pub use refusal::{Reason, Refusal};
pub use rules::{Hold, Pace};
pub use state::{PaceState, PaceWait, Pass, Permit};
pub use throttle::AutoThrottle;

#[cfg(test)]
mod tests;
