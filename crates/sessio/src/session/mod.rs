//! Settings and requests, merged and prepared.

mod interop;
pub(crate) mod merge;
pub(crate) mod prepare;
pub(crate) mod request;
mod resume;
pub(crate) mod settings;
