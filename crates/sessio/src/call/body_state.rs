//! How much of the response's body the caller has read.

use super::machine::{Call, Phase};

/// How much of a body the caller has read. A body that was read in part is never returned as a
/// whole (row B38).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyState {
    /// No bytes yet. The body may be empty.
    Unread,
    /// Some bytes. More bytes, or the end, may follow.
    Part,
    /// All of it.
    Read,
    /// The body cannot be read to its end.
    Failed,
}

impl Call {
    /// How much of the response's body was read.
    #[must_use]
    pub fn body_state(&self) -> BodyState {
        match self.phase {
            Phase::Failed(_) | Phase::Failing(_) => BodyState::Failed,
            Phase::Done => BodyState::Read,
            _ if self.taken == 0 => BodyState::Unread,
            _ if self.body_left() == Some(0) => BodyState::Read,
            _ => BodyState::Part,
        }
    }

    /// Number of bytes of the response's body that were consumed, after decoding.
    #[must_use]
    pub fn body_taken(&self) -> u64 {
        self.taken
    }
}
