//! Counts the work of the pool: looks at its tables, and comparisons of tickets.

use std::cell::Cell;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

pub(in crate::pool) fn count() {
    STEPS.set(STEPS.get() + 1);
}

/// The number of steps that `act` takes.
pub(super) fn of(act: impl FnOnce()) -> usize {
    let before = STEPS.get();
    act();
    STEPS.get() - before
}

/// A number whose comparisons are counted.
#[derive(Clone, Copy, Debug)]
pub(in crate::pool) struct Counted(u64);

impl From<u64> for Counted {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Counted {}

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Counted {
    fn cmp(&self, other: &Self) -> Ordering {
        count();
        self.0.cmp(&other.0)
    }
}

impl Hash for Counted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
