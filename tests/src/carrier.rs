//! Carriers of the HTTP of a scenario: clear text, TLS, proxies of every kind, messages.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use sessio::Settings;
use sessio::proxy::{Proxies, Via};
use sessio::tls::Tls;
use sessio_testkit::{Adapter, AdapterFactory, with_adapters};

use crate::authority::Authority;
use crate::oracle::fake_tls::{self, FakeTlsServer};
use crate::server_tls::ServerTls;
use crate::way::Way;

/// The way to the servers of a scenario. The code of the scenario is the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Carrier {
    /// Clear text on a TCP connection.
    #[default]
    Clear,
    /// TLS by rustls, with records of full size.
    Tls,
    /// TLS by rustls with small records, and with flights cut inside records.
    SmallRecords,
    /// An HTTP proxy that forwards requests in absolute form.
    HttpProxy,
    /// TLS in a tunnel through an HTTP proxy.
    Connect,
    /// The proxy of [`HttpProxy`](Self::HttpProxy), reached over TLS.
    HttpsProxy,
    /// A tunnel through a SOCKS 5 proxy.
    Socks,
    /// TLS in a tunnel through a proxy that is itself reached over TLS.
    TlsInTls,
    /// The TLS of the tests, which has no randomness: small records, with tickets between them.
    FakeTls,
    /// A transport that speaks HTTP/1.1 with the servers, so that the session has no connection.
    Messages,
    /// The transport `InProcess`, with a second session as its service.
    InProcess,
}

/// The authority of the servers.
static ROOT: LazyLock<Authority> = LazyLock::new(|| Authority::root("the carriers'"));
static LARGE: LazyLock<ServerTls> = LazyLock::new(|| ServerTls::new(&ROOT.issue(|_| {})));
static SMALL: LazyLock<ServerTls> =
    LazyLock::new(|| ServerTls::new(&ROOT.issue(|_| {})).with(|config| config.max_fragment_size = Some(256)));
/// The trust of the clients. Host names are not checked, because a scenario may use any.
static TRUST: LazyLock<Tls> =
    LazyLock::new(|| Tls::default().roots(ROOT.certificates()).danger_accept_invalid_hostnames(true));

impl Carrier {
    /// All carriers.
    pub const ALL: [Self; 11] = [
        Self::Clear,
        Self::Tls,
        Self::SmallRecords,
        Self::HttpProxy,
        Self::Connect,
        Self::HttpsProxy,
        Self::Socks,
        Self::TlsInTls,
        Self::FakeTls,
        Self::Messages,
        Self::InProcess,
    ];

    /// Whether a transport carries the requests, and no connection of the session.
    #[must_use]
    pub fn is_transport(self) -> bool {
        matches!(self, Self::Messages | Self::InProcess)
    }

    /// Its name in lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Tls => "tls",
            Self::SmallRecords => "tls-small-records",
            Self::HttpProxy => "http-proxy",
            Self::Connect => "connect",
            Self::HttpsProxy => "https-proxy",
            Self::Socks => "socks5",
            Self::TlsInTls => "tls-in-tls",
            Self::FakeTls => "fake-tls",
            Self::Messages => "messages",
            Self::InProcess => "in-process",
        }
    }

    /// The scheme of its URLs.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        if self.inside().is_some() { "https" } else { "http" }
    }

    fn way(self) -> Way {
        match self {
            Self::Clear
            | Self::Tls
            | Self::SmallRecords
            | Self::FakeTls
            | Self::Messages
            | Self::InProcess => Way::Direct,
            Self::HttpProxy | Self::Connect => Way::Http,
            Self::HttpsProxy | Self::TlsInTls => Way::Https,
            Self::Socks => Way::Socks,
        }
    }

    /// The adapter of servers that have none of their own.
    fn inside(self) -> Option<AdapterFactory> {
        match self {
            Self::Clear
            | Self::HttpProxy
            | Self::HttpsProxy
            | Self::Socks
            | Self::Messages
            | Self::InProcess => None,
            Self::Tls | Self::Connect | Self::TlsInTls => Some(LARGE.clone().adapters()),
            Self::SmallRecords => Some(SMALL.clone().adapters()),
            Self::FakeTls => Some(AdapterFactory::new(|| Box::new(FakeTlsServer::new(100, 1)))),
        }
    }

    /// The adapter between HTTP and the bytes of one connection. It is the whole server side of the
    /// carrier.
    #[must_use]
    pub fn adapter(self) -> Box<dyn Adapter> {
        match (self.way(), self.inside()) {
            (Way::Direct, None) => Box::new(Identity),
            (Way::Direct, Some(inside)) => inside.adapter(),
            (way, inside) => way.before(inside).adapter(),
        }
    }

    /// The size of each write of a server. 0 does not cut.
    fn piece(self) -> usize {
        match self {
            Self::SmallRecords => 211,
            Self::HttpsProxy => 1009,
            _ => 0,
        }
    }

    /// Runs a function whose servers use this carrier. Returns the number of connections carried.
    pub fn carry<T>(self, run: impl FnOnce() -> T) -> (T, usize) {
        let carried = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&carried);
        let done = with_adapters(move |own| self.adapters(own, &count), run);
        (done, carried.load(Ordering::Relaxed))
    }

    fn adapters(self, own: Option<AdapterFactory>, count: &Arc<AtomicUsize>) -> Option<AdapterFactory> {
        // A server with its own adapter keeps it: the handshake may be the subject of its test.
        let is_own = own.is_some();
        let inside = own.or_else(|| self.inside());
        let adapters = match self.way() {
            Way::Direct if is_own => return inside,
            // The server is the same. Its connections are counted.
            Way::Direct if self.is_transport() => AdapterFactory::new(|| Box::new(Identity)).clear(),
            Way::Direct => inside?,
            way => way.before(inside),
        };
        let (is_clear, count) = (adapters.is_clear(), Arc::clone(count));
        let counted = AdapterFactory::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
            adapters.adapter()
        });
        let counted = counted.cut_every(self.piece());
        let counted = if is_clear { counted.clear() } else { counted };
        Some(if is_own { counted } else { counted.handshake_first() })
    }

    /// Configures a session for this carrier.
    pub fn set_up(self, settings: &mut Settings) {
        if self.inside().is_some() {
            settings.tls = TRUST.clone();
        }
        if self == Self::FakeTls {
            settings.tls_connector = fake_tls::connector();
        }
        let way = self.way();
        if way != Way::Direct {
            // Each server is behind a proxy at its own address.
            settings.proxies = Proxies::from_fn(move |url| {
                let (host, port) = (url.host_str()?, url.port_or_known_default()?);
                way.proxy_at(&format!("{host}:{port}")).ok()?.map(Via::Proxy)
            });
        }
    }
}

/// The identity: no change to the bytes.
#[derive(Debug)]
struct Identity;

impl Adapter for Identity {
    fn decode(&mut self, sealed: &[u8], plain: &mut Vec<u8>, _: &mut Vec<u8>) -> io::Result<()> {
        plain.extend_from_slice(sealed);
        Ok(())
    }

    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        out.extend_from_slice(plain);
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<u8>) {}
}
