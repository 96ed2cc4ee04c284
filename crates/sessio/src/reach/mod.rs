//! How a host is reached: by its own name, by addresses that were pinned, or over a Unix socket; who turns
//! names into addresses; and what the sockets are like.
//!
//! A URL says who is asked, and that is what the Host line, cookies, redirects and credentials go by. Where its
//! connection goes to is said here. None of it can make two requests share a connection that went different
//! ways: it is part of the pool's [`Key`](crate::pool::Key).
//!
//! ```
//! use std::path::Path;
//! use sessio::{Settings, Url, reach::{Destination, Reach}};
//!
//! let mut settings = Settings::default();
//! settings.routes.pin("site.test", ["127.0.0.1:8080".parse()?])?;
//! settings.routes.unix("localhost", "/run/app.sock")?;
//! let reach = Reach::of(&settings);
//!
//! let to = |url| Url::parse(url).ok().and_then(|url| reach.destination(&url));
//! assert_eq!(to("http://site.test/"), Some(Destination::Addresses(vec!["127.0.0.1:8080".parse()?])));
//! assert_eq!(to("http://localhost/"), Some(Destination::Unix(Path::new("/run/app.sock").into())));
//! assert_eq!(to("http://[::1]/"), Some(Destination::Addresses(vec!["[::1]:80".parse()?])));
//! assert_eq!(to("http://other.test/"), Some(Destination::Name { host: "other.test".into(), port: 80 }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod resolver;
mod routes;
mod tcp;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use url::{Host, Url};

use crate::environment::Environment;
use crate::error::{Error, Kind, Result};
use crate::guard::Guard;
use crate::proxy::{Plan, Proxies};
use crate::settings::Settings;
use crate::tls::{Engine, Tls};
pub use resolver::{Resolve, Resolver, Resolving};
pub use routes::{Route, Routes};
pub use tcp::{KeepAlive, Tcp};

/// What one request knows of how to reach hosts: the [`Settings`] of those names, as they were when it was
/// merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reach {
    /// Hosts that are not reached by their own names.
    pub routes: Routes,
    /// Who turns names into addresses.
    pub resolver: Resolver,
    /// What the sockets are like.
    pub tcp: Tcp,
    /// What is wanted of TLS, for `https://` alone.
    pub tls: Tls,
    /// Who does it.
    pub engine: Engine,
    /// Which proxies lead there.
    pub plan: Plan,
    /// Which addresses may be reached.
    pub guard: Guard,
    /// What the environment says, as far as it takes part.
    pub environment: Environment,
}

/// Where a connection for a URL goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Destination {
    /// One of these, to be raced by a [`Dial`](crate::dial::Dial). Without any the host cannot be reached.
    Addresses(Vec<SocketAddr>),
    /// What the [`Resolver`] makes of this name: as the URL has it, in lower case and A-labels. A literal
    /// address is never one.
    Name {
        /// The host.
        host: Box<str>,
        /// The port, the scheme's own where the URL names none.
        port: u16,
    },
    /// The Unix socket at this path.
    Unix(Arc<Path>),
}

