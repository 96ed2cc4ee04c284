//! The TLS connector: it makes TLS sessions from settings, and caches configurations and tickets.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use sessio::routing::KeyBuf;
use sessio::tls::{ConnectInfo, Scope, StartTls, Tls, TlsConnector};
use sessio::{Fault, Kind, TlsSession, escape};
use url::Host;

use crate::clock::Clock;
use crate::config::Scoped;
use crate::roots::invalid;
use crate::tls_session::RustlsSession;
use crate::{config, diagnosis, provider};

/// Number of cached rustls configurations, and of scopes with their tickets.
const MOST_CONFIGS: usize = 16;
const MOST_SCOPES: usize = 256;

/// A connector with the default cryptography. The backends make one for each session.
///
/// Without the features `ring` and `aws-lc-rs` it is empty, and `https` is unsupported.
#[must_use]
pub fn connector() -> TlsConnector {
    Rustls::new().map_or_else(|_| TlsConnector::default(), TlsConnector::standard)
}

/// A TLS implementation over rustls. It owns its caches, tickets included.
pub struct Rustls {
    provider: Arc<CryptoProvider>,
    clock: Clock,
    memory: Mutex<Memory>,
}

/// The oldest entry is dropped first.
#[derive(Default)]
struct Memory {
    configs: VecDeque<(Tls, Arc<ClientConfig>)>,
    /// By the key of the connection; the flag is set for the TLS session with the proxy.
    scopes: VecDeque<(KeyBuf, bool, Scoped)>,
}

impl Rustls {
    /// Uses the default cryptography: aws-lc-rs if that feature is enabled, else ring.
    ///
    /// # Errors
    /// [`Kind::InvalidTls`] if neither feature is enabled.
    pub fn new() -> Result<Self, Fault> {
        let none = || invalid("no cryptography: switch on `ring` or `aws-lc-rs`, or bring a provider");
        provider::built_in().map(Self::with_provider).ok_or_else(none)
    }

    /// Uses the caller's cryptography.
    #[must_use]
    pub fn with_provider(provider: Arc<CryptoProvider>) -> Self {
        Self { provider, clock: Clock::default(), memory: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rustls configuration of these settings. It is slow to build, so it is built without the
    /// lock.
    fn config(&self, tls: &Tls) -> Result<Arc<ClientConfig>, Fault> {
        if let Some((_, config)) = self.memory().configs.iter().find(|(known, _)| known == tls) {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(config::of(tls, &self.provider, &self.clock)?);
        remember(&mut self.memory().configs, MOST_CONFIGS, (tls.clone(), Arc::clone(&config)));
        Ok(config)
    }

    /// The configuration with the tickets of this scope.
    fn scoped(&self, tls: &Tls, scope: Scope<'_>) -> Result<Scoped, Fault> {
        let is_it = |key: &KeyBuf, is_proxy: bool| key.as_key() == scope.key && is_proxy == scope.is_proxy;
        if let Some((.., known)) =
            self.memory().scopes.iter().find(|(key, is_proxy, _)| is_it(key, *is_proxy))
        {
            return Ok(known.clone());
        }
        let new = Scoped::new(&*self.config(tls)?, tls, &self.clock);
        let known = (scope.key.to_owned(), scope.is_proxy, new.clone());
        remember(&mut self.memory().scopes, MOST_SCOPES, known);
        Ok(new)
    }
}

fn remember<T>(all: &mut VecDeque<T>, most: usize, one: T) {
    if all.len() >= most {
        all.pop_front();
    }
    all.push_back(one);
}

impl StartTls for Rustls {
    fn check(&self, tls: &Tls) -> Result<(), Fault> {
        self.config(tls).map(drop)
    }

    fn start(&self, wanted: &ConnectInfo<'_>) -> Result<Box<dyn TlsSession>, Fault> {
        self.clock.set(wanted.now);
        let Scoped { config, sessions } = self.scoped(wanted.tls, wanted.scope)?;
        let name = server_name(&wanted.host)?;
        let connection = ClientConnection::new(config, name).map_err(diagnosis::error)?;
        Ok(Box::new(RustlsSession::new(connection, sessions)))
    }
}

/// The expected name of the server's certificate, without the trailing dot of an absolute name (RFC
/// 6066 section 3).
fn server_name(host: &Host<&str>) -> Result<ServerName<'static>, Fault> {
    match host {
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            ServerName::try_from(name.to_owned()).map_err(|cause| {
                let detail = format!("no certificate can be for {}", escape(name.as_bytes()));
                Fault::new(Kind::InvalidUrl).with_detail(detail).with_source(cause)
            })
        }
        Host::Ipv4(ip) => Ok(ServerName::IpAddress(IpAddr::V4(*ip).into())),
        Host::Ipv6(ip) => Ok(ServerName::IpAddress(IpAddr::V6(*ip).into())),
    }
}

impl fmt::Debug for Rustls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let memory = self.memory();
        f.debug_struct("Rustls")
            .field("configs", &memory.configs.len())
            .field("scopes", &memory.scopes.len())
            .finish_non_exhaustive()
    }
}

