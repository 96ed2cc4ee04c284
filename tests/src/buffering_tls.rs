//! A TLS session that holds back as many bytes as allowed: the hardest case for the pull rule.

use std::sync::atomic::{AtomicUsize, Ordering};

use sessio::tls::{ConnectInfo, StartTls, Tls, TlsConnector};
use sessio::{Fault, Kind, TlsInfo, TlsSession};

/// The message of the server after the first bytes of the client.
pub const WELCOME: u8 = b'W';
/// The mask of each byte of a record.
const MASK: u8 = 0x55;

/// The limits of a session, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Ciphertext that it takes from the socket at once.
    pub room: usize,
    /// Plaintext of one record.
    pub record: usize,
    /// Plaintext that it gives to its reader at once.
    pub sip: usize,
}

/// A connector for such sessions, which use these sizes in turn.
#[must_use]
pub fn connector(sizes: impl Into<Vec<Sizes>>) -> TlsConnector {
    TlsConnector::new(BufferingConnector { sizes: sizes.into(), started: AtomicUsize::new(0) })
}

struct BufferingConnector {
    sizes: Vec<Sizes>,
    started: AtomicUsize,
}

impl StartTls for BufferingConnector {
    fn check(&self, _: &Tls) -> Result<(), Fault> {
        Ok(())
    }

    fn start(&self, _: &ConnectInfo<'_>) -> Result<Box<dyn TlsSession>, Fault> {
        let sizes = self.sizes[self.started.fetch_add(1, Ordering::Relaxed) % self.sizes.len()];
        Ok(Box::new(BufferingTls::new(sizes)))
    }
}

/// The records of this plaintext.
///
/// # Panics
///
/// If a record is longer than 65,535 bytes.
#[must_use]
pub fn records(plain: &[u8], size: usize) -> Vec<u8> {
    plain.chunks(size).flat_map(record).collect()
}

/// The closing record.
#[must_use]
pub fn close_record() -> Vec<u8> {
    record(&[])
}

fn record(plain: &[u8]) -> Vec<u8> {
    let length = u16::try_from(plain.len()).expect("a record is short").to_be_bytes();
    length.into_iter().chain(plain.iter().map(|byte| byte ^ MASK)).collect()
}

/// The plaintext of all complete records.
#[must_use]
pub fn opened(mut sealed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    while let Some((record, rest)) = split(sealed) {
        plain.extend(record.iter().map(|byte| byte ^ MASK));
        sealed = rest;
    }
    plain
}

/// The first record, if it is complete, and the bytes after it.
fn split(sealed: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = sealed.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// The client's end. It opens a record only after the one before was read.
#[derive(Debug)]
struct BufferingTls {
    sizes: Sizes,
    out: Vec<u8>,
    room: Vec<u8>,
    sealed: Vec<u8>,
    plain: Vec<u8>,
    is_up: bool,
    has_closed: bool,
    is_ended: bool,
}

impl BufferingTls {
    fn new(sizes: Sizes) -> Self {
        Self {
            sizes,
            out: b"hello".to_vec(),
            room: vec![0; sizes.room],
            sealed: Vec::new(),
            plain: Vec::new(),
            is_up: false,
            has_closed: false,
            is_ended: false,
        }
    }
}

impl TlsSession for BufferingTls {
    fn ends(&mut self) -> (&[u8], &mut [u8]) {
        // One record has to fit.
        let free = (self.sizes.record + 2 + self.sizes.room).saturating_sub(self.sealed.len());
        let free = if self.is_ended { 0 } else { free.min(self.sizes.room) };
        (&self.out, &mut self.room[..free])
    }

    fn sent(&mut self, n: usize) {
        self.out.drain(..n);
    }

    fn received(&mut self, n: usize) -> Result<(), Fault> {
        self.is_ended |= n == 0;
        self.sealed.extend_from_slice(&self.room[..n]);
        if !self.is_up && !self.sealed.is_empty() {
            if self.sealed.remove(0) != WELCOME {
                return Err(Kind::TlsBroken.into());
            }
            self.is_up = true;
        }
        Ok(())
    }

    fn is_handshaking(&self) -> bool {
        !self.is_up
    }

    fn secured(&self) -> TlsInfo<'_> {
        TlsInfo::default()
    }

    fn seal(&mut self, plain: &[u8]) -> Result<usize, Fault> {
        if !self.is_up || self.out.len() > 2_000 {
            return Ok(0);
        }
        let taken = plain.len().min(self.sizes.record);
        self.out.extend(record(&plain[..taken]));
        Ok(taken)
    }

    fn open(&mut self, plain: &mut [u8]) -> Result<Option<usize>, Fault> {
        if self.plain.is_empty() && !self.has_closed && self.is_up {
            if let Some((record, rest)) = split(&self.sealed) {
                self.has_closed = record.is_empty();
                self.plain.extend(record.iter().map(|byte| byte ^ MASK));
                self.sealed.drain(..self.sealed.len() - rest.len());
            } else if self.is_ended {
                return Err(Fault::new(Kind::IncompleteBody).with_detail("without a closing record"));
            }
        }
        let n = plain.len().min(self.plain.len()).min(self.sizes.sip);
        plain[..n].copy_from_slice(&self.plain[..n]);
        self.plain.drain(..n);
        Ok(if n == 0 && self.has_closed { None } else { Some(n) })
    }
}
