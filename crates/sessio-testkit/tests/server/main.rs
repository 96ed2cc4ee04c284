//! The server against clients that are nothing but a socket.

mod client;
mod http;
mod lifetime;
mod memory;
mod recording;
mod routes;
mod scripts;
mod sites;
