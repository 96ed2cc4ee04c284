//! The requests that a mock has received.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Received;

/// A list of requests, shared between a mock and its transfers.
#[derive(Clone, Debug, Default)]
pub(super) struct Record(Arc<Mutex<Vec<Received>>>);

impl Record {
    pub(super) fn push(&self, request: Received) {
        self.list().push(request);
    }

    pub(super) fn list(&self) -> MutexGuard<'_, Vec<Received>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
