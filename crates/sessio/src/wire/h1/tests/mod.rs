//! The framing against tables, a reference parser and random input.

mod buffer;
mod chance;
mod decision;
mod hazards;
mod reference;
mod responses;
mod sender;
mod wire;
