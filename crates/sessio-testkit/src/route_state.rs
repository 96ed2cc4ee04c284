//! The state that the routes of one server keep between requests.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::login::Logins;
use crate::tokens::Tokens;

#[derive(Debug, Default)]
pub(crate) struct RouteState {
    logins: Mutex<Logins>,
    tokens: Mutex<Tokens>,
    turns: Mutex<HashMap<String, usize>>,
}

impl RouteState {
    pub(crate) fn logins(&self) -> MutexGuard<'_, Logins> {
        lock(&self.logins)
    }

    pub(crate) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        lock(&self.tokens)
    }

    /// The number of earlier calls for `what`.
    pub(crate) fn turn(&self, what: &str) -> usize {
        let mut turns = lock(&self.turns);
        let turn = turns.entry(what.to_owned()).or_default();
        *turn += 1;
        *turn - 1
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
