//! Resolution of names to addresses.

use std::fmt;
use std::future::ready;
use std::hash::{Hash, Hasher};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

/// The future of a [`Resolve`].
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// A resolver of host names. An async closure of host and port implements it.
pub trait Resolve: Send + Sync + 'static {
    /// Returns the addresses of a host, best first.
    ///
    /// The host is spelled as in the URL: lower case, A-labels, never a literal address. An address
    /// with port 0 gets the URL's port.
    ///
    /// The future is dropped when a time limit ends or the request is dropped.
    fn resolve(&self, host: &str, port: u16) -> Resolving;
}

impl<F, T> Resolve for F
where
    F: Fn(String, u16) -> T + Send + Sync + 'static,
    T: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
{
    fn resolve(&self, host: &str, port: u16) -> Resolving {
        Box::pin(self(host.to_owned(), port))
    }
}

/// The resolver of a session. Default: the runtime, which asks the system.
///
/// Literal addresses never reach a resolver. A program that forbids addresses must check URLs, too.
///
/// The resolver is asked once for every connection that is opened, and not for pooled connections.
/// Connections of one resolver are not used for requests of another. An unknown name is
/// [`Kind::Resolve`](crate::Kind::Resolve), with the resolver's error as the source.
///
/// ```
/// use sessio::Resolver;
///
/// // Known names only.
/// let resolver = Resolver::from_fn(|host, port| match host {
///     "site.test" => Ok(vec![([127, 0, 0, 1], port).into()]),
///     _ => Err(std::io::ErrorKind::NotFound.into()),
/// });
/// // An asynchronous resolver.
/// # async fn ask(_: String) -> std::io::Result<Vec<std::net::SocketAddr>> { Ok(vec![]) }
/// let resolver = Resolver::new(|host: String, port: u16| async move { ask(host).await });
/// ```
#[derive(Clone, Default)]
pub struct Resolver(Option<Arc<dyn Resolve>>);

impl Resolver {
    /// Uses this resolver.
    pub fn new(resolve: impl Resolve) -> Self {
        Self(Some(Arc::new(resolve)))
    }

    /// Uses a function that returns at once, or that may block because the runtime blocks as well.
    pub fn from_fn(
        resolve: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        struct Plain<F>(F);

        impl<F: Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static> Resolve for Plain<F> {
            fn resolve(&self, host: &str, port: u16) -> Resolving {
                Box::pin(ready((self.0)(host, port)))
            }
        }

        Self::new(Plain(resolve))
    }

    /// Resolves a name; `None` if the runtime must be asked.
    #[must_use]
    pub fn resolve(&self, host: &str, port: u16) -> Option<Resolving> {
        self.0.as_ref().map(|own| own.resolve(host, port))
    }

    /// Returns `true` unless the runtime resolves.
    pub(crate) fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// The identity of the resolver. A key holds the resolver, so its address is not used again
    /// meanwhile.
    fn address(&self) -> Option<usize> {
        self.0.as_ref().map(|own| Arc::as_ptr(own).addr())
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "Resolver(own)" } else { "Resolver(the runtime's)" })
    }
}

/// Clones are equal; resolvers that were made separately are not, even if they do the same.
impl PartialEq for Resolver {
    fn eq(&self, other: &Self) -> bool {
        self.address() == other.address()
    }
}

impl Eq for Resolver {}

impl Hash for Resolver {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.address().hash(hasher);
    }
}
