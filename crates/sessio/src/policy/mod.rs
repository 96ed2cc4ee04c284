//! Decisions over messages, as pure functions.

pub mod guard;
pub mod range;
pub mod redirect;
pub mod retry;
