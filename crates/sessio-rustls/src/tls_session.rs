//! One rustls connection as a TLS session of sessio.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use rustls::{ClientConnection, HandshakeKind, ProtocolVersion};
use sessio::{Fault, Kind, TlsInfo, TlsSession, escape};

use crate::diagnosis;
use crate::sessions::Sessions;

/// Bytes of ciphertext to read from the socket at once, initially. It grows to two whole records
/// for fast peers.
const ROOM: usize = 4 * 1024;
const MOST_ROOM: usize = 2 * (16 * 1024 + 261);
/// Bytes of ciphertext that may wait to be sent. With more of them, no plaintext is encrypted.
const MOST_OUT: usize = 64 * 1024;

/// The client side of a TLS session. rustls limits its memory for a handshake (64 KiB), for records
/// and for plaintext (16 KiB). Ciphertext that exceeds those limits stays here.
pub(crate) struct RustlsSession {
    tls: ClientConnection,
    /// The store that a full handshake is reported to.
    sessions: Option<Arc<Sessions>>,
    /// Outgoing ciphertext, and the number of its bytes that were sent.
    out: Vec<u8>,
    gone: usize,
    /// Incoming ciphertext: the number of bytes that rustls has read, and of those that are filled.
    room: Vec<u8>,
    read: usize,
    filled: usize,
    records: Records,
    /// The transport has ended.
    is_ended: bool,
    /// Data has been received.
    is_heard: bool,
    /// An error after plaintext that is still to be read.
    failure: Option<Fault>,
    /// The registered name of the cipher suite, once it is known.
    cipher: String,
}

impl RustlsSession {
    pub(crate) fn new(tls: ClientConnection, sessions: Option<Arc<Sessions>>) -> Self {
        Self {
            tls,
            sessions,
            out: Vec::new(),
            gone: 0,
            room: Vec::new(),
            read: 0,
            filled: 0,
            records: Records::default(),
            is_ended: false,
            is_heard: false,
            failure: None,
            cipher: String::new(),
        }
    }

    /// Moves rustls's outgoing bytes into `out`, from which the caller sends them.
    fn collect(&mut self) {
        if self.gone == self.out.len() {
            self.out.clear();
            self.gone = 0;
        }
        while self.tls.wants_write() {
            // Writing to a Vec never fails.
            if self.tls.write_tls(&mut self.out).is_err() {
                return;
            }
        }
    }

    /// Feeds rustls with received bytes, as long as it takes any.
    fn feed(&mut self) -> Result<(), Fault> {
        while self.read < self.filled {
            let mut bytes = &self.room[self.read..self.filled];
            match self.tls.read_tls(&mut bytes) {
                // The peer has sent close_notify: later bytes are ignored.
                Ok(0) => self.read = self.filled,
                Ok(n) => self.read += n,
                // Plaintext must be read first.
                Err(_) => break,
            }
            self.tls.process_new_packets().map_err(diagnosis::error)?;
        }
        if self.read == self.filled {
            (self.read, self.filled) = (0, 0);
        }
        Ok(())
    }

    /// Row F07: checks the first received byte. A peer that sends plain text does not speak TLS.
    fn listen(&mut self, n: usize) -> Result<(), Fault> {
        const ALERT: u8 = 21;
        const HANDSHAKE: u8 = 22;
        if self.is_heard || n == 0 {
            return Ok(());
        }
        self.is_heard = true;
        let said = &self.room[..n];
        if matches!(said[0], ALERT | HANDSHAKE) {
            return Ok(());
        }
        // Report one byte only: the number of bytes received so far depends on the network.
        Err(Fault::new(Kind::NotTls).with_detail(format!("it began with {}", escape(&said[..1]))))
    }

    fn is_resumed(&self) -> bool {
        self.tls.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// The server's own certificate.
    fn certificate(&self) -> Option<&[u8]> {
        self.tls.peer_certificates().and_then(<[_]>::first).map(|der| &**der)
    }

    fn name_cipher(&mut self) {
        if let Some(suite) = self.tls.negotiated_cipher_suite() {
            let name = suite.suite().as_str().unwrap_or_default();
            // The registered names of TLS 1.3 suites contain no version.
            self.cipher = name.replacen("TLS13_", "TLS_", 1);
        }
    }
}

/// Tracks record boundaries in the received bytes (RFC 8446 section 5.1).
#[derive(Default)]
struct Records {
    /// The received part of the current record header.
    header: [u8; 5],
    known: usize,
    /// Remaining bytes of the record's payload.
    left: usize,
}

impl Records {
    fn pass(&mut self, mut bytes: &[u8]) {
        while let [first, rest @ ..] = bytes {
            if self.left > 0 {
                let part = self.left.min(bytes.len());
                self.left -= part;
                bytes = &bytes[part..];
                continue;
            }
            self.header[self.known] = *first;
            self.known += 1;
            if self.known == self.header.len() {
                self.left = usize::from(u16::from_be_bytes([self.header[3], self.header[4]]));
                self.known = 0;
            }
            bytes = rest;
        }
    }

