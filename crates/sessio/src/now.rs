//! The only doors for time and chance.
//!
//! The core reads no clock and draws no random number. Whoever drives it says what time it is, and
//! hands over a [`Seed`] once; the same answers then always give the same session.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What time it is, on both clocks that a session needs.
///
/// Deadlines and the ages of pooled connections are measured on [`mono`](Self::mono), which never jumps.
/// Cookies expire on [`wall`](Self::wall).
///
/// ```
/// use std::time::{Duration, Instant};
/// use sessio::{Now, UnixTime};
///
/// let now = Now { mono: Instant::now(), wall: UnixTime(1_767_225_600) };
/// let later = now.after(Duration::from_secs(60));
/// assert_eq!(later.wall, UnixTime(1_767_225_660));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock: deadlines, ages, elapsed times.
    pub mono: Instant,
    /// The calendar's clock, in whole seconds: expiry of cookies.
    pub wall: UnixTime,
}

impl Now {
    /// The same clocks, `span` later.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self { mono: later(self.mono, span), wall: self.wall.after(span) }
    }
}

/// `start + span`, or a time so far away that nobody waits for it: a span given by a user never overflows.
pub(crate) fn later(start: Instant, span: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);
    start.checked_add(span).or_else(|| start.checked_add(FAR)).unwrap_or(start)
}

/// Whole seconds since 1970-01-01T00:00:00Z, negative before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// This time, `span` later, at most the end of representable time.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_secs()).unwrap_or(i64::MAX)))
    }
}

impl From<SystemTime> for UnixTime {
    fn from(time: SystemTime) -> Self {
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Self(seconds(since)),
            Err(before) => Self(-seconds(before.duration())),
        }
    }
}

/// The randomness of one session: 64 bits from the driver, stretched by the core where chance is needed
/// (boundaries of multipart bodies, client nonces, jitter). It is not a source of keys.
///
/// ```
/// use sessio::Seed;
///
/// let (mut one, mut two) = (Seed::new(7), Seed::new(7));
/// assert_eq!(one.draw(), two.draw());
/// assert_ne!(one.draw(), one.draw());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// A seed from 64 bits that nobody else has.
    #[must_use]
    pub const fn new(bits: u64) -> Self {
        Self(bits)
    }

    /// The next 64 bits (SplitMix64).
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f38_spans_saturate() {
        let now = Now { mono: Instant::now(), wall: UnixTime(5) };
        assert_eq!(now.after(Duration::MAX).wall, UnixTime(i64::MAX));
        assert!(now.after(Duration::MAX).mono > now.mono);
    }

    #[test]
    fn before_the_epoch() {
        assert_eq!(UnixTime::from(UNIX_EPOCH - Duration::from_secs(3)), UnixTime(-3));
    }
}
