//! What tells one pooled connection from another.

use std::borrow::{Borrow, Cow};
use std::fmt::{self, Write as _};

use url::{Host, Position, Url};

use crate::route::proxy::{Plan, Protocol};
use crate::route::reach::{Reach, Resolver, Route, Tcp};
use crate::route::tls::Tls;
use crate::uri::localhost::is_localhost;

/// What a connection can be used for: requests with the same key may share it.
///
/// It is text, the origin of the URL, and borrowed from that. Where more tells connections apart it stands
/// behind a blank, which no origin has.
///
/// ```
/// use sessio::{Settings, Url, pool::Key, reach::Reach};
///
/// let url = Url::parse("http://user:pass@Example.org:80/path")?;
/// assert_eq!(Key::of(&url).as_str(), "http://example.org");
///
/// let mut settings = Settings::default();
/// settings.routes.pin("example.org", ["127.0.0.1:8080".parse()?])?;
/// let key = Key::reaching(&url, &settings.reach());
/// assert_eq!(key.as_str(), "http://example.org at [127.0.0.1:8080]");
/// assert_eq!(key.origin(), "http://example.org");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key<'a>(Cow<'a, str>);

impl<'a> Key<'a> {
    /// The key of a URL that is reached by its own name: its origin.
    #[must_use]
    pub fn of(url: &'a Url) -> Self {
        let origin = &url[..Position::BeforePath];
        if origin.contains('@') {
            let from_host = &url[Position::BeforeHost..Position::BeforePath];
            Self(format!("{}://{from_host}", url.scheme()).into())
        } else {
            Self(origin.into())
        }
    }

    /// The key of a URL that is reached like this. All that makes a difference to the connection is in it,
    /// and nothing that makes none: a route of another host, or a resolver that is not asked.
    #[must_use]
    pub fn reaching(url: &'a Url, reach: &Reach) -> Self {
        // Without `..`: what is added there gets its verdict here. What the environment says has gone into headers, TLS
        // and the plan.
        let Reach {
            routes,
            resolver,
            tcp: Tcp { local_address, keep_alive, nodelay, user_timeout },
            tls,
            engine,
            plan,
            guard,
            environment: _,
        } = reach;
        let proxy = plan.proxy();
        let is_plain = url.scheme() == "http";
        let mut text = match proxy {
            // A proxy that is told whole URLs takes those of every host on one connection (rule D-16).
            Some(proxy) if is_plain && !proxy.protocol().is_socks() => Cow::Owned(format!("{proxy} for all")),
            Some(proxy) => Cow::Owned(format!("{} through {proxy}", Self::of(url))),
            None => Self::of(url).0,
        };
        let is_proxy_secure = proxy.is_some_and(|proxy| proxy.protocol() == Protocol::Https);
        if !is_plain || is_proxy_secure {
            if !tls.text().is_empty() {
                text.to_mut().push_str(tls.text());
            }
            if let Some(number) = engine.number() {
                add(&mut text, format_args!(" by engine {number}"));
            }
        }
        if guard.is_on() {
            text.to_mut().push_str(if guard.is_on_pins() { " guarded with pins" } else { " guarded" });
            text.to_mut().push_str(if guard.is_on_sockets() { " and sockets" } else { "" });
        }
        if let Some(proxy) = proxy {
            let own = proxy.own_tls().map(Tls::text).filter(|_| is_proxy_secure);
            if let Some(own) = own {
                add(&mut text, format_args!(" to the proxy{own}"));
            }
            if proxy.protocol() == Protocol::Socks5 {
                // Where the host is, is found out here.
                way(&mut text, routes.of(url), resolver, is_resolved(url));
                text.to_mut().push_str(" behind");
            }
        }
        let is_on_file = match proxy {
            None => way(&mut text, routes.of(url), resolver, is_resolved(url)),
            Some(proxy) => {
                let route = routes.at(&proxy.host().to_string(), proxy.port());
                let is_resolved = matches!(proxy.host(), Host::Domain(name) if !is_localhost(name));
                way(&mut text, route, resolver, is_resolved)
            }
        };
        if is_on_file {
            return Self(text).with_secret(plan);
        }
        if let Some(local) = local_address {
            add(&mut text, format_args!(" from {local}"));
        }
        if let Some(keep) = keep_alive {
            add(
                &mut text,
                format_args!(" kept alive {:?} {:?} {:?}", keep.time, keep.interval, keep.retries),
            );
        }
        if !nodelay {
            text.to_mut().push_str(" delayed");
        }
        if let Some(span) = user_timeout {
            add(&mut text, format_args!(" unheard for {span:?}"));
        }
        Self(text).with_secret(plan)
    }

