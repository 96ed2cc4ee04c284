//! Times that a call records.

use std::time::Duration;

use crate::base::time::Instant;

/// The recorded times of a hop, as small as possible.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    pub(super) began: Option<Instant>,
    pub(super) sent: Mark,
    pub(super) first_byte: Mark,
    pub(super) head: Mark,
    pub(super) end: Mark,
}

/// Nanoseconds since the beginning of the hop.
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
