//! TLS for the kit's servers: the other end, by rustls.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};
use sessio_testkit::{Coat, Server, Wardrobe};

use crate::authority::{Authority, Issued};

/// What a server does that speaks TLS.
#[derive(Clone, Debug)]
pub struct Dress {
    config: Arc<ServerConfig>,
    ending: Ending,
    record: usize,
    partings: Partings,
}

/// What is said behind the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// That nothing was cut off.
    CloseNotify,
    /// An alert that breaks the connection.
    Alert,
    /// Nothing.
    Silence,
}

/// In place of this a server says a record that holds no data: its keys are new ones from there on (TLS 1.3 alone).
pub const KEY_UPDATE: &str = "\0key update\0";

/// How much plaintext a record holds at most.
const RECORD: usize = 16 << 10;

/// The last words of clients, in the order in which they came.
#[derive(Clone, Debug, Default)]
pub struct Partings(Arc<Mutex<Vec<String>>>);

impl Partings {
    /// The words so far: the name of an alert, or `close_notify`.
    #[must_use]
    pub fn so_far(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, word: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(word);
    }
}

impl Dress {
    /// One with this certificate, and both versions.
    pub fn of(issued: &Issued) -> Self {
        Self::speaking(issued, rustls::ALL_VERSIONS)
    }

    /// The same with these versions alone.
    ///
    /// # Panics
    /// If the key is none.
    pub fn speaking(issued: &Issued, versions: &[&'static SupportedProtocolVersion]) -> Self {
        Self::made(issued, versions, None)
    }

    /// The same for clients that have a certificate of this authority.
    pub fn asking(issued: &Issued, whom: &Authority) -> Self {
        Self::made(issued, rustls::ALL_VERSIONS, Some(whom))
    }

    fn made(
        issued: &Issued,
        versions: &[&'static SupportedProtocolVersion],
        whom: Option<&Authority>,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .expect("versions that are spoken");
        let builder = match whom {
            None => builder.with_no_client_auth(),
            Some(whom) => {
                let mut roots = RootCertStore::empty();
                roots.add(whom.der().to_vec().into()).expect("a root");
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider)).build();
                builder.with_client_cert_verifier(verifier.expect("a verifier"))
            }
        };
        // Whatever is in the certificate: a server that looked at it would not send bad ones.
        let key = PrivatePkcs8KeyDer::from(issued.key.clone()).into();
        let key = provider.key_provider.load_private_key(key).expect("a key");
        let chain = issued.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let one = Arc::new(One(Arc::new(CertifiedKey::new(chain, key))));
        let mut config = builder.with_cert_resolver(one);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self {
            config: Arc::new(config),
            ending: Ending::CloseNotify,
            record: RECORD,
            partings: Partings::default(),
        }
    }

    /// Without the word that says that nothing was cut off.
    #[must_use]
    pub fn without_goodbye(self) -> Self {
        self.ending(Ending::Silence)
    }

    /// With this behind the last byte.
    #[must_use]
    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// With so much in a record at most: rustls itself has no records of fewer than some thirty bytes.
    ///
    /// # Panics
    /// If that is nothing.
    #[must_use]
    pub fn records_of(mut self, size: usize) -> Self {
        assert!(size > 0, "records of nothing");
        self.record = size;
        self
    }

    /// Changed in some other way.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut ServerConfig)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }

    /// The last words of all clients.
    #[must_use]
    pub fn partings(&self) -> Partings {
        self.partings.clone()
    }

    /// For a server of the kit.
    pub fn wardrobe(self) -> Wardrobe {
        Wardrobe::new(move || self.coat())
    }

    /// For one connection.
    pub(crate) fn coat(&self) -> Box<dyn Coat> {
        let tls = ServerConnection::new(Arc::clone(&self.config)).expect("a connection");
        Box::new(Tls { tls, ending: self.ending, record: self.record, partings: self.partings() })
    }

    /// A server of the kit's routes that wears it.
    pub fn serve(self) -> Server {
        Server::dressed(self.wardrobe())
    }
}

/// The same certificate for everybody.
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
    partings: Partings,
}

impl Tls {
    fn collect(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        while self.tls.wants_write() {
            self.tls.write_tls(out)?;
        }
        Ok(())
    }
}

impl Coat for Tls {
    fn hear(&mut self, mut sealed: &[u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) -> io::Result<()> {
        while !sealed.is_empty() {
            self.tls.read_tls(&mut sealed)?;
            let heard = self.tls.process_new_packets();
            self.collect(out)?;
            match &heard {
                Ok(state) if state.peer_has_closed() => self.partings.note("close_notify".to_owned()),
                Err(rustls::Error::AlertReceived(alert)) => self.partings.note(format!("{alert:?}")),
                _ => {}
            }
            heard.map_err(io::Error::other)?;
            match self.tls.reader().read_to_end(plain) {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn say(&mut self, plain: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
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
                // A record that nobody can have sealed: rustls says so to the client.
                let _ = self.tls.read_tls(
                    &mut &[23, 3, 3, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
                );
                let _ = self.tls.process_new_packets();
            }
            Ending::Silence => return,
        }
        let _ = self.collect(out);
    }

    fn is_up(&self) -> bool {
        !self.tls.is_handshaking()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}
