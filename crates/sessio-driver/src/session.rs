//! The session.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sessio::pool::Policy;
use sessio::{
    Address, Environment, Jar, Memory, Merged, Now, PreparedCall, Request, Resolver, Result, Seed, Settings,
    UnixTime,
};

use crate::builder::RequestBuilder;
use crate::in_flight::InFlight;
use crate::mode::{Async, BlockOn, Blocking};
use crate::response::Response;
use crate::runtime::Runtime;
use crate::shared::Shared;
use crate::turns::Turns;
use crate::upload::Supply;

/// A session: defaults for every request, a cookie jar, and a pool of connections.
///
/// It corresponds to `requests.Session` of Python. A clone is a cheap handle on the same session,
/// usable from every thread. When the last handle is dropped, idle connections are closed. Bodies
/// that are being read can still be read to their end.
///
/// `R` is the runtime. `M` is the [mode](crate::mode): methods return futures, or they block.
pub struct Session<R: Runtime, M = Async> {
    variant: Arc<Variant<R>>,
    mode: PhantomData<M>,
}

/// The settings of one session. Everything else is shared with its variants.
struct Variant<R: Runtime> {
    settings: Mutex<Arc<Settings>>,
    updates: Turns,
    owner: Arc<Owner<R>>,
}

/// The runtime, jar and pool. They are closed when the last handle is dropped.
struct Owner<R: Runtime> {
    runtime: R,
    shared: Arc<Shared<R::Stream>>,
}

impl<R: Runtime> Drop for Owner<R> {
    fn drop(&mut self) {
        self.shared.close();
    }
}

macro_rules! verbs {
    ($($name:ident $verb:literal)*) => {
        $(
            #[doc = concat!("Begins a `", $verb, "` request.")]
            pub fn $name(&self, address: impl Into<Address>) -> RequestBuilder<R, M> {
                self.build(Request::$name(address))
            }
        )*
    };
}

impl<R: Runtime + Default, M> Session<R, M> {
    /// A session with the [default settings](Settings).
    #[must_use]
    pub fn new() -> Self {
        Self::with_pool(Policy::default())
    }

    /// A session with these limits of its pool.
    #[must_use]
    pub fn with_pool(policy: Policy) -> Self {
        Self::from_parts(R::default(), settings(), policy, None)
    }
}

impl<R: Runtime + Default, M> Default for Session<R, M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Runtime> Session<R> {
    /// A session on this runtime, with default settings. For anything else there is a
    /// [builder](crate::SessionBuilder::new).
    #[must_use]
    pub fn with_runtime(runtime: R) -> Self {
        Self::from_parts(runtime, settings(), Policy::default(), None)
    }
}

impl<R: Runtime, M> Session<R, M> {
    pub(crate) fn from_parts(runtime: R, settings: Settings, policy: Policy, seed: Option<Seed>) -> Self {
        let seed = seed.unwrap_or_else(|| runtime.seed());
        let shared = Shared::new(policy, seed, runtime.process());
        let owner = Owner { shared: Arc::new(shared), runtime };
        Self::of(Arc::new(settings), Arc::new(owner))
    }

    fn of(settings: Arc<Settings>, owner: Arc<Owner<R>>) -> Self {
        let variant = Variant { settings: Mutex::new(settings), updates: Turns::default(), owner };
        Self { variant: Arc::new(variant), mode: PhantomData }
    }

    verbs! { get "GET"  post "POST"  put "PUT"  patch "PATCH"  delete "DELETE"  head "HEAD"  options "OPTIONS" }

    /// Begins a request with any method, which is converted to upper case.
    pub fn request(&self, method: impl AsRef<str>, address: impl Into<Address>) -> RequestBuilder<R, M> {
        self.build(Request::new(method, address))
    }

    /// Begins a request from one that was made without a session.
    pub fn build(&self, request: Request) -> RequestBuilder<R, M> {
        RequestBuilder::new(self.clone(), request)
    }

