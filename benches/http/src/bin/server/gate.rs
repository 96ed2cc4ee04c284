//! Holds connections until there are enough of them.

use std::sync::{Condvar, Mutex, PoisonError};

/// Connections that wait for each other.
#[derive(Default)]
pub struct Gate {
    waiting: Mutex<(usize, u64)>,
    opened: Condvar,
}

impl Gate {
    /// Returns once `many` connections are waiting.
    pub fn pass(&self, many: usize) {
        let mut state = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, round) = *state;
        state.0 += 1;
        if state.0 >= many {
            *state = (0, round + 1);
            self.opened.notify_all();
            return;
        }
        while state.1 == round {
            state = self.opened.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
