//! How often something may happen in a second.

use core::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Counts what happens in the second that began with the first of it.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    began: Duration,
    spent: u32,
}

impl Budget {
    /// Counts one more; whether that is within the budget.
    pub(crate) fn spend(&mut self, per_second: u32, now: Duration) -> bool {
        if now.saturating_sub(self.began) >= SECOND {
            (self.began, self.spent) = (now, 0);
        }
        self.spent = self.spent.saturating_add(1);
        self.spent <= per_second
    }

    /// When there is budget again, if there is none.
    pub(crate) fn exhausted_until(&self, per_second: u32, now: Duration) -> Option<Duration> {
        let end = self.began + SECOND;
        (self.spent >= per_second && now < end).then_some(end)
    }
}
