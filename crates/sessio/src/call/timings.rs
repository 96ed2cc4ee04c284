//! When an exchange came how far.

use std::time::{Duration, Instant};

use super::{Call, Phase};

/// When an exchange came how far: how long it took from the moment its connection was wanted. What has not come to
/// pass, or is not known, is `None`.
///
/// Each hop of a call has its own; one that was sent again on a new connection, because one from the pool was stale,
/// goes on counting. A connection that had carried an earlier exchange was neither resolved nor opened nor secured.
///
/// ```no_run
/// # fn print(timings: sessio::Timings) {
/// if let (Some(sent), Some(first_byte)) = (timings.sent, timings.first_byte) {
///     println!("the server thought for {:?}", first_byte.saturating_sub(sent));
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timings {
    /// The addresses of the host were known. Those of pinned hosts and of literal addresses always are.
    pub resolve: Option<Duration>,
    /// There was a new connection.
    pub connect: Option<Duration>,
    /// It was secured.
    pub secure: Option<Duration>,
    /// The whole request was out, as far as the transport is concerned.
    pub sent: Option<Duration>,
    /// The first byte of a response had come, of an interim one, too.
    pub first_byte: Option<Duration>,
    /// The head of the response was whole (rule S-04).
    pub head: Option<Duration>,
    /// The last byte of the response had come.
    pub end: Option<Duration>,
}

/// What is noted on the way, as small as can be.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    pub(super) began: Option<Instant>,
    sent: Mark,
    first_byte: Mark,
    head: Mark,
    end: Mark,
}

/// Nanoseconds since the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark(u64);

impl Mark {
    const NONE: Self = Self(u64::MAX);

    fn of(span: Duration) -> Self {
        Self(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX - 1))
    }

    fn get(self) -> Option<Duration> {
        (self != Self::NONE).then(|| Duration::from_nanos(self.0))
    }
}

impl Default for Mark {
    fn default() -> Self {
        Self::NONE
    }
}

impl Call {
    /// When the exchange at hand came how far.
    #[must_use]
    pub fn timings(&self) -> Timings {
        let Marks { sent, first_byte, head, end, .. } = self.marks;
        let [sent, first_byte, head, end] = [sent, first_byte, head, end].map(Mark::get);
        let mut timings = Timings { sent, first_byte, head, end, ..Timings::default() };
        if let Some(aside) = self.aside.as_ref().filter(|_| !self.is_reused) {
            (timings.resolve, timings.connect, timings.secure) = (aside.resolve, aside.connect, aside.secure);
        }
        timings
    }

    /// From the wish for a connection to the answer's head.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.marks.head.get().unwrap_or_default()
    }

    /// How long this exchange has taken.
    pub(super) fn since(&self, now: Instant) -> Duration {
        self.marks.began.map_or(Duration::ZERO, |began| now.saturating_duration_since(began))
    }

    /// Notes how far the exchange has come.
    pub(super) fn mark(&mut self, now: Instant) {
        let began = *self.marks.began.get_or_insert(now);
        if !matches!(self.phase, Phase::Handshake)
            && let Some(aside) = &mut self.aside
            && std::mem::take(&mut aside.is_shaking)
        {
            aside.secure = Some(now.saturating_duration_since(began));
        }
        if self.marks.end != Mark::NONE
            || !matches!(self.phase, Phase::Exchange | Phase::Turn | Phase::Answer | Phase::Read)
        {
            return;
        }
        // Most looks are in vain, and reckoning costs more than looking.
        let mut span = None;
        let mut note = |mark: &mut Mark, has_come: bool| {
            if has_come && *mark == Mark::NONE {
                *mark = *span.get_or_insert_with(|| Mark::of(now.saturating_duration_since(began)));
            }
        };
        let Marks { sent, first_byte, head, end, .. } = &mut self.marks;
        note(sent, self.sender.is_done());
        note(first_byte, self.receiver.bytes_received() > 0);
        note(head, !matches!(self.phase, Phase::Exchange));
        note(end, self.receiver.is_complete());
    }

    /// The request goes out once more: what was noted of it does not hold.
    pub(super) fn unmark_sent(&mut self) {
        self.marks.sent = Mark::NONE;
    }
}
