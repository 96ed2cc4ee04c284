//! Progress of bodies, and the callbacks that receive it.

use std::fmt;
use std::sync::Arc;

/// The progress of a body: see [`Request::on_upload_progress`](crate::Request::on_upload_progress).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BodyProgress {
    /// Bytes so far, without framing.
    pub bytes: u64,
    /// Bytes in all. `None` if the length is not announced: for a chunked body, and for one that
    /// ends with its connection.
    pub total: Option<u64>,
}

type Tell = Arc<dyn Fn(BodyProgress) + Send + Sync>;

/// The callbacks of a request. None for most requests.
#[derive(Clone, Default)]
pub(crate) struct ProgressCallbacks(Option<Arc<Pair>>);

#[derive(Clone, Default)]
struct Pair {
    tells: [Option<Tell>; 2],
    /// Bytes of the partial file that the response continues.
    held: u64,
}

/// The direction of the body.
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

    /// These callbacks, each replaced by a later one of its direction.
    pub(crate) fn then(self, later: Self) -> Self {
        let (Some(pair), Some(later)) = (&self.0, &later.0) else {
            return if later.0.is_some() { later } else { self };
        };
        let [up, down] = &pair.tells;
        let [later_up, later_down] = &later.tells;
        let tells = [later_up.clone().or_else(|| up.clone()), later_down.clone().or_else(|| down.clone())];
        let held = if later.held > 0 { later.held } else { pair.held };
        Self(Some(Arc::new(Pair { tells, held })))
    }

    /// Counts the body of a 206 (Partial Content) from `held` on. Without callbacks it does
    /// nothing.
    pub(crate) fn count_from(&mut self, held: u64) {
        if let Some(pair) = &mut self.0 {
            Arc::make_mut(pair).held = held;
        }
    }

    /// Bytes of the partial file, if the response is for its rest.
    pub(crate) fn held(&self) -> Option<u64> {
        self.0.as_ref().map(|pair| pair.held).filter(|held| *held > 0)
    }

    /// Whether a callback is set.
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
