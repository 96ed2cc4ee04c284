//! What must hold for the whole.
#![forbid(unsafe_code)]

pub mod eval;
