//! A connection in memory, as its server stores it.

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::pipe::SharedPipe;

/// The thread of a connection in memory.
#[derive(Debug)]
pub(crate) struct MemoryClient {
    pub(crate) middle: Arc<SharedPipe>,
    pub(crate) thread: JoinHandle<()>,
}

impl MemoryClient {
    /// Waits for the thread. The recorder has already been stopped, so the thread ends.
    pub(crate) fn join(self) {
        self.middle.release();
        // The panic of the thread was printed when it happened.
        let _ = self.thread.join();
    }
}
