//! Bodies and sessions as other crates know them: `http_body`, `tower_service`, `futures_io`, the readers of
//! tokio and of the standard library.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod files;
mod forms;
mod http_bodies;
mod partings;
mod readers;
mod services;
mod uploads;
