//! Settings, requests, and the functions that merge and prepare them.

mod interop;
pub(crate) mod merge;
pub(crate) mod prepare;
pub(crate) mod request;
mod resume;
pub(crate) mod settings;
