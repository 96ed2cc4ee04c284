//! Bodies and sessions through the traits of other crates: `http_body`, `tower_service`,
//! `futures_io`, and the readers of tokio and of the standard library.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod builder;
mod building;
mod cookies;
mod errors;
mod files;
mod forms;
mod http_bodies;
mod parameters;
mod partings;
mod readers;
mod services;
mod uploads;
