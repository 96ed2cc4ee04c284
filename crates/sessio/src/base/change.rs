//! A request's change to a default of its session.

/// A request's change to one of the session's defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Uses the session's value.
    #[default]
    Inherit,
    /// Uses this value.
    Set(T),
    /// Uses no value for this request.
    Remove,
}

impl<T> Change<T> {
    /// Applies the change to the session's value.
    pub(crate) fn applied(self, session: Option<T>) -> Option<T> {
        match self {
            Self::Inherit => session,
            Self::Set(value) => Some(value),
            Self::Remove => None,
        }
    }
}