    /// The same key, of connections that depend on this one of several reactors.
    ///
    /// ```
    /// use sessio::{Url, pool::Key};
    ///
    /// let url = Url::parse("http://example.org/")?;
    /// let key = Key::of(&url).on_reactor(2);
    /// assert_eq!(key.as_str(), "http://example.org on reactor 2");
    /// assert_eq!(key.origin(), "http://example.org");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on_reactor(mut self, number: u64) -> Self {
        let end = self.as_str().len();
        self.0.to_mut().insert_str(end, &format!(" on reactor {number}"));
        self
    }

    /// What is said to a proxy tells connections apart too, to the letter. It stands behind a NUL and is not shown.
    fn with_secret(mut self, plan: &Plan) -> Self {
        if let Some(identity) = plan.identity().filter(|identity| !identity.is_empty()) {
            add(&mut self.0, format_args!("\0{identity}"));
        }
        self
    }

    /// As text; what is said to a proxy is left out, though it tells keys apart.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.split('\0').next().unwrap_or_default()
    }

    /// All of it, secrets included.
    pub(crate) fn whole(&self) -> &str {
        &self.0
    }

    /// Scheme, host and, where it is not the scheme's own, port.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.0.split(' ').next().unwrap_or_default()
    }

    /// The same, with text of its own.
    #[must_use]
    pub fn into_owned(self) -> Key<'static> {
        Key(self.0.into_owned().into())
    }
}

/// Whether a resolver is asked for the host of a URL.
fn is_resolved(url: &Url) -> bool {
    matches!(url.host(), Some(Host::Domain(name)) if !is_localhost(name))
}

/// The way to one host, be it a proxy or not; says whether it is a socket file.
fn way(text: &mut Cow<'_, str>, route: Option<&Route>, resolver: &Resolver, is_name: bool) -> bool {
    match (route, resolver.number()) {
        // Debug escapes whatever a path may have in it.
        (Some(Route::Unix(path)), _) => {
            add(text, format_args!(" on {path:?}"));
            return true;
        }
        (Some(Route::Addresses(pinned)), _) => add(text, format_args!(" at {pinned:?}")),
        (None, Some(number)) if is_name => add(text, format_args!(" by resolver {number}")),
        (None, _) => {}
    }
    false
}

fn add(text: &mut Cow<'_, str>, more: fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = text.to_mut().write_fmt(more);
}

