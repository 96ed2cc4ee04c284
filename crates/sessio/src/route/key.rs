//! The key of a pooled connection.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::sync::Arc;

use url::{Host, Position, Url};

use crate::policy::guard::Guard;
use crate::policy::host_policy::HostPolicy;
use crate::route::proxy::{Protocol, Proxy, ProxySelector};
use crate::route::routing::{Resolver, Route, RouteOptions, Tcp};
use crate::route::tls::{TlsConnector, TlsKey};
use crate::uri::localhost::is_localhost;

/// The key of pooled connections: requests with equal keys may share one.
///
/// The key holds every setting that makes a difference to a connection, and no other. Equal
/// settings make equal keys. A key borrows its origin from the URL and allocates nothing if the
/// route is direct and TLS has its default settings. A [`KeyBuf`] owns the origin.
///
/// ```
/// use sessio::{Settings, Url, routing::Key};
///
/// let url = Url::parse("http://user:pass@Example.org:80/path")?;
/// assert_eq!(Key::of(&url).to_string(), "http://example.org");
///
/// let mut settings = Settings::default();
/// settings.routes.pin("example.org", ["127.0.0.1:8080".parse()?])?;
/// let key = Key::reaching(&url, &settings.routing());
/// assert_eq!(key.to_string(), "http://example.org at [127.0.0.1:8080]");
/// assert_eq!(key.origin(), "http://example.org");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(PartialEq, Eq, Hash)]
pub struct Key<'a> {
    /// Scheme, host and port of the origin; those of the proxy if it takes the requests for every
    /// origin.
    origin: Cow<'a, str>,
    /// Everything else. `None` if all of it has its default.
    rest: Option<Arc<Rest>>,
}

/// A [`Key`] that owns its origin, as pools hold it.
#[derive(PartialEq, Eq, Hash)]
pub struct KeyBuf(Key<'static>);

/// Differences from a direct connection with the default settings.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Rest {
    proxy: Option<Through>,
    tls: Option<TlsKey>,
    tls_connector: Option<TlsConnector>,
    guard: Guard,
    /// Route of the connection to its first peer: the origin, or the proxy.
    way: Way,
    /// Resolution of the host behind a SOCKS 5 proxy that receives addresses.
    behind: Way,
    tcp: Tcp,
    /// Limits on the connections, in place of the pool's.
    pool: Option<Arc<HostPolicy>>,
    /// The reactor that drives the connection, if the runtime has several.
    reactor: Option<u64>,
}

/// A proxy as a part of a key.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Through {
    /// Its URL without credentials.
    proxy: String,
    /// The proxy takes absolute-form requests for every origin on one connection (rule D-16).
    is_for_all: bool,
    /// All headers and credentials for the proxy, secrets included. They are compared byte by byte
    /// and never shown.
    said: String,
    /// The settings of TLS to the proxy itself.
    tls: Option<TlsKey>,
}

/// Resolution of a name to addresses.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Way {
    route: Option<Route>,
    resolver: Resolver,
}

impl Way {
    /// The resolution for a host with this route, if any; `is_name` is set if a resolver would be
    /// asked.
    fn new(route: Option<&Route>, resolver: &Resolver, is_name: bool) -> Self {
        let resolver = if route.is_none() && is_name { resolver.clone() } else { Resolver::default() };
        Self { route: route.cloned(), resolver }
    }

    fn is_default(&self) -> bool {
        self.route.is_none() && !self.resolver.is_set()
    }

    fn is_socket_file(&self) -> bool {
        matches!(self.route, Some(Route::Unix(_)))
    }
}

impl<'a> Key<'a> {
    /// The key of a URL on the direct route: its origin.
    #[must_use]
    pub fn of(url: &'a Url) -> Self {
        let origin = &url[..Position::BeforePath];
        let has_userinfo = !url[Position::BeforeUsername..Position::BeforeHost].is_empty();
        let origin = if has_userinfo {
            let from_host = &url[Position::BeforeHost..Position::BeforePath];
            format!("{}://{from_host}", url.scheme()).into()
        } else {
            origin.into()
        };
        Self { origin, rest: None }
    }

