//! The way to a server of the testkit: direct, or through a proxy at the same address.

use std::io;
use std::sync::LazyLock;

use sessio::tls::Tls;
use sessio::{Proxy, Result};
use sessio_testkit::{Coat, Server, Wardrobe};

use crate::authority::Authority;
use crate::coat::Dress;
use crate::forward::Forward;

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
static PORTER: LazyLock<Authority> = LazyLock::new(|| Authority::root("the proxy's"));
/// The TLS of that proxy. Its records are small, so records of the TLS within it span several.
static LIVERY: LazyLock<Dress> =
    LazyLock::new(|| Dress::of(&PORTER.issue(|_| {})).with(|config| config.max_fragment_size = Some(900)));
/// The settings that verify the proxy under any name. It is one value, because connections are kept
/// by it.
static PORTERS: LazyLock<Tls> =
    LazyLock::new(|| Tls::default().roots(PORTER.certificates()).danger_accept_invalid_hostnames(true));

impl Way {
    /// All ways.
    pub const ALL: [Self; 4] = [Self::Direct, Self::Http, Self::Https, Self::Socks];

    /// The proxy on this way to a server from [`dress`](Self::dress). `None` for a direct
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
        Ok(Some(proxy.tls(PORTERS.clone())))
    }

    /// The adapters of a server that is reached this way.
    #[must_use]
    pub fn dress(self, inside: Dress) -> Wardrobe {
        if self == Self::Direct { inside.wardrobe() } else { self.before(Some(inside.wardrobe())) }
    }

    /// The adapters of a server, with records of `size` bytes. A TLS proxy has the same size.
    #[must_use]
    pub fn dress_in_records(self, inside: Dress, size: usize) -> Wardrobe {
        let inside = inside.records_of(size).wardrobe();
        match self {
            Self::Direct => inside,
            _ => self.with_proxy(Some(inside), LIVERY.clone().records_of(size)),
        }
    }

    /// The adapters of a proxy in front of the server's own ones, if it has any.
    #[must_use]
    pub fn before(self, inside: Option<Wardrobe>) -> Wardrobe {
        self.with_proxy(inside, LIVERY.clone())
    }

    fn with_proxy(self, inside: Option<Wardrobe>, livery: Dress) -> Wardrobe {
        let is_clear = inside.as_ref().is_none_or(Wardrobe::is_clear);
        let wardrobe = Wardrobe::new(move || {
            let outside = (self == Self::Https).then(|| livery.coat());
            let inside = inside.as_ref().map(Wardrobe::coat);
            let state = State::Talk { is_socks: self == Self::Socks, words: 0 };
            Box::new(Gate { outside, inside, held: Vec::new(), state })
        });
        if is_clear { wardrobe.clear() } else { wardrobe }
    }
}

/// A proxy in front of the server: first its messages, then the bytes of the server's adapter.
#[derive(Debug)]
struct Gate {
    outside: Option<Box<dyn Coat>>,
    inside: Option<Box<dyn Coat>>,
    held: Vec<u8>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The number of messages so far, and whether the proxy speaks SOCKS.
    Talk { is_socks: bool, words: usize },
    /// Bytes pass unchanged.
    Open,
    /// Requests are forwarded.
    Forward(Forward),
}

impl Gate {
    /// The reply to the next message, if the message is complete.
    fn answer(&mut self) -> Option<&'static [u8]> {
        let State::Talk { is_socks, words } = &mut self.state else { return None };
        let (length, answer): (_, &[u8]) = match (*is_socks, *words) {
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
        *words += 1;
        if !*is_socks || *words == 2 {
            self.state = State::Open;
        }
        Some(answer)
    }

    fn pass(&mut self, plain: &mut Vec<u8>, out: &mut Vec<u8>) -> io::Result<()> {
        while let Some(answer) = self.answer() {
            out.extend_from_slice(answer);
        }
        match &mut self.state {
            State::Talk { .. } => Ok(()),
            State::Forward(forward) => forward.pass(&std::mem::take(&mut self.held), plain),
            State::Open => {
                let held = std::mem::take(&mut self.held);
                match &mut self.inside {
                    Some(inside) => inside.hear(&held, plain, out),
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
            Some(outside) => outside.say(said, out),
            None => {
                out.extend_from_slice(said);
                Ok(())
            }
        }
    }
}

impl Coat for Gate {
    fn hear(&mut self, sealed: &[u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) -> io::Result<()> {
        match &mut self.outside {
            Some(outside) => outside.hear(sealed, &mut self.held, out)?,
            None => self.held.extend_from_slice(sealed),
        }
        let mut said = Vec::new();
        let passed = self.pass(plain, &mut said);
        self.seal(&said, out)?;
        passed
    }

    fn say(&mut self, plain: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let mut said = Vec::new();
        match &mut self.inside {
            Some(inside) => inside.say(plain, &mut said)?,
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

    fn is_up(&self) -> bool {
        self.outside.as_ref().is_none_or(|outside| outside.is_up())
            && match (&self.state, &self.inside) {
                (State::Talk { is_socks, .. }, None) => !is_socks,
                (State::Talk { .. }, Some(_)) => false,
                (_, inside) => inside.as_ref().is_none_or(|inside| inside.is_up()),
            }
    }
}
