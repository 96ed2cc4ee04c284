//! The route to a host: addresses, proxies, TLS settings, and the key of a pooled connection.

pub(crate) mod environment;
pub mod happy_eyeballs;
pub(crate) mod key;
pub mod netrc;
pub mod proxy;
pub mod routing;
pub mod tls;
