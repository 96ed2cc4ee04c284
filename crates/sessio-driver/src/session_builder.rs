//! Building a session.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sessio::cookie::NewCookie;
use sessio::pool::Policy;
use sessio::proxy::Via;
use sessio::retry::RetryPolicy;
use sessio::tls::TlsConnector;
use sessio::{
    Address, Auth, Environment, Error, Guard, Headers, Hook, Jar, Mount, Observer, Pair, Params, Proxies,
    Resolver, Result, Seed, Settings, Tcp, Timeouts, Tls,
};

use crate::cookies::new_cookie;
use crate::mode::Async;
use crate::runtime::Runtime;
use crate::session::Session;

/// Builds a [`Session`]: its [`Settings`], its pool, its jar and its runtime.
///
/// Every option has a default. All settings can also be changed [later](Session::update), and so can
/// the [policy of the pool](Session::set_pool_policy). An option without a method is set by
/// [`update`](Self::update). The builder keeps the first error, and [`build`](Self::build) returns it.
///
/// ```
/// # fn build<R: sessio_driver::Runtime + Default>() -> sessio_driver::sessio::Result<()> {
/// # use sessio_driver::sessio::pool::Policy;
/// # type Session<R> = sessio_driver::Session<R>;
/// use std::time::Duration;
///
/// let session = Session::<R>::builder()
///     .base_url("https://api.example.org/v1/")
///     .header("X-Client", "1")
///     .bearer_auth("secret")
///     .timeout(Duration::from_secs(30))
///     .pool(Policy::new().max_per_host(8))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct SessionBuilder<R: Runtime, M = Async> {
    runtime: R,
    settings: Settings,
    policy: Policy,
    jar: Jar,
    cookies: Vec<NewCookie>,
    files: Vec<PathBuf>,
    environment: Option<Environment>,
    seed: Option<Seed>,
    problem: Option<Error>,
    mode: std::marker::PhantomData<M>,
}

impl<R: Runtime + Default, M> Session<R, M> {
    /// Begins to build a session: settings, pool, cookies and runtime in one expression.
    ///
    /// ```
    /// # fn build<R: sessio_driver::Runtime + Default>() -> sessio_driver::sessio::Result<()> {
    /// # type Session<R> = sessio_driver::Session<R>;
    /// use std::time::Duration;
    ///
    /// let session = Session::<R>::builder().header("X-Client", "1").timeout(Duration::from_secs(30)).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> SessionBuilder<R, M> {
        SessionBuilder::default()
    }
}

impl<R: Runtime, M> SessionBuilder<R, M> {
    /// A builder of a session on this runtime, with the default settings of its backend.
    /// [`Session::builder`] uses the default runtime.
    pub fn new(runtime: R) -> Self {
        Self {
            runtime,
            settings: crate::session::settings(),
            policy: Policy::default(),
            jar: Jar::new(),
            cookies: Vec::new(),
            files: Vec::new(),
            environment: None,
            seed: None,
            problem: None,
            mode: std::marker::PhantomData,
        }
    }

