//! A network in memory, as a server sees it.

use std::fmt;

/// A network in memory. It stands still while a test waits for a server, unless the server lets it go on.
pub trait Network: fmt::Debug + Send + Sync {
    /// Goes on until `done` says so, or until nothing more can happen; then whatever is on its way arrives.
    fn go_on_until(&self, done: &mut dyn FnMut() -> bool);
}
