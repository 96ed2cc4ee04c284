//! What a session remembers.

use std::fmt;
use std::sync::Arc;

use url::Url;

use crate::base::timeouts::Timeouts;
use crate::call::observer::Observer;
use crate::message::coding::Decoders;
use crate::message::headers::Headers;
use crate::policy::guard::Guard;
use crate::policy::redirect::AllowedTargets;
use crate::prepared::auth::Auth;
use crate::route::environment::{EnvSources, Environment};
use crate::route::proxy::{Proxies, ProxySelector};
use crate::route::routing::{Resolver, RouteOptions, Routes, Tcp};
use crate::route::tls::{Tls, TlsConnector};
use crate::uri::params::Params;
use crate::wire::h1::Limits;

/// The defaults of a session. Every field can be read and changed at any time; a change holds from the
/// next request on. The names are those of `requests.Session` where there is one.
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
    /// Sent with every request: `User-Agent`, `Accept-Encoding`, `Accept` and `Connection` at first. A
    /// request's own header of the same name wins. Where a request has a `Range`, the default `Accept-Encoding` becomes
    /// `identity`.
    pub headers: Headers,
    /// Query parameters of every request. A request's own of the same key win.
    pub params: Params,
    /// How requests authenticate unless they say otherwise.
    pub auth: Auth,
    /// How many redirects one call follows at most, 30 at first. With 0 the first redirect is an error; to
    /// be handed redirects instead, see [`follow_redirects`](Self::follow_redirects).
    pub max_redirects: u32,
    /// Whether redirects are followed, `true` at first. `HEAD` requests follow none unless they say so
    /// (rule M-25).
    pub follow_redirects: bool,
    /// Whether a redirect that leads back to a request of the same call is
    /// [`Kind::RedirectLoop`](crate::Kind::RedirectLoop); `false` at first, and then `max_redirects` is the only limit. It
    /// is the same request if method, URL, headers with cookies, and body are the same to the letter. A server that
    /// remembers who has asked may still answer it in another way.
    pub detect_loops: bool,
    /// Whether a redirect from `http` to `https` on the same host keeps `Authorization`, the request's own cookies and
    /// whatever else is bound to the origin; `true` at first, as in requests. Both have to be on their default ports. With
    /// `false` it is a redirect to another origin like any other.
    pub keep_on_upgrade: bool,
    /// Names of headers that belong to one origin: a redirect to another one leaves them behind, beside `Authorization`, `Cookie`,
    /// `Proxy-Authorization` and whatever is [marked sensitive](Headers::mark_sensitive) (row B12).
    pub sensitive_headers: Arc<[Box<str>]>,
    /// The named time limits, none at first but for `expect`.
    pub timeouts: Timeouts,
    /// Limits on what is accepted from a server.
    pub limits: Limits,
    /// The content codings that can be undone. Which of them an answer may have, the header `Accept-Encoding` says;
    /// whoever adds one adds it there, too.
    pub codings: Decoders,
    /// What relative request URLs are resolved against (RFC 3986 section 5.2), none at first: with
    /// `http://host/api/`, the request `users` asks for `/api/users` and `/users` for `/users`. An address
    /// with a host of its own is not relative, neither `http://other/` nor `//other/`.
    ///
    /// The session's credentials belong to the origin of the base URL: scheme, host and port. A request to another origin
    /// goes without `auth`, without the client certificate, and without headers that a redirect to another origin would
    /// leave behind. What the request itself sets goes along. Query parameters go along, too.
    ///
    /// ```
    /// use sessio::{Auth, Jar, Now, Request, Settings, UnixTime, merge, prepare};
    ///
    /// # let now = Now { mono: sessio::Instant::ZERO, wall: UnixTime(0) };
    /// let mut settings = Settings::default();
    /// settings.base_url = Some("https://api.test/v1/".parse()?);
    /// settings.auth = Auth::bearer("secret");
    /// let ask = |address| prepare(merge(&settings, Request::get(address)), &mut Jar::new(), now);
    /// assert!(ask("users")?.headers().contains("Authorization"));
    /// assert!(!ask("//other.test/users")?.headers().contains("Authorization"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub base_url: Option<Url>,
    /// Whether requests to other origins than that of [`base_url`](Self::base_url) carry the session's credentials, too,
    /// `false` at first. Without a `base_url` it has no effect. Set it only if no address comes from a stranger.
    pub credentials_beyond_base_url: bool,
    /// Hosts that are reached otherwise than by their own names, none at first: at pinned addresses, or over
    /// Unix sockets.
    pub routes: Routes,
    /// Who turns names into addresses: the runtime at first.
    pub resolver: Resolver,
    /// How TCP connections are opened: local address, keep-alive, no delay, user timeout.
    pub tcp: Tcp,
    /// Whom to trust and who we are: verification, roots, client certificate, versions.
    pub tls: Tls,
    /// Who does TLS: nobody at first, unless the backend brings an engine along.
    pub engine: TlsConnector,
    /// Which proxies requests go through, none at first; the environment's come after them. See [`proxy`](crate::route::proxy).
    pub proxies: Proxies,
    /// Which addresses may be reached, all at first: see [`guard`](crate::policy::guard).
    pub guard: Guard,
    /// Where redirects may lead, anywhere at first.
    pub redirect_targets: AllowedTargets,
    /// Whether cookies of responses are kept and sent, `true` at first.
    pub cookies: bool,
    /// Whether the environment takes part: proxies, bundles of authorities, netrc; `true` at first.
    pub trust_env: bool,
    /// Which parts of the environment take part while [`trust_env`](Self::trust_env) is set, all at first.
    pub trust: EnvSources,
    /// Who is told what calls do, nobody at first. Those of a request are told as well.
    pub observer: Observer,
}

