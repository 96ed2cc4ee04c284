//! The session.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sessio::pool::{Policy, Stats};
use sessio::{
    Address, Environment, Jar, Memory, Merged, Now, Prepared, Request, Resolver, Result, Seed, Settings,
    UnixTime, Url,
};

use crate::builder::RequestBuilder;
use crate::flight::Flight;
use crate::response::Response;
use crate::runtime::Runtime;
use crate::shared::Shared;
use crate::upload::Supply;

/// A session: defaults that every request takes over, cookies that stay, connections that are used again.
///
/// It is what `requests.Session` is in Python. A clone is the same session, cheap and usable from every
/// thread. When the last one goes, idle connections are closed; bodies that are still being read can be
/// read to their end.
pub struct Session<R: Runtime> {
    variant: Arc<Variant<R>>,
}

/// A session has settings of its own; the rest it shares with its variants.
struct Variant<R: Runtime> {
    settings: Mutex<Arc<Settings>>,
    owner: Arc<Owner<R>>,
}

/// Closes the session when the last handle on it goes.
struct Owner<R: Runtime> {
    runtime: R,
    shared: Arc<Shared<R::Stream>>,
}

impl<R: Runtime> Drop for Owner<R> {
    fn drop(&mut self) {
        self.shared.close(self.runtime.now());
    }
}

macro_rules! verbs {
    ($($name:ident $verb:literal)*) => {
        $(
            #[doc = concat!("Begins a `", $verb, "` request.")]
            pub fn $name(&self, address: impl Into<Address>) -> RequestBuilder<R> {
                self.build(Request::$name(address))
            }
        )*
    };
}

impl<R: Runtime + Default> Session<R> {
    /// A session with the [default settings](Settings).
    #[must_use]
    pub fn new() -> Self {
        Self::on(R::default())
    }
}

impl<R: Runtime + Default> Default for Session<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Runtime> Session<R> {
    /// A session on this runtime.
    #[must_use]
    pub fn on(runtime: R) -> Self {
        Self::with_pool(runtime, Policy::default())
    }

    /// A session on this runtime that keeps its idle connections by these rules.
    #[must_use]
    pub fn with_pool(runtime: R, policy: Policy) -> Self {
        let owner = Owner { shared: Arc::new(Shared::new(policy, runtime.seed())), runtime };
        Self::of(Arc::new(settings()), Arc::new(owner))
    }

    fn of(settings: Arc<Settings>, owner: Arc<Owner<R>>) -> Self {
        Self { variant: Arc::new(Variant { settings: Mutex::new(settings), owner }) }
    }

    verbs! { get "GET"  post "POST"  put "PUT"  patch "PATCH"  delete "DELETE"  head "HEAD"  options "OPTIONS" }

    /// Begins a request with any method; it is upper-cased.
    pub fn request(&self, method: impl AsRef<str>, address: impl Into<Address>) -> RequestBuilder<R> {
        self.build(Request::new(method, address))
    }

    /// Begins a request from one that was made apart from any session.
    pub fn build(&self, request: Request) -> RequestBuilder<R> {
        RequestBuilder::new(self.clone(), request)
    }

    /// Merges a request with the settings and prepares it: the outcome can be read and edited before it is
    /// [executed](Self::execute).
    ///
    /// # Errors
    /// What is wrong with the request.
    pub fn prepare(&self, request: Request) -> Result<Prepared> {
        let mut request = request;
        self.shared().read(&mut request.address);
        self.prepare_now(&mut request).map(|(request, _)| *request)
    }

    /// Prepares a request whose address was read; says when.
    fn prepare_now(&self, request: &mut Request) -> Result<(Box<Prepared>, Now)> {
        let mut merged = Merged::of(&self.lock(), request);
        let runtime = self.runtime();
        if merged.trust_env {
            self.shared().surround(&mut merged, || runtime.environment());
        }
        let mut jar = self.shared().jar();
        // The calendar is for cookies alone.
        let now = match jar.is_empty() {
            true => Now { mono: runtime.mono(), wall: UnixTime(0) },
            false => runtime.now(),
        };
        let mut request = Prepared::boxed(merged, &mut jar, now)?;
        drop(jar);
        // Functions of the user choose, perhaps.
        request.choose_proxy()?;
        Ok((request, now))
    }

    /// Sends a request that was prepared earlier (story S3).
    ///
    /// # Errors
    /// Why there is no answer.
    ///
    /// # Cancel safety
    /// Dropping the future closes its connection; nothing else is lost.
    pub async fn execute(&self, request: Prepared) -> Result<Response<R>> {
        let memory = self.shared().memory();
        let flight = self.board(Box::new(request), Supply::Nothing, memory, self.runtime().now())?;
        Response::of(flight).await
    }

    /// A request on its way, before anything was done about it. What is in it is taken out of it.
    pub(crate) fn launch(&self, request: &mut Request, supply: Supply) -> Result<Box<Flight<R>>> {
        let memory = self.shared().begin(&mut request.address);
        let (request, now) = self.prepare_now(request)?;
        self.board(request, supply, memory, now)
    }

    /// Chance for one request.
    pub(crate) fn chance(&self) -> Seed {
        self.shared().chance()
    }

    fn board(
        &self,
        request: Box<Prepared>,
        supply: Supply,
        memory: Memory,
        now: Now,
    ) -> Result<Box<Flight<R>>> {
        let upload = supply.upload(request.body());
        let (runtime, shared) = (self.runtime().clone(), Arc::clone(self.shared()));
        Flight::new(request, memory, upload, runtime, shared, now)
    }

