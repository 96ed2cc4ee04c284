//! Rate limits per second.

use core::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Counts events within one second, which begins with the first of them.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    began: Duration,
    spent: u32,
}

impl Budget {
    /// Counts one event; returns `true` if it is within the budget.
    pub(crate) fn spend(&mut self, per_second: u32, now: Duration) -> bool {
        if now.saturating_sub(self.began) >= SECOND {
            (self.began, self.spent) = (now, 0);
        }
        self.spent = self.spent.saturating_add(1);
        self.spent <= per_second
    }

    /// Time of the next budget, if the current one is exhausted.
    pub(crate) fn exhausted_until(&self, per_second: u32, now: Duration) -> Option<Duration> {
        let end = self.began + SECOND;
        (self.spent >= per_second && now < end).then_some(end)
    }
}
