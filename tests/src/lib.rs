//! What must hold for the whole.
#![forbid(unsafe_code)]

pub mod backend;
pub mod eval;
pub mod polls;
pub mod replay;
pub mod rig;
pub mod simulation;
pub mod source;
pub mod trail;
pub mod world;
