//! Waits that grow from attempt to attempt.

use std::time::Duration;

use crate::base::time::Seed;

/// The waits between attempts, if the response names none.
///
/// The wait before the second attempt is `first`, and each further one is `factor` times longer, up
/// to `max`. With [`Jitter::Full`] each is drawn from zero up to that.
///
/// ```
/// use std::time::Duration;
/// use sessio::Seed;
/// use sessio::retry::{Backoff, Jitter};
///
/// let mut backoff = Backoff::default();
/// backoff.jitter = Jitter::None;
/// let waits = [1, 2, 3, 40].map(|attempt| backoff.wait(attempt, &mut Seed::new(1)));
/// assert_eq!(waits, [500, 1000, 2000, 30_000].map(Duration::from_millis));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Backoff {
    /// The wait before the second attempt. Default: 500 ms.
    pub first: Duration,
    /// The factor from one wait to the next. Default: 2. Values below 1 count as 1.
    pub factor: f64,
    /// The longest wait. Default: 30 s.
    pub max: Duration,
    /// How much of the wait is random. Default: [`Jitter::Full`].
    pub jitter: Jitter,
}

/// How much of a wait is random.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jitter {
    /// All of it: each wait is drawn evenly from zero up to its length. Clients that failed together
    /// then do not come back together (row FR3).
    #[default]
    Full,
    /// Nothing: equal attempts have equal waits.
    None,
}

impl Backoff {
    /// The wait after so many attempts, counted from 1. It never exceeds `max`.
    #[must_use]
    pub fn wait(&self, attempts: u32, seed: &mut Seed) -> Duration {
        let exponent = attempts.saturating_sub(1);
        let factor = self.factor.max(1.0).powf(f64::from(exponent));
        let length = match exponent {
            0 => self.first,
            _ if self.first.is_zero() => Duration::ZERO,
            _ => Duration::try_from_secs_f64(self.first.as_secs_f64() * factor).unwrap_or(self.max),
        };
        let length = length.min(self.max);
        match self.jitter {
            Jitter::None => length,
            Jitter::Full => share(length, seed.draw()),
        }
    }
}

/// The share `part / 2^64` of a span, in whole nanoseconds.
fn share(span: Duration, part: u64) -> Duration {
    let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
    let share = ((u128::from(nanos) + 1) * u128::from(part)) >> 64;
    Duration::from_nanos(u64::try_from(share).unwrap_or(nanos))
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            factor: 2.0,
            max: Duration::from_secs(30),
            jitter: Jitter::Full,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(backoff: Backoff, count: u32) -> Vec<u64> {
        let wait = |attempt| backoff.wait(attempt, &mut Seed::new(1));
        (1..=count).map(|attempt| u64::try_from(wait(attempt).as_millis()).unwrap()).collect()
    }

    #[test]
    fn waits_grow_up_to_their_limit() {
        let plain = Backoff { jitter: Jitter::None, ..Backoff::default() };
        assert_eq!(waits(plain, 8), [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        let odd = |factor| Backoff { factor, ..plain };
        assert_eq!(waits(odd(1.5), 4), [500, 750, 1125, 1687]);
        for factor in [1.0, 0.5, 0.0, -3.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(waits(odd(factor), 3), [500, 500, 500], "{factor}");
        }
        assert_eq!(waits(odd(f64::INFINITY), 3), [500, 30_000, 30_000]);
        let long = Backoff { first: Duration::MAX, ..plain };
        assert_eq!(waits(long, 2), [30_000, 30_000]);
        let endless = Backoff { max: Duration::MAX, ..plain };
        assert!(endless.wait(u32::MAX, &mut Seed::new(1)) == Duration::MAX);
        let none = Backoff { first: Duration::ZERO, factor: f64::INFINITY, ..plain };
        assert_eq!(waits(none, 3), [0, 0, 0]);
    }

    /// Each tenth of the range has a tenth of the draws, within five standard deviations.
    #[test]
    fn full_jitter_is_drawn_evenly_and_by_the_seed() {
        let backoff = Backoff { first: Duration::from_secs(10), ..Backoff::default() };
        let mut seed = Seed::new(7);
        let mut tenths = [0_i32; 10];
        for _ in 0..10_000 {
            let wait = backoff.wait(1, &mut seed);
            assert!(wait <= Duration::from_secs(10));
            tenths[usize::try_from(wait.as_secs().min(9)).unwrap()] += 1;
        }
        assert!(tenths.iter().all(|count| (count - 1000).abs() < 150), "{tenths:?}");
        let drawn = |number| backoff.wait(1, &mut Seed::new(number));
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }

    #[test]
    fn a_share_reaches_both_ends() {
        let span = Duration::from_nanos(3);
        assert_eq!(share(span, 0), Duration::ZERO);
        assert_eq!(share(span, u64::MAX), span);
        assert_eq!(share(Duration::MAX, u64::MAX), Duration::from_nanos(u64::MAX));
        assert_eq!(share(Duration::ZERO, u64::MAX), Duration::ZERO);
    }
}
