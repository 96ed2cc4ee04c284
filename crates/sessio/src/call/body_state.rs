//! How much of the answer's body its reader has had.

use super::machine::{Call, Phase};

/// How much of a body its reader has had. What was read in part is never given out as whole (row B38).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyState {
    /// Nothing yet; there may be nothing.
    Unread,
    /// Some bytes: more may come, or its end.
    Part,
    /// All of it.
    Read,
    /// It cannot be read to its end.
    Failed,
}

impl Call {
    /// How much of the answer's body was read.
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

    /// How many bytes of the answer's body were consumed, its codings undone.
    #[must_use]
    pub fn body_taken(&self) -> u64 {
        self.taken
    }
}
