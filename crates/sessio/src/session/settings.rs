//! The settings of a session.

use std::fmt;
use std::sync::Arc;

use url::Url;

use crate::base::timeouts::Timeouts;
use crate::call::observer::Observer;
use crate::message::coding::Decoders;
use crate::message::headers::Headers;
use crate::policy::guard::Guard;
use crate::policy::pace::Pace;
use crate::policy::redirect::AllowedTargets;
use crate::policy::retry::RetryPolicy;
use crate::prepared::auth::Auth;
use crate::prepared::hook::Hooks;
use crate::route::environment::{EnvSources, Environment};
use crate::route::proxy::{Proxies, ProxySelector};
use crate::route::routing::{Resolver, RouteOptions, Routes, Tcp};
use crate::route::tls::{Tls, TlsConnector};
use crate::session::mounts::Mounts;
use crate::uri::params::Params;
use crate::uri::redacted::RedactedUrl;
use crate::wire::h1::Limits;

/// The defaults of a session. Every field can be read and changed at any time. A change applies
/// from the next request on. The names are those of `requests.Session`, if it has one.
///
/// ```
/// use sessio::{Auth, Settings};
///
/// let mut settings = Settings::default();
/// settings.auth = Auth::basic("user", "pass");
/// settings.headers.insert("X-Test", "true")?;
/// settings.params.append("lang", "en");
/// # Ok::<(), sessio::Error>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Headers of every request. Default: `User-Agent`, `Accept-Encoding`, `Accept` and
    /// `Connection`. A request's own header of the same name overrides them. In a request with a
    /// `Range`, the default `Accept-Encoding` becomes `identity`.
    pub headers: Headers,
    /// Query parameters of every request. A request's own of the same key override them.
    pub params: Params,
    /// Authentication of requests that set none of their own.
    pub auth: Auth,
    /// Maximum number of redirects that one call follows. Default: 30. With 0 the first redirect is
    /// an error. To receive redirects as responses, see
    /// [`follow_redirects`](Self::follow_redirects).
    pub max_redirects: u32,
    /// Whether redirects are followed. Default: `true`. `HEAD` requests follow none unless the
    /// request asks for it (rule M-25).
    pub follow_redirects: bool,
    /// Whether a redirect that leads back to a request of the same call is
    /// [`Kind::RedirectLoop`](crate::Kind::RedirectLoop). Default: `false`, and then
    /// `max_redirects` is the only limit.
    ///
    /// Two requests are the same if method, URL, headers with cookies, and body are identical. A
    /// server that keeps state may still respond to the second one in another way.
    pub detect_loops: bool,
    /// Whether credentials are kept by a redirect from `http` to `https` on the same host. These
    /// are `Authorization`, the request's own cookies and other values that are bound to the
    /// origin. Default: `true`, as in requests. Both URLs must have their default ports. With
    /// `false` it is a redirect to another origin like any other.
    pub keep_on_upgrade: bool,
    /// Names of headers that belong to one origin: a redirect to another origin drops them. It also
    /// drops `Authorization`, `Cookie`, `Proxy-Authorization` and all headers that are [marked
    /// sensitive](Headers::mark_sensitive) (row B12). Default: empty.
    pub sensitive_headers: Arc<[Box<str>]>,
    /// The policy by which a request is sent again after a failure, or after a status such as 503:
    /// see [`retry`](crate::retry). Default: `None`. Then only a request on a stale connection is
    /// sent again.
    ///
    /// ```
    /// use sessio::Settings;
    /// use sessio::retry::RetryPolicy;
    ///
    /// let mut settings = Settings::default();
    /// settings.retry = RetryPolicy::web().into();
    /// ```
    pub retry: Option<Arc<RetryPolicy>>,
    /// The pace of the requests to each origin: see [`pace`](crate::pace). Default: `None`, which is
    /// no limit.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sessio::Settings;
    /// use sessio::pace::Pace;
    ///
    /// let mut settings = Settings::default();
    /// settings.pace = Pace::rate(100, Duration::from_secs(60)).into();
    /// ```
    pub pace: Option<Arc<Pace>>,
    /// The named time limits. Default: none except `expect`.
    pub timeouts: Timeouts,
    /// Limits on responses.
    pub limits: Limits,
    /// The content codings that can be decoded. The header `Accept-Encoding` names those that a
    /// response may have. If you add a coding, add it to that header as well.
    pub codings: Decoders,
    /// The base URL of relative addresses (RFC 3986 section 5.2). Default: `None`.
    ///
    /// With `http://host/api/`, the address `users` becomes `/api/users`, and `/users` becomes
    /// `/users`. An address with a host is not relative: neither `http://other/` nor `//other/`.
    ///
    /// The session's credentials belong to the origin of the base URL: scheme, host and port. A
    /// request to another origin has no `auth` and no client certificate. It also lacks the headers
    /// that a redirect to another origin would drop. Values that the request itself sets are sent.
    /// Query parameters are sent as well.
    ///
    /// ```
    /// use sessio::{Auth, Jar, Now, Request, Settings, UnixTime, merge, prepare};
    ///
    /// # let now = Now { mono: sessio::Instant::ZERO, wall: UnixTime(0) };
    /// let mut settings = Settings::default();
    /// settings.base_url = Some("https://api.test/v1/".parse()?);
    /// settings.auth = Auth::bearer("secret");
    /// let ask = |address| prepare(merge(&settings, Request::get(address)), &mut Jar::new(), now);
    /// assert!(ask("users")?.request.headers().contains("Authorization"));
    /// assert!(!ask("//other.test/users")?.request.headers().contains("Authorization"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub base_url: Option<Url>,
    /// Whether requests to origins other than that of [`base_url`](Self::base_url) carry the
    /// session's credentials. Default: `false`. It has no effect without a `base_url`. Set it only
    /// if no address comes from an untrusted source.
    pub credentials_beyond_base_url: bool,
    /// Options for the URLs of a pattern. Default: none.
    ///
    /// Requests go to any host, and carry the session's defaults there: its `auth`, and headers
    /// such as `X-Api-Key`. Credentials that belong to one host are set on a mount, or bound by
    /// [`Auth::only`]. So no other host receives them.
    ///
    /// ```
    /// use sessio::{Mount, Settings};
    ///
    /// let mut settings = Settings::default();
    /// settings.mounts.add("https://api.example.org/", Mount::new().header("X-Api-Key", "secret"))?;
    /// # Ok::<(), sessio::Error>(())
    /// ```
    pub mounts: Mounts,
    /// Routes to hosts that are not reached by their own names: pinned addresses and Unix sockets.
    /// Default: none.
    pub routes: Routes,
    /// Resolves names to addresses. Default: the runtime's resolver.
    pub resolver: Resolver,
    /// Options of TCP connections: local address, keep-alive, no delay, user timeout.
    pub tcp: Tcp,
    /// TLS settings: verification, roots, client certificate, versions.
    pub tls: Tls,
    /// The TLS implementation. Default: none, unless the backend sets one.
    pub tls_connector: TlsConnector,
    /// Rules that choose proxies. Default: none. The environment's rules come after them. See
    /// [`proxy`](crate::route::proxy).
    pub proxies: Proxies,
    /// The addresses that may be reached. Default: all. See [`guard`](crate::policy::guard).
    pub guard: Guard,
    /// The targets that redirects may have. Default: any.
    pub redirect_targets: AllowedTargets,
    /// Whether cookies of responses are stored and sent. Default: `true`.
    pub cookies: bool,
    /// Whether the environment is used: proxies, CA bundles, netrc. Default: `true`.
    pub trust_env: bool,
    /// The parts of the environment that are used while [`trust_env`](Self::trust_env) is set.
    /// Default: all.
    pub trust: EnvSources,
    /// The observer of all calls. Default: none. The observer of a request runs after it.
    pub observer: Observer,
    /// Hooks, which edit requests and decide about responses: see [`hook`](crate::hook). Default:
    /// none. Those of a mount and of a request run after them.
    pub hooks: Hooks,
}

