//! Retries: whether, when and why a request is sent again.
//!
//! There are two of them, and [`decide`] makes the decision of both:
//!
//! - **A stale connection.** A server may close a pooled connection at any moment. A request that
//!   failed for this reason is sent again at once, if that [is safe](is_safe). Every session does
//!   so, and it is no attempt of its own.
//! - **Another attempt**, after a failure or after a status such as 503, by the rules of a
//!   [`RetryPolicy`]. A session has none unless [`Settings::retry`](crate::Settings::retry) is set.
//!
//! Every decision is a [`Verdict`] with its reason. The response has those of its call.

mod backoff;
mod budget;
mod decision;
mod failure_class;
mod idempotency_key;
mod policy;
mod retry_after;
mod stale;
mod status_set;
mod verdict;

pub use backoff::{Backoff, Jitter};
pub(crate) use budget::Budgets;
pub use budget::{Budget, BudgetState};
pub use decision::{Facts, Failed, Outcome, decide};
pub use failure_class::{FailureClass, FailureSet};
pub(crate) use idempotency_key::{IDEMPOTENCY_KEY, draw_key};
pub use policy::{Beyond, Methods, RetryAfter, RetryPolicy};
pub use retry_after::retry_after;
pub use stale::{Failure, is_idempotent, is_safe, repeat};
pub use status_set::StatusSet;
pub use verdict::{Again, Attempt, AttemptEnd, Stop, Verdict};

#[cfg(test)]
mod tests;
