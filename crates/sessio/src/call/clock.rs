//! Which time limit is running, and when it runs out.

use crate::base::time::Instant;

use crate::base::kind::Timeout;
use crate::base::timeouts::Timeouts;

/// One limit at a time is running, beside the one over the whole call. It starts when the call first says
/// that it waits for something of that kind.
#[derive(Debug, Default)]
pub(super) struct Clock {
    total: Total,
    waiting: Option<(Timeout, Instant)>,
}

/// When the whole call is over.
#[derive(Clone, Copy, Debug, Default)]
enum Total {
    /// It has not begun.
    #[default]
    Unknown,
    Never,
    At(Instant),
}

impl Clock {
    /// The total limit starts with the first step and never again.
    pub(super) fn start(&mut self, limits: &Timeouts, now: Instant) {
        if let Total::Unknown = self.total {
            self.total = limits.total.map_or(Total::Never, |span| Total::At(now + span));
        }
    }

    pub(super) fn total_is_over(&self, now: Instant) -> bool {
        matches!(self.total, Total::At(end) if end <= now)
    }

    /// Waits for what has no limit of its own, and says until when.
    pub(super) fn wait_for_ever(&mut self) -> Option<Instant> {
        self.rest();
        self.end()
    }

    fn end(&self) -> Option<Instant> {
        match self.total {
            Total::At(end) => Some(end),
            Total::Unknown | Total::Never => None,
        }
    }

    /// Waits for `what`, and says until when, or that it is over.
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

    /// What was waited for has come, or is not waited for at the moment.
    pub(super) fn rest(&mut self) {
        self.waiting = None;
    }

    /// Something of what is waited for has come: the limit starts anew if it is one between two events.
    pub(super) fn progress(&mut self, what: Timeout) {
        if self.waiting.is_some_and(|(running, _)| running == what) {
            self.waiting = None;
        }
    }
}
