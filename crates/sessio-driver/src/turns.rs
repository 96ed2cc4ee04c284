//! One after the other.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// Threads that do something in turns. No data lies under this lock, and nobody takes it but for a turn: so whose turn it
/// is may do everything else that the session can do.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    turn: Mutex<()>,
    holder: Mutex<Option<ThreadId>>,
}

/// It is over when this is dropped.
pub(crate) struct Turn<'t> {
    turns: &'t Turns,
    _turn: MutexGuard<'t, ()>,
}

impl Turns {
    /// Waits for the turn.
    ///
    /// # Panics
    /// If it is this thread's already: it would wait for itself for ever.
    pub(crate) fn begin(&self, what: &str) -> Turn<'_> {
        let Some(turn) = self.join() else {
            panic!(
                "`{what}` was called inside of `{what}` of the same session: change what the outer call has given"
            )
        };
        turn
    }

    /// Waits for the turn; `None` if it is this thread's already.
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
