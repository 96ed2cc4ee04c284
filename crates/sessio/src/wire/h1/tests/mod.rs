//! The framing against tables, a slow parser and chance.

mod chance;
mod decision;
mod hazards;
mod reference;
mod responses;
mod sender;
mod wire;
