//! Decides about further attempts of a request.

use super::event::Event;
use super::machine::{Call, Phase};
use super::marks::Marks;
use super::options::PreparedCall;
use super::policy::Lend;
use crate::base::kind::{Blame, Kind, Timeout};
use crate::base::time::{Instant, Now};
use crate::error::{Error, Result};
use crate::message::head::Head;
use crate::policy::retry::{
    Attempt, AttemptEnd, Facts, Failed, FailureClass, IDEMPOTENCY_KEY, Outcome, RetryPolicy, Verdict,
};

impl Call {
    /// The attempts of this call, first to last, each with the decision about it. Empty without a
    /// policy of [retries](crate::retry).
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        self.past().map_or(&[], |past| &past.attempts)
    }

    /// Whether the policy step takes this error: another attempt may mend it, or a pace counts it.
    pub(super) fn is_for_policy(&self, error: &Error) -> bool {
        let options = &self.prepared.options;
        matches!(self.phase, Phase::Connect { .. } | Phase::Handshake | Phase::Exchange)
            && (options.pace.is_some() || (options.retry.is_some() && may_mend(error.kind())))
            && error.kind().blame() != Blame::Caller
    }

    /// Whether an earlier attempt may have sent a part of the request.
    pub(super) fn has_sent_before(&self) -> bool {
        self.attempts().iter().any(|attempt| match attempt.end {
            AttemptEnd::Status(_) => true,
            AttemptEnd::Failed(kind) => {
                matches!(FailureClass::of(kind), Some(FailureClass::Closed | FailureClass::Timeout))
            }
        })
    }

    /// Decides about a final response. Returns the time of the next attempt, if there is one.
    pub(super) fn decide_response(&mut self, head: &Head, lend: &mut Lend<'_>, now: Now) -> Option<Instant> {
        let policy = self.prepared.options.retry.clone()?;
        let end = AttemptEnd::Status(head.status);
        self.decide_attempt(&policy, Outcome::Response(head), end, lend, now)
    }

    /// Decides about an attempt that has failed.
    #[cold]
    pub(super) fn decide_failure(&mut self, lend: &mut Lend<'_>, now: Now) {
        let policy = self.prepared.options.retry.clone();
        let Phase::Lost(error) = std::mem::replace(&mut self.phase, Phase::Failed(Kind::Misuse)) else {
            return;
        };
        let failed = Failed {
            kind: error.kind(),
            sent: match self.link.is_unprocessed {
                true => 0,
                false => error.progress().map_or(0, |progress| progress.bytes_sent),
            },
            received: error.progress().map_or(0, |progress| progress.bytes_received),
            reused: error.progress().is_some_and(|progress| progress.reused),
            resent: self.retries > 0,
        };
        let end = AttemptEnd::Failed(error.kind());
        let at = policy
            .filter(|_| may_mend(error.kind()))
            .and_then(|policy| self.decide_attempt(&policy, Outcome::Failed(failed), end, lend, now));
        let error = match at {
            None => error,
            Some(until) => match self.prepare_again(lend, now) {
                Ok(()) => return self.wait(until),
                Err(error) => {
                    error.with_url(&self.prepared.request.url).with_history(self.history().to_vec())
                }
            },
        };
        self.phase = Phase::Failing(error.with_attempts(self.attempts().to_vec()));
    }

    fn decide_attempt(
        &mut self,
        policy: &RetryPolicy,
        outcome: Outcome<'_>,
        end: AttemptEnd,
        lend: &mut Lend<'_>,
        now: Now,
    ) -> Option<Instant> {
        let request = &self.prepared.request;
        let again = self.attempts().iter().filter(|attempt| matches!(attempt.verdict, Verdict::Again { .. }));
        let facts = Facts {
            method: &request.method,
            has_key: request.headers.contains(IDEMPOTENCY_KEY),
            replayable: self.can_replay(),
            outcome,
            attempts: u32::try_from(again.count()).unwrap_or(u32::MAX).saturating_add(1),
            deadline: self.clock.end(),
        };
        let mut decided = None;
        lend(&mut |state| decided = Some(state.retry(policy, &request.url, &facts, now)));
        let verdict = decided?;
        let attempt = Attempt { hop: self.redirects, end, verdict };
        self.past_mut().attempts.push(attempt);
        match verdict {
            Verdict::Again { at, .. } => Some(at),
            Verdict::Stop(_) => None,
        }
    }

    /// Prepares the same request for another attempt. Its response may have set cookies, and a
    /// signature may be valid once.
    pub(super) fn prepare_again(&mut self, lend: &mut Lend<'_>, now: Now) -> Result<()> {
        lend(&mut |state| self.prepared.attach_cookies(&mut state.jar, now));
        if self.prepared.options.hooks.is_set() {
            let mut attach =
                |call: &mut PreparedCall| lend(&mut |state| call.attach_cookies(&mut state.jar, now));
            self.prepared.run_hooks(&mut attach)?;
            self.prepared.choose_proxy()?;
        }
        let flow = self.prepared.options.flow.take();
        if flow.as_ref().is_some_and(|flow| flow.asks()) {
            self.prepared.options.is_unsigned = true;
            self.prepared.options.flow = flow;
        } else if let Some(mut flow) = flow {
            let signed = flow.sign(&mut self.prepared.request);
            self.prepared.options.flow = Some(flow);
            signed?;
            self.prepared.request.frame();
        }
        self.prepared.seal()
    }

    /// Waits for the next attempt. The connection of this one is gone.
    fn wait(&mut self, until: Instant) {
        self.retries = 0;
        self.forget_connection();
        self.clock.rest();
        self.phase = Phase::Wait { until, rewinds: self.must_rewind() };
        self.recycle();
    }

    /// Begins the next attempt if its time has come.
    pub(super) fn check_wait(&mut self, now: Instant) {
        let Phase::Wait { until, rewinds } = self.phase else { return };
        if now < until {
            return;
        }
        self.marks = Marks::default();
        self.phase = match rewinds {
            rewinds if self.prepared.is_unsigned() => Phase::Sign { rewinds, fresh: false },
            true => Phase::Rewind { fresh: false },
            false => Phase::Connect { fresh: false, limit: Timeout::Pool },
        };
        self.report_own(Self::connecting);
    }

    /// The event of a wait that was decided.
    pub(super) fn waiting(&self) -> Option<Event<'_>> {
        let attempt = self.attempts().last()?;
        let Verdict::Again { at, .. } = attempt.verdict else { return None };
        Some(Event::Waiting { until: at, attempt })
    }
}

/// Whether another attempt may mend an error of this kind. None fits after the time limit of the
/// whole call.
fn may_mend(kind: Kind) -> bool {
    kind != Kind::Timeout(Timeout::Total)
}
