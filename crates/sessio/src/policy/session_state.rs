//! The state that a session learns.

use std::fmt;

use url::Url;

use crate::base::time::{Now, Seed};
#[cfg(feature = "digest")]
use crate::policy::proxy_challenges::ProxyChallenges;
use crate::policy::retry::{self, BudgetState, Budgets, Facts, RetryPolicy, Verdict};
use crate::uri::origin::Origin;
use sessio_cookie::Jar;

/// The state that a session learns from its responses, as one value: its cookies, the budgets of
/// its [retries](retry), and the challenges of its proxies.
///
/// The policy step of a call takes it: [`Call::decide`](crate::Call::decide). A session has one, and
/// all its calls share it. An ordinary response needs none of it.
///
/// ```
/// use sessio::{Seed, SessionState};
///
/// // 256 bits of the system, or any number in a test.
/// let state = SessionState::new(Seed::from_bytes([7; 32]));
/// assert!(state.jar.is_empty());
/// ```
#[non_exhaustive]
pub struct SessionState {
    /// The cookies.
    pub jar: Jar,
    /// The budgets of retries, by origin.
    budgets: Budgets,
    /// The last challenges of proxies.
    #[cfg(feature = "digest")]
    pub(crate) proxies: ProxyChallenges,
    /// The randomness of decisions.
    pub(crate) seed: Seed,
}

impl SessionState {
    /// The state of a new session, with an empty jar. A decision that needs chance draws it from
    /// `seed`, so each session needs a seed of its own.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        Self {
            jar: Jar::new(),
            budgets: Budgets::default(),
            #[cfg(feature = "digest")]
            proxies: ProxyChallenges::default(),
            seed,
        }
    }

    /// Decides whether a request to this URL is sent again.
    pub(crate) fn retry(&mut self, policy: &RetryPolicy, url: &Url, facts: &Facts<'_>, now: Now) -> Verdict {
        // Without a budget nothing is remembered of the origin.
        let origin = policy.budget.and_then(|_| Origin::of(url));
        let mut none = BudgetState::default();
        let budget = origin.map_or(&mut none, |origin| self.budgets.of(origin));
        retry::decide(policy, facts, budget, &mut self.seed, now)
    }

    /// Mixes a number into the randomness of later decisions. A process does so with its id after a
    /// fork, so that it does not decide as its parent.
    pub fn mix(&mut self, number: u64) {
        self.seed.mix(number);
    }
}

/// Formats the state without its secrets.
impl fmt::Debug for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionState").field("jar", &self.jar).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parent_and_child_decide_by_chance_of_their_own() {
        let mut states = [1, 2].map(|process| {
            let mut state = SessionState::new(Seed::new(7));
            state.mix(process);
            state
        });
        let [one, other] = &mut states;
        assert_ne!(one.seed.draw(), other.seed.draw());
    }
}
