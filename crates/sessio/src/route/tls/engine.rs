//! Who does TLS.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use url::Host;

use super::options::Tls;
use crate::base::fault::Result;
use crate::base::time::Now;
use crate::route::key::Key;
use crate::route::tls::session::TlsSession;

/// Whatever can secure connections.
pub trait StartTls: Send + Sync + 'static {
    /// Whether these settings can be used at all. It is asked before a connection is opened.
    ///
    /// # Errors
    /// [`Kind::InvalidTls`](crate::Kind::InvalidTls): what is wrong with them, such as a key that does not fit its
    /// certificate.
    fn check(&self, tls: &Tls) -> Result<()>;

    /// The client's end of a new connection, at the start of its handshake.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    fn start(&self, wanted: &ConnectInfo<'_>) -> Result<Box<dyn TlsSession>>;
}

/// A connection that is to be secured.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "whoever has stages of its own makes one")]
pub struct ConnectInfo<'a> {
    /// How.
    pub tls: &'a Tls,
    /// Whose certificate is expected.
    pub host: Host<&'a str>,
    /// The scope within which an earlier TLS session may be resumed: the key of the connection, and whether this is the
    /// TLS session with the proxy or the one with the origin.
    pub scope: Scope<'a>,
    /// What time it is, for validity.
    pub now: Now,
}

/// The scope of a TLS session: sessions are resumed within one scope only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "both parts are needed to tell scopes apart")]
pub struct Scope<'a> {
    /// The key of the connection, without the engine.
    pub key: &'a Key<'a>,
    /// Whether it is the TLS session with the proxy.
    pub is_proxy: bool,
}

/// Who secures connections: nobody at first, unless the backend brings an engine along.
///
/// Connections of one engine are not used where another is asked for.
#[derive(Clone, Default)]
pub struct TlsConnector(Option<Arc<Own>>);

struct Own {
    /// Whether it has no settings of its own: engines of this kind are alike.
    is_standard: bool,
    start: Box<dyn StartTls>,
}

impl TlsConnector {
    /// This one.
    pub fn new(start: impl StartTls) -> Self {
        Self(Some(Arc::new(Own { is_standard: false, start: Box::new(start) })))
    }

    /// One that a backend brings along, without any settings of its own: all of these are alike, and where one has
    /// secured a connection another can use it.
    pub fn standard(start: impl StartTls) -> Self {
        Self(Some(Arc::new(Own { is_standard: true, start: Box::new(start) })))
    }

    /// Whoever starts; `None` where nobody does TLS.
    #[must_use]
    pub fn start(&self) -> Option<&dyn StartTls> {
        self.0.as_ref().map(|own| &*own.start)
    }

    /// The engine, if its connections are not to be mixed with those of the standard one.
    pub(crate) fn own(&self) -> Option<&Self> {
        self.address().filter(|address| *address != 0).map(|_| self)
    }

    /// The address of an engine of its own, 0 for a standard one: what tells engines apart. A key holds the engine, so
    /// its address is not used again meanwhile.
    fn address(&self) -> Option<usize> {
        self.0.as_ref().map(|own| if own.is_standard { 0 } else { Arc::as_ptr(own).addr() })
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Some(own) if own.is_standard => "TlsConnector(standard)",
            Some(_) => "TlsConnector(own)",
            None => "TlsConnector(none)",
        })
    }
}

/// A clone is the same engine.
impl PartialEq for TlsConnector {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for TlsConnector {}

impl Hash for TlsConnector {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.address().hash(hasher);
    }
}
