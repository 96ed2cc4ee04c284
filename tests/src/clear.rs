//! TLS without encryption. It names the expected host and changes no bytes. With it a scenario sees
//! the bytes of a tunnel and their destination.

use sessio::tls::{ConnectInfo, StartTls, Tls, TlsConnector};
use sessio::{Fault, Kind, TlsInfo, TlsSession};

/// A connector whose handshake is the head of a request, `TLS <host> HTTP/1.1`, and nothing else. The
/// head has a field more if keys are pinned, or if invalid certificates are accepted.
#[must_use]
pub fn connector() -> TlsConnector {
    TlsConnector::new(Plain { is_silent: false })
}

/// A connector without a handshake. The bytes sent are HTTP only, for `https` as for `http`.
#[must_use]
pub fn silent() -> TlsConnector {
    TlsConnector::new(Plain { is_silent: true })
}

struct Plain {
    is_silent: bool,
}

impl StartTls for Plain {
    fn check(&self, _: &Tls) -> Result<(), Fault> {
        Ok(())
    }

    fn start(&self, wanted: &ConnectInfo<'_>) -> Result<Box<dyn TlsSession>, Fault> {
        let options = wanted.tls.options();
        let mut hello = format!("TLS {} HTTP/1.1\r\nHost: {}\r\n", wanted.host, wanted.host);
        if !options.pins.is_empty() {
            hello += "X-Pins: 1\r\n";
        }
        if options.accepts_invalid_certs {
            hello += "X-Danger: 1\r\n";
        }
        hello += "\r\n";
        if self.is_silent {
            hello.clear();
        }
        Ok(Box::new(Clear { out: hello.into_bytes(), room: [0; 1024], plain: Vec::new(), is_ended: false }))
    }
}

#[derive(Debug)]
struct Clear {
    out: Vec<u8>,
    room: [u8; 1024],
    plain: Vec<u8>,
    is_ended: bool,
}

impl TlsSession for Clear {
    fn ends(&mut self) -> (&[u8], &mut [u8]) {
        (&self.out, &mut self.room)
    }

    fn sent(&mut self, n: usize) {
        self.out.drain(..n);
    }

    fn received(&mut self, n: usize) -> Result<(), Fault> {
        let bytes = self.room.get(..n).ok_or_else(|| Fault::new(Kind::Misuse))?;
        self.is_ended |= n == 0;
        self.plain.extend_from_slice(bytes);
        Ok(())
    }

    fn is_handshaking(&self) -> bool {
        false
    }

    fn secured(&self) -> TlsInfo<'_> {
        TlsInfo::default()
    }

    fn seal(&mut self, plain: &[u8]) -> Result<usize, Fault> {
        self.out.extend_from_slice(plain);
        Ok(plain.len())
    }

    fn open(&mut self, plain: &mut [u8]) -> Result<Option<usize>, Fault> {
        if self.plain.is_empty() && self.is_ended {
            return Ok(None);
        }
        let n = plain.len().min(self.plain.len());
        plain[..n].copy_from_slice(&self.plain[..n]);
        self.plain.drain(..n);
        Ok(Some(n))
    }
}
