//! Records the times of a call.

use std::time::Duration;

use super::machine::{Call, Phase};
use super::marks::{Mark, Marks};
use crate::base::time::Instant;
use crate::message::timings::Timings;

impl Call {
    /// Times of the milestones of the current exchange.
    #[must_use]
    pub fn timings(&self) -> Timings {
        let Marks { sent, first_byte, head, end, .. } = self.marks;
        let [sent, first_byte, head, end] = [sent, first_byte, head, end].map(Mark::get);
        let mut timings = Timings { sent, first_byte, head, end, ..Timings::default() };
        if let Some(rare) = self.rare.as_ref().filter(|_| !self.link.is_reused) {
            (timings.resolve, timings.connect, timings.secure) = (rare.resolve, rare.connect, rare.secure);
        }
        timings
    }

    /// Time from the request for a connection to the head of the response.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.marks.head.get().unwrap_or_default()
    }

    /// Time since this exchange began.
    pub(super) fn since(&self, now: Instant) -> Duration {
        self.marks.began.map_or(Duration::ZERO, |began| now.saturating_duration_since(began))
    }

    /// Records the milestones that the exchange has reached.
    pub(super) fn mark(&mut self, now: Instant) {
        let began = *self.marks.began.get_or_insert(now);
        if !matches!(self.phase, Phase::Handshake)
            && let Some(rare) = &mut self.rare
            && std::mem::take(&mut rare.is_handshaking)
        {
            rare.secure = Some(now.saturating_duration_since(began));
        }
        if self.marks.end != Mark::NONE
            || !matches!(
                self.phase,
                Phase::Exchange
                    | Phase::Peek { .. }
                    | Phase::Decide(_)
                    | Phase::HeadReady(_)
                    | Phase::Body(_)
            )
        {
            return;
        }
        // Most checks find nothing new, and computing the span costs more than checking.
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

    /// Drops the time of sending: the request is sent again.
    pub(super) fn unmark_sent(&mut self) {
        self.marks.sent = Mark::NONE;
    }
}
