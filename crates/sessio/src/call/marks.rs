//! The times that a call notes.

use std::time::Duration;

use crate::base::time::Instant;

/// What is noted on the way, as small as can be.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    pub(super) began: Option<Instant>,
    pub(super) sent: Mark,
    pub(super) first_byte: Mark,
    pub(super) head: Mark,
    pub(super) end: Mark,
}

/// Nanoseconds since the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(u64);

impl Mark {
    pub(super) const NONE: Self = Self(u64::MAX);

    pub(super) fn of(span: Duration) -> Self {
        Self(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX - 1))
    }

    pub(super) fn get(self) -> Option<Duration> {
        (self != Self::NONE).then(|| Duration::from_nanos(self.0))
    }
}

impl Default for Mark {
    fn default() -> Self {
        Self::NONE
    }
}
