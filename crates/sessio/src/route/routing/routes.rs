//! Routes of hosts that are not reached by their own names.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use url::{Host, Url};

use crate::base::escape::escape;
use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::uri::address;

/// A table of hosts and their routes. A clone allocates nothing until one of the two is changed.
///
/// A host is written as in a URL, `site.test`, `127.0.0.1` or `[::1]`: case does not matter,
/// Unicode names become A-labels. An entry covers every port of that host. `site.test:8080` covers
/// that port alone and has priority. The table also applies to literal addresses.
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
    /// `None` if the table is empty, as in most sessions: a clone is free then.
    Option<Arc<Hosts>>,
);

type Hosts = BTreeMap<Box<str>, Ports>;

/// The route to a host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Route {
    /// Fixed addresses; no resolver is asked. Port 0 stands for the URL's port.
    Addresses(Arc<[SocketAddr]>),
    /// The Unix socket at this path; the port is ignored.
    Unix(Arc<Path>),
}

/// The routes of one host: one for each port, and one for all other ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ports(BTreeMap<Option<u16>, Route>);

impl Routes {
    /// Reaches `host` at these addresses, in place of an earlier route. An empty list makes the
    /// host unreachable: requests fail with [`Kind::Resolve`].
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`] if `host` is not a host.
    pub fn pin(&mut self, host: &str, addresses: impl IntoIterator<Item = SocketAddr>) -> Result<()> {
        self.insert(host, Route::Addresses(addresses.into_iter().collect()))
    }

    /// Reaches `host` over a Unix socket, in place of an earlier route. `http://localhost/` can use
    /// a socket file this way. The Host field stays that of the URL.
    ///
    /// A redirect reaches the socket only from a host that uses the same socket. From any other
    /// host it is [`Kind::RedirectForbidden`], unless
    /// [`AllowedTargets::and_routes`](crate::policy::redirect::AllowedTargets::and_routes) allows
    /// it.
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`] if `host` is not a host.
    pub fn unix(&mut self, host: &str, path: impl AsRef<Path>) -> Result<()> {
        self.insert(host, Route::Unix(path.as_ref().into()))
    }

    /// Sets the route of `host`, in place of an earlier one.
    ///
    /// # Errors
    /// [`Kind::InvalidUrl`] if `host` is not a host.
    pub fn insert(&mut self, host: &str, route: Route) -> Result<()> {
        let (name, port) = spell(host)?;
        Arc::make_mut(self.0.get_or_insert_default()).entry(name).or_default().0.insert(port, route);
        Ok(())
    }

    /// Removes the route of exactly this host and port; returns `true` if there was one.
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

    /// Removes all routes.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Returns `true` if every host is reached by its own name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The route of a URL's host, if it has one.
    #[must_use]
    pub fn of(&self, url: &Url) -> Option<&Route> {
        self.at(url.host_str()?, url.port_or_known_default()?)
    }

    /// The route of a port of a host, which is spelled as in URLs.
    pub(crate) fn at(&self, host: &str, port: u16) -> Option<&Route> {
        let Ports(ports) = self.0.as_ref()?.get(host)?;
        ports.get(&Some(port)).or_else(|| ports.get(&None))
    }

    /// Iterates over hosts, their ports (`None` for all), and their routes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<u16>, &Route)> {
        self.0
            .iter()
            .flat_map(|hosts| hosts.iter())
            .flat_map(|(name, Ports(ports))| ports.iter().map(move |(port, route)| (&**name, *port, route)))
    }
}

/// Parses a host, as URLs spell it, and an optional port.
fn spell(host: &str) -> Result<(Box<str>, Option<u16>)> {
    let invalid =
        || Fault::new(Kind::InvalidUrl).with_detail(format!("no host: {}", escape(host.as_bytes())));
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !host.ends_with(']') => {
            (name, Some(address::parse_port(port).ok_or_else(invalid)?))
        }
        _ => (host, None),
    };
    // A URL refuses the same hosts.
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