    /// The settings as they are now.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.lock())
    }

    /// Changes the settings. All of the change takes place or, if it fails or panics, none of it.
    ///
    /// Requests that were begun before keep what they took. `change` runs under the lock of the settings
    /// and must not use the session.
    ///
    /// # Errors
    /// What `change` returns.
    pub fn update<E>(&self, change: impl FnOnce(&mut Settings) -> Result<(), E>) -> Result<(), E> {
        let mut settings = self.lock();
        let mut changed = Settings::clone(&settings);
        change(&mut changed)?;
        *settings = Arc::new(changed);
        Ok(())
    }

    /// Looks into the jar or changes it. `with` runs under the lock of the jar and must not use the session.
    pub fn cookies<T>(&self, with: impl FnOnce(&mut Jar) -> T) -> T {
        with(&mut self.shared().jar())
    }

    /// A variant of this session: it has settings of its own, and shares jar and connections.
    ///
    /// # Errors
    /// What `change` returns.
    pub fn with<E>(&self, change: impl FnOnce(&mut Settings) -> Result<(), E>) -> Result<Self, E> {
        let mut changed = Settings::clone(&self.settings());
        change(&mut changed)?;
        Ok(Self::of(Arc::new(changed), Arc::clone(&self.variant.owner)))
    }

    /// Reaches `host` at these addresses from now on, without asking any resolver; one with port 0 has the URL's
    /// port. Everything else, such as the Host line and the cookies, stays the URL's. No connection that went
    /// elsewhere is used for it. See [`Routes::pin`](sessio::Routes::pin); the table itself is in the
    /// [settings](Settings::routes).
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`](sessio::Kind::InvalidUrl) if that is no host.
    pub fn resolve(&self, host: &str, addresses: impl IntoIterator<Item = SocketAddr>) -> Result<()> {
        self.update(|settings| settings.routes.pin(host, addresses))
    }

    /// Reaches `host` over the Unix socket at `path` from now on: see [`Routes::unix`](sessio::Routes::unix).
    /// A runtime that has none says so when it is to connect.
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`](sessio::Kind::InvalidUrl) if that is no host.
    pub fn unix_socket(&self, host: &str, path: impl AsRef<Path>) -> Result<()> {
        self.update(|settings| settings.routes.unix(host, path))
    }

    /// Reaches `host` by its own name again; says whether that is news.
    pub fn unpin(&self, host: &str) -> bool {
        let mut is_news = false;
        let _ = self.update::<Infallible>(|settings| {
            is_news = settings.routes.remove(host);
            Ok(())
        });
        is_news
    }

    /// Asks this one for the addresses of names from now on; the default one is the runtime's.
    pub fn set_resolver(&self, resolver: Resolver) {
        let _ = self.update::<Infallible>(|settings| {
            settings.resolver = resolver;
            Ok(())
        });
    }

    /// Goes by this environment from now on, in place of the runtime's; variants do so too. What
    /// [`Settings::trust_env`] says of it holds as ever.
    ///
    /// ```
    /// # fn set<R: sessio_driver::Runtime>(session: &sessio_driver::Session<R>) {
    /// use sessio_driver::sessio::Environment;
    ///
    /// session.set_environment(Environment::new([("https_proxy", "http://proxy.test:3128"), ("no_proxy", ".lan")]));
    /// # }
    /// ```
    pub fn set_environment(&self, environment: Environment) {
        self.shared().set_environment(Some(environment));
    }

    /// Reads the environment anew for the next request: variables, netrc file and certificates. Otherwise that is done
    /// once, for the first request that trusts it.
    pub fn reload_environment(&self) {
        self.shared().set_environment(None);
    }

    /// Closes all idle connections, and those in use once their responses are read. The session stays
    /// usable (rule M-28).
    pub fn close(&self) {
        self.shared().close(self.runtime().now());
    }

    /// Closes the idle connections for this URL's scheme, host and port, whichever way they go.
    pub fn evict(&self, url: &Url) {
        let now = self.runtime().now().mono;
        self.shared().pool(|pool, effects| pool.evict(url, now, effects));
    }

    /// Closes all idle connections; those in use come back as ever.
    pub fn evict_idle(&self) {
        let now = self.runtime().now().mono;
        self.shared().pool(|pool, effects| pool.evict_idle(now, effects));
    }

    /// What the pool of connections holds and has done.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared().stats()
    }

    /// The runtime.
    #[must_use]
    pub fn runtime(&self) -> &R {
        &self.variant.owner.runtime
    }

    fn shared(&self) -> &Arc<Shared<R::Stream>> {
        &self.variant.owner.shared
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Settings>> {
        self.variant.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The settings of a new session.
fn settings() -> Settings {
    #[allow(unused_mut, reason = "who does no TLS has nothing to add")]
    let mut settings = Settings::default();
    #[cfg(feature = "rustls")]
    {
        settings.engine = sessio_rustls::engine();
    }
    settings
}

impl<R: Runtime> Clone for Session<R> {
    fn clone(&self) -> Self {
        Self { variant: Arc::clone(&self.variant) }
    }
}

impl<R: Runtime> fmt::Debug for Session<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("settings", &self.settings()).field("pool", &self.stats()).finish()
    }
}
