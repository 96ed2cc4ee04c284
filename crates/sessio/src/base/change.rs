//! How a request differs from a default of its session.

/// What a request does with one of the session's defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Takes it over.
    #[default]
    Inherit,
    /// Has a value of its own.
    Set(T),
    /// Goes without, this once.
    Remove,
}

impl<T> Change<T> {
    /// What comes of the session's value.
    pub(crate) fn applied(self, session: Option<T>) -> Option<T> {
        match self {
            Self::Inherit => session,
            Self::Set(value) => Some(value),
            Self::Remove => None,
        }
    }
}