    /// The key of a URL with these route options.
    #[must_use]
    pub fn reaching(url: &'a Url, routing: &RouteOptions) -> Self {
        // Without `..`, so that a new field does not compile before it is considered here. The
        // environment is already part of the headers, the TLS settings and the proxy selector.
        let RouteOptions { routes, resolver, tcp, tls, tls_connector, plan, guard, environment: _, pool } =
            routing;
        let proxy = plan.proxy();
        let is_plain = url.scheme() == "http";
        let is_proxy_secure = proxy.is_some_and(|proxy| proxy.protocol() == Protocol::Https);
        let (tls, tls_connector) =
            if is_plain && !is_proxy_secure { (None, None) } else { (tls.key(), tls_connector.own()) };
        let to_host = || Way::new(routes.of(url), resolver, is_resolved(url));
        let Some(proxy) = proxy else {
            let is_usual = tls.is_none()
                && tls_connector.is_none()
                && !guard.is_on()
                && pool.is_none()
                && *tcp == Tcp::default();
            // Most requests take this branch, and get their key without an allocation. Their host is
            // not read, either.
            if is_usual && routes.is_empty() && !resolver.is_set() {
                return Self::of(url);
            }
            let way = to_host();
            if is_usual && way.is_default() {
                return Self::of(url);
            }
            let tcp = if way.is_socket_file() { Tcp::default() } else { *tcp };
            let rest = Rest {
                tls,
                tls_connector: tls_connector.cloned(),
                guard: *guard,
                way,
                tcp,
                pool: pool.clone(),
                ..Rest::default()
            };
            let rest = if rest == Rest::default() { None } else { Some(Arc::new(rest)) };
            return Self { rest, ..Self::of(url) };
        };
        let is_name = matches!(proxy.host(), Host::Domain(name) if !is_localhost(name));
        let way = Way::new(routes.at(&proxy.host().to_string(), proxy.port()), resolver, is_name);
        let rest = Rest {
            proxy: Some(Through::new(proxy, plan, is_plain)),
            tls,
            tls_connector: tls_connector.cloned(),
            guard: *guard,
            behind: if proxy.protocol() == Protocol::Socks5 { to_host() } else { Way::default() },
            tcp: if way.is_socket_file() { Tcp::default() } else { *tcp },
            way,
            pool: pool.clone(),
            reactor: None,
        };
        let origin = match &rest.proxy {
            Some(through) if through.is_for_all => Cow::Owned(through.proxy.clone()),
            _ => Self::of(url).origin,
        };
        Self { origin, rest: Some(Arc::new(rest)) }
    }

    /// The same key for connections that depend on one reactor of several.
    ///
    /// ```
    /// use sessio::{Url, routing::Key};
    ///
    /// let url = Url::parse("http://example.org/")?;
    /// let key = Key::of(&url).on_reactor(2);
    /// assert_eq!(key.to_string(), "http://example.org on reactor 2");
    /// assert_eq!(key.origin(), "http://example.org");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on_reactor(mut self, number: u64) -> Self {
        Arc::make_mut(self.rest.get_or_insert_default()).reactor = Some(number);
        self
    }

    /// The same key without the TLS connector. The connector itself may store the key, and would
    /// keep itself alive.
    pub(crate) fn without_engine(mut self) -> Self {
        if let Some(rest) = &mut self.rest
            && rest.tls_connector.is_some()
        {
            Arc::make_mut(rest).tls_connector = None;
        }
        self
    }

    /// Limits on the connections with this key, in place of the pool's.
    #[must_use]
    pub fn host_policy(&self) -> Option<&HostPolicy> {
        self.rest.as_ref()?.pool.as_deref()
    }

    /// Scheme and host, and the port unless it is the default of the scheme.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl ToOwned for Key<'_> {
    type Owned = KeyBuf;

    fn to_owned(&self) -> KeyBuf {
        KeyBuf(Key { origin: self.origin.clone().into_owned().into(), rest: self.rest.clone() })
    }
}

impl From<Key<'_>> for KeyBuf {
    fn from(key: Key<'_>) -> Self {
        Self(Key { origin: key.origin.into_owned().into(), rest: key.rest })
    }
}

impl KeyBuf {
    /// Borrows the key.
    #[must_use]
    pub fn as_key(&self) -> &Key<'_> {
        &self.0
    }
}

