//! Who is told how much of a body has moved.

use std::fmt;
use std::sync::Arc;

/// How much of a body has moved: see [`Request::on_upload_progress`](crate::Request::on_upload_progress).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transfer {
    /// The bytes so far, without framing.
    pub bytes: u64,
    /// How many there are in all, where that is said beforehand: a body in chunks does not, nor one that ends with its
    /// connection.
    pub total: Option<u64>,
}

type Tell = Arc<dyn Fn(Transfer) + Send + Sync>;

/// Nobody, for most requests.
#[derive(Clone, Default)]
pub(crate) struct Meters(Option<Arc<Pair>>);

#[derive(Clone, Default)]
struct Pair([Option<Tell>; 2]);

/// Which body it is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Up,
    Down,
}

impl Meters {
    pub(crate) fn set(&mut self, way: Way, tell: impl Fn(Transfer) + Send + Sync + 'static) {
        let pair = Arc::make_mut(self.0.get_or_insert_default());
        pair.0[way as usize] = Some(Arc::new(tell));
    }

    /// Whether anybody is told anything.
    pub(crate) fn is_set(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn of(&self, way: Way) -> Option<Tell> {
        self.0.as_ref()?.0[way as usize].clone()
    }
}

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "Meters(set)" } else { "Meters(none)" })
    }
}
