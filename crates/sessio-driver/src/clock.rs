//! The clock of the standard library, converted to the core's time.

use std::sync::LazyLock;
use std::time::{Duration, Instant as StdInstant};

use sessio::Instant;

/// The epoch of the process: the first use of this clock.
static EPOCH: LazyLock<StdInstant> = LazyLock::new(StdInstant::now);

/// The current time by [`std::time::Instant`], for a [`Runtime`](crate::Runtime) without its own
/// clock.
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

/// Converts a time of the standard library. Times before the epoch become the epoch.
#[must_use]
#[inline]
pub fn from_std(at: StdInstant) -> Instant {
    Instant::after_epoch(at.saturating_duration_since(*EPOCH))
}

/// Converts to a time of the standard library. Times more than 30 years after the epoch become 30
/// years.
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
