//! Hosts that are reached otherwise than by their own names.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use url::{Host, Url};

use crate::base::escape::escape;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;

/// A table of hosts and the ways to them. A clone costs nothing until one of the two is changed.
///
/// A host is written as in a URL, `site.test`, `127.0.0.1` or `[::1]`: case does not matter, Unicode names
/// become A-labels. It means that host on every port; `site.test:8080` means that port alone, and goes before.
/// What is in the table holds, also for literal addresses.
///
/// ```
/// use sessio::Routes;
///
/// let mut routes = Routes::default();
/// routes.pin("Site.test", ["127.0.0.1:0".parse()?])?;
/// routes.unix("site.test:8080", "/run/app.sock")?;
/// assert!(routes.remove("site.TEST:8080"));
/// assert_eq!(routes.iter().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes(
    /// `None` where there is none at all, as nearly everywhere: a clone costs nothing then.
    Option<Arc<Hosts>>,
);

type Hosts = BTreeMap<Box<str>, Ports>;

/// The way to a host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Route {
    /// These addresses, without asking any resolver. One with port 0 has the URL's port.
    Addresses(Arc<[SocketAddr]>),
    /// The Unix socket at this path; ports do not matter then.
    Unix(Arc<Path>),
}

/// The routes of one host: that of each port, and the one of all others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ports(BTreeMap<Option<u16>, Route>);

impl Routes {
    /// Reaches `host` at these addresses, in place of what was there for it. With none it is not to be
    /// reached at all: requests fail with [`Kind::Resolve`].
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`] if that is no host.
    pub fn pin(&mut self, host: &str, addresses: impl IntoIterator<Item = SocketAddr>) -> Result<()> {
        self.insert(host, Route::Addresses(addresses.into_iter().collect()))
    }

    /// Reaches `host` over a Unix socket, in place of what was there for it: `http://localhost/` can travel
    /// over a socket file. The Host line stays the URL's.
    ///
    /// A redirect reaches the socket only from a host that is reached over the same socket. From any other it is
    /// [`Kind::RedirectForbidden`], unless [`AllowedTargets::and_routes`](crate::policy::redirect::AllowedTargets::and_routes) allows it.
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`] if that is no host.
    pub fn unix(&mut self, host: &str, path: impl AsRef<Path>) -> Result<()> {
        self.insert(host, Route::Unix(path.as_ref().into()))
    }

    /// Reaches `host` this way, in place of what was there for it.
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`] if that is no host.
    pub fn insert(&mut self, host: &str, route: Route) -> Result<()> {
        let (name, port) = spell(host)?;
        Arc::make_mut(self.0.get_or_insert_default()).entry(name).or_default().0.insert(port, route);
        Ok(())
    }

    /// Forgets the route that was given for exactly this; says whether there was one.
    pub fn remove(&mut self, host: &str) -> bool {
        let Ok((name, port)) = spell(host) else { return false };
        let Some(hosts) = self.0.as_mut().map(Arc::make_mut) else { return false };
        let Some(ports) = hosts.get_mut(&name) else { return false };
        let removed = ports.0.remove(&port);
        if ports.0.is_empty() {
            hosts.remove(&name);
        }
        if hosts.is_empty() {
            self.0 = None;
        }
        removed.is_some()
    }

    /// Forgets all routes.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether every host is reached by its own name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The route of a URL's host, if it has one.
    #[must_use]
    pub fn of(&self, url: &Url) -> Option<&Route> {
        self.at(url.host_str()?, url.port_or_known_default()?)
    }

    /// The route of a host as URLs have it, and a port.
    pub(crate) fn at(&self, host: &str, port: u16) -> Option<&Route> {
        let Ports(ports) = self.0.as_ref()?.get(host)?;
        ports.get(&Some(port)).or_else(|| ports.get(&None))
    }

    /// Hosts, the ports that are meant where not all are, and the ways there.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<u16>, &Route)> {
        self.0
            .iter()
            .flat_map(|hosts| hosts.iter())
            .flat_map(|(name, Ports(ports))| ports.iter().map(move |(port, route)| (&**name, *port, route)))
    }
}

/// A host as URLs have it, and its port where one is meant.
fn spell(host: &str) -> Result<(Box<str>, Option<u16>)> {
    let invalid =
        || Fault::new(Kind::InvalidUrl).with_detail(format!("no host: {}", escape(host.as_bytes())));
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => {
            let is_number = port.bytes().all(|b| b.is_ascii_digit());
            let port = port.parse().ok().filter(|_| is_number).ok_or_else(invalid)?;
            (name, Some(port))
        }
        _ => (host, None),
    };
    // The same hosts are refused in a URL.
    if name.is_empty() || name.starts_with(['.', '*']) {
        return Err(invalid());
    }
    let name = Host::parse(name).map_err(|_| invalid())?.to_string();
    Ok((name.into(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_found_however_it_is_spelled() {
        let mut routes = Routes::default();
        for (host, url) in [
            ("Site.Test", "http://site.TEST/"),
            ("b\u{fc}cher.test", "https://xn--bcher-kva.test:81/"),
            ("127.1", "http://127.0.0.1:8080/"),
            ("[0:0::1]", "http://[::1]/"),
            ("[::2]:80", "http://[::2]/"),
            ("a.test.:443", "https://a.test./"),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(routes.of(&url), None, "{host}");
            routes.unix(host, "/a").unwrap();
            assert_eq!(routes.of(&url), Some(&Route::Unix(Path::new("/a").into())), "{host}");
            assert!(routes.remove(host) && !routes.remove(host) && routes.is_empty());
        }
        assert_eq!(routes, Routes::default());
    }

    #[test]
    fn a_port_of_its_own_goes_before() {
        let mut routes = Routes::default();
        routes.unix("a.test", "/all").unwrap();
        routes.unix("a.test:443", "/one").unwrap();
        let path = |routes: &Routes, url| match routes.of(&Url::parse(url).unwrap()) {
            Some(Route::Unix(path)) => path.to_str().unwrap().to_owned(),
            route => panic!("{route:?}"),
        };
        assert_eq!(path(&routes, "https://a.test/"), "/one");
        assert_eq!(path(&routes, "http://a.test/"), "/all");
        let before = routes.clone();
        assert!(routes.remove("a.test:443"));
        assert_eq!(path(&routes, "https://a.test/"), "/all");
        assert_eq!(path(&before, "https://a.test/"), "/one", "a clone is its own");
        assert_eq!(routes.of(&Url::parse("http://b.a.test/").unwrap()), None, "nor what lies below it");
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for host in [
            "", " ", "a b", "a/b", "a@b", "http://a", "a:", "a:b", "a:+1", "a:70000", ":80", "[::1", "::1",
            "*.a", ".a",
        ] {
            let mut routes = Routes::default();
            let error = routes.pin(host, []).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidUrl, "{host}");
            assert!(routes.is_empty() && !routes.remove(host));
        }
    }
}
