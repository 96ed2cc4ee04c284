//! TLS for the servers of the testkit, by rustls.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};
use sessio_testkit::{Adapter, AdapterFactory, Server};

use crate::authority::{Authority, Issued};

/// The TLS settings of a server.
#[derive(Clone, Debug)]
pub struct ServerTls {
    config: Arc<ServerConfig>,
    ending: Ending,
    record: usize,
    closing_alerts: ClosingAlerts,
}

/// The bytes after the last byte of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The alert close_notify: the data is complete.
    CloseNotify,
    /// A fatal alert.
    Alert,
    /// Nothing.
    Silence,
}

/// A server that sends this text sends a KeyUpdate record instead (TLS 1.3 only).
pub const KEY_UPDATE: &str = "\0key update\0";

/// The largest plaintext of a record, in bytes.
const RECORD: usize = 16 << 10;

/// The last alerts of clients, in the order in which they were received.
#[derive(Clone, Debug, Default)]
pub struct ClosingAlerts(Arc<Mutex<Vec<String>>>);

impl ClosingAlerts {
    /// The alerts so far, by name, such as `close_notify`.
    #[must_use]
    pub fn so_far(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, alert: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(alert);
    }
}

impl ServerTls {
    /// A server with this certificate and both versions.
    pub fn new(issued: &Issued) -> Self {
        Self::with_versions(issued, rustls::ALL_VERSIONS)
    }

    /// A server with this certificate and only these versions.
    ///
    /// # Panics
    ///
    /// If the key is invalid.
    pub fn with_versions(issued: &Issued, versions: &[&'static SupportedProtocolVersion]) -> Self {
        Self::build(issued, versions, None)
    }

    /// A server that requires a client certificate of this authority.
    pub fn with_client_auth(issued: &Issued, clients: &Authority) -> Self {
        Self::build(issued, rustls::ALL_VERSIONS, Some(clients))
    }

    fn build(
        issued: &Issued,
        versions: &[&'static SupportedProtocolVersion],
        clients: Option<&Authority>,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .expect("versions that are spoken");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.der().to_vec().into()).expect("a root");
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider)).build();
                builder.with_client_cert_verifier(verifier.expect("a verifier"))
            }
        };
        let one = Arc::new(One(Arc::new(certified(issued))));
        let mut config = builder.with_cert_resolver(one);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self {
            config: Arc::new(config),
            ending: Ending::CloseNotify,
            record: RECORD,
            closing_alerts: ClosingAlerts::default(),
        }
    }

    /// Sends no close_notify.
    #[must_use]
    pub fn without_close_notify(self) -> Self {
        self.ending(Ending::Silence)
    }

    /// Sends `ending` after the last byte.
    #[must_use]
    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// Limits the data of a record to `size` bytes, and so the handshake messages in clear text.
    /// Encrypted handshake messages have records of 32 bytes, the smallest that rustls supports.
    ///
    /// # Panics
    ///
    /// If `size` is 0.
    #[must_use]
    pub fn records_of(mut self, size: usize) -> Self {
        assert!(size > 0, "records of nothing");
        self.record = size;
        self.with(|config| config.max_fragment_size = Some(size.clamp(32, RECORD)))
    }

    /// Changes the settings of rustls.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut ServerConfig)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }

    /// The last alerts of all clients.
    #[must_use]
    pub fn closing_alerts(&self) -> ClosingAlerts {
        self.closing_alerts.clone()
    }

    /// The adapters for a server of the testkit.
    pub fn adapters(self) -> AdapterFactory {
        AdapterFactory::new(move || self.adapter())
    }

    /// The adapter of one connection.
    pub(crate) fn adapter(&self) -> Box<dyn Adapter> {
        let tls = ServerConnection::new(Arc::clone(&self.config)).expect("a connection");
        Box::new(Tls {
            tls,
            ending: self.ending,
            record: self.record,
            is_sealed: false,
            closing_alerts: self.closing_alerts(),
        })
    }

    /// A server with the routes of the testkit and this TLS.
    pub fn serve(self) -> Server {
        Server::adapted(self.adapters())
    }
}

/// A certificate with its key, without a check: rustls would refuse invalid certificates, which
/// tests need.
pub(crate) fn certified(issued: &Issued) -> CertifiedKey {
    let key = PrivatePkcs8KeyDer::from(issued.key.clone()).into();
    let provider = rustls::crypto::ring::default_provider();
    let key = provider.key_provider.load_private_key(key).expect("a key");
    CertifiedKey::new(issued.chain.iter().map(|der| CertificateDer::from(der.clone())).collect(), key)
}

/// A resolver that gives all clients the same certificate.
#[derive(Debug)]
struct One(Arc<CertifiedKey>);

impl ResolvesServerCert for One {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

struct Tls {
    tls: ServerConnection,
    ending: Ending,
    record: usize,
    /// Whether the keys have changed: later records of the handshake are encrypted.
    is_sealed: bool,
    closing_alerts: ClosingAlerts,
}

impl Tls {
    fn collect(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let start = out.len();
        while self.tls.wants_write() {
            self.tls.write_tls(out)?;
        }
        if self.record < RECORD && !self.is_sealed {
            let said = out.split_off(start);
            self.part(&said, out);
        }
        Ok(())
    }

    /// Splits the records of a handshake that are in clear text (RFC 8446 section 5.1).
    fn part(&mut self, mut said: &[u8], out: &mut Vec<u8>) {
        const CHANGE_CIPHER_SPEC: u8 = 20;
        const HANDSHAKE: u8 = 22;
        while let [kind, major, minor, high, low, rest @ ..] = said {
            let (payload, rest) = rest.split_at(u16::from_be_bytes([*high, *low]).into());
            self.is_sealed |= *kind == CHANGE_CIPHER_SPEC;
            let is_parted = *kind == HANDSHAKE && !self.is_sealed;
            for piece in payload.chunks(if is_parted { self.record } else { RECORD + 256 }) {
                let [high, low] = u16::try_from(piece.len()).expect("less than a record").to_be_bytes();
                out.extend_from_slice(&[*kind, *major, *minor, high, low]);
                out.extend_from_slice(piece);
            }
            said = rest;
        }
    }
}

impl Adapter for Tls {
    fn decode(&mut self, mut sealed: &[u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) -> io::Result<()> {
        while !sealed.is_empty() {
            self.tls.read_tls(&mut sealed)?;
            let decoded = self.tls.process_new_packets();
            self.collect(out)?;
            match &decoded {
                Ok(state) if state.peer_has_closed() => self.closing_alerts.note("close_notify".to_owned()),
                Err(rustls::Error::AlertReceived(alert)) => self.closing_alerts.note(format!("{alert:?}")),
                _ => {}
            }
            decoded.map_err(io::Error::other)?;
            match self.tls.reader().read_to_end(plain) {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        if plain == KEY_UPDATE.as_bytes() {
            self.tls.refresh_traffic_keys().map_err(io::Error::other)?;
            return self.collect(out);
        }
        for piece in plain.chunks(self.record) {
            self.tls.writer().write_all(piece)?;
            self.collect(out)?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        match self.ending {
            Ending::CloseNotify => self.tls.send_close_notify(),
            Ending::Alert => {
                // A record that cannot be authentic. rustls sends the alert to the client.
                let _ = self.tls.read_tls(
                    &mut &[23, 3, 3, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
                );
                let _ = self.tls.process_new_packets();
            }
            Ending::Silence => return,
        }
        let _ = self.collect(out);
    }

    fn is_established(&self) -> bool {
        !self.tls.is_handshaking()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}
