//! A TLS server whose certificate can be replaced while it runs, and that can forget its sessions.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::SupportedProtocolVersion;
use rustls::server::{ClientHello, ResolvesServerCert, StoresServerSessions};
use rustls::sign::CertifiedKey;

use crate::authority::Issued;
use crate::server_tls::{ServerTls, certified};

/// The certificates of a server, of which it uses one, and the sessions that it can resume. A clone
/// shares both.
#[derive(Clone, Debug)]
pub struct Renewal(Arc<State>);

#[derive(Debug)]
struct State {
    certificates: Vec<Arc<CertifiedKey>>,
    shown: AtomicUsize,
    sessions: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
}

impl Renewal {
    /// A server with these certificates. It uses the first one.
    #[must_use]
    pub fn new(issued: &[&Issued]) -> Self {
        let certificates = issued.iter().map(|issued| Arc::new(certified(issued))).collect();
        Self(Arc::new(State { certificates, shown: AtomicUsize::new(0), sessions: Mutex::default() }))
    }

    /// The TLS of its connections in this version.
    #[must_use]
    pub fn server_tls(&self, issued: &Issued, version: &'static SupportedProtocolVersion) -> ServerTls {
        ServerTls::with_versions(issued, &[version]).with(|config| {
            config.cert_resolver = Arc::new(self.clone());
            config.session_storage = Arc::new(self.clone());
        })
    }

    /// Uses another certificate from now on. Sessions are kept.
    ///
    /// # Panics
    ///
    /// If there is no such certificate.
    pub fn show(&self, number: usize) {
        assert!(number < self.0.certificates.len(), "there is no certificate {number}");
        self.0.shown.store(number, Ordering::Relaxed);
    }

    /// Uses no certificate from now on: it refuses every handshake with the alert `access_denied`.
    pub fn refuse(&self) {
        self.0.shown.store(usize::MAX, Ordering::Relaxed);
    }

    /// Forgets all sessions. The next handshakes are full ones.
    pub fn forget(&self) {
        self.sessions().clear();
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Vec<u8>>> {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Renewal {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.certificates.get(self.0.shown.load(Ordering::Relaxed)).cloned()
    }
}

impl StoresServerSessions for Renewal {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.sessions().insert(key, value);
        true
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.sessions().get(key).cloned()
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.sessions().remove(key)
    }

    fn can_cache(&self) -> bool {
        true
    }
}