impl Reach {
    /// What these settings say.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let Settings { routes, resolver, tcp, tls, engine, proxies, guard, .. } = settings;
        Self {
            routes: routes.clone(),
            resolver: resolver.clone(),
            tcp: *tcp,
            tls: tls.clone(),
            engine: engine.clone(),
            plan: Plan::new(Proxies::new(), proxies.clone(), Proxies::new()),
            guard: *guard,
            environment: Environment::empty(),
        }
    }

    /// Where a connection for this URL goes to, which is where the proxy is if one was chosen; `None` for a URL
    /// without host or port.
    #[must_use]
    pub fn destination(&self, url: &Url) -> Option<Destination> {
        match self.plan.proxy() {
            None => self.straight(url),
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

    /// Where the host of this URL is, whatever proxies there are.
    #[must_use]
    pub fn straight(&self, url: &Url) -> Option<Destination> {
        Some(self.towards(url.host()?, url.port_or_known_default()?, self.routes.of(url)))
    }

    fn towards(&self, host: Host<&str>, port: u16, route: Option<&Route>) -> Destination {
        let literal = |ip: IpAddr| Destination::Addresses(vec![SocketAddr::new(ip, port)]);
        match (route, host) {
            (Some(Route::Unix(path)), _) => Destination::Unix(Arc::clone(path)),
            (Some(Route::Addresses(pinned)), _) => {
                Destination::Addresses(pinned.iter().map(|to| with_port(*to, port)).collect())
            }
            (None, Host::Domain(name)) => Destination::Name { host: name.into(), port },
            (None, Host::Ipv4(ip)) => literal(ip.into()),
            (None, Host::Ipv6(ip)) => literal(ip.into()),
        }
    }

    /// Chooses the proxy for the hop that comes, and refuses what none may be told.
    pub(crate) fn choose(&mut self, url: &Url) -> Result<()> {
        let is_routed = matches!(self.routes.of(url), Some(Route::Unix(_)));
        self.plan.choose(url, is_routed).map_err(|error| error.with_url(url))?;
        // A connection to a proxy may be open already: nobody dials, and nobody else would look.
        match (self.plan.proxy(), self.guard.refuses_host(url)) {
            (Some(proxy), Some(why)) => {
                Err(Error::new(Kind::BlockedAddress).with_detail(why).with_url(url).with_proxy(proxy))
            }
            _ => Ok(()),
        }
    }

    /// Of the addresses that a host has, those that may be reached. Those of a proxy always may: it is the session's
    /// own choice, and so are pinned ones unless the [`Guard`] says otherwise.
    ///
    /// # Errors
    /// [`Kind::BlockedAddress`] if that leaves none.
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
                Err(Error::new(Kind::BlockedAddress).with_detail(format!("{ip}: {why}")))
            }
            _ => Ok(admitted),
        }
    }
}

/// The address with this port, if it has none: what pins and resolvers leave out is the URL's.
#[must_use]
pub fn with_port(address: SocketAddr, port: u16) -> SocketAddr {
    if address.port() == 0 { SocketAddr::new(address.ip(), port) } else { address }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_never_resolved_and_names_are_as_the_url_has_them() {
        let reach = Reach::default();
        let to = |url| reach.destination(&Url::parse(url).unwrap()).unwrap();
        for (url, address) in [
            ("http://127.0.0.1/", "127.0.0.1:80"),
            ("http://0x7f.1:81/", "127.0.0.1:81"),
            ("https://[::1]/", "[::1]:443"),
            ("http://[::ffff:1.2.3.4]:5/", "[::ffff:1.2.3.4]:5"),
        ] {
            assert_eq!(to(url), Destination::Addresses(vec![address.parse().unwrap()]), "{url}");
        }
        for (url, name, port) in [
            ("http://LocalHost/", "localhost", 80),
            ("https://b\u{fc}cher.test/", "xn--bcher-kva.test", 443),
            ("http://user:pw@a.test.:8080/x", "a.test.", 8080),
        ] {
            assert_eq!(to(url), Destination::Name { host: name.into(), port }, "{url}");
        }
        assert_eq!(reach.destination(&Url::parse("data:x").unwrap()), None);
    }

    #[test]
    fn a_pin_without_a_port_has_the_urls() {
        let mut reach = Reach::default();
        let pins = ["127.0.0.1:0".parse().unwrap(), "[::1]:9".parse().unwrap()];
        reach.routes.pin("a.test", pins).unwrap();
        for (url, port) in [("http://a.test/", 80), ("https://a.test/", 443), ("http://a.test:5/", 5)] {
            let expected = [SocketAddr::new(pins[0].ip(), port), pins[1]];
            let to = reach.destination(&Url::parse(url).unwrap());
            assert_eq!(to, Some(Destination::Addresses(expected.to_vec())), "{url}");
        }
    }
}
