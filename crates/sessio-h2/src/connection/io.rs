//! Bytes to send and to receive, and deadlines.

use core::time::Duration;

use super::Connection;
use crate::ConnectionErrorKind;
use crate::io::Io;

impl Connection {
    /// Returns the bytes to move now.
    ///
    /// If `send` is empty and [`state`](Self::state) is [`Dead`](crate::State::Dead), close the
    /// transport.
    pub fn io(&mut self, now: Duration) -> Io<'_> {
        self.tick(now);
        self.settle_loose();
        let deadline = self.deadline();
        let recv = if self.error.is_some() || self.is_at_end {
            &mut [][..]
        } else {
            self.incoming.room(!self.streams.is_empty())
        };
        Io { send: self.outgoing.unsent(), recv, deadline }
    }

    /// Reports that the transport took the first `n` bytes of [`Io::send`].
    pub fn sent(&mut self, n: usize) {
        self.outgoing.sent(n);
    }

    /// Reports that `n` bytes were written to the start of [`Io::recv`]. 0 means that the transport
    /// has ended or failed.
    ///
    /// Only [`poll_event`](Self::poll_event) parses the bytes. It reports the events of all bytes
    /// before it reports the end of the transport.
    pub fn received(&mut self, n: usize, now: Duration) {
        if n == 0 {
            // There are bytes to parse first: see `next_event`.
            self.is_at_end = true;
        } else {
            self.incoming.received(n);
            self.heard = self.heard.max(now);
            self.doubt = None;
        }
        self.tick(now);
    }

    /// Updates the current time.
    pub(super) fn tick(&mut self, now: Duration) {
        self.now = self.now.max(now);
        if self.error.is_some() {
            return;
        }
        if let Some(kind) = self.overdue(self.now) {
            self.fail(kind.into());
        }
    }

    /// The time limit that has expired, if any.
    pub(super) fn overdue(&self, now: Duration) -> Option<ConnectionErrorKind> {
        let is_over = |end: Option<Duration>| end.is_some_and(|end| end <= now);
        if is_over(self.settings_deadline()) {
            Some(ConnectionErrorKind::SettingsTimeout)
        } else if is_over(self.ping_deadline()) {
            Some(ConnectionErrorKind::PingTimeout)
        } else {
            None
        }
    }

    fn settings_deadline(&self) -> Option<Duration> {
        self.unacknowledged.map(|since| since.saturating_add(self.config.settings_timeout))
    }

    fn ping_deadline(&self) -> Option<Duration> {
        self.doubt.map(|since| since.saturating_add(self.config.ping_timeout))
    }

    fn deadline(&self) -> Option<Duration> {
        if self.error.is_some() {
            return None;
        }
        let budget = self.budgets.own_resets.exhausted_until(self.config.limits.own_resets, self.now);
        [self.settings_deadline(), self.ping_deadline(), budget].into_iter().flatten().min()
    }
}
