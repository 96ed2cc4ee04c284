//! Decisions about another attempt, as values.

use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::base::kind::Kind;
use crate::base::time::Instant;

/// Whether a request is sent again, and the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Verdict {
    /// The request is sent again.
    Again {
        /// The time of the next attempt.
        at: Instant,
        /// The wait until then.
        wait: Duration,
        /// The rule that decided the wait.
        why: Again,
    },
    /// The response or the error is the result.
    Stop(Stop),
}

macro_rules! reasons {
    ($(#[$outer:meta])* $enum:ident { $($(#[$doc:meta])* $name:ident $text:literal $says:literal;)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $enum {
            $($(#[$doc])* $name,)*
        }

        impl $enum {
            /// The reason in kebab-case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }

        impl fmt::Display for $enum {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$name => $says,)*
                })
            }
        }
    };
}

reasons! {
    /// The rule that decided how long to wait.
    Again {
        /// A pooled connection was stale. The request goes out again at once.
        StaleConnection "stale-connection" "the pooled connection was stale";
        /// The backoff of the policy.
        Backoff "backoff" "by the backoff of the policy";
        /// The `Retry-After` of the response.
        RetryAfter "retry-after" "as Retry-After asks";
        /// The `Retry-After` of the response asks for more than the policy allows. The wait is the
        /// longest allowed one.
        RetryAfterCapped "retry-after-capped" "as long as the policy allows; Retry-After asks for more";
    }
}

reasons! {
    /// The reason why a request is not sent again.
    Stop {
        /// The status is no error.
        Success "success" "the status is no error";
        /// The policy does not retry this status.
        StatusNotListed "status-not-listed" "the policy does not retry this status";
        /// The policy does not retry this failure.
        FailureNotListed "failure-not-listed" "the policy does not retry this failure";
        /// The caller has the response already: only its body failed.
        ResponseDelivered "response-delivered" "the caller has the response already";
        /// All attempts of the policy are used up.
        AttemptsSpent "attempts-spent" "all attempts are used up";
        /// The server may have processed the request, and its method does not allow a second one.
        NotIdempotent "not-idempotent" "the server may have processed the request, and it is not idempotent";
        /// The body was sent, and cannot be sent again.
        BodyNotReplayable "body-not-replayable" "the body cannot be sent again";
        /// `Retry-After` asks for more than the policy allows.
        RetryAfterTooLong "retry-after-too-long" "Retry-After asks for more than the policy allows";
        /// The wait does not end before the time limit of the whole call.
        DeadlineTooNear "deadline-too-near" "the wait does not fit into the time limit of the call";
        /// Too large a share of the requests to this origin are retries.
        BudgetSpent "budget-spent" "the budget of retries to this origin is spent";
    }
}

/// One attempt of a call, and the decision about it.
///
/// A call without a policy has none. A request that was sent again because its pooled connection was
/// stale is the same attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The number of redirects that the call had followed before.
    pub hop: u32,
    /// The end of the attempt.
    pub end: AttemptEnd,
    /// The decision.
    pub verdict: Verdict,
}

/// The end of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "an attempt has a response, or it has none")]
pub enum AttemptEnd {
    /// A response with this status.
    Status(StatusCode),
    /// An error of this kind.
    Failed(Kind),
}

impl fmt::Display for AttemptEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {}", status.as_u16()),
            Self::Failed(kind) => write!(f, "{kind}"),
        }
    }
}

/// Formats the attempt as one line of a log.
impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.verdict {
            Verdict::Again { wait, why, .. } => write!(f, "{}: again after {wait:?}, {why}", self.end),
            Verdict::Stop(why) => write!(f, "{}: not again, {why}", self.end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_one_line() {
        let attempt = |end, verdict| Attempt { hop: 0, end, verdict }.to_string();
        let wait = Duration::from_secs(2);
        assert_eq!(
            attempt(
                AttemptEnd::Status(StatusCode::SERVICE_UNAVAILABLE),
                Verdict::Again { at: Instant::ZERO + wait, wait, why: Again::RetryAfter }
            ),
            "status 503: again after 2s, as Retry-After asks"
        );
        assert_eq!(
            attempt(AttemptEnd::Failed(Kind::Connect), Verdict::Stop(Stop::BudgetSpent)),
            "connect: not again, the budget of retries to this origin is spent"
        );
    }
}
