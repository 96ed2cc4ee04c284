//! Settings, requests, and the functions that merge and prepare them.

pub(crate) mod changes;
mod interop;
pub(crate) mod merge;
pub(crate) mod mount;
mod mounting;
pub(crate) mod mounts;
pub(crate) mod prepare;
pub(crate) mod request;
mod resume;
pub(crate) mod settings;
mod steps;