impl Clone for KeyBuf {
    fn clone(&self) -> Self {
        self.0.to_owned()
    }
}

impl<'a> Borrow<Key<'a>> for KeyBuf {
    fn borrow(&self) -> &Key<'a> {
        &self.0
    }
}

impl Through {
    fn new(proxy: &Proxy, plan: &ProxySelector, is_plain: bool) -> Self {
        let is_secure = proxy.protocol() == Protocol::Https;
        Self {
            proxy: proxy.to_string(),
            is_for_all: is_plain && !proxy.protocol().is_socks(),
            said: plan.identity().unwrap_or_default(),
            tls: proxy.own_tls().filter(|_| is_secure).and_then(|tls| tls.key()),
        }
    }
}

/// Returns `true` if a resolver is asked for the host of a URL.
fn is_resolved(url: &Url) -> bool {
    matches!(url.host(), Some(Host::Domain(name)) if !is_localhost(name))
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.route {
            // `Debug` escapes control characters of the path.
            Some(Route::Unix(path)) => write!(f, " on {path:?}"),
            Some(Route::Addresses(pinned)) => write!(f, " at {pinned:?}"),
            None if self.resolver.is_set() => f.write_str(" by its own resolver"),
            None => Ok(()),
        }
    }
}

/// A form for logs. It leaves out the headers and credentials for a proxy, which are part of the
/// key, too.
impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        let Some(rest) = &self.rest else { return Ok(()) };
        let Rest { proxy, tls, tls_connector, guard, way, behind, tcp, pool, reactor } = &**rest;
        match proxy {
            Some(through) if through.is_for_all => f.write_str(" for all")?,
            Some(through) => write!(f, " through {}", through.proxy)?,
            None => {}
        }
        if let Some(tls) = tls {
            write!(f, " {tls}")?;
        }
        if tls_connector.is_some() {
            f.write_str(" by its own TLS connector")?;
        }
        if guard.is_on() {
            f.write_str(if guard.is_on_pins() { " guarded with pins" } else { " guarded" })?;
            f.write_str(if guard.is_on_sockets() { " and sockets" } else { "" })?;
        }
        if let Some(tls) = proxy.as_ref().and_then(|through| through.tls.as_ref()) {
            write!(f, " to the proxy {tls}")?;
        }
        if !behind.is_default() {
            write!(f, "{behind} behind")?;
        }
        write!(f, "{way}")?;
        let Tcp { local_address, keep_alive, nodelay, user_timeout } = tcp;
        if let Some(local) = local_address {
            write!(f, " from {local}")?;
        }
        if let Some(keep) = keep_alive {
            write!(f, " kept alive {:?} {:?} {:?}", keep.time, keep.interval, keep.retries)?;
        }
        if !nodelay {
            f.write_str(" delayed")?;
        }
        if let Some(span) = user_timeout {
            write!(f, " user timeout {span:?}")?;
        }
        if let Some(pool) = pool {
            let HostPolicy { max_connections, max_idle, idle_timeout, max_lifetime } = **pool;
            f.write_str(" limited")?;
            for (name, most) in [("connections", max_connections), ("idle", max_idle)] {
                most.map_or(Ok(()), |most| write!(f, " {name} {most}"))?;
            }
            for (name, span) in [("idle for", idle_timeout), ("for", max_lifetime)] {
                span.map_or(Ok(()), |span| write!(f, " {name} {span:?}"))?;
            }
        }
        match reactor {
            Some(number) => write!(f, " on reactor {number}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for KeyBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.to_string())
    }
}

