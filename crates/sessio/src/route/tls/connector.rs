//! The TLS implementation.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use url::Host;

use super::options::Tls;
use crate::base::fault::Result;
use crate::base::time::Now;
use crate::route::key::Key;
use crate::route::tls::session::TlsSession;

/// A TLS implementation for client connections.
pub trait StartTls: Send + Sync + 'static {
    /// Checks these settings, before a connection is opened.
    ///
    /// # Errors
    /// [`Kind::InvalidTls`](crate::Kind::InvalidTls) if they cannot be used, such as a key that
    /// does not fit its certificate.
    fn check(&self, tls: &Tls) -> Result<()>;

    /// Starts the client side of a handshake on a new connection.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    fn start(&self, wanted: &ConnectInfo<'_>) -> Result<Box<dyn TlsSession>>;
}

/// The parameters of a TLS session.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "whoever has stages of its own makes one")]
pub struct ConnectInfo<'a> {
    /// The TLS settings.
    pub tls: &'a Tls,
    /// The expected host of the certificate.
    pub host: Host<&'a str>,
    /// The scope within which an earlier TLS session may be resumed. It is the key of the
    /// connection, and whether the peer is the proxy or the origin.
    pub scope: Scope<'a>,
    /// The current time, for validity periods.
    pub now: Now,
}

/// The scope of a TLS session: sessions are resumed within one scope only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "both parts are needed to tell scopes apart")]
pub struct Scope<'a> {
    /// The key of the connection, without the TLS connector.
    pub key: &'a Key<'a>,
    /// `true` for the TLS session with the proxy.
    pub is_proxy: bool,
}

/// The TLS implementation of a session. Default: that of the backend, and none in the core alone.
///
/// Connections of one connector are not used by requests of another.
#[derive(Clone, Default)]
pub struct TlsConnector(Option<Arc<Own>>);

struct Own {
    /// Set for a connector without settings of its own: all of this kind are equal.
    is_standard: bool,
    start: Box<dyn StartTls>,
}

impl TlsConnector {
    /// Uses this implementation.
    pub fn new(start: impl StartTls) -> Self {
        Self(Some(Arc::new(Own { is_standard: false, start: Box::new(start) })))
    }

    /// The connector of a backend, without settings of its own. All of these are equal: they share
    /// connections.
    pub fn standard(start: impl StartTls) -> Self {
        Self(Some(Arc::new(Own { is_standard: true, start: Box::new(start) })))
    }

    /// The implementation; `None` if there is none.
    #[must_use]
    pub fn start(&self) -> Option<&dyn StartTls> {
        self.0.as_ref().map(|own| &*own.start)
    }

    /// The connector, unless it is a standard one: its connections must not be mixed with theirs.
    pub(crate) fn own(&self) -> Option<&Self> {
        self.address().filter(|address| *address != 0).map(|_| self)
    }

    /// The identity of a connector: its address, or 0 for a standard one. A key holds the
    /// connector, so its address is not used again meanwhile.
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

/// Clones are equal.
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
