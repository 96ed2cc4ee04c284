//! Limits on the share of extra requests.

use std::collections::HashMap;
use std::time::Duration;

use crate::base::time::Instant;
use crate::uri::origin::Origin;

/// A limit on the extra requests that retries send to one origin: a share of its calls.
///
/// Retries multiply the load of a server that is already overloaded. A budget bounds that. At any
/// time the retries number at most `percent` of the calls, or `reserve`, whichever is more. With
/// 20 %, 10,000 calls to a dead host send at most 12,000 requests.
///
/// ```
/// use sessio::retry::Budget;
///
/// let mut budget = Budget::percent(10);
/// budget.reserve = 3;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Budget {
    /// Retries for each 100 calls. Default: 20.
    pub percent: u32,
    /// Retries that are allowed however few calls there were. Default: 10.
    pub reserve: u32,
    /// An origin that was not called for this long starts over. Default: 60 s.
    pub forget_after: Duration,
}

/// Number of calls that a budget remembers. Beyond it both numbers are halved, so that a long quiet
/// time does not pay for a flood.
const MEMORY: u64 = 1024;

impl Budget {
    /// A budget of `percent` retries for each 100 calls.
    #[must_use]
    pub fn percent(percent: u32) -> Self {
        Self { percent, ..Self::default() }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { percent: 20, reserve: 10, forget_after: Duration::from_secs(60) }
    }
}

/// The calls to one origin, and the retries among them: the state of a [`Budget`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BudgetState {
    calls: u64,
    retries: u64,
    last: Instant,
}

impl BudgetState {
    /// Counts a call.
    pub(super) fn count(&mut self, budget: &Budget, now: Instant) {
        if now - self.last >= budget.forget_after {
            *self = Self::default();
        }
        self.last = now;
        self.calls += 1;
        if self.calls >= MEMORY && self.retries * 100 <= self.calls * u64::from(budget.percent) {
            // Rounded so that the share does not grow.
            (self.calls, self.retries) = (self.calls / 2, self.retries.div_ceil(2));
        }
    }

    /// Counts a retry. Returns `false` if the budget is spent.
    pub(super) fn take(&mut self, budget: &Budget) -> bool {
        let share = self.calls.saturating_mul(budget.percent.into()) / 100;
        let is_left = self.retries < share.max(budget.reserve.into());
        self.retries += u64::from(is_left);
        is_left
    }
}

/// The budgets of a session: one for each origin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Budgets(HashMap<Origin, BudgetState>);

/// Number of origins that a session remembers. Redirects can name any number of them.
const MOST_ORIGINS: usize = 1024;

impl Budgets {
    /// The state of an origin. If there are too many, it takes the place of the one that was not
    /// called for the longest time.
    pub(crate) fn of(&mut self, origin: Origin) -> &mut BudgetState {
        if self.0.len() >= MOST_ORIGINS
            && !self.0.contains_key(&origin)
            && let Some(oldest) =
                self.0.iter().min_by_key(|(_, state)| state.last).map(|(origin, _)| origin.clone())
        {
            self.0.remove(&oldest);
        }
        self.0.entry(origin).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::after_epoch(Duration::from_secs(seconds))
    }

    /// Calls that all fail and ask for three retries each. Returns the number of requests.
    fn flood(state: &mut BudgetState, budget: &Budget, calls: u64) -> u64 {
        let mut requests = 0;
        for _ in 0..calls {
            state.count(budget, at(1));
            requests += 1 + (0..3).filter(|_| state.take(budget)).count() as u64;
        }
        requests
    }

    #[test]
    fn a_dead_host_gets_a_fifth_more_requests_and_no_more() {
        for calls in [1, 2, 10, 49, 50, 51, 100, 999, 10_000, 100_000] {
            let requests = flood(&mut BudgetState::default(), &Budget::percent(20), calls);
            let most = calls + (calls / 5).max(10);
            assert!(requests <= most, "{calls}: {requests} of {most}");
            // Halving rounds, at the cost of a retry each time.
            assert!(requests >= calls + calls / 5 - calls / 500, "{calls}: {requests}");
        }
        let none = Budget { reserve: 0, ..Budget::percent(0) };
        assert_eq!(flood(&mut BudgetState::default(), &none, 5000), 5000);
        let only_reserve = Budget { reserve: 7, ..Budget::percent(0) };
        assert_eq!(flood(&mut BudgetState::default(), &only_reserve, 5000), 5007);
        let every = Budget::percent(u32::MAX);
        assert_eq!(flood(&mut BudgetState::default(), &every, 5000), 20_000);
    }

    /// At any point of any mix of good and bad calls.
    #[test]
    fn retries_never_exceed_their_share() {
        let budget = Budget { reserve: 3, ..Budget::percent(13) };
        let mut seed = crate::Seed::new(3);
        let (mut state, mut calls, mut retries) = (BudgetState::default(), 0_u64, 0_u64);
        for _ in 0..20_000 {
            state.count(&budget, at(1));
            calls += 1;
            if seed.draw().is_multiple_of(3) {
                retries += (0..seed.draw() % 4).filter(|_| state.take(&budget)).count() as u64;
            }
            assert!(retries <= (calls * 13 / 100).max(3), "{retries} of {calls}");
        }
    }

    #[test]
    fn a_long_good_time_pays_for_no_flood() {
        let (budget, mut state) = (Budget::percent(20), BudgetState::default());
        (0..1_000_000).for_each(|_| state.count(&budget, at(1)));
        let burst = (0..1_000_000).filter(|_| state.take(&budget)).count();
        assert!(burst <= 205, "{burst}");
    }

    #[test]
    fn an_origin_that_was_not_called_starts_over() {
        let (budget, mut state) = (Budget::percent(0), BudgetState::default());
        let burst = |state: &mut BudgetState, now| {
            state.count(&budget, at(now));
            (0..100).filter(|_| state.take(&budget)).count()
        };
        assert_eq!([100, 159, 218].map(|now| burst(&mut state, now)), [10, 0, 0]);
        assert_eq!(burst(&mut state, 278), 10);
    }

    #[test]
    fn origins_have_budgets_of_their_own_and_are_bounded() {
        let origin = |port| Origin { secure: true, host: "a".into(), port };
        let (budget, mut budgets) = (Budget { reserve: 1, ..Budget::percent(0) }, Budgets::default());
        for port in 0..5000 {
            let state = budgets.of(origin(port));
            state.count(&budget, at(u64::from(port)));
            assert!(state.take(&budget) && !state.take(&budget), "{port}");
            assert!(budgets.0.len() <= MOST_ORIGINS);
        }
        assert!(!budgets.of(origin(4999)).take(&budget), "the latest is remembered");
        assert!(budgets.of(origin(0)).take(&budget), "the earliest is not");
    }
}
