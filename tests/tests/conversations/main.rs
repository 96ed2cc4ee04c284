//! Hooks, and authentication that sends requests of its own: scenarios on every backend.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests say what went wrong by where they stop")]

mod any_auth;
mod hooks;
mod logins;
mod oauth2;
mod proxies;
mod together;