impl Borrow<str> for Key<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;
    use crate::base::fault::Result;
    use crate::base::kind::Kind;
    use crate::route::reach::KeepAlive;
    use crate::route::tls::session::Secure;
    use crate::route::tls::{
        Certificates, Engine, Identity, KeyFormat, Pin, RevocationLists, Roots, Start, Version, Wanted,
    };

    fn key(url: &str, change: impl FnOnce(&mut Reach)) -> String {
        let mut reach = Reach::default();
        change(&mut reach);
        Key::reaching(&Url::parse(url).unwrap(), &reach).whole().to_owned()
    }

    /// Row V84 in its spirit: each field is varied, and none is forgotten.
    #[test]
    fn v84_whatever_tells_connections_apart_is_in_the_key() {
        let url = "http://a.test/";
        let pin = |list: &'static [&'static str]| {
            move |reach: &mut Reach| {
                let list = list.iter().map(|address| address.parse().unwrap());
                reach.routes.pin("a.test", list).unwrap();
            }
        };
        let unix = |path: &'static str| move |reach: &mut Reach| reach.routes.unix("a.test", path).unwrap();
        let keep = |keep: KeepAlive| move |reach: &mut Reach| reach.tcp.keep_alive = Some(keep);
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
            key(url, |reach| reach.resolver = nobody()),
            key(url, |reach| reach.resolver = nobody()),
            key(url, |reach| reach.tcp.local_address = Some([127, 0, 0, 1].into())),
            key(url, |reach| reach.tcp.local_address = Some([127, 0, 0, 2].into())),
            key(url, keep(minute)),
            key(url, keep(KeepAlive::after(Duration::from_secs(61)))),
            key(url, keep(KeepAlive { interval: Some(Duration::from_secs(1)), ..minute })),
            key(url, keep(KeepAlive { retries: Some(1), ..minute })),
            key(url, |reach| reach.tcp.nodelay = false),
            key(url, |reach| reach.tcp.user_timeout = Some(Duration::from_secs(60))),
            key(url, |reach| reach.tcp.user_timeout = Some(Duration::from_secs(61))),
        ];
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "{keys:#?}");
        for text in &keys {
            assert_eq!(Key(text.into()).origin(), "http://a.test");
        }
    }

    /// Rows V84 and V86. `Options::stamp` takes all options apart without `..`, so that one that is added has its
    /// verdict there before it compiles; here each is varied.
    #[test]
    fn v84_every_option_of_tls_is_in_the_key() {
        let certificates = || Certificates::from_der([b"the same"]).unwrap();
        let lists = || RevocationLists::from_der([b"the same"]).unwrap();
        let identity = || Identity::from_der([b"chain"], KeyFormat::Pkcs8, b"secret key").unwrap();
        let pin = |byte| Pin::from_sha256([byte; 32]);
        let tls = Tls::default;
        let all = [
            tls(),
            tls().roots(Roots::Bundled),
            tls().roots(certificates()),
            tls().roots(certificates()),
            tls().add_roots(certificates()),
            tls().add_roots(certificates()),
            tls().identity(identity()),
            tls().identity(identity()),
            tls().pins([pin(1)]),
            tls().pins([pin(2)]),
            tls().pins([pin(1), pin(2)]),
            tls().add_revocation_lists(lists()),
            tls().add_revocation_lists(lists()),
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
        let mut keys: Vec<_> = all.iter().map(|tls| key(url, |reach| reach.tls = tls.clone())).collect();
        let nobody = || Engine::new(Nobody);
        keys.extend([key(url, |reach| reach.engine = nobody()), key(url, |reach| reach.engine = nobody())]);
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "{keys:#?}");
        for (tls, text) in all.iter().zip(&keys) {
            assert_eq!(Key(text.into()).origin(), "https://a.test");
            // A clone is the same, and a URL without TLS has no use for any of it.
            assert_eq!(&key(url, |reach| reach.tls = tls.clone()), text);
            assert_eq!(key("http://a.test/", |reach| reach.tls = tls.clone()), "http://a.test");
            assert!(!format!("{tls:?} {text}").contains("secret"), "{tls:?}");
        }
        // What is refused never gets a connection; engines of backends are alike.
        assert_eq!(key(url, |reach| reach.tls = tls().https_only(true)), keys[0]);
        assert_eq!(key(url, |reach| reach.engine = Engine::standard(Nobody)), keys[0]);
    }

    struct Nobody;

    impl Start for Nobody {
        fn check(&self, _: &Tls) -> Result<()> {
            Err(Kind::InvalidTls.into())
        }

        fn start(&self, _: &Wanted<'_>) -> Result<Box<dyn Secure>> {
            Err(Kind::InvalidTls.into())
        }
    }

    #[test]
    fn what_makes_no_difference_is_not_in_the_key() {
        for url in ["http://a.test/", "http://user:pw@a.test/", "http://127.0.0.1/", "https://[::1]:8080/"] {
            let plain = key(url, |_| {});
            assert_eq!(plain, key(url, |reach| reach.routes.unix("b.test", "/a").unwrap()));
            assert_eq!(plain, key(url, |reach| reach.routes.unix("a.test:81", "/a").unwrap()));
            if !url.contains("a.test") {
                assert_eq!(plain, key(url, |reach| reach.resolver = Resolver::from_fn(|_, _| Ok(vec![]))));
            }
        }
        // A socket file knows no addresses.
        let on = |tcp: Tcp| {
            key("http://a.test/", |reach| {
                reach.tcp = tcp;
                reach.routes.unix("a.test", "/a").unwrap();
            })
        };
        assert_eq!(
            on(Tcp::default()),
            on(Tcp { local_address: Some([127, 0, 0, 1].into()), ..Tcp::default() })
        );
    }
}