/// Our own name as servers see it.
pub(crate) const USER_AGENT: &str = concat!("sessio/", env!("CARGO_PKG_VERSION"));

/// The codings that are compiled in.
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
    /// How hosts are reached under these settings, before the request and the environment change it.
    #[must_use]
    pub fn routing(&self) -> RouteOptions {
        let Self { routes, resolver, tcp, tls, engine, proxies, guard, .. } = self;
        RouteOptions {
            routes: routes.clone(),
            resolver: resolver.clone(),
            tcp: *tcp,
            tls: tls.clone(),
            engine: engine.clone(),
            plan: ProxySelector::new(Proxies::new(), proxies.clone(), Proxies::new()),
            guard: *guard,
            environment: Environment::empty(),
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
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            codings: Decoders::default(),
            base_url: None,
            credentials_beyond_base_url: false,
            routes: Routes::default(),
            resolver: Resolver::default(),
            tcp: Tcp::default(),
            tls: Tls::default(),
            engine: TlsConnector::default(),
            proxies: Proxies::new(),
            guard: Guard::off(),
            redirect_targets: AllowedTargets::default(),
            cookies: true,
            trust_env: true,
            trust: EnvSources::default(),
            observer: Observer::default(),
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
            .field("timeouts", &self.timeouts)
            .field("limits", &self.limits)
            .field("codings", &self.codings)
            .field("base_url", &self.base_url.as_ref().map(|url| crate::uri::address::Shown(url).to_string()))
            .field("credentials_beyond_base_url", &self.credentials_beyond_base_url)
            .field("routes", &self.routes)
            .field("resolver", &self.resolver)
            .field("tcp", &self.tcp)
            .field("tls", &self.tls)
            .field("engine", &self.engine)
            .field("proxies", &self.proxies)
            .field("guard", &self.guard)
            .field("redirect_targets", &self.redirect_targets)
            .field("cookies", &self.cookies)
            .field("trust_env", &self.trust_env)
            .field("trust", &self.trust)
            .field("observer", &self.observer)
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
