//! Effects of the system on sockets and processes: silent addresses, signals, limits, forks, and
//! runtimes that are not driven.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests say what went wrong by where they stop")]

#[cfg(unix)]
mod children;
mod duplex;
mod late;
mod owners;
mod room;
mod runtimes;
#[cfg(target_os = "linux")]
mod silence;
