//! The route to a host: its own name, pinned addresses, or a Unix socket. The module also holds the
//! resolver and the socket options.
//!
//! The Host field, cookies, redirects and credentials go by the URL. Only the destination of the
//! connection is set here. Requests with different routes never share a connection: the route is
//! part of the pool's [`Key`](crate::routing::Key).
//!
//! ```
//! use std::path::Path;
//! use sessio::{Settings, Url, routing::{Destination, RouteOptions}};
//!
//! let mut settings = Settings::default();
//! settings.routes.pin("site.test", ["127.0.0.1:8080".parse()?])?;
//! settings.routes.unix("localhost", "/run/app.sock")?;
//! let routing = settings.routing();
//!
//! let to = |url| Url::parse(url).ok().and_then(|url| routing.destination(&url));
//! assert_eq!(to("http://site.test/"), Some(Destination::Addresses(vec!["127.0.0.1:8080".parse()?])));
//! assert_eq!(to("http://localhost/"), Some(Destination::Unix(Path::new("/run/app.sock").into())));
//! assert_eq!(to("http://[::1]/"), Some(Destination::Addresses(vec!["[::1]:80".parse()?])));
//! assert_eq!(to("http://other.test/"), Some(Destination::Name { host: "other.test".into(), port: 80 }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod resolver;
mod routes;
mod tcp;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use url::{Host, Url};

use crate::base::escape::escape;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::policy::guard::Guard;
use crate::policy::host_policy::HostPolicy;
use crate::policy::redirect::AllowedTargets;
use crate::route::environment::{CaBundle, Environment};
pub use crate::route::key::{Key, KeyBuf};
use crate::route::proxy::{Protocol, ProxySelector};
use crate::route::tls::{Roots, Tls, TlsConnector};
use crate::uri::localhost::is_localhost;
pub use resolver::{Resolve, Resolver, Resolving};
pub use routes::{Route, Routes};
pub use tcp::{KeepAlive, Tcp};

/// The route options of one request: the [`Settings`](crate::Settings) of those names, as they were
/// when the request was merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteOptions {
    /// Hosts that are not reached by their own names.
    pub routes: Routes,
    /// The resolver of host names.
    pub resolver: Resolver,
    /// Socket options.
    pub tcp: Tcp,
    /// TLS settings of `https://` URLs.
    pub tls: Tls,
    /// The TLS implementation.
    pub tls_connector: TlsConnector,
    /// The proxy of each URL.
    pub plan: ProxySelector,
    /// Addresses that may be reached.
    pub guard: Guard,
    /// The enabled parts of the environment.
    pub environment: Environment,
    /// Limits on the connections to the host, in place of the pool's. Those of the mount.
    pub pool: Option<Arc<HostPolicy>>,
}

/// The destination of a connection for a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Destination {
    /// Addresses, to be raced by a [`HappyEyeballs`](crate::route::happy_eyeballs::HappyEyeballs).
    /// An empty list means that the host cannot be reached.
    Addresses(Vec<SocketAddr>),
    /// A name for the [`Resolver`], as in the URL: lower case and A-labels.
    ///
    /// It is never a literal address, and never `localhost` or a name below it: those are the
    /// loopback addresses (RFC 6761 section 6.3).
    Name {
        /// The host.
        host: Box<str>,
        /// The port, or the default port of the scheme.
        port: u16,
    },
    /// The Unix socket at this path.
    Unix(Arc<Path>),
}

impl RouteOptions {
    /// The destination of a connection for this URL: that of the proxy if one was chosen. `None`
    /// for a URL without host or port.
    #[must_use]
    pub fn destination(&self, url: &Url) -> Option<Destination> {
        match self.plan.proxy() {
            None => self.direct(url),
            Some(proxy) => {
                let host = match proxy.host() {
                    Host::Domain(name) => Host::Domain(name.as_str()),
                    Host::Ipv4(ip) => Host::Ipv4(*ip),
                    Host::Ipv6(ip) => Host::Ipv6(*ip),
                };
                Some(self.towards(
                    host,
                    proxy.port(),
                    self.routes.at(&proxy.host().to_string(), proxy.port()),
                ))
            }
        }
    }

    /// The destination of the URL's host, ignoring proxies.
    #[must_use]
    pub fn direct(&self, url: &Url) -> Option<Destination> {
        Some(self.towards(url.host()?, url.port_or_known_default()?, self.routes.of(url)))
    }

