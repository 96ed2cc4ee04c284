//! The pace of a call: its wait, its refusal, and the outcome that it reports.

use super::event::Event;
use super::machine::{Call, Phase};
use crate::base::time::Now;
use crate::error::Error;
use crate::policy::pace::{Outcome, PaceWait, Reason, Refusal};
use crate::policy::retry::retry_after;

/// The pace of the host, which the driver asks with the pool. The rule is that of
/// [`Connect::pace`](super::Connect::pace).
impl Call {
    /// The pace lets the request wait. A wait that does not end before the time limit of the whole
    /// call fails at once, with [`Kind::Paced`](crate::Kind::Paced). Otherwise ask the pool again at
    /// `until`, or when it wakes the ticket. Report the wait again when its earliest time grows.
    pub fn paced(&mut self, wait: &PaceWait, now: Now) {
        if !matches!(self.phase, Phase::Connect { .. }) {
            return self.misuse();
        }
        if self.clock.end().is_some_and(|end| end <= wait.earliest) {
            let refusal = Refusal::new(Reason::DeadlineTooNear, Some(wait.earliest), now.mono);
            return self.pace_refused(refusal);
        }
        if !std::mem::replace(&mut self.rare_mut().has_reported_wait, true) {
            let until = wait.until;
            self.report(Event::Paced { until, wait: until.map(|until| until - now.mono) });
        }
    }

    /// The pace does not let the request begin. The call fails with
    /// [`Kind::CircuitOpen`](crate::Kind::CircuitOpen) or [`Kind::Paced`](crate::Kind::Paced).
    pub fn pace_refused(&mut self, refusal: Refusal) {
        if !matches!(self.phase, Phase::Connect { .. }) {
            return self.misuse();
        }
        let mut error = Error::new(refusal.kind()).with_source(refusal);
        if let Some(rule) = &self.prepared.options.pace {
            let host = rule.key(&self.prepared.request.url);
            let detail = match refusal.wait {
                Some(wait) => format!("{host}, for {wait:?} more"),
                None => host.to_string(),
            };
            error = error.with_detail(detail);
        }
        self.fail(error);
    }

    /// The outcome of the current attempt for [`Pool::report`](crate::pool::Pool::report), as soon as
    /// it is known: before [`release`](Self::release), and before [`decide`](Self::decide). `None` at
    /// any other time, and without a pace.
    #[must_use]
    pub fn pace_outcome(&self, now: Now) -> Option<Outcome> {
        self.prepared.options.pace.as_ref()?;
        match (&self.phase, &self.head) {
            (Phase::Decide(_), Some(head)) => {
                let timings = self.timings();
                let latency = timings.head.zip(timings.sent).map(|(head, sent)| head.saturating_sub(sent));
                let retry_after = retry_after(&head.headers, now.wall);
                Some(Outcome::Status { status: head.status, retry_after, latency })
            }
            (Phase::Lost(error), _) => Some(Outcome::Failed { kind: error.kind() }),
            _ => None,
        }
    }
}
