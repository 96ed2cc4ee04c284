//! The rules by which a request is sent again.

use std::sync::Arc;
use std::time::Duration;

use super::backoff::Backoff;
use super::budget::Budget;
use super::failure_class::FailureSet;
use super::status_set::StatusSet;

/// The rules by which a request is sent again.
///
/// [`web`](Self::web) has values for most programs. Change those that you want otherwise:
///
/// ```
/// use sessio::Settings;
/// use sessio::retry::RetryPolicy;
///
/// let mut policy = RetryPolicy::web();
/// policy.max_attempts = 6;
/// policy.statuses.insert(520);
/// let mut settings = Settings::default();
/// settings.retry = Some(policy.into());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Number of attempts in all, the first one included. Redirects do not reset it. Default: 4.
    /// With 0 or 1 nothing is retried.
    pub max_attempts: u32,
    /// The statuses that are retried. Default: 408, 425, 429, 500, 502, 503 and 504.
    pub statuses: StatusSet,
    /// The failures that are retried. Default: see [`FailureSet`].
    pub failures: FailureSet,
    /// The requests that are sent again although the server may have processed them. Default:
    /// [`Methods::WithKey`].
    pub methods: Methods,
    /// Whether a request whose method is not idempotent gets an `Idempotency-Key`, unless it has
    /// one. Default: `false`. Set it only for servers that know this header: others process such a
    /// request twice.
    pub draws_key: bool,
    /// The waits, if the response names none.
    pub backoff: Backoff,
    /// How far the `Retry-After` of a response is followed.
    pub retry_after: RetryAfter,
    /// The limit on the share of extra requests to one origin. Default: 20 % of the calls. `None`
    /// is no limit.
    pub budget: Option<Budget>,
}

/// The requests that are sent again although the server may have processed them.
///
/// A request of which no byte was sent cannot have been processed. Each policy sends it again,
/// whatever its method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Methods {
    /// Those with an idempotent method: GET, HEAD, PUT, DELETE, OPTIONS and TRACE (RFC 9110 section
    /// 9.2.2).
    Idempotent,
    /// Also those with an `Idempotency-Key`.
    #[default]
    WithKey,
    /// All. A POST may then have its effect twice.
    Any,
}

/// How far the `Retry-After` of a response is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryAfter {
    /// The longest wait that is followed. Default: 60 s.
    pub max: Duration,
    /// The rule for longer ones. Default: [`Beyond::ReturnResponse`].
    pub beyond: Beyond,
}

/// The rule for a `Retry-After` that asks for a longer wait than allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Beyond {
    /// The response is the result. [`retry_after`](super::retry_after()) reads the wait.
    #[default]
    ReturnResponse,
    /// The longest allowed wait is enough.
    Cap,
}

impl Default for RetryAfter {
    fn default() -> Self {
        Self { max: Duration::from_secs(60), beyond: Beyond::ReturnResponse }
    }
}

impl RetryPolicy {
    /// For requests that a user or a program waits for. It is also the default.
    ///
    /// | field | value | reason |
    /// |---|---|---|
    /// | `max_attempts` | 4 | three retries outlast a restart of most servers |
    /// | `statuses` | 408, 425, 429 | the server asks for the request again |
    /// | | 500, 502, 503, 504 | a server, or one behind it, fails for the moment |
    /// | `failures` | resolve, connect, closed, timeout | the network fails for the moment |
    /// | `methods` | with key | a POST is sent twice only if its key makes that harmless |
    /// | `draws_key` | no | servers that do not know the header would process it twice |
    /// | `backoff` | up to 0.5, 1 and 2 s, all random | clients do not come back together |
    /// | `retry_after` | up to 60 s | a longer wait is for the caller to decide |
    /// | `budget` | 20 %, at least 10 | a dead host gets at most a fifth more requests |
    #[must_use]
    pub fn web() -> Self {
        Self {
            max_attempts: 4,
            statuses: StatusSet::new([408, 425, 429, 500, 502, 503, 504]),
            failures: FailureSet::default(),
            methods: Methods::WithKey,
            draws_key: false,
            backoff: Backoff::default(),
            retry_after: RetryAfter::default(),
            budget: Some(Budget::default()),
        }
    }

    /// For work in the background, which may take minutes. It differs from [`web`](Self::web) in
    /// these fields:
    ///
    /// | field | value | reason |
    /// |---|---|---|
    /// | `max_attempts` | 8 | seven retries outlast a short failure of a service |
    /// | `backoff` | up to 1, 2, 4, 8, 16, 32 and 60 s, all random | about a minute on average |
    /// | `retry_after` | up to 15 min | no user waits |
    #[must_use]
    pub fn background() -> Self {
        let mut policy = Self::web();
        policy.max_attempts = 8;
        policy.backoff.first = Duration::from_secs(1);
        policy.backoff.max = Duration::from_secs(60);
        policy.retry_after.max = Duration::from_secs(15 * 60);
        policy
    }
}

/// As [`RetryPolicy::web`].
impl Default for RetryPolicy {
    fn default() -> Self {
        Self::web()
    }
}

impl From<RetryPolicy> for Option<Arc<RetryPolicy>> {
    fn from(policy: RetryPolicy) -> Self {
        Some(Arc::new(policy))
    }
}
