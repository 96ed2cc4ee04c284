//! The way to a server of the testkit: direct, or through a proxy at the same address.

use std::io;
use std::sync::LazyLock;

use sessio::tls::Tls;
use sessio::{Proxy, Result};
use sessio_testkit::{Adapter, AdapterFactory, Server};

use crate::authority::Authority;
use crate::forward::Forward;
use crate::server_tls::ServerTls;

/// The way to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A direct connection.
    Direct,
    /// Through an HTTP proxy: by CONNECT, or in absolute form.
    Http,
    /// Through an HTTP proxy that is reached over TLS.
    Https,
    /// Through a SOCKS proxy, which receives the host name.
    Socks,
}

/// The authority of the TLS proxy.
static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::root("the proxy's"));
/// The TLS of that proxy. Its records are small, so records of the TLS within it span several.
static PROXY_TLS: LazyLock<ServerTls> = LazyLock::new(|| {
    ServerTls::new(&AUTHORITY.issue(|_| {})).with(|config| config.max_fragment_size = Some(900))
});
/// The settings that verify the proxy under any name. It is one value, because connections are kept
/// by it.
static PROXY_TRUST: LazyLock<Tls> =
    LazyLock::new(|| Tls::default().roots(AUTHORITY.certificates()).danger_accept_invalid_hostnames(true));

impl Way {
    /// All ways.
    pub const ALL: [Self; 4] = [Self::Direct, Self::Http, Self::Https, Self::Socks];

    /// The proxy on this way to a server from [`adapters`](Self::adapters). `None` for a direct
    /// connection.
    ///
    /// # Errors
    ///
    /// None: the address is valid.
    pub fn proxy(self, server: &Server) -> Result<Option<Proxy>> {
        self.proxy_at(&server.addr().to_string())
    }

    /// The proxy of this way at `authority`, a host and a port.
    ///
    /// # Errors
    ///
    /// If `authority` is invalid.
    pub fn proxy_at(self, authority: &str) -> Result<Option<Proxy>> {
        let scheme = match self {
            Self::Direct => return Ok(None),
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks => "socks5h",
        };
        let proxy = Proxy::parse(&format!("{scheme}://{authority}"))?;
        // The certificate of the proxy is valid for any host.
        Ok(Some(proxy.tls(PROXY_TRUST.clone())))
    }

    /// The adapters of a server that is reached this way.
    #[must_use]
    pub fn adapters(self, inside: ServerTls) -> AdapterFactory {
        if self == Self::Direct { inside.adapters() } else { self.before(Some(inside.adapters())) }
    }

    /// The adapters of a server, with records of `size` bytes. A TLS proxy has the same size.
    #[must_use]
    pub fn adapters_with_records(self, inside: ServerTls, size: usize) -> AdapterFactory {
        let inside = inside.records_of(size).adapters();
        match self {
            Self::Direct => inside,
            _ => self.with_proxy(Some(inside), PROXY_TLS.clone().records_of(size)),
        }
    }

    /// The adapters of a proxy in front of the server's own ones, if it has any.
    #[must_use]
    pub fn before(self, inside: Option<AdapterFactory>) -> AdapterFactory {
        self.with_proxy(inside, PROXY_TLS.clone())
    }

    fn with_proxy(self, inside: Option<AdapterFactory>, tls: ServerTls) -> AdapterFactory {
        let is_clear = inside.as_ref().is_none_or(AdapterFactory::is_clear);
        let factory = AdapterFactory::new(move || {
            let outside = (self == Self::Https).then(|| tls.adapter());
            let inside = inside.as_ref().map(AdapterFactory::adapter);
            let state = State::Handshake { is_socks: self == Self::Socks, messages: 0 };
            Box::new(ProxyAdapter { outside, inside, held: Vec::new(), state })
        });
        if is_clear { factory.clear() } else { factory }
    }
}

