//! Decisions over messages, as pure functions, and the state that a session learns.

pub mod guard;
pub(crate) mod host_policy;
pub mod pace;
#[cfg(feature = "digest")]
pub(crate) mod proxy_challenges;
pub mod range;
pub mod redirect;
pub mod retry;
pub(crate) mod session_state;
