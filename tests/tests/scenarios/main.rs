//! Sessions over real sockets and in simulation. Each scenario is written once and runs on every
//! backend.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests say what went wrong by where they stop")]

mod addresses;
mod auth;
mod authorities;
mod base_urls;
mod bodies;
mod cancel;
mod certificates;
mod client_certificates;
mod codings;
mod compress;
mod cookie_files;
mod credentials;
mod digest;
mod early_responses;
mod guards;
mod handshakes;
mod limits;
mod localhost;
mod mounts;
mod multipart;
mod observers;
mod one_byte_records;
mod one_shots;
mod pace;
mod partial_responses;
mod pool;
mod proxies;
mod pulls;
mod queue;
mod reading;
mod redirects;
mod responses;
mod resume;
mod resumption;
mod retries;
mod routes;
mod secrets;
mod secured;
mod sent;
mod settings;
mod sockets;
mod stale;
mod stories;
mod streams;
mod transports;
#[cfg(unix)]
mod unix;
mod uploads;
