//! The events that end the wait of a thread.

use std::sync::Arc;

use rustix::event::PollFlags;
use sessio_driver::sessio::Instant;
use sessio_driver::socket2::Socket as Plain;

/// The events that a thread waits for, apart from a wake-up.
pub(crate) struct Waits {
    /// The latest end of the wait.
    pub(crate) alarm: Option<Instant>,
    /// Each socket with the readiness that ends the wait. They stay open meanwhile.
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
