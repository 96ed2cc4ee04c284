//! The events that end the wait of a thread.

use std::sync::Arc;

use rustix::event::PollFlags;
use sessio_driver::sessio::Instant;
use sessio_driver::socket2::Socket as Plain;

/// What a thread waits for, beside being woken.
pub(crate) struct Waits {
    /// When it looks again in any case.
    pub(crate) alarm: Option<Instant>,
    /// The sockets that are to be ready, each for one of these. They are kept open meanwhile.
    pub(crate) sockets: Vec<(Arc<Plain>, PollFlags)>,
}

impl Waits {
    pub(crate) const fn new() -> Self {
        Self { alarm: None, sockets: Vec::new() }
    }

    pub(crate) fn clear(&mut self) {
        self.alarm = None;
        self.sockets.clear();
    }
}
