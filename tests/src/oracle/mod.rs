//! Who sees what: a call among hosts and proxies that write down every byte that reaches them.
//!
//! There are no sockets. TLS is a [`veil`]: no cryptography, but whoever stands outside does not see a word. A
//! [`peer`] is whatever a connection leads to, a proxy with a host behind it included, and [`walk`] takes a call
//! through them.

pub mod peer;
pub mod veil;
pub mod walk;

/// Bytes that somebody has read.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Who: an origin such as `https://a.test:8080`, a proxy such as `one.proxy`, or the [`WIRE`].
    pub who: String,
    /// For which origin, where a proxy reads what is meant for it: cleartext has no other way.
    pub on_behalf: Option<String>,
    /// What was read.
    pub bytes: Vec<u8>,
}

/// Whoever listens on the way of a connection that is veiled.
pub const WIRE: &str = "the wire";
