//! A network in memory, as a server sees it.

use std::fmt;

/// A network in memory. Its time does not pass while a test waits for a server, unless the server
/// advances it.
pub trait Network: fmt::Debug + Send + Sync {
    /// Advances until `done` returns `true`, or until nothing more can happen. Then it delivers the
    /// packets in flight.
    fn advance_until(&self, done: &mut dyn FnMut() -> bool);
}
