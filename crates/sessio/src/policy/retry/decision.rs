//! The decision about another attempt.

use http::Method;

use super::budget::BudgetState;
use super::failure_class::FailureClass;
use super::policy::{Beyond, Methods, RetryPolicy};
use super::retry_after::retry_after;
use super::stale::{Failure, has_idempotent_method, is_safe};
use super::verdict::{Again, Stop, Verdict};
use crate::base::kind::{Kind, Timeout};
use crate::base::time::{Instant, Now, Seed};
use crate::message::head::Head;

/// The facts about an attempt that has ended.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "callers build it")]
pub struct Facts<'a> {
    /// The method of the request.
    pub method: &'a Method,
    /// Whether the request has an `Idempotency-Key`.
    pub has_key: bool,
    /// Whether the body can be sent again. A request without a body always can.
    pub replayable: bool,
    /// The end of the attempt.
    pub outcome: Outcome<'a>,
    /// Number of attempts of this call so far, this one included.
    pub attempts: u32,
    /// The end of the time limit of the whole call. `None` without a limit.
    pub deadline: Option<Instant>,
}

/// The end of an attempt.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_enums, reason = "an attempt has a response, or it has none")]
pub enum Outcome<'a> {
    /// A response with this head.
    Response(&'a Head),
    /// An error.
    Failed(Failed),
}

/// An attempt that brought no whole response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "callers build it")]
pub struct Failed {
    /// The kind of the error.
    pub kind: Kind,
    /// Bytes of the request that the transport took.
    pub sent: u64,
    /// Bytes of the response that were received.
    pub received: u64,
    /// Whether the connection had carried an earlier exchange.
    pub reused: bool,
    /// Whether the request was sent again before, because its connection was stale.
    pub resent: bool,
}

/// Decides whether a request is sent again, when, and why.
///
/// The first of these rules that applies decides:
///
/// 1. A pooled connection was stale, and [repeating is safe](is_safe): at once, as part of the same
///    attempt.
/// 2. Only the body of the response failed: the caller has the response, so no.
/// 3. The policy does not list the status or the failure: no.
/// 4. All attempts are used up: no.
/// 5. The server may have processed the request, and [`RetryPolicy::methods`] does not allow a
///    second one: no (row FR2). It cannot have processed a request of which no byte was sent.
/// 6. The body cannot be sent again: no.
/// 7. `Retry-After` asks for more than allowed: no, or the longest allowed wait.
/// 8. The wait does not end before the deadline: no (row FR5).
/// 9. The budget is spent: no (row FR4).
/// 10. Otherwise yes, after the time that `Retry-After` names. Without it, after the backoff.
///
/// `budget` is the state of the request's origin. The first attempt of a call is counted there.
/// `seed` is drawn from only for a wait with jitter.
///
/// ```
/// use std::time::Duration;
/// use sessio::http::{Method, StatusCode};
/// use sessio::retry::{Again, BudgetState, Facts, Outcome, RetryPolicy, Verdict, decide};
/// use sessio::{Head, Headers, Instant, Now, Seed, UnixTime};
///
/// let mut headers = Headers::new();
/// headers.insert("Retry-After", "3")?;
/// let head = Head::new(StatusCode::SERVICE_UNAVAILABLE, headers);
/// let facts = Facts {
///     method: &Method::GET,
///     has_key: false,
///     replayable: true,
///     outcome: Outcome::Response(&head),
///     attempts: 1,
///     deadline: None,
/// };
/// let now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };
/// let (mut budget, mut seed) = (BudgetState::default(), Seed::new(7));
/// let wait = Duration::from_secs(3);
/// assert_eq!(
///     decide(&RetryPolicy::web(), &facts, &mut budget, &mut seed, now),
///     Verdict::Again { at: now.mono + wait, wait, why: Again::RetryAfter }
/// );
/// # Ok::<(), sessio::Fault>(())
/// ```
#[must_use]
pub fn decide(
    policy: &RetryPolicy,
    facts: &Facts<'_>,
    budget: &mut BudgetState,
    seed: &mut Seed,
    now: Now,
) -> Verdict {
    let again = |wait, why| Verdict::Again { at: now.mono + wait, wait, why };
    if is_stale(facts) {
        return again(std::time::Duration::ZERO, Again::StaleConnection);
    }
    if let Some(limit) = policy.budget.as_ref().filter(|_| facts.attempts <= 1) {
        budget.count(limit, now.mono);
    }
    let asked = match facts.outcome {
        Outcome::Response(head) if policy.statuses.contains(head.status.as_u16()) => {
            retry_after(&head.headers, now.wall)
        }
        Outcome::Response(head) if head.status.as_u16() < 400 => return Verdict::Stop(Stop::Success),
        Outcome::Response(_) => return Verdict::Stop(Stop::StatusNotListed),
        Outcome::Failed(failed) => match failed.kind {
            Kind::IncompleteBody | Kind::Timeout(Timeout::Read) => {
                return Verdict::Stop(Stop::ResponseDelivered);
            }
            kind if FailureClass::of(kind).is_some_and(|class| policy.failures.contains(class)) => None,
            _ => return Verdict::Stop(Stop::FailureNotListed),
        },
    };
    if facts.attempts >= policy.max_attempts {
        return Verdict::Stop(Stop::AttemptsSpent);
    }
    if !may_repeat(policy.methods, facts) {
        return Verdict::Stop(Stop::NotIdempotent);
    }
    if !facts.replayable {
        return Verdict::Stop(Stop::BodyNotReplayable);
    }
    let max = policy.retry_after.max;
    let (wait, why) = match asked {
        Some(wait) if wait <= max => (wait, Again::RetryAfter),
        Some(_) if policy.retry_after.beyond == Beyond::Cap => (max, Again::RetryAfterCapped),
        Some(_) => return Verdict::Stop(Stop::RetryAfterTooLong),
        None => (policy.backoff.wait(facts.attempts, seed), Again::Backoff),
    };
    if facts.deadline.is_some_and(|deadline| now.mono + wait >= deadline) {
        return Verdict::Stop(Stop::DeadlineTooNear);
    }
    // The budget comes last: a retry that another rule forbids costs nothing.
    if policy.budget.as_ref().is_some_and(|limit| !budget.take(limit)) {
        return Verdict::Stop(Stop::BudgetSpent);
    }
    again(wait, why)
}

fn is_stale(facts: &Facts<'_>) -> bool {
    let Outcome::Failed(failed) = facts.outcome else { return false };
    let Failed { kind, sent, received, reused, resent } = failed;
    let idempotent = has_idempotent_method(facts.method) || facts.has_key;
    let failure =
        Failure { reused, sent, received, idempotent, replayable: facts.replayable, retried: resent };
    kind == Kind::ClosedBeforeResponse && is_safe(&failure)
}

/// Whether a second request does no harm, or the caller accepts the harm.
fn may_repeat(methods: Methods, facts: &Facts<'_>) -> bool {
    match (methods, facts.outcome) {
        (Methods::Any, _) | (_, Outcome::Failed(Failed { sent: 0, .. })) => true,
        (Methods::WithKey, _) if facts.has_key => true,
        _ => has_idempotent_method(facts.method),
    }
}
