//! What must hold for the whole.
#![forbid(unsafe_code)]

pub mod agreement;
pub mod authority;
pub mod backend;
pub mod carrier;
pub mod clear;
pub mod coat;
pub mod coded;
pub mod eval;
pub mod folder;
pub mod forward;
pub mod gate;
pub mod h2_client;
pub mod holding;
pub mod matrix;
pub mod movable;
pub mod oracle;
pub mod polls;
#[cfg(unix)]
pub mod program;
mod readers;
pub mod renewal;
pub mod replay;
pub mod rig;
pub mod simulation;
pub mod source;
pub mod trace;
pub mod trail;
pub mod whole;
pub mod world;