/// A proxy in front of the server: first its messages, then the bytes of the server's adapter.
#[derive(Debug)]
struct ProxyAdapter {
    outside: Option<Box<dyn Adapter>>,
    inside: Option<Box<dyn Adapter>>,
    held: Vec<u8>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The number of messages so far, and whether the proxy speaks SOCKS.
    Handshake { is_socks: bool, messages: usize },
    /// Bytes pass unchanged.
    Open,
    /// Requests are forwarded.
    Forward(Forward),
}

impl ProxyAdapter {
    /// The reply to the next message, if the message is complete.
    fn answer(&mut self) -> Option<&'static [u8]> {
        let State::Handshake { is_socks, messages } = &mut self.state else { return None };
        let (length, answer): (_, &[u8]) = match (*is_socks, *messages) {
            (false, _) => {
                let seen = self.held.len().min(b"CONNECT ".len());
                if seen > 0 && self.inside.is_none() && self.held[..seen] != b"CONNECT "[..seen] {
                    self.state = State::Forward(Forward::default());
                    return None;
                }
                let end = self.held.windows(4).position(|four| four == b"\r\n\r\n")?;
                (end + 4, b"HTTP/1.1 200 Go\r\n\r\n")
            }
            (true, 0) => (2 + usize::from(*self.held.get(1)?), &[5, 0]),
            (true, _) => {
                let host = match *self.held.get(3)? {
                    1 => 4,
                    3 => 1 + usize::from(*self.held.get(4)?),
                    _ => 16,
                };
                (4 + host + 2, &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
            }
        };
        if self.held.len() < length {
            return None;
        }
        self.held.drain(..length);
        *messages += 1;
        if !*is_socks || *messages == 2 {
            self.state = State::Open;
        }
        Some(answer)
    }

    fn pass(&mut self, plain: &mut Vec<u8>, out: &mut Vec<u8>) -> io::Result<()> {
        while let Some(answer) = self.answer() {
            out.extend_from_slice(answer);
        }
        match &mut self.state {
            State::Handshake { .. } => Ok(()),
            State::Forward(forward) => forward.pass(&std::mem::take(&mut self.held), plain),
            State::Open => {
                let held = std::mem::take(&mut self.held);
                match &mut self.inside {
                    Some(inside) => inside.decode(&held, plain, out),
                    None => {
                        plain.extend_from_slice(&held);
                        Ok(())
                    }
                }
            }
        }
    }

    /// Encrypts the bytes to be sent, if the proxy is reached over TLS.
    fn seal(&mut self, said: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        match &mut self.outside {
            Some(outside) => outside.encode(said, out),
            None => {
                out.extend_from_slice(said);
                Ok(())
            }
        }
    }
}

impl Adapter for ProxyAdapter {
    fn decode(&mut self, sealed: &[u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) -> io::Result<()> {
        match &mut self.outside {
            Some(outside) => outside.decode(sealed, &mut self.held, out)?,
            None => self.held.extend_from_slice(sealed),
        }
        let mut said = Vec::new();
        let passed = self.pass(plain, &mut said);
        self.seal(&said, out)?;
        passed
    }

    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let mut said = Vec::new();
        match &mut self.inside {
            Some(inside) => inside.encode(plain, &mut said)?,
            None => said.extend_from_slice(plain),
        }
        self.seal(&said, out)
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let mut said = Vec::new();
        if let Some(inside) = &mut self.inside {
            inside.finish(&mut said);
        }
        let _ = self.seal(&said, out);
        if let Some(outside) = &mut self.outside {
            outside.finish(out);
        }
    }

    fn is_established(&self) -> bool {
        self.outside.as_ref().is_none_or(|outside| outside.is_established())
            && match (&self.state, &self.inside) {
                (State::Handshake { is_socks, .. }, None) => !is_socks,
                (State::Handshake { .. }, Some(_)) => false,
                (_, inside) => inside.as_ref().is_none_or(|inside| inside.is_established()),
            }
    }
}
