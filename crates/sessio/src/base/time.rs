//! Time and chance, as arguments.
//!
//! The core reads no clock and draws no random number. The driver passes the time to it, and a
//! [`Seed`] once. The same inputs then always give the same session.

use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};

pub use sessio_cookie::UnixTime;

/// The current time, on both clocks of a session.
///
/// Deadlines and the ages of pooled connections use [`mono`](Self::mono), which never jumps. Expiry
/// of cookies uses [`wall`](Self::wall).
///
/// ```
/// use std::time::Duration;
/// use sessio::Instant;
/// use sessio::{Now, UnixTime};
///
/// let now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };
/// let later = now.after(Duration::from_secs(60));
/// assert_eq!(later.wall, UnixTime(1_767_225_660));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock, for deadlines, ages and elapsed times.
    pub mono: Instant,
    /// The wall clock in whole seconds, for the expiry of cookies.
    pub wall: UnixTime,
}

impl Now {
    /// Both clocks, `span` later.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self { mono: self.mono + span, wall: self.wall.after(span) }
    }
}

/// A point on the monotonic clock: nanoseconds since an epoch that the runtime chooses, such as the
/// start of the process.
///
/// The core reads no clock, so it has its own type for time. A trace can be stored and replayed,
/// and a simulation begins at 0. It also exists on platforms where `std::time::Instant` cannot be
/// made. Sums that do not fit saturate, at 584 years.
///
/// ```
/// use std::time::Duration;
/// use sessio::Instant;
///
/// let start = Instant::ZERO;
/// let later = start + Duration::from_millis(1500);
/// assert_eq!(later.as_nanos(), 1_500_000_000);
/// assert_eq!(later - start, Duration::from_millis(1500));
/// assert_eq!(start - later, Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The epoch.
    pub const ZERO: Self = Self(0);

    /// The point at this many nanoseconds after the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The nanoseconds since the epoch.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The point `span` after the epoch.
    #[must_use]
    #[inline]
    pub fn after_epoch(span: Duration) -> Self {
        Self(nanos(span))
    }

    /// The time since the epoch.
    #[must_use]
    pub const fn since_epoch(self) -> Duration {
        Duration::from_nanos(self.0)
    }

    /// The time since an earlier point. Zero since a later one.
    #[must_use]
    #[inline]
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

#[inline]
fn nanos(span: Duration) -> u64 {
    span.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(span.subsec_nanos()))
}

impl Add<Duration> for Instant {
    type Output = Self;

    #[inline]
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(nanos(span)))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(span)))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

/// The randomness of one session: up to 256 bits from the driver. The core stretches them for
/// boundaries of multipart bodies, client nonces and jitter. It is not a source of keys.
///
/// Each draw is a block of ChaCha20 with the seed as its key, at a counter of its own. An observer
/// of some draws can compute neither the seed nor another draw (row FA3). The same seed always
/// gives the same draws.
///
/// ```
/// use sessio::Seed;
///
/// let (mut one, mut two) = (Seed::from_bytes([7; 32]), Seed::from_bytes([7; 32]));
/// assert_eq!(one.draw(), two.draw());
/// assert_ne!(one.draw(), one.draw());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Seed {
    key: [u8; 32],
    count: u64,
}

/// The streams of a seed: one for draws, one for mixed-in numbers.
const DRAWS: u64 = 0;
const MIXED: u64 = 1;

impl Seed {
    /// Creates a seed from 64 bits, for tests and simulations. An attacker can try all of them: use
    /// [`from_bytes`](Self::from_bytes) for everything else.
    #[must_use]
    pub const fn new(bits: u64) -> Self {
        let mut key = [0; 32];
        let (word, _) = key.split_at_mut(8);
        word.copy_from_slice(&bits.to_le_bytes());
        Self::from_bytes(key)
    }

