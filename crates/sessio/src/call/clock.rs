//! Time limits of a call.

use crate::base::time::Instant;

use crate::base::kind::Timeout;
use crate::base::timeouts::Timeouts;

/// One limit runs at a time, beside the total limit. It starts when the call first waits for an
/// event of that kind.
#[derive(Debug, Default)]
pub(super) struct Clock {
    total: Total,
    waiting: Option<(Timeout, Instant)>,
}

/// The deadline of the whole call.
#[derive(Clone, Copy, Debug, Default)]
enum Total {
    /// The call has not begun.
    #[default]
    Unknown,
    Never,
    At(Instant),
}

impl Clock {
    /// A clock with the total limit of this one.
    pub(super) fn within(outer: &Self) -> Self {
        Self { total: outer.total, waiting: None }
    }

    /// Starts the total limit, with the first step only.
    pub(super) fn start(&mut self, limits: &Timeouts, now: Instant) {
        if let Total::Unknown = self.total {
            self.total = limits.total.map_or(Total::Never, |span| Total::At(now + span));
        }
    }

    pub(super) fn total_is_over(&self, now: Instant) -> bool {
        matches!(self.total, Total::At(end) if end <= now)
    }

    /// Waits without a limit of its own. Returns the total deadline.
    pub(super) fn wait_for_ever(&mut self) -> Option<Instant> {
        self.rest();
        self.end()
    }

    /// The deadline of the whole call.
    pub(super) fn end(&self) -> Option<Instant> {
        match self.total {
            Total::At(end) => Some(end),
            Total::Unknown | Total::Never => None,
        }
    }

    /// Waits within the limit `what`. Returns the deadline, or the limit as an error if it has
    /// passed.
    pub(super) fn wait(
        &mut self,
        what: Timeout,
        limits: &Timeouts,
        now: Instant,
    ) -> Result<Option<Instant>, Timeout> {
        let since = match self.waiting {
            Some((running, since)) if running == what => since,
            _ => now,
        };
        self.waiting = Some((what, since));
        let limit = match what {
            Timeout::Pool => limits.pool,
            Timeout::Resolve => limits.resolve,
            Timeout::Connect => limits.connect,
            Timeout::Send => limits.send,
            Timeout::Head => limits.head,
            Timeout::Read => limits.read,
            Timeout::Total => limits.total,
        };
        let end = limit.map(|span| since + span);
        match end {
            Some(end) if end <= now => Err(what),
            Some(end) => Ok(Some(self.end().map_or(end, |total| total.min(end)))),
            None => Ok(self.end()),
        }
    }

    /// Stops the current limit: the event came, or the call does not wait for it now.
    pub(super) fn rest(&mut self) {
        self.waiting = None;
    }

    /// Restarts the limit if it is one between two events: a part of the awaited data came.
    pub(super) fn progress(&mut self, what: Timeout) {
        if self.waiting.is_some_and(|(running, _)| running == what) {
            self.waiting = None;
        }
    }
}
