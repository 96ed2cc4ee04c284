//! The clock of the standard library, as the core counts time.

use std::sync::LazyLock;
use std::time::{Duration, Instant as StdInstant};

use sessio::Instant;

/// The epoch of the process: the first time that a runtime is asked for the time.
static EPOCH: LazyLock<StdInstant> = LazyLock::new(StdInstant::now);

/// The time now, by [`std::time::Instant`], for a [`Runtime`](crate::Runtime) without a clock of its own.
///
/// All runtimes of a process count from one epoch.
///
/// ```
/// let before = sessio_driver::clock::now();
/// assert!(sessio_driver::clock::now() >= before);
/// ```
#[must_use]
#[inline]
pub fn now() -> Instant {
    from_std(StdInstant::now())
}

/// A time of the standard library. Times before the epoch become the epoch.
#[must_use]
#[inline]
pub fn from_std(at: StdInstant) -> Instant {
    Instant::after_epoch(at.saturating_duration_since(*EPOCH))
}

/// The same time in the standard library. Times that are more than 30 years away become 30 years.
///
/// ```
/// use sessio_driver::clock;
///
/// let now = clock::now();
/// assert_eq!(clock::from_std(clock::to_std(now)), now);
/// ```
#[must_use]
pub fn to_std(at: Instant) -> StdInstant {
    /// A timer of this length never fires, and every runtime can hold it.
    const LONGEST: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);
    let epoch = *EPOCH;
    epoch.checked_add(at.since_epoch().min(LONGEST)).unwrap_or(epoch)
}
