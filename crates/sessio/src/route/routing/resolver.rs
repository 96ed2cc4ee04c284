//! Who turns names into addresses.

use std::fmt;
use std::future::ready;
use std::hash::{Hash, Hasher};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

/// The future of a [`Resolve`].
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Whatever can turn a host's name into addresses. An async closure of host and port is one.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a host, best first. The host is as the URL has it: lower case, A-labels, never a
    /// literal address. An address with port 0 gets the URL's port.
    ///
    /// The future is dropped when a time limit ends or nobody waits any more.
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

/// Who is asked for the addresses of a name: at first the runtime, which asks the system.
///
/// Whoever is to forbid addresses must look at URLs too: literal ones never get to a resolver.
///
/// It is asked once for every connection that is opened, and not for those of the pool. Connections that
/// one resolver has led to are not used for requests of another. The error of a name that it does not know is
/// [`Kind::Resolve`](crate::Kind::Resolve), with its own error as the source.
///
/// ```
/// use sessio::Resolver;
///
/// // Only names that are known; nobody else is asked.
/// let resolver = Resolver::from_fn(|host, port| match host {
///     "site.test" => Ok(vec![([127, 0, 0, 1], port).into()]),
///     _ => Err(std::io::ErrorKind::NotFound.into()),
/// });
/// // One that waits for somebody.
/// # async fn ask(_: String) -> std::io::Result<Vec<std::net::SocketAddr>> { Ok(vec![]) }
/// let resolver = Resolver::new(|host: String, port: u16| async move { ask(host).await });
/// ```
#[derive(Clone, Default)]
pub struct Resolver(Option<Arc<dyn Resolve>>);

impl Resolver {
    /// Asks this one.
    pub fn new(resolve: impl Resolve) -> Self {
        Self(Some(Arc::new(resolve)))
    }

    /// Asks a function that knows at once, or that may take its time because the runtime blocks anyway.
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

    /// What this resolver makes of a name; `None` if the runtime is to be asked.
    #[must_use]
    pub fn resolve(&self, host: &str, port: u16) -> Option<Resolving> {
        self.0.as_ref().map(|own| own.resolve(host, port))
    }

    /// Whether it is not the runtime.
    pub(crate) fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// What tells resolvers apart. A key holds the resolver, so its address is not used again meanwhile.
    fn address(&self) -> Option<usize> {
        self.0.as_ref().map(|own| Arc::as_ptr(own).addr())
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_set() { "Resolver(own)" } else { "Resolver(the runtime's)" })
    }
}

/// A clone is the same resolver; two that were made apart are not, whatever they do.
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
