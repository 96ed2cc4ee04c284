//! What holds for every input, as properties over values: no socket, no clock, no wait.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests say what went wrong by where they stop")]

mod cuts;
mod events;
mod homes;
mod machine;
mod merging;
mod precedence;
mod preparing;
mod pulls;
mod secrets;
mod splits;