    fn is_between(&self) -> bool {
        self.left == 0 && self.known == 0
    }
}

impl TlsSession for RustlsSession {
    fn ends(&mut self) -> (&[u8], &mut [u8]) {
        self.collect();
        if self.room.is_empty() {
            self.room.resize(ROOM, 0);
        }
        (&self.out[self.gone..], &mut self.room[self.filled..])
    }

    fn sent(&mut self, n: usize) {
        self.gone += n;
    }

    fn received(&mut self, n: usize) -> Result<(), Fault> {
        self.is_ended |= n == 0;
        self.listen(n)?;
        self.records.pass(&self.room[self.filled..self.filled + n]);
        self.filled += n;
        let is_full = self.filled == self.room.len();
        let was_handshaking = self.tls.is_handshaking();
        let fed = self.feed();
        if is_full && self.room.len() < MOST_ROOM {
            self.room.resize(MOST_ROOM.min(self.room.len() * 4), 0);
        }
        if was_handshaking && !self.tls.is_handshaking() {
            self.name_cipher();
            if let Some(sessions) = self.sessions.take().filter(|_| !self.is_resumed()) {
                sessions.verified(self.certificate());
            }
        }
        match fed {
            // Earlier plaintext is still valid: it may be a whole response.
            Err(error) if !was_handshaking => {
                self.failure.get_or_insert(error);
                Ok(())
            }
            fed => fed,
        }
    }

    fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    fn secured(&self) -> TlsInfo<'_> {
        let mut secured = TlsInfo::default();
        secured.version = match self.tls.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "",
        };
        secured.cipher = &self.cipher;
        secured.alpn = self.tls.alpn_protocol();
        secured.resumed = self.is_resumed();
        secured.certificate = self.certificate();
        secured
    }

    fn seal(&mut self, plain: &[u8]) -> Result<usize, Fault> {
        if self.tls.is_handshaking() || self.out.len() - self.gone >= MOST_OUT {
            return Ok(0);
        }
        let taken =
            self.tls.writer().write(plain).map_err(|cause| Fault::new(Kind::Io).with_source(cause))?;
        self.collect();
        Ok(taken)
    }

    fn open(&mut self, plain: &mut [u8]) -> Result<Option<usize>, Fault> {
        loop {
            match self.tls.reader().read(plain) {
                Ok(0) if !plain.is_empty() => return Ok(None),
                Ok(n) => return Ok(Some(n)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(cause) => return Err(Fault::new(Kind::TlsBroken).with_source(cause)),
            }
            if self.read < self.filled && self.failure.is_none() {
                if let Err(error) = self.feed() {
                    self.failure = Some(error);
                }
                continue;
            }
            return match self.failure.take() {
                Some(error) => Err(error),
                None if self.is_ended => Err(truncated()),
                None => Ok(Some(0)),
            };
        }
    }

    fn is_between_records(&self) -> bool {
        self.records.is_between()
    }

    fn close(&mut self) {
        self.tls.send_close_notify();
    }

    fn rest(&mut self) {
        if self.filled == 0 {
            self.room = Vec::new();
        }
        if self.gone == self.out.len() {
            (self.out, self.gone) = (Vec::new(), 0);
        }
    }
}

/// Row Q16: without close_notify the data may be truncated.
fn truncated() -> Fault {
    Fault::new(Kind::IncompleteBody).with_detail("the connection ended without TLS's close_notify")
}

impl fmt::Debug for RustlsSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RustlsSession")
            .field("is_handshaking", &self.is_handshaking())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fa13_the_ends_of_records_are_known_in_every_cut() {
        let stream = [&[22, 3, 3, 0, 2, 9, 9][..], &[23, 3, 3, 0, 0], &[23, 3, 3, 1, 4], &[7; 260]].concat();
        let ends = [0, 7, 12, 277];
        for cut in 1..stream.len() {
            let mut records = Records::default();
            let mut at = 0;
            for piece in stream.chunks(cut) {
                records.pass(piece);
                at += piece.len();
                assert_eq!(records.is_between(), ends.contains(&at), "{cut} {at}");
            }
        }
    }
}