    /// Creates a seed from 256 secret bits, such as those of the system's random number generator.
    #[must_use]
    pub const fn from_bytes(bits: [u8; 32]) -> Self {
        Self { key: bits, count: 0 }
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        u64::from_le_bytes(self.draw_bytes())
    }

    /// The next `N` bytes. 16 of them are a boundary or a nonce that cannot be guessed.
    ///
    /// ```
    /// let mut seed = sessio::Seed::from_bytes([7; 32]);
    /// let nonce: [u8; 16] = seed.draw_bytes();
    /// assert_ne!(nonce, seed.draw_bytes());
    /// ```
    pub fn draw_bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        // The stream identifies the purpose. The key and the position in the stream identify the
        // draw. Positions are 2^20 blocks apart, so that no draw overlaps the next.
        let mut stream = ChaCha20Rng::from_seed(self.key);
        stream.set_stream(DRAWS);
        stream.set_block_pos(self.count << 20);
        stream.fill_bytes(&mut bytes);
        self.count += 1;
        bytes
    }

    /// Derives another seed of all 256 bits, for example for one request of a session. Neither seed
    /// reveals the other.
    #[must_use]
    pub fn split(&mut self) -> Self {
        Self::from_bytes(self.draw_bytes())
    }

    /// Mixes a number in. Two copies of a seed give different draws afterwards if the numbers
    /// differ. The number need not be secret; a process id is one example.
    ///
    /// ```
    /// let (mut one, mut two) = (sessio::Seed::new(7), sessio::Seed::new(7));
    /// one.mix(4711);
    /// two.mix(4712);
    /// assert_ne!(one.draw(), two.draw());
    /// ```
    pub fn mix(&mut self, number: u64) {
        // The number of earlier draws counts as well: a seed that is mixed later is a different
        // one.
        *self = self.split();
        let mut stream = ChaCha20Rng::from_seed(self.key);
        stream.set_stream(MIXED);
        stream.set_block_pos(number);
        stream.fill_bytes(&mut self.key);
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
        let now = Now { mono: Instant::ZERO, wall: UnixTime(5) };
        assert_eq!(now.after(Duration::MAX).wall, UnixTime(i64::MAX));
        assert!(now.after(Duration::MAX).mono > now.mono);
    }

    /// RFC 8439 section 2.4.2 and appendix A.1 contain the key stream of a zero key.
    #[test]
    fn fa3_draws_are_the_key_stream_of_chacha20() {
        let mut seed = Seed::from_bytes([0; 32]);
        let first: [u8; 64] = seed.draw_bytes();
        assert_eq!(first[..8], [0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90]);
        assert_eq!(first[56..], [0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86]);
        assert_eq!(Seed::new(0), Seed::from_bytes([0; 32]));
    }

    #[test]
    fn fa3_no_draw_is_another_and_each_bit_of_the_seed_counts() {
        let first = |seed: &Seed| seed.clone().draw_bytes::<16>();
        let plain = Seed::from_bytes([7; 32]);
        let mut seen = std::collections::HashSet::new();
        for bit in 0..256 {
            let mut bytes = [7; 32];
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(seen.insert(first(&Seed::from_bytes(bytes))), "bit {bit}");
        }
        let mut drawn = plain.clone();
        for number in 0..1000 {
            let mut mixed = plain.clone();
            mixed.mix(number);
            assert!(seen.insert(first(&mixed)), "mixed with {number}");
            assert!(seen.insert(first(&drawn)), "draw {number}");
            assert!(seen.insert(first(&drawn.split())), "split {number}");
        }
        // Earlier draws count, and so does a second mixing.
        let (mut early, mut late) = (plain.clone(), plain);
        let _ = late.draw();
        early.mix(1);
        late.mix(1);
        let mut twice = early.clone();
        twice.mix(1);
        for seed in [early, late, twice] {
            seen.insert(first(&seed));
        }
        // The first of the three equals `mix(1)` above.
        assert_eq!(seen.len(), 256 + 3000 + 2);
    }
}
