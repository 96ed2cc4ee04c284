//! The way to a server of the kit: straight, or through a proxy that stands at the same address.

use std::io;
use std::sync::LazyLock;

use sessio::tls::Tls;
use sessio::{Proxy, Result};
use sessio_testkit::{Coat, Server, Wardrobe};

use crate::authority::Authority;
use crate::coat::Dress;

/// How a server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Straight.
    Direct,
    /// By CONNECT.
    Http,
    /// By CONNECT, over TLS to the proxy.
    Https,
    /// By SOCKS, told a name.
    Socks,
}

/// Who vouches for the proxy that speaks TLS.
static PORTER: LazyLock<Authority> = LazyLock::new(|| Authority::root("the proxy's"));
/// What that proxy wears.
static LIVERY: LazyLock<Dress> = LazyLock::new(|| Dress::of(&PORTER.issue(|_| {})));

impl Way {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Direct, Self::Http, Self::Https, Self::Socks];

    /// The proxy on this way to a server that was [dressed](Self::dress) for it; none if there is none.
    ///
    /// # Errors
    /// None: its address is one.
    pub fn proxy(self, server: &Server) -> Result<Option<Proxy>> {
        let scheme = match self {
            Self::Direct => return Ok(None),
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks => "socks5h",
        };
        let proxy = Proxy::parse(&format!("{scheme}://{}", server.addr()))?;
        // Whatever the host is asked for, the proxy is above suspicion.
        Ok(Some(proxy.tls(Tls::default().roots(PORTER.certificates()))))
    }

    /// A server that is behind it.
    #[must_use]
    pub fn dress(self, inside: Dress) -> Wardrobe {
        if self == Self::Direct {
            return inside.wardrobe();
        }
        Wardrobe::new(move || {
            let outside = (self == Self::Https).then(|| LIVERY.coat());
            Box::new(Gate {
                outside,
                inside: inside.coat(),
                is_socks: self == Self::Socks,
                held: Vec::new(),
                words: 0,
                is_open: false,
            })
        })
    }
}

/// A proxy before the server: a conversation, and from then on whatever the server wears.
#[derive(Debug)]
struct Gate {
    outside: Option<Box<dyn Coat>>,
    inside: Box<dyn Coat>,
    is_socks: bool,
    held: Vec<u8>,
    /// How many messages of SOCKS were answered.
    words: usize,
    is_open: bool,
}

impl Gate {
    /// What the next message is answered with, if it is whole.
    fn answer(&mut self) -> Option<&'static [u8]> {
        let (length, answer): (_, &[u8]) = match (self.is_socks, self.words) {
            (false, _) => {
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
        self.words += 1;
        self.is_open = !self.is_socks || self.words == 2;
        Some(answer)
    }

    fn pass(&mut self, plain: &mut Vec<u8>, out: &mut Vec<u8>) -> io::Result<()> {
        while !self.is_open {
            match self.answer() {
                Some(answer) => out.extend_from_slice(answer),
                None => return Ok(()),
            }
        }
        let held = std::mem::take(&mut self.held);
        self.inside.hear(&held, plain, out)
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
        self.inside.say(plain, &mut said)?;
        self.seal(&said, out)
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        let mut said = Vec::new();
        self.inside.finish(&mut said);
        let _ = self.seal(&said, out);
        if let Some(outside) = &mut self.outside {
            outside.finish(out);
        }
    }
}
