//! TLS as far as it matters who sees what.

use sessio::tls::{Engine, Start, Tls, Wanted};
use sessio::{Result, Secure, Secured};

/// What each byte is veiled with.
const MASK: u8 = 0xA5;
/// What a host says once it has been greeted.
pub const WELCOME: u8 = b'!';

/// The same bytes veiled. Two veils do not lift each other.
#[must_use]
pub fn veiled(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| (byte ^ MASK).rotate_left(3)).collect()
}

/// The bytes under a veil.
#[must_use]
pub fn unveiled(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte.rotate_right(3) ^ MASK).collect()
}

/// An engine of veils.
#[must_use]
pub fn engine() -> Engine {
    Engine::new(Veils)
}

struct Veils;

impl Start for Veils {
    fn check(&self, _: &Tls) -> Result<()> {
        Ok(())
    }

    /// The client greets with the host that it expects, and shows who it is.
    fn start(&self, wanted: &Wanted<'_>) -> Result<Box<dyn Secure>> {
        let identity = wanted.tls.options().identity.as_ref();
        let mut greeting = format!("to {} from ", wanted.host).into_bytes();
        for certificate in identity.into_iter().flat_map(|identity| identity.chain()) {
            greeting.extend_from_slice(certificate);
        }
        greeting.push(b'\n');
        Ok(Box::new(Veil { out: veiled(&greeting), room: vec![0; 4096], ..Veil::default() }))
    }
}

#[derive(Debug, Default)]
struct Veil {
    out: Vec<u8>,
    room: Vec<u8>,
    plain: Vec<u8>,
    is_up: bool,
    has_ended: bool,
}

impl Secure for Veil {
    fn ends(&mut self) -> (&[u8], &mut [u8]) {
        let room = if self.has_ended || !self.plain.is_empty() { 0 } else { self.room.len() };
        (&self.out, &mut self.room[..room])
    }

    fn sent(&mut self, n: usize) {
        self.out.drain(..n);
    }

    fn received(&mut self, n: usize) -> Result<()> {
        self.has_ended |= n == 0;
        let mut came = unveiled(&self.room[..n]);
        if !self.is_up && came.first() == Some(&WELCOME) {
            self.is_up = true;
            came.remove(0);
        }
        self.plain.extend_from_slice(&came);
        Ok(())
    }

    fn is_handshaking(&self) -> bool {
        !self.is_up
    }

    fn secured(&self) -> Secured<'_> {
        Secured::default()
    }

    fn seal(&mut self, plain: &[u8]) -> Result<usize> {
        if !self.is_up {
            return Ok(0);
        }
        self.out.extend_from_slice(&veiled(plain));
        Ok(plain.len())
    }

    fn open(&mut self, plain: &mut [u8]) -> Result<Option<usize>> {
        if self.plain.is_empty() && self.has_ended {
            return Ok(None);
        }
        let n = plain.len().min(self.plain.len());
        plain[..n].copy_from_slice(&self.plain[..n]);
        self.plain.drain(..n);
        Ok(Some(n))
    }
}
