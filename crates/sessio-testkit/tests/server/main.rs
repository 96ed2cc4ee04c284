//! The server against clients that consist of a socket only.

mod client;
mod http;
mod lifetime;
mod memory;
mod recording;
mod routes;
mod scripts;
mod sites;