    /// Merges a request with the settings and prepares it. The result can be read and edited before
    /// it is [executed](Self::execute).
    ///
    /// # Errors
    /// The first error in the request, such as an invalid URL.
    pub fn prepare(&self, request: Request) -> Result<PreparedCall> {
        let mut request = request;
        self.shared().read(&mut request.address);
        self.prepare_now(&mut request, &mut Memory::default()).map(|(request, _)| *request)
    }

    /// Prepares a request whose address is parsed; also returns the time of that.
    fn prepare_now(&self, request: &mut Request, memory: &mut Memory) -> Result<(Box<PreparedCall>, Now)> {
        let mut merged = Merged::of(&self.settings(), request, memory);
        if merged.wants_key() {
            merged.draw_key(&mut self.chance());
        }
        let runtime = self.runtime();
        if merged.trust_env {
            self.shared().apply_environment(&mut merged, || runtime.environment());
        }
        // Only cookies need the wall clock.
        let is_empty = self.shared().state().jar.is_empty();
        let now = match is_empty {
            true => Now { mono: runtime.mono(), wall: UnixTime(0) },
            false => runtime.now(),
        };
        // Signers and functions that choose a proxy are the caller's code. They run after the jar's
        // lock is released.
        let mut request = PreparedCall::boxed(merged, |request| {
            request.attach_cookies(&mut self.shared().state().jar, now);
        })?;
        request.choose_proxy()?;
        Ok((request, now))
    }

    /// The response to a request that was prepared earlier.
    pub(crate) async fn respond(&self, mut request: PreparedCall) -> Result<Response<R, M>> {
        let (memory, now) = (self.shared().memory(), self.runtime().now());
        request.follow_url(|request| request.attach_cookies(&mut self.shared().state().jar, now))?;
        let flight = self.board(Box::new(request), Supply::Nothing, memory, now)?;
        Response::of(flight).await
    }

    /// Starts a request, with nothing sent yet. It takes the fields out of `request`.
    pub(crate) fn launch(&self, request: &mut Request, supply: Supply) -> Result<Box<InFlight<R>>> {
        let mut memory = self.shared().begin(&mut request.address);
        let (request, now) = self.prepare_now(request, &mut memory)?;
        self.board(request, supply, memory, now)
    }

    /// A seed for one request.
    pub(crate) fn chance(&self) -> Seed {
        self.shared().chance(self.runtime().process().unwrap_or_else(std::process::id))
    }

    fn board(
        &self,
        request: Box<PreparedCall>,
        supply: Supply,
        memory: Memory,
        now: Now,
    ) -> Result<Box<InFlight<R>>> {
        #[cfg(any(feature = "log", feature = "tracing"))]
        let request = crate::logs::logged(request);
        let upload = supply.upload(request.request.body());
        let (runtime, shared) = (self.runtime().clone(), Arc::clone(self.shared()));
        InFlight::new(request, memory, upload, runtime, shared, now)
    }

