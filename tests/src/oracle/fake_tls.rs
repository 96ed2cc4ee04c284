//! A model of TLS for questions of secrecy and time. Its records hide their bytes, and hold
//! plaintext back as those of rustls do. It has neither cryptography nor randomness, so every run
//! has the same bytes.

use std::io;

use sessio::tls::{ConnectInfo, StartTls, Tls, TlsConnector};
use sessio::{Fault, Kind, TlsInfo, TlsSession};
use sessio_testkit::Adapter;

/// The mask of each byte.
const MASK: u8 = 0xA5;
/// The message of a host after the client's hello.
const WELCOME: u8 = b'!';
/// The contents of a record: plaintext, a ticket (which is no plaintext), the closing message.
const DATA: u8 = 23;
const TICKET: u8 = 22;
const GOODBYE: u8 = 21;
/// The largest plaintext of a client's record, and its space for ciphertext.
const RECORD: usize = 16 << 10;
const ROOM: usize = 4096;
/// The number of waiting bytes above which plaintext is no longer taken, as in `sessio-rustls`.
const MOST_OUT: usize = 64 << 10;

fn mask(bytes: &mut [u8]) {
    for byte in bytes {
        *byte = (*byte ^ MASK).rotate_left(3);
    }
}

fn unmask(bytes: &mut [u8]) {
    for byte in bytes {
        *byte = byte.rotate_right(3) ^ MASK;
    }
}

/// Appends a record. Two layers do not cancel each other.
fn record(kind: u8, bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let [.., high, low] = bytes.len().to_be_bytes();
    out.extend([kind, high, low]);
    out.extend_from_slice(bytes);
    mask(&mut out[start..]);
}

/// The kind of the first record and its end, if it is complete.
fn whole(held: &[u8]) -> Option<(u8, usize)> {
    let [kind, high, low, ..] = *held else { return None };
    let end = 3 + usize::from(u16::from_be_bytes([high, low]));
    (held.len() >= end).then_some((kind, end))
}

/// A connector of fake TLS.
#[must_use]
pub fn connector() -> TlsConnector {
    TlsConnector::new(FakeTlsConnector)
}

struct FakeTlsConnector;

impl StartTls for FakeTlsConnector {
    fn check(&self, _: &Tls) -> Result<(), Fault> {
        Ok(())
    }

    /// The client's hello names the host that it expects, and its own identity.
    fn start(&self, wanted: &ConnectInfo<'_>) -> Result<Box<dyn TlsSession>, Fault> {
        let identity = wanted.tls.options().identity.as_ref();
        let mut hello = format!("to {} from ", wanted.host).into_bytes();
        for certificate in identity.into_iter().flat_map(|identity| identity.chain()) {
            hello.extend_from_slice(certificate);
        }
        hello.push(b'\n');
        mask(&mut hello);
        Ok(Box::new(FakeTls { out: hello, room: vec![0; ROOM], ..FakeTls::default() }))
    }
}

#[derive(Debug, Default)]
struct FakeTls {
    out: Vec<u8>,
    room: Vec<u8>,
    /// Plaintext received in records that were not opened yet.
    held: Vec<u8>,
    /// The rest of the record that was opened last.
    plain: Vec<u8>,
    is_established: bool,
    has_ended: bool,
    has_parted: bool,
}

impl TlsSession for FakeTls {
    fn ends(&mut self) -> (&[u8], &mut [u8]) {
        let is_full = self.has_ended || !self.plain.is_empty() || whole(&self.held).is_some();
        let room = if is_full { 0 } else { self.room.len() };
        (&self.out, &mut self.room[..room])
    }

    fn sent(&mut self, n: usize) {
        self.out.drain(..n);
    }

    fn received(&mut self, n: usize) -> Result<(), Fault> {
        self.has_ended |= n == 0;
        let came = self.room.get_mut(..n).ok_or_else(|| Fault::new(Kind::Misuse))?;
        unmask(came);
        let is_welcome = !self.is_established && came.first() == Some(&WELCOME);
        self.held.extend_from_slice(&came[usize::from(is_welcome)..]);
        self.is_established |= is_welcome;
        Ok(())
    }

    fn is_handshaking(&self) -> bool {
        !self.is_established
    }

    fn secured(&self) -> TlsInfo<'_> {
        TlsInfo::default()
    }

    fn seal(&mut self, plain: &[u8]) -> Result<usize, Fault> {
        if !self.is_established {
            return Ok(0);
        }
        let taken = plain.len().min(RECORD).min(MOST_OUT.saturating_sub(self.out.len()));
        if taken == 0 {
            return Ok(0);
        }
        record(DATA, &plain[..taken], &mut self.out);
        Ok(taken)
    }

    fn open(&mut self, plain: &mut [u8]) -> Result<Option<usize>, Fault> {
        while self.plain.is_empty() && self.is_established {
            let Some((kind, end)) = whole(&self.held) else { break };
            let opened: Vec<u8> = self.held.drain(..end).skip(3).collect();
            match kind {
                DATA => self.plain = opened,
                GOODBYE => self.has_parted = true,
                _ => {}
            }
        }
        if self.plain.is_empty() {
            return match (self.has_parted, self.has_ended) {
                (true, _) => Ok(None),
                (false, true) => Err(Fault::new(Kind::IncompleteBody)),
                (false, false) => Ok(Some(0)),
            };
        }
        let n = plain.len().min(self.plain.len());
        plain[..n].copy_from_slice(&self.plain[..n]);
        self.plain.drain(..n);
        Ok(Some(n))
    }

    fn close(&mut self) {
        record(GOODBYE, &[], &mut self.out);
    }
}

/// The host's end.
#[derive(Debug)]
pub struct FakeTlsServer {
    held: Vec<u8>,
    /// The client's hello, once it was received.
    hello: Option<Vec<u8>>,
    record: usize,
    tickets: usize,
}

impl FakeTlsServer {
    /// A host with records of at most `record` bytes. Before its first record it sends `tickets`
    /// tickets, and one before each later record, if `tickets` is not 0.
    #[must_use]
    pub fn new(record: usize, tickets: usize) -> Self {
        Self { held: Vec::new(), hello: None, record: record.clamp(1, RECORD), tickets }
    }

    /// The client's hello, once it was received.
    #[must_use]
    pub fn hello(&self) -> Option<&[u8]> {
        self.hello.as_deref()
    }
}

impl Adapter for FakeTlsServer {
    fn decode(&mut self, sealed: &[u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) -> io::Result<()> {
        let start = self.held.len();
        self.held.extend_from_slice(sealed);
        unmask(&mut self.held[start..]);
        if self.hello.is_none() {
            let Some(end) = self.held.iter().position(|byte| *byte == b'\n') else { return Ok(()) };
            self.hello = Some(self.held.drain(..=end).collect());
            let mut welcome = [WELCOME];
            mask(&mut welcome);
            out.extend(welcome);
            for _ in 0..self.tickets {
                record(TICKET, b"a ticket", out);
            }
        }
        while let Some((kind, end)) = whole(&self.held) {
            let opened = self.held.drain(..end).skip(3);
            if kind == DATA {
                plain.extend(opened);
            }
        }
        Ok(())
    }

    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        for piece in plain.chunks(self.record) {
            if self.tickets > 0 {
                record(TICKET, b"another", out);
            }
            record(DATA, piece, out);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        record(GOODBYE, &[], out);
    }

    fn is_established(&self) -> bool {
        self.hello.is_some()
    }
}