    fn towards(&self, host: Host<&str>, port: u16, route: Option<&Route>) -> Destination {
        let literal = |ip: IpAddr| Destination::Addresses(vec![SocketAddr::new(ip, port)]);
        let loopback = [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)];
        match (route, host) {
            (Some(Route::Unix(path)), _) => Destination::Unix(Arc::clone(path)),
            (Some(Route::Addresses(pinned)), _) => {
                Destination::Addresses(pinned.iter().map(|to| with_port(*to, port)).collect())
            }
            // RFC 6761 section 6.3: no resolver is asked, so none can point it elsewhere.
            (None, Host::Domain(name)) if is_localhost(name) => {
                Destination::Addresses(loopback.map(|ip| SocketAddr::new(ip, port)).into())
            }
            (None, Host::Domain(name)) => Destination::Name { host: name.into(), port },
            (None, Host::Ipv4(ip)) => literal(ip.into()),
            (None, Host::Ipv6(ip)) => literal(ip.into()),
        }
    }

    /// Restricts the routes after a redirect from one URL to another.
    ///
    /// The routes are not open to the server that sent the redirect, unless the previous hop used
    /// the very same route. A Unix socket is not reached then, and pinned addresses have to pass
    /// the guard. The restriction holds for all later hops.
    ///
    /// # Errors
    /// [`Kind::RedirectForbidden`] if the route is a Unix socket.
    pub(crate) fn follow_redirect(&mut self, from: &Url, to: &Url, targets: &AllowedTargets) -> Result<()> {
        let route = self.routes.of(to);
        if targets.uses_routes() || route == self.routes.of(from) {
            return Ok(());
        }
        if let Some(Route::Unix(_)) = route {
            let host = escape(to.host_str().unwrap_or_default().as_bytes());
            let detail =
                format!("{host} is reached over a Unix socket, which is for the caller's own requests");
            return Err(Fault::new(Kind::RedirectForbidden).with_detail(detail));
        }
        self.guard = self.guard.and_pins();
        Ok(())
    }

    /// Chooses the proxy for the next hop, and refuses a host that the proxy must not receive.
    pub(crate) fn choose(&mut self, url: &Url) -> Result<()> {
        let is_routed = matches!(self.routes.of(url), Some(Route::Unix(_)));
        self.plan.choose(url, is_routed)?;
        // Check here: a connection to the proxy may be open already, and then no address is
        // checked.
        match (self.plan.proxy(), self.guard.refuses_host(url)) {
            (Some(_), Some(why)) => Err(Fault::new(Kind::BlockedAddress).with_detail(why)),
            _ => Ok(()),
        }
    }

    /// The CA bundle of the environment that must be read before a connection for this URL is
    /// opened. `None` unless TLS is needed and the settings name no roots.
    pub(crate) fn unread(&self, url: &Url) -> Option<&CaBundle> {
        let authorities = self.environment.unread()?;
        let is_proxy_secure = || {
            let proxy = self.plan.proxy();
            proxy.is_some_and(|proxy| proxy.protocol() == Protocol::Https && proxy.own_tls().is_none())
        };
        let is_wanted = url.scheme() == "https" || is_proxy_secure();
        (is_wanted && self.tls.options().roots == Roots::Platform).then_some(authorities)
    }

    /// Takes the certificates that were read, as an environment that holds them.
    pub(crate) fn apply_environment(&mut self, environment: &Environment) {
        self.tls = environment.secures(std::mem::take(&mut self.tls));
        self.environment = environment.clone();
    }

    /// Checks the route of this URL against the guard, as far as the route is no address.
    ///
    /// # Errors
    /// [`Kind::BlockedAddress`] for a Unix socket, if the [`Guard`] covers those, too.
    pub(crate) fn admit_socket(&self, url: &Url) -> Result<()> {
        match self.routes.of(url) {
            Some(Route::Unix(_)) if self.guard.is_on_sockets() => {
                Err(Fault::new(Kind::BlockedAddress).with_detail("a Unix socket"))
            }
            _ => Ok(()),
        }
    }

    /// Filters the addresses of a host by the guard.
    ///
    /// Addresses of a proxy always pass: the session chose it. Pinned addresses pass unless the
    /// [`Guard`] covers them, too.
    ///
    /// # Errors
    /// [`Kind::BlockedAddress`] if no address passes.
    pub fn admitted(&self, url: &Url, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>> {
        let is_pinned = self.routes.of(url).is_some();
        if !self.guard.is_on() || (is_pinned && !self.guard.is_on_pins()) {
            return Ok(addresses);
        }
        let refused = addresses.iter().find_map(|to| Some((to.ip(), self.guard.refuses(to.ip())?)));
        let admitted: Vec<_> =
            addresses.into_iter().filter(|to| self.guard.refuses(to.ip()).is_none()).collect();
        match refused {
            Some((ip, why)) if admitted.is_empty() => {
                Err(Fault::new(Kind::BlockedAddress).with_detail(format!("{ip}: {why}")))
            }
            _ => Ok(admitted),
        }
    }
}