    /// The current settings.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.lock())
    }

    /// Changes the settings, and returns the value of `change`.
    ///
    /// `change` works on a copy, and may use the session: send requests, read the settings as they
    /// were, access the jar. The copy is applied when `change` returns, whatever it returns. If it
    /// panics, nothing is changed. Requests that were begun earlier keep their settings. Updates of
    /// one session by several threads run one after the other.
    ///
    /// For a change that can fail half-way, see [`try_update`](Self::try_update).
    ///
    /// # Panics
    /// If `change` itself updates the settings of the same session: they are in its argument
    /// already.
    ///
    /// ```
    /// # fn update<R: sessio_driver::Runtime>(session: &sessio_driver::Session<R>) -> sessio_driver::sessio::Result<()> {
    /// session.update(|s| s.max_redirects = 5);
    /// session.update(|s| s.headers.insert("X-Client", "1"))?;
    /// let had_proxies = session.update(|s| std::mem::take(&mut s.proxies));
    /// # let _ = had_proxies;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update<T>(&self, change: impl FnOnce(&mut Settings) -> T) -> T {
        match self.change(|settings| Ok::<T, Infallible>(change(settings))) {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// Changes the settings. If `change` returns an error or panics, nothing is changed.
    ///
    /// It is [`update`](Self::update) for several changes of which each can fail. `?` in `change`
    /// converts into [`Error`](sessio::Error), so the closure needs no type annotation.
    ///
    /// # Errors
    /// The error of `change`.
    ///
    /// # Panics
    /// If `change` itself updates the settings of the same session: they are in its argument
    /// already.
    ///
    /// ```
    /// # fn update<R: sessio_driver::Runtime>(session: &sessio_driver::Session<R>) -> sessio_driver::sessio::Result<()> {
    /// session.try_update(|s| {
    ///     s.headers.insert("X-Client", "1")?;
    ///     s.proxies.set("https", "http://proxy.test:3128")?;
    ///     Ok(())
    /// })?;
    ///
    /// let failed = session.try_update(|s| {
    ///     s.max_redirects = 0;
    ///     s.headers.insert("no token", "1")?;
    ///     Ok(())
    /// });
    /// assert!(failed.is_err());
    /// assert_ne!(session.settings().max_redirects, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_update<T>(&self, change: impl FnOnce(&mut Settings) -> Result<T>) -> Result<T> {
        self.change(change)
    }

    fn change<T, E>(&self, change: impl FnOnce(&mut Settings) -> Result<T, E>) -> Result<T, E> {
        // Dropped values may be the caller's. They are dropped after the turn is over, on an error
        // too: so the copy is declared before the turn.
        let mut copy;
        let turn = self.variant.updates.begin("Session::update");
        copy = Arc::new(Settings::clone(&self.settings()));
        let done = change(Arc::make_mut(&mut copy))?;
        mem::swap(&mut *self.lock(), &mut copy);
        drop(turn);
        Ok(done)
    }

    /// Reads or changes the jar.
    ///
    /// `with` works on a copy, and may use the session. Its changes are applied when it returns. If
    /// it panics, none of them is. Cookies that responses set meanwhile are kept. If both have
    /// changed a cookie, the change of `with` wins.
    ///
    /// Calls by several threads run one after the other, so that no change is lost. A call within
    /// `with` is applied at once. Reading does not copy the cookies. The first change copies them,
    /// so make many changes in one call.
    ///
    /// ```
    /// # fn look<R: sessio_driver::Runtime>(session: &sessio_driver::Session<R>) {
    /// let names: Vec<_> = session.cookies(|jar| jar.iter().map(|cookie| cookie.name().to_owned()).collect());
    /// # let _ = names;
    /// # }
    /// ```
    pub fn cookies<T>(&self, with: impl FnOnce(&mut Jar) -> T) -> T {
        self.shared().change_jar(with, || self.runtime().now())
    }

    /// Derives a session with changed settings. It shares the jar and the connections with this
    /// session. Later updates of one have no effect on the other.
    ///
    /// For a change that can fail, see [`try_derive`](Self::try_derive).
    ///
    /// ```
    /// # fn derive<R: sessio_driver::Runtime>(session: &sessio_driver::Session<R>) {
    /// use std::time::Duration;
    ///
    /// let patient = session.derive(|s| s.timeouts.total = Some(Duration::from_secs(300)));
    /// assert_eq!(session.settings().timeouts.total, None);
    /// # let _ = patient;
    /// # }
    /// ```
    #[must_use]
    pub fn derive(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut changed = Settings::clone(&self.settings());
        change(&mut changed);
        Self::of(Arc::new(changed), Arc::clone(&self.variant.owner))
    }

    /// Derives a session with changed settings, or returns the error of `change`. See
    /// [`derive`](Self::derive).
    ///
    /// # Errors
    /// The error of `change`.
    ///
    /// ```
    /// # fn derive<R: sessio_driver::Runtime>(session: &sessio_driver::Session<R>) -> sessio_driver::sessio::Result<()> {
    /// let by_proxy = session.try_derive(|s| Ok(s.proxies.set("all", "http://proxy.test:3128")?))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_derive(&self, change: impl FnOnce(&mut Settings) -> Result<()>) -> Result<Self> {
        let mut changed = Settings::clone(&self.settings());
        change(&mut changed)?;
        Ok(Self::of(Arc::new(changed), Arc::clone(&self.variant.owner)))
    }

    /// Connects to these addresses for `host` from now on, without asking a resolver. Port 0 stands
    /// for the URL's port. Everything else, such as the Host line and the cookies, follows the URL.
    /// No connection to other addresses is reused for it. See [`Routes::pin`](sessio::Routes::pin).
    /// The [settings](Settings::routes) contain the table.
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`](sessio::Kind::InvalidUrl) if `host` is not a host.
    pub fn resolve(&self, host: &str, addresses: impl IntoIterator<Item = SocketAddr>) -> Result<()> {
        Ok(self.update(|settings| settings.routes.pin(host, addresses))?)
    }

    /// Connects to the Unix socket at `path` for `host` from now on: see
    /// [`Routes::unix`](sessio::Routes::unix). On a runtime without Unix sockets, requests fail
    /// when they connect.
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`](sessio::Kind::InvalidUrl) if `host` is not a host.
    pub fn unix_socket(&self, host: &str, path: impl AsRef<Path>) -> Result<()> {
        Ok(self.update(|settings| settings.routes.unix(host, path))?)
    }

    /// Removes the route of `host`, so that its name is resolved again. Returns `false` if it had
    /// no route.
    pub fn unresolve(&self, host: &str) -> bool {
        self.update(|settings| settings.routes.remove(host))
    }

    /// Sets the resolver for names. Default: the runtime's.
    pub fn set_resolver(&self, resolver: Resolver) {
        self.update(|settings| settings.resolver = resolver);
    }

    /// Sets the environment, for this session and its variants. Default: the runtime's. It has an
    /// effect only if [`Settings::trust_env`] is set, as any environment.
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

    /// Reads the environment again for the next request: variables, netrc file and certificates.
    /// Otherwise it is read once, for the first request that trusts it.
    pub fn reload_environment(&self) {
        self.shared().set_environment(None);
    }

    /// The runtime.
    #[must_use]
    pub fn runtime(&self) -> &R {
        &self.variant.owner.runtime
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<R::Stream>> {
        &self.variant.owner.shared
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Settings>> {
        self.variant.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Runtime> Session<R> {
    /// Sends a request that was prepared earlier.
    ///
    /// # Errors
    /// The reason why there is no response.
    ///
    /// # Cancel safety
    /// Dropping the future closes its connection. Nothing else is lost.
    pub async fn execute(&self, request: PreparedCall) -> Result<Response<R>> {
        self.respond(request).await
    }
}

impl<R: BlockOn> Session<R, Blocking> {
    /// Sends a request that was prepared earlier.
    ///
    /// # Errors
    /// The reason why there is no response.
    pub fn execute(&self, request: PreparedCall) -> Result<Response<R, Blocking>> {
        R::block_on(self.respond(request))
    }
}

/// The settings of a new session.
pub(crate) fn settings() -> Settings {
    #[allow(unused_mut, reason = "without TLS there is nothing to add")]
    let mut settings = Settings::default();
    #[cfg(feature = "rustls")]
    {
        settings.tls_connector = sessio_rustls::connector();
    }
    settings
}

impl<R: Runtime, M> Clone for Session<R, M> {
    fn clone(&self) -> Self {
        Self { variant: Arc::clone(&self.variant), mode: PhantomData }
    }
}

impl<R: Runtime, M> fmt::Debug for Session<R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("settings", &self.settings()).field("pool", &self.stats()).finish()
    }
}
