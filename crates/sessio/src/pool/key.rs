//! What tells one pooled connection from another.

use std::borrow::{Borrow, Cow};
use std::fmt::{self, Write as _};

use url::{Host, Position, Url};

use crate::reach::{Reach, Route, Tcp};

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
/// let key = Key::reaching(&url, &Reach::of(&settings));
/// assert_eq!(key.as_str(), "http://example.org at [127.0.0.1:8080]");
/// assert_eq!(key.origin(), "http://example.org");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
        let Self(mut text) = Self::of(url);
        // Without `..`: what is added there gets its verdict here.
        let Reach { routes, resolver, tcp: Tcp { local_address, keep_alive, nodelay }, tls, engine } = reach;
        if url.scheme() == "https" {
            if !tls.text().is_empty() {
                text.to_mut().push_str(tls.text());
            }
            if let Some(number) = engine.number() {
                add(&mut text, format_args!(" by engine {number}"));
            }
        }
        let route = routes.of(url);
        match route {
            // Debug escapes whatever a path may have in it.
            Some(Route::Unix(path)) => return Self(format!("{text} on {path:?}").into()),
            Some(Route::Addresses(pinned)) => add(&mut text, format_args!(" at {pinned:?}")),
            None => {}
        }
        if let (None, Some(number)) = (route, resolver.number())
            && let Some(Host::Domain(_)) = url.host()
        {
            add(&mut text, format_args!(" by resolver {number}"));
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
        Self(text)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
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
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;
    use crate::error::{Kind, Result};
    use crate::reach::{KeepAlive, Resolver};
    use crate::secure::Secure;
    use crate::tls::{
        Certificates, Engine, Identity, KeyFormat, Pin, RevocationLists, Roots, Start, Tls, Version, Wanted,
    };

    fn key(url: &str, change: impl FnOnce(&mut Reach)) -> String {
        let mut reach = Reach::default();
        change(&mut reach);
        Key::reaching(&Url::parse(url).unwrap(), &reach).as_str().to_owned()
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
