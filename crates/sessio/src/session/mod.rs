//! Settings and requests, merged and prepared.

mod interop;
pub(crate) mod merge;
pub(crate) mod prepare;
pub mod range;
pub(crate) mod request;
pub(crate) mod settings;
