//! An oracle of secrecy: a call among hosts and proxies that record every byte they receive.
//!
//! There are no sockets. The TLS is [`fake_tls`]: it has no cryptography, but an observer outside it
//! cannot read the bytes. A [`peer`] is the other end of a connection, also a proxy with a host
//! behind it. [`walk`] runs a call through them.

pub mod fake_tls;
pub mod peer;
pub mod walk;

/// Bytes that a party has read.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The party: an origin such as `https://a.test:8080`, a proxy such as `one.proxy`, or the
    /// [`WIRE`].
    pub who: String,
    /// The origin for which a proxy reads these bytes: a proxy has to read requests in clear text.
    pub on_behalf: Option<String>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// An observer of the encrypted bytes on the network.
pub const WIRE: &str = "the wire";
