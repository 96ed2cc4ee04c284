//! The way to a host: addresses, proxies, TLS settings, and the key of a pooled connection.

pub mod dial;
pub(crate) mod environment;
pub(crate) mod key;
pub mod netrc;
pub mod proxy;
pub mod reach;
pub mod tls;
