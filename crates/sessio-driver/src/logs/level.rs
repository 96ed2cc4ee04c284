//! The levels of records.

/// The target of the records.
pub(super) const TARGET: &str = "sessio";

/// The level of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Warn,
    Debug,
    Trace,
}

impl Level {
    /// Whether something receives records of this level.
    #[inline]
    pub(super) fn is_enabled(self) -> bool {
        #[cfg(feature = "log")]
        if log::log_enabled!(target: TARGET, self.of_log()) {
            return true;
        }
        #[cfg(feature = "tracing")]
        if self.is_traced() {
            return true;
        }
        false
    }

    #[cfg(feature = "log")]
    pub(super) fn of_log(self) -> log::Level {
        match self {
            Self::Warn => log::Level::Warn,
            Self::Debug => log::Level::Debug,
            Self::Trace => log::Level::Trace,
        }
    }

    #[cfg(feature = "tracing")]
    #[inline]
    fn is_traced(self) -> bool {
        match self {
            Self::Warn => tracing::event_enabled!(target: TARGET, tracing::Level::WARN),
            Self::Debug => tracing::event_enabled!(target: TARGET, tracing::Level::DEBUG),
            Self::Trace => tracing::event_enabled!(target: TARGET, tracing::Level::TRACE),
        }
    }
}
