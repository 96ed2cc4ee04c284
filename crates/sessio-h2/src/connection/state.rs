//! The availability of a connection.

use core::time::Duration;

use super::Connection;
use crate::frame::MAX_WINDOW;
use crate::state::State;

impl Connection {
    /// Returns whether the connection takes streams.
    ///
    /// Received bytes have an effect only after [`poll_event`](Self::poll_event) has parsed them.
    pub fn state(&self, now: Duration) -> State {
        if self.error.is_some() || self.overdue(now).is_some() {
            return State::Dead;
        }
        let is_draining = self.goaway.is_some() || self.is_closing || self.next_id > MAX_WINDOW;
        if self.is_at_end || is_draining && self.streams.is_empty() {
            return State::Dead;
        }
        if is_draining {
            return State::Draining;
        }
        if self.doubt.is_some() {
            return State::Doubtful;
        }
        if self.budgets.own_resets.exhausted_until(self.config.limits.own_resets, now).is_some() {
            return State::Open { free: 0 };
        }
        let allowed = if self.is_greeted {
            self.peer.max_streams.unwrap_or(u32::MAX)
        } else {
            self.config.initial_max_streams
        };
        State::Open { free: allowed.min(self.config.max_streams).saturating_sub(self.streams.active) }
    }

    /// Returns `true` if the peer was silent for so long that a PING is required.
    pub(super) fn is_quiet(&self) -> bool {
        self.now.saturating_sub(self.heard) >= self.config.quiet
    }
}
