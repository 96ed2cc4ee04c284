//! Properties that hold for every input: values only, without a socket, a clock or a wait.
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
