//! Who does TLS.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use url::Host;

use super::options::Tls;
use crate::base::fault::Result;
use crate::base::time::Now;
use crate::route::tls::session::Secure;

/// Whatever can secure connections.
pub trait Start: Send + Sync + 'static {
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
    fn start(&self, wanted: &Wanted<'_>) -> Result<Box<dyn Secure>>;
}

/// A connection that is to be secured.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_structs, reason = "whoever has stages of its own makes one")]
pub struct Wanted<'a> {
    /// How.
    pub tls: &'a Tls,
    /// Whose certificate is expected.
    pub host: Host<&'a str>,
    /// What tells connections apart: an earlier session is resumed only within the same scope. It is the text of the
    /// pool's [`Key`](crate::pool::Key), all of `tls` included.
    pub scope: &'a str,
    /// What time it is, for validity.
    pub now: Now,
}

/// Who secures connections: nobody at first, unless the backend brings an engine along.
///
/// Connections of one engine are not used where another is asked for.
#[derive(Clone, Default)]
pub struct Engine(Option<Arc<Own>>);

struct Own {
    /// No two engines of a process have the same, but for those that are alike.
    number: u64,
    start: Box<dyn Start>,
}

impl Engine {
    /// This one.
    pub fn new(start: impl Start) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self::numbered(NEXT.fetch_add(1, Ordering::Relaxed), start)
    }

    /// One that a backend brings along, without any settings of its own: all of these are alike, and where one has
    /// secured a connection another can use it.
    pub fn standard(start: impl Start) -> Self {
        Self::numbered(0, start)
    }

    fn numbered(number: u64, start: impl Start) -> Self {
        Self(Some(Arc::new(Own { number, start: Box::new(start) })))
    }

    /// Whoever starts; `None` where nobody does TLS.
    #[must_use]
    pub fn start(&self) -> Option<&dyn Start> {
        self.0.as_ref().map(|own| &*own.start)
    }

    /// What is in the pool's key of it; `None` for nobody, and for a backend's own.
    pub(crate) fn number(&self) -> Option<u64> {
        self.0.as_ref().map(|own| own.number).filter(|number| *number > 0)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(own) => write!(f, "Engine({})", own.number),
            None => f.write_str("Engine(nobody)"),
        }
    }
}

/// A clone is the same engine.
impl PartialEq for Engine {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ref().map(|own| own.number) == other.0.as_ref().map(|own| own.number)
    }
}

impl Eq for Engine {}