    /// Sets the base URL of relative addresses: see [`Settings::base_url`]. Default: none.
    ///
    /// The last segment of a path without a final `/` is replaced, as in a browser (RFC 3986
    /// section 5.2). With `http://host/api`, the address `users` becomes `/users`.
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`](sessio::Kind::InvalidUrl),
    /// [`Kind::MissingScheme`](sessio::Kind::MissingScheme) or
    /// [`Kind::UnsupportedScheme`](sessio::Kind::UnsupportedScheme), with the text.
    pub fn base_url(mut self, address: impl Into<Address>) -> Self {
        match address.into().to_url() {
            Ok(url) => self.settings.base_url = Some(url),
            Err(error) => return self.noting(Err(error)),
        }
        self
    }

    /// Sets a header of every request. It replaces the default of that name.
    ///
    /// # Errors
    /// [`Kind::InvalidHeader`](sessio::Kind::InvalidHeader): the name or the value is not valid.
    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let done = self.settings.headers.insert(name, value);
        self.noting(done)
    }

    /// Adds a header line to every request, and keeps those of the same name.
    ///
    /// # Errors
    /// [`Kind::InvalidHeader`](sessio::Kind::InvalidHeader): the name or the value is not valid.
    pub fn append_header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let done = self.settings.headers.append(name, value);
        self.noting(done)
    }

    /// Sets each of these headers: [`Headers`], or a `HeaderMap` of the crate `http`. They replace the
    /// defaults of the same names. Sensitive values stay sensitive.
    ///
    /// # Errors
    /// [`Kind::InvalidHeader`](sessio::Kind::InvalidHeader): a name or a value is not valid.
    pub fn headers<H: TryInto<Headers, Error: Into<Error>>>(mut self, headers: H) -> Self {
        let headers = match headers.try_into() {
            Ok(headers) => headers,
            Err(error) => return self.noting(Err(error)),
        };
        for field in headers.iter() {
            self.settings.headers.remove(field.name);
        }
        for field in headers.iter() {
            let done = self.settings.headers.append(field.name, field.value);
            if field.is_sensitive() {
                self.settings.headers.mark_sensitive(field.name);
            }
            self = self.noting(done);
        }
        self
    }

    /// Removes a default header of every request, such as `User-Agent`.
    pub fn remove_header(mut self, name: &str) -> Self {
        self.settings.headers.remove(name);
        self
    }

    /// Sets the `User-Agent`. Default: `sessio/` and the version.
    ///
    /// # Errors
    /// [`Kind::InvalidHeader`](sessio::Kind::InvalidHeader): the value is not valid.
    pub fn user_agent(self, value: impl AsRef<[u8]>) -> Self {
        self.header("User-Agent", value)
    }

    /// Adds a query parameter to every request.
    pub fn param(mut self, key: impl AsRef<str>, value: impl ToString) -> Self {
        self.settings.params.append(key.as_ref(), value.to_string());
        self
    }

    /// Sets the query parameters of every request.
    pub fn query<P: Pair>(mut self, pairs: impl IntoIterator<Item = P>) -> Self {
        self.settings.params = Params::new();
        for (key, value) in pairs.into_iter().map(Pair::into_texts) {
            self.settings.params.append(key, value);
        }
        self
    }

    /// Sets the authentication of every request: see [`Settings::auth`]. Default: none. With a
    /// [`base_url`](Self::base_url), other origins do not receive it.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.settings.auth = auth;
        self
    }

    /// Sets Basic authentication with user and password.
    pub fn basic_auth(self, user: impl AsRef<[u8]>, password: impl AsRef<[u8]>) -> Self {
        self.auth(Auth::basic(user, password))
    }

    /// Sets Bearer authentication with a token.
    pub fn bearer_auth(self, token: impl AsRef<[u8]>) -> Self {
        self.auth(Auth::bearer(token))
    }

    /// Limits the time of each whole call, with its redirects, its retries and its body. Default:
    /// `None`, no limit.
    pub fn timeout(mut self, most: impl Into<Option<Duration>>) -> Self {
        self.settings.timeouts.total = most.into();
        self
    }

    /// Limits the time to open a connection, with all addresses together. Default: `None`, no limit.
    pub fn connect_timeout(mut self, most: impl Into<Option<Duration>>) -> Self {
        self.settings.timeouts.connect = most.into();
        self
    }

    /// Limits the time between two reads of a body. Default: `None`, no limit.
    pub fn read_timeout(mut self, most: impl Into<Option<Duration>>) -> Self {
        self.settings.timeouts.read = most.into();
        self
    }

    /// Sets all named time limits.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.settings.timeouts = timeouts;
        self
    }

    /// Limits the number of redirects that a call follows. With `None` a redirect is returned as the
    /// response. Default: 30.
    pub fn redirects(mut self, most: impl Into<Option<u32>>) -> Self {
        match most.into() {
            Some(most) => (self.settings.follow_redirects, self.settings.max_redirects) = (true, most),
            None => self.settings.follow_redirects = false,
        }
        self
    }

    /// Sets the [policy](sessio::retry) by which requests are sent again. Default: `None`, and then
    /// only a request on a stale connection is sent again.
    pub fn retry(mut self, policy: impl Into<Option<Arc<RetryPolicy>>>) -> Self {
        self.settings.retry = policy.into();
        self
    }

    /// Limits the size of a response's body in bytes, both as framed and decoded. Default: `None`, no
    /// limit.
    pub fn body_limit(mut self, most: impl Into<Option<u64>>) -> Self {
        self.settings.limits.body_bytes = most.into();
        self
    }

    /// Uses this proxy for every URL, with any scheme. Text is parsed as a proxy URL, and empty text
    /// is no proxy. It replaces that of an earlier call. Default: the proxies of the environment.
    ///
    /// # Errors
    /// [`Kind::InvalidProxy`](sessio::Kind::InvalidProxy): the text is no URL of a proxy.
    pub fn proxy<V: TryInto<Via, Error: Into<Error>>>(mut self, proxy: V) -> Self {
        match proxy.try_into() {
            Ok(via) => self.settings.proxies = Proxies::from(via),
            Err(error) => return self.noting(Err(error)),
        }
        self
    }

    /// Sets the rules that choose proxies. Those of the environment come after them.
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.settings.proxies = proxies;
        self
    }

    /// Uses no proxy, also if the environment names one.
    pub fn without_proxy(self) -> Self {
        self.proxies(Proxies::direct())
    }

    /// Sets the TLS settings: roots, client certificate, versions.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.settings.tls = tls;
        self
    }

    /// Sets the TLS implementation. Default: that of the backend.
    pub fn tls_connector(mut self, connector: TlsConnector) -> Self {
        self.settings.tls_connector = connector;
        self
    }

    /// Sets the options of TCP connections.
    pub fn tcp(mut self, tcp: Tcp) -> Self {
        self.settings.tcp = tcp;
        self
    }

    /// Sets the resolver for names. Default: the runtime's.
    pub fn resolver(mut self, resolver: Resolver) -> Self {
        self.settings.resolver = resolver;
        self
    }

    /// Connects to these addresses for `host`, without a resolver: see [`Session::resolve`].
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`](sessio::Kind::InvalidUrl): `host` is not a host.
    pub fn resolve(mut self, host: &str, addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        let done = self.settings.routes.pin(host, addresses);
        self.noting(done)
    }

    /// Connects to the Unix socket at `path` for `host`: see [`Session::unix_socket`].
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`](sessio::Kind::InvalidUrl): `host` is not a host.
    pub fn unix_socket(mut self, host: &str, path: impl AsRef<Path>) -> Self {
        let done = self.settings.routes.unix(host, path);
        self.noting(done)
    }

    /// Limits the addresses that may be reached. Default: all.
    pub fn guard(mut self, guard: Guard) -> Self {
        self.settings.guard = guard;
        self
    }

    /// Adds options for the URLs of a pattern: see [`Settings::mounts`].
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`](sessio::Kind::InvalidUrl) or
    /// [`Kind::MissingScheme`](sessio::Kind::MissingScheme) for the pattern, or the error of the mount.
    pub fn mount(mut self, pattern: &str, mount: Mount) -> Self {
        let done = self.settings.mounts.add(pattern, mount);
        self.noting(done)
    }

    /// Adds an observer of all calls. It runs after earlier ones.
    pub fn observe(mut self, observer: Observer) -> Self {
        let earlier = std::mem::take(&mut self.settings.observer);
        self.settings.observer = earlier.and(observer);
        self
    }

    /// Adds a [hook](sessio::Settings::hooks) of all calls. It runs after earlier ones.
    pub fn hook(mut self, hook: impl Hook) -> Self {
        self.settings.hooks.add(hook);
        self
    }

    /// Whether cookies of responses are stored and sent. Default: `true`.
    pub fn cookies(mut self, cookies: bool) -> Self {
        self.settings.cookies = cookies;
        self
    }

    /// Sets the jar that the session begins with. Default: an empty one.
    pub fn jar(mut self, jar: Jar) -> Self {
        self.jar = jar;
        self
    }

    /// Adds the cookies of a file in any [format](sessio::cookie::Format), which
    /// [`build`](Self::build) reads on the calling thread. A line that is no cookie is skipped;
    /// [`Session::load_cookies`] lists such lines.
    ///
    /// # Errors
    /// [`Kind::File`](sessio::Kind::File), with the path: the file cannot be read. A file that does not
    /// exist is an error, too; [`Error::io_kind`] is `NotFound` then.
    pub fn cookie_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// Adds a cookie, for the host of the [`base_url`](Self::base_url): see [`Session::set_cookie`].
    ///
    /// # Errors
    /// [`Kind::InvalidCookie`](sessio::Kind::InvalidCookie): the name or the value is not valid.
    pub fn set_cookie(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        match new_cookie(name.as_ref(), value.as_ref()) {
            Ok(cookie) => self.cookies.push(cookie),
            Err(error) => return self.noting(Err(error)),
        }
        self
    }

    /// Whether the environment is used: proxies, CA bundles, netrc. Default: `true`.
    pub fn trust_env(mut self, trust: bool) -> Self {
        self.settings.trust_env = trust;
        self
    }

    /// Sets the environment. Default: the runtime's, as a rule that of the process.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Sets the limits of the pool.
    pub fn pool(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the runtime. Default: that of the backend.
    pub fn runtime(mut self, runtime: R) -> Self {
        self.runtime = runtime;
        self
    }

    /// Sets the source of the session's random values, such as the boundaries of forms. Default: random
    /// bytes of the system. Two sessions with one seed draw the same values: use it in tests only.
    pub fn seed(mut self, seed: Seed) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Changes the settings, for options without a method here. Earlier calls are visible in them.
    ///
    /// ```
    /// # fn build<R: sessio_driver::Runtime + Default>() -> sessio_driver::sessio::Result<()> {
    /// # type Session<R> = sessio_driver::Session<R>;
    /// let session = Session::<R>::builder().update(|s| s.detect_loops = true).build()?;
    /// assert!(session.settings().detect_loops);
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Changes the settings by a closure that can fail.
    ///
    /// # Errors
    /// The error of `change`.
    pub fn try_update(mut self, change: impl FnOnce(&mut Settings) -> Result<()>) -> Self {
        let done = change(&mut self.settings);
        self.noting(done)
    }

    /// Builds the session. It opens no connection, and reads only the
    /// [cookie files](Self::cookie_file).
    ///
    /// # Errors
    /// The first error of the builder, which names the refused value. Then the first error of a cookie
    /// file or a cookie.
    pub fn build(self) -> Result<Session<R, M>> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let session = Session::from_parts(self.runtime, self.settings, self.policy, self.seed);
        if let Some(environment) = self.environment {
            session.set_environment(environment);
        }
        if !self.jar.is_empty() {
            session.cookies(|jar| *jar = self.jar);
        }
        for path in self.files {
            session.load_cookies(path)?;
        }
        for cookie in self.cookies {
            session.insert_own_cookie(cookie)?;
        }
        Ok(session)
    }

    /// Keeps the first error.
    fn noting<E: Into<Error>>(mut self, done: Result<(), E>) -> Self {
        if let Err(error) = done {
            self.problem.get_or_insert_with(|| error.into());
        }
        self
    }
}

impl<R: Runtime + Default, M> Default for SessionBuilder<R, M> {
    fn default() -> Self {
        Self::new(R::default())
    }
}

impl<R: Runtime, M> fmt::Debug for SessionBuilder<R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBuilder")
            .field("settings", &self.settings)
            .field("pool", &self.policy)
            .field("problem", &self.problem)
            .finish_non_exhaustive()
    }
}