/// The default User-Agent.
pub(crate) const USER_AGENT: &str = concat!("sessio/", env!("CARGO_PKG_VERSION"));

/// The content codings that are compiled in.
pub(crate) const ACCEPT_ENCODING: &str =
    match (cfg!(feature = "gzip"), cfg!(feature = "brotli"), cfg!(feature = "zstd")) {
        (false, false, false) => "identity",
        (false, false, true) => "zstd",
        (false, true, false) => "br",
        (false, true, true) => "br, zstd",
        (true, false, false) => "gzip, deflate",
        (true, false, true) => "gzip, deflate, zstd",
        (true, true, false) => "gzip, deflate, br",
        (true, true, true) => "gzip, deflate, br, zstd",
    };

impl Settings {
    /// The routes to hosts under these settings, before the request and the environment change
    /// them.
    #[must_use]
    pub fn routing(&self) -> RouteOptions {
        let Self { routes, resolver, tcp, tls, tls_connector, proxies, guard, .. } = self;
        RouteOptions {
            routes: routes.clone(),
            resolver: resolver.clone(),
            tcp: *tcp,
            tls: tls.clone(),
            tls_connector: tls_connector.clone(),
            plan: ProxySelector::new(Proxies::new(), proxies.clone(), Proxies::new()),
            guard: *guard,
            environment: Environment::empty(),
            pool: None,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let mut headers = Headers::with_capacity(8, 256);
        for (name, value) in [
            ("User-Agent", USER_AGENT),
            ("Accept-Encoding", ACCEPT_ENCODING),
            ("Accept", "*/*"),
            ("Connection", "keep-alive"),
        ] {
            headers.append_known(name, value.as_bytes());
        }
        Self {
            headers,
            params: Params::new(),
            auth: Auth::None,
            max_redirects: 30,
            follow_redirects: true,
            detect_loops: false,
            keep_on_upgrade: true,
            sensitive_headers: Arc::default(),
            retry: None,
            pace: None,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            codings: Decoders::default(),
            base_url: None,
            credentials_beyond_base_url: false,
            mounts: Mounts::default(),
            routes: Routes::default(),
            resolver: Resolver::default(),
            tcp: Tcp::default(),
            tls: Tls::default(),
            tls_connector: TlsConnector::default(),
            proxies: Proxies::new(),
            guard: Guard::off(),
            redirect_targets: AllowedTargets::default(),
            cookies: true,
            trust_env: true,
            trust: EnvSources::default(),
            observer: Observer::default(),
            hooks: Hooks::default(),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("headers", &self.headers)
            .field("params", &self.params)
            .field("auth", &self.auth)
            .field("max_redirects", &self.max_redirects)
            .field("follow_redirects", &self.follow_redirects)
            .field("detect_loops", &self.detect_loops)
            .field("keep_on_upgrade", &self.keep_on_upgrade)
            .field("sensitive_headers", &self.sensitive_headers)
            .field("retry", &self.retry)
            .field("pace", &self.pace)
            .field("timeouts", &self.timeouts)
            .field("limits", &self.limits)
            .field("codings", &self.codings)
            .field("base_url", &self.base_url.as_ref().map(|url| RedactedUrl::new(url).to_string()))
            .field("credentials_beyond_base_url", &self.credentials_beyond_base_url)
            .field("mounts", &self.mounts)
            .field("routes", &self.routes)
            .field("resolver", &self.resolver)
            .field("tcp", &self.tcp)
            .field("tls", &self.tls)
            .field("tls_connector", &self.tls_connector)
            .field("proxies", &self.proxies)
            .field("guard", &self.guard)
            .field("redirect_targets", &self.redirect_targets)
            .field("cookies", &self.cookies)
            .field("trust_env", &self.trust_env)
            .field("trust", &self.trust)
            .field("observer", &self.observer)
            .field("hooks", &self.hooks)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s13_a_new_session_has_four_headers_in_requests_order() {
        let settings = Settings::default();
        let names: Vec<_> = settings.headers.iter().map(|field| field.name).collect();
        assert_eq!(names, ["User-Agent", "Accept-Encoding", "Accept", "Connection"]);
        assert_eq!(settings.max_redirects, 30);
    }
}
