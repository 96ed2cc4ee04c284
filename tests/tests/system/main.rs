//! What the system does to sockets and processes: addresses that stay silent, signals, limits, forks, and runtimes that
//! nobody drives.
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
