//! The way to a server of the kit: straight, or through a proxy that stands at the same address.

use std::io;
use std::sync::LazyLock;

use sessio::tls::Tls;
use sessio::{Proxy, Result};
use sessio_testkit::{Coat, Server, Wardrobe};

use crate::authority::Authority;
use crate::coat::Dress;
use crate::forward::Forward;

/// How a server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Straight.
    Direct,
    /// Over a proxy of HTTP: by CONNECT, or in absolute form.
    Http,
    /// The same, over TLS to the proxy.
    Https,
    /// By SOCKS, told a name.
    Socks,
}

/// Who vouches for the proxy that speaks TLS.
static PORTER: LazyLock<Authority> = LazyLock::new(|| Authority::root("the proxy's"));
/// What that proxy wears. Its records are small, so that those of TLS within it lie across them.
static LIVERY: LazyLock<Dress> =
    LazyLock::new(|| Dress::of(&PORTER.issue(|_| {})).with(|config| config.max_fragment_size = Some(900)));
/// How the proxy is verified, whatever name it is reached by. One value, as connections are kept by it.
static PORTERS: LazyLock<Tls> =
    LazyLock::new(|| Tls::default().roots(PORTER.certificates()).danger_accept_invalid_hostnames(true));

impl Way {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Direct, Self::Http, Self::Https, Self::Socks];

    /// The proxy on this way to a server that was [dressed](Self::dress) for it; none if there is none.
    ///
    /// # Errors
    /// None: its address is one.
    pub fn proxy(self, server: &Server) -> Result<Option<Proxy>> {
        self.proxy_at(&server.addr().to_string())
    }

    /// The same at a host and a port.
    ///
    /// # Errors
    /// If these are none.
    pub fn proxy_at(self, authority: &str) -> Result<Option<Proxy>> {
        let scheme = match self {
            Self::Direct => return Ok(None),
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks => "socks5h",
        };
        let proxy = Proxy::parse(&format!("{scheme}://{authority}"))?;
        // Whatever the host is asked for, the proxy is above suspicion.
        Ok(Some(proxy.tls(PORTERS.clone())))
    }

    /// A server that is behind it.
    #[must_use]
    pub fn dress(self, inside: Dress) -> Wardrobe {
        if self == Self::Direct { inside.wardrobe() } else { self.before(Some(inside.wardrobe())) }
    }

    /// The same, where the server and a proxy that speaks TLS have records of so many bytes.
    #[must_use]
    pub fn dress_in_records(self, inside: Dress, size: usize) -> Wardrobe {
        let inside = inside.records_of(size).wardrobe();
        match self {
            Self::Direct => inside,
            _ => self.with_proxy(Some(inside), LIVERY.clone().records_of(size)),
        }
    }

    /// A proxy before what the server itself wears, if that is something.
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

/// A proxy before the server: a conversation, and from then on whatever the server wears.
#[derive(Debug)]
struct Gate {
    outside: Option<Box<dyn Coat>>,
    inside: Option<Box<dyn Coat>>,
    held: Vec<u8>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// So many messages of SOCKS were answered.
    Talk { is_socks: bool, words: usize },
    /// Bytes go through as they are.
    Open,
    /// Requests are passed on.
    Forward(Forward),
}

impl Gate {
    /// What the next message is answered with, if it is whole.
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

    /// Seals what goes out, if there is something to seal it with.
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