impl fmt::Debug for KeyBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;
    use crate::base::fault::Result;
    use crate::base::kind::Kind;
    use crate::route::routing::KeepAlive;
    use crate::route::tls::session::TlsSession;
    use crate::route::tls::{
        Certificates, ConnectInfo, Identity, KeyFormat, Pin, RevocationLists, Roots, StartTls, Tls,
        TlsConnector, Version,
    };

    fn key(url: &str, change: impl FnOnce(&mut RouteOptions)) -> KeyBuf {
        let mut routing = RouteOptions::default();
        change(&mut routing);
        KeyBuf::from(Key::reaching(&Url::parse(url).unwrap(), &routing))
    }

    /// Row V84 in spirit: the test varies each field.
    #[test]
    fn v84_whatever_tells_connections_apart_is_in_the_key() {
        let url = "http://a.test/";
        let pin = |list: &'static [&'static str]| {
            move |routing: &mut RouteOptions| {
                let list = list.iter().map(|address| address.parse().unwrap());
                routing.routes.pin("a.test", list).unwrap();
            }
        };
        let unix = |path: &'static str| {
            move |routing: &mut RouteOptions| routing.routes.unix("a.test", path).unwrap()
        };
        let keep = |keep: KeepAlive| move |routing: &mut RouteOptions| routing.tcp.keep_alive = Some(keep);
        let limited =
            |limits: HostPolicy| move |routing: &mut RouteOptions| routing.pool = Some(Arc::new(limits));
        let minute = KeepAlive::after(Duration::from_secs(60));
        let nobody = || Resolver::from_fn(|_, _| Ok(vec![]));
        let keys = [
            key(url, |_| {}),
            key(url, pin(&[])),
            key(url, pin(&["127.0.0.1:0"])),
            key(url, pin(&["127.0.0.1:80"])),
            key(url, pin(&["127.0.0.1:80", "[::1]:80"])),
            key(url, pin(&["[::1]:80", "127.0.0.1:80"])),
            key(url, unix("/a")),
            key(url, unix("/a b")),
            key(url, unix("/a\" from 127.0.0.1")),
            key(url, |routing| routing.resolver = nobody()),
            key(url, |routing| routing.resolver = nobody()),
            key(url, |routing| routing.tcp.local_address = Some([127, 0, 0, 1].into())),
            key(url, |routing| routing.tcp.local_address = Some([127, 0, 0, 2].into())),
            key(url, keep(minute)),
            key(url, keep(KeepAlive::after(Duration::from_secs(61)))),
            key(url, keep(KeepAlive { interval: Some(Duration::from_secs(1)), ..minute })),
            key(url, keep(KeepAlive { retries: Some(1), ..minute })),
            key(url, |routing| routing.tcp.nodelay = false),
            key(url, |routing| routing.tcp.user_timeout = Some(Duration::from_secs(60))),
            key(url, |routing| routing.tcp.user_timeout = Some(Duration::from_secs(61))),
            key(url, limited(HostPolicy::new())),
            key(url, limited(HostPolicy::new().max_connections(1))),
            key(url, limited(HostPolicy::new().max_connections(2))),
            key(url, limited(HostPolicy::new().max_idle(1))),
            key(url, limited(HostPolicy::new().idle_timeout(Duration::from_secs(1)))),
            key(url, limited(HostPolicy::new().max_lifetime(Duration::from_secs(1)))),
        ];
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "{keys:#?}");
        for key in &keys {
            assert_eq!(key.as_key().origin(), "http://a.test");
        }
        let limits = HostPolicy::new().max_connections(1).max_idle(2).idle_timeout(Duration::from_secs(3));
        assert_eq!(key(url, limited(limits)), key(url, limited(limits)));
        assert_eq!(key(url, limited(limits)).as_key().host_policy(), Some(&limits));
        assert_eq!(
            key(url, limited(limits)).to_string(),
            "http://a.test limited connections 1 idle 2 idle for 3s"
        );
        let shared = nobody();
        let one = key(url, |routing| routing.resolver = shared.clone());
        assert_eq!(
            one,
            key(url, |routing| routing.resolver = shared.clone()),
            "a clone is the same resolver"
        );
    }

    /// Equal settings make equal keys in every order of construction: the key contains no counter.
    #[test]
    fn equal_settings_make_equal_keys() {
        let made = || {
            key("https://a.test/", |routing| {
                let certificates = Certificates::from_der([b"one", b"two"]).unwrap();
                let identity = Identity::from_der([b"chain"], KeyFormat::Pkcs8, b"secret key").unwrap();
                let lists = RevocationLists::from_der([b"list"]).unwrap();
                routing.tls =
                    Tls::default().roots(certificates).identity(identity).add_revocation_lists(lists);
                routing.routes.pin("a.test", ["127.0.0.1:80".parse().unwrap()]).unwrap();
            })
        };
        let (one, other) = (made(), made());
        assert_eq!(one, other);
        assert_eq!(HashSet::from([one]).len(), HashSet::from([other]).len());
    }

    /// Rows V84 and V86. `Options::parts` takes all options apart without `..`, so a new option
    /// does not compile before it is considered there. This test varies each one.
    #[test]
    fn v84_every_option_of_tls_is_in_the_key() {
        let certificates = |text: &str| Certificates::from_der([text]).unwrap();
        let lists = |text: &str| RevocationLists::from_der([text]).unwrap();
        let identity = |chain: &str| Identity::from_der([chain], KeyFormat::Pkcs8, b"secret key").unwrap();
        let pin = |byte| Pin::from_sha256([byte; 32]);
        let tls = Tls::default;
        let all = [
            tls(),
            tls().roots(Roots::Bundled),
            tls().roots(certificates("one")),
            tls().roots(certificates("other")),
            tls().add_roots(certificates("one")),
            tls().add_roots(certificates("other")),
            tls().identity(identity("one")),
            tls().identity(identity("other")),
            tls().pins([pin(1)]),
            tls().pins([pin(2)]),
            tls().pins([pin(1), pin(2)]),
            tls().add_revocation_lists(lists("one")),
            tls().add_revocation_lists(lists("other")),
            tls().min_version(Version::Tls13),
            tls().max_version(Version::Tls12),
            tls().alpn([] as [&str; 0]),
            tls().alpn(["h2"]),
            tls().alpn(["h2", "http/1.1"]),
            tls().alpn(["h2 http/1.1"]),
            tls().alpn(["h2\" no sni"]),
            tls().sni(false),
            tls().tickets(false),
            tls().danger_accept_invalid_certs(true),
            tls().danger_accept_invalid_hostnames(true),
        ];
        let url = "https://a.test/";
        let mut keys: Vec<_> = all.iter().map(|tls| key(url, |routing| routing.tls = tls.clone())).collect();
        let nobody = || TlsConnector::new(Nobody);
        keys.extend([
            key(url, |routing| routing.tls_connector = nobody()),
            key(url, |routing| routing.tls_connector = nobody()),
        ]);
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "{keys:#?}");
        for (tls, text) in all.iter().zip(&keys) {
            assert_eq!(text.as_key().origin(), "https://a.test");
            // A clone is equal, and a URL without TLS ignores all of it.
            assert_eq!(&key(url, |routing| routing.tls = tls.clone()), text);
            assert_eq!(
                key("http://a.test/", |routing| routing.tls = tls.clone()),
                key("http://a.test/", |_| {})
            );
            assert!(!format!("{tls:?} {text:?}").contains("secret"), "{tls:?}");
        }
        // A refused URL never gets a connection; standard connectors of backends are equal.
        assert_eq!(key(url, |routing| routing.tls = tls().https_only(true)), keys[0]);
        assert_eq!(key(url, |routing| routing.tls_connector = TlsConnector::standard(Nobody)), keys[0]);
    }

    struct Nobody;

    impl StartTls for Nobody {
        fn check(&self, _: &Tls) -> Result<()> {
            Err(Kind::InvalidTls.into())
        }

        fn start(&self, _: &ConnectInfo<'_>) -> Result<Box<dyn TlsSession>> {
            Err(Kind::InvalidTls.into())
        }
    }

    #[test]
    fn what_makes_no_difference_is_not_in_the_key() {
        for url in ["http://a.test/", "http://user:pw@a.test/", "http://127.0.0.1/", "https://[::1]:8080/"] {
            let plain = key(url, |_| {});
            assert_eq!(plain, key(url, |routing| routing.routes.unix("b.test", "/a").unwrap()));
            assert_eq!(plain, key(url, |routing| routing.routes.unix("a.test:81", "/a").unwrap()));
            if !url.contains("a.test") {
                assert_eq!(
                    plain,
                    key(url, |routing| routing.resolver = Resolver::from_fn(|_, _| Ok(vec![])))
                );
            }
        }
        // A Unix socket has no addresses.
        let on = |tcp: Tcp| {
            key("http://a.test/", |routing| {
                routing.tcp = tcp;
                routing.routes.unix("a.test", "/a").unwrap();
            })
        };
        assert_eq!(
            on(Tcp::default()),
            on(Tcp { local_address: Some([127, 0, 0, 1].into()), ..Tcp::default() })
        );
    }
}
