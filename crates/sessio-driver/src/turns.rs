//! Mutual exclusion of threads without data.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// A lock for changes that run one after the other. It guards no data, and no other operation takes
/// it. So the thread that holds it can use every other method of the session.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    turn: Mutex<()>,
    holder: Mutex<Option<ThreadId>>,
}

/// The right to make a change. Dropping it ends the turn.
pub(crate) struct Turn<'t> {
    turns: &'t Turns,
    _turn: MutexGuard<'t, ()>,
}

impl Turns {
    /// Waits for the turn.
    ///
    /// # Panics
    /// If this thread has the turn already: it would wait for itself forever.
    pub(crate) fn begin(&self, what: &str) -> Turn<'_> {
        let Some(turn) = self.join() else {
            panic!(
                "`{what}` was called inside of `{what}` of the same session: change what the outer call has given"
            )
        };
        turn
    }

    /// Waits for the turn; `None` if this thread has it already.
    pub(crate) fn join(&self) -> Option<Turn<'_>> {
        let this = thread::current().id();
        let is_within = *self.holder() == Some(this);
        if is_within {
            return None;
        }
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        *self.holder() = Some(this);
        Some(Turn { turns: self, _turn: turn })
    }

    fn holder(&self) -> MutexGuard<'_, Option<ThreadId>> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.turns.holder() = None;
    }
}
