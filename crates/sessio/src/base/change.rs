//! A change to a default of a session.

/// A change to one of the session's defaults, by a request or a mount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Uses the session's value.
    #[default]
    Inherit,
    /// Uses this value.
    Set(T),
    /// Uses no value.
    Remove,
}

impl<T> Change<T> {
    /// This change, and then a later one.
    pub(crate) fn then(self, later: Self) -> Self {
        match later {
            Self::Inherit => self,
            later => later,
        }
    }

    /// Whether the session's value is used.
    pub(crate) fn is_inherit(&self) -> bool {
        matches!(self, Self::Inherit)
    }

    /// Applies the change to the session's value.
    pub(crate) fn applied(self, session: Option<T>) -> Option<T> {
        match self {
            Self::Inherit => session,
            Self::Set(value) => Some(value),
            Self::Remove => None,
        }
    }
}
