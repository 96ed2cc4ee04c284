//! Who is told how much of a body has moved.

use std::fmt;
use std::sync::Arc;

/// How much of a body has moved: see [`Request::on_upload_progress`](crate::Request::on_upload_progress).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BodyProgress {
    /// The bytes so far, without framing.
    pub bytes: u64,
    /// How many there are in all, where that is said beforehand: a body in chunks does not, nor one that ends with its
    /// connection.
    pub total: Option<u64>,
}

type Tell = Arc<dyn Fn(BodyProgress) + Send + Sync>;

/// Nobody, for most requests.
#[derive(Clone, Default)]
pub(crate) struct ProgressCallbacks(Option<Arc<Pair>>);

#[derive(Clone, Default)]
struct Pair {
    tells: [Option<Tell>; 2],
    /// How many bytes of what comes down are there already, where the response is for the rest of them.
    held: u64,
}

/// Which body it is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Up,
    Down,
}

impl ProgressCallbacks {
    pub(crate) fn set(&mut self, way: Way, tell: impl Fn(BodyProgress) + Send + Sync + 'static) {
        let pair = Arc::make_mut(self.0.get_or_insert_default());
        pair.tells[way as usize] = Some(Arc::new(tell));
    }

    /// Counts from `held` on what a 206 (Partial Content) brings. Nothing, if nobody is told.
    pub(crate) fn count_from(&mut self, held: u64) {
        if let Some(pair) = &mut self.0 {
            Arc::make_mut(pair).held = held;
        }
    }

    /// How many bytes are there already, if this is for the rest of them.
    pub(crate) fn held(&self) -> Option<u64> {
        self.0.as_ref().map(|pair| pair.held).filter(|held| *held > 0)
    }

    /// Whether anybody is told anything.
    pub(crate) fn is_set(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn of(&self, way: Way) -> Option<Tell> {
        self.0.as_ref()?.tells[way as usize].clone()
    }
}

impl fmt::Debug for ProgressCallbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "ProgressCallbacks(set)" } else { "ProgressCallbacks(none)" })
    }
}