/// Replaces port 0 of an address by this port: pins and resolvers may leave out the URL's port.
#[must_use]
pub fn with_port(address: SocketAddr, port: u16) -> SocketAddr {
    if address.port() == 0 { SocketAddr::new(address.ip(), port) } else { address }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_never_resolved_and_names_are_as_the_url_has_them() {
        let routing = RouteOptions::default();
        let to = |url| routing.destination(&Url::parse(url).unwrap()).unwrap();
        for (url, address) in [
            ("http://127.0.0.1/", "127.0.0.1:80"),
            ("http://0x7f.1:81/", "127.0.0.1:81"),
            ("https://[::1]/", "[::1]:443"),
            ("http://[::ffff:1.2.3.4]:5/", "[::ffff:1.2.3.4]:5"),
        ] {
            assert_eq!(to(url), Destination::Addresses(vec![address.parse().unwrap()]), "{url}");
        }
        for (url, name, port) in [
            ("http://LocalHost.Test/", "localhost.test", 80),
            ("https://b\u{fc}cher.test/", "xn--bcher-kva.test", 443),
            ("http://user:pw@a.test.:8080/x", "a.test.", 8080),
        ] {
            assert_eq!(to(url), Destination::Name { host: name.into(), port }, "{url}");
        }
        assert_eq!(routing.destination(&Url::parse("data:x").unwrap()), None);
    }

    #[test]
    fn fc2_localhost_is_never_a_name_to_resolve() {
        let routing = RouteOptions::default();
        for url in ["http://LocalHost:5/", "http://localhost.:5/", "https://a.b.localhost:5/"] {
            let url = Url::parse(url).unwrap();
            let both = ["[::1]:5", "127.0.0.1:5"].map(|to| to.parse().unwrap());
            assert_eq!(routing.destination(&url), Some(Destination::Addresses(both.to_vec())), "{url}");
            // The guard and the pool's key agree.
            assert_eq!(Guard::public().refuses_host(&url), Some("loopback"));
            let own =
                RouteOptions { resolver: Resolver::from_fn(|_, _| Ok(vec![])), ..RouteOptions::default() };
            assert_eq!(Key::reaching(&url, &own), Key::reaching(&url, &routing));
        }
    }

    #[test]
    fn fa10_a_redirect_uses_routes_only_on_the_way_of_the_hop_before() {
        let mut routes = Routes::default();
        routes.unix("socket.test", "/a").unwrap();
        routes.unix("same.test", "/a").unwrap();
        routes.unix("other.test", "/b").unwrap();
        routes.pin("pin.test", ["10.0.0.1:0".parse().unwrap()]).unwrap();
        let led = |from: &str, to: &str, targets: &AllowedTargets| {
            let mut routing =
                RouteOptions { routes: routes.clone(), guard: Guard::public(), ..RouteOptions::default() };
            let url = |host: &str| Url::parse(&format!("http://{host}/")).unwrap();
            match routing.follow_redirect(&url(from), &url(to), targets) {
                Ok(()) => {
                    if routing.guard.is_on_pins() {
                        "guarded"
                    } else {
                        "free"
                    }
                }
                Err(error) => {
                    assert_eq!(error.kind(), Kind::RedirectForbidden);
                    "forbidden"
                }
            }
        };
        for (from, to, expected) in [
            ("a.test", "socket.test", "forbidden"),
            ("pin.test", "socket.test", "forbidden"),
            ("other.test", "socket.test", "forbidden"),
            ("same.test", "socket.test", "free"),
            ("socket.test", "socket.test:8080", "free"),
            ("a.test", "pin.test", "guarded"),
            ("socket.test", "pin.test", "guarded"),
            ("pin.test", "pin.test:8080", "free"),
            ("pin.test", "a.test", "guarded"),
            ("a.test", "b.test", "free"),
        ] {
            assert_eq!(led(from, to, &AllowedTargets::any()), expected, "{from} to {to}");
            assert_eq!(led(from, to, &AllowedTargets::any().and_routes()), "free", "{from} to {to}");
        }
    }

    #[test]
    fn a_pin_without_a_port_has_the_urls() {
        let mut routing = RouteOptions::default();
        let pins = ["127.0.0.1:0".parse().unwrap(), "[::1]:9".parse().unwrap()];
        routing.routes.pin("a.test", pins).unwrap();
        for (url, port) in [("http://a.test/", 80), ("https://a.test/", 443), ("http://a.test:5/", 5)] {
            let expected = [SocketAddr::new(pins[0].ip(), port), pins[1]];
            let to = routing.destination(&Url::parse(url).unwrap());
            assert_eq!(to, Some(Destination::Addresses(expected.to_vec())), "{url}");
        }
    }
}