#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
#[cfg(test)]
mod tests {
    use sessio::Instant;

    use sessio::routing::Key;
    use sessio::tls::{Pin, Roots};
    use sessio::{Now, UnixTime};

    use super::*;

    fn start(rustls: &Rustls, tls: &Tls, host: &str, scope: &str) -> Result<Box<dyn TlsSession>, Fault> {
        let url = url::Url::parse(&format!("https://{scope}.test/")).unwrap();
        let scope = Scope { key: &Key::of(&url), is_proxy: false };
        let now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };
        rustls.start(&ConnectInfo { tls, host: Host::Domain(host), scope, now })
    }

    fn trusting() -> Tls {
        Tls::default().danger_accept_invalid_certs(true)
    }

    #[test]
    fn what_it_remembers_is_bounded() {
        let rustls = Rustls::new().unwrap();
        for number in 0..2 * MOST_SCOPES {
            let pin = Pin::from_sha256([u8::try_from(number % 200).unwrap(); 32]);
            start(&rustls, &trusting().pins([pin]), "a.test", &format!("scope{number}")).unwrap();
        }
        let memory = rustls.memory();
        assert_eq!((memory.configs.len(), memory.scopes.len()), (MOST_CONFIGS, MOST_SCOPES));
    }

    #[test]
    fn a_handshake_begins_with_a_name_that_a_certificate_can_have() {
        let rustls = Rustls::new().unwrap();
        let mut session = start(&rustls, &trusting(), "a.test.", "scope").unwrap();
        assert!(session.is_handshaking());
        let (hello, room) = session.ends();
        // The server receives the name without the trailing dot.
        assert!(
            hello.windows(6).any(|bytes| bytes == b"a.test")
                && !hello.windows(7).any(|bytes| bytes == b"a.test.")
        );
        assert!(!room.is_empty());
        let hidden = start(&rustls, &trusting().sni(false), "a.test", "another").unwrap().ends().0.to_vec();
        assert!(!hidden.windows(6).any(|bytes| bytes == b"a.test"));
        let error = start(&rustls, &trusting(), "a..test", "scope").unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidUrl);
    }

    #[cfg(not(feature = "bundled"))]
    #[test]
    fn roots_that_are_not_there_are_an_error() {
        let tls = Tls::default().roots(Roots::Bundled);
        assert_eq!(Rustls::new().unwrap().check(&tls).unwrap_err().kind(), Kind::InvalidTls);
    }

    #[cfg(feature = "bundled")]
    #[test]
    fn bundled_roots_are_there() {
        Rustls::new().unwrap().check(&Tls::default().roots(Roots::Bundled)).unwrap();
    }
}
