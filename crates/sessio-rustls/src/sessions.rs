//! TLS sessions for resumption, and their lifetime.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::NamedGroup;
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;
use rustls::time_provider::TimeProvider;

use crate::clock::Clock;
use crate::der;

/// Number of tickets of one scope.
const MOST_TICKETS: usize = 8;
/// Maximal time in seconds from a verified certificate to the last resumption (RFC 5246 appendix
/// F.1.4). rustls checks the lifetime of single tickets only, and each resumed session brings new
/// ones.
const LONGEST: u64 = 24 * 60 * 60;

/// The TLS sessions of one scope. A resumed session verifies no certificate. So no session is
/// resumed after the last verified certificate has expired, or a day after it was verified.
pub(crate) struct Sessions {
    store: ClientSessionMemoryCache,
    clock: Clock,
    /// Set if the dates of certificates are checked.
    is_dated: bool,
    /// The second since 1970 from which a full handshake is required.
    until: AtomicU64,
}

impl Sessions {
    pub(crate) fn new(clock: Clock, is_dated: bool) -> Arc<Self> {
        let store = ClientSessionMemoryCache::new(MOST_TICKETS);
        Arc::new(Self { store, clock, is_dated, until: AtomicU64::new(0) })
    }

    /// Records the certificate of a full handshake. TLS sessions that begin with it can be resumed
    /// from now on.
    pub(crate) fn verified(&self, certificate: Option<&[u8]>) {
        let longest = self.now().saturating_add(LONGEST);
        let until = match certificate.and_then(der::not_after) {
            _ if !self.is_dated => longest,
            // The certificate is still valid in its last second.
            Some(last) => longest.min(last.saturating_add(1)),
            None => 0,
        };
        self.until.store(until, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        self.clock.current_time().map_or(0, |now| now.as_secs())
    }

    fn is_over(&self) -> bool {
        self.now() >= self.until.load(Ordering::Relaxed)
    }
}

impl ClientSessionStore for Sessions {
    fn set_kx_hint(&self, server_name: ServerName<'static>, group: NamedGroup) {
        self.store.set_kx_hint(server_name, group);
    }

    fn kx_hint(&self, server_name: &ServerName<'_>) -> Option<NamedGroup> {
        self.store.kx_hint(server_name)
    }

    fn set_tls12_session(&self, server_name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.store.set_tls12_session(server_name, value);
    }

    fn tls12_session(&self, server_name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        if self.is_over() {
            self.store.remove_tls12_session(&server_name.to_owned());
        }
        self.store.tls12_session(server_name)
    }

    fn remove_tls12_session(&self, server_name: &ServerName<'static>) {
        self.store.remove_tls12_session(server_name);
    }

    fn insert_tls13_ticket(&self, server_name: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.store.insert_tls13_ticket(server_name, value);
    }

    fn take_tls13_ticket(&self, server_name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        let ticket = self.store.take_tls13_ticket(server_name)?;
        if !self.is_over() {
            return Some(ticket);
        }
        while self.store.take_tls13_ticket(server_name).is_some() {}
        None
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("until", &self.until).finish_non_exhaustive()
    }
}

#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
#[cfg(test)]
mod tests {
    use sessio::{Instant, Now, UnixTime};

    use super::*;

    #[test]
    fn sessions_end_after_a_day_or_with_their_certificate() {
        const BEGINNING: u64 = 1_767_225_600;
        let clock = Clock::default();
        let at = |seconds: u64| {
            let wall = UnixTime(i64::try_from(BEGINNING + seconds).unwrap());
            clock.set(Now { mono: Instant::ZERO, wall });
        };
        let ending = |seconds: u64| der::tests::certificate_until(BEGINNING + seconds);
        for (is_dated, certificate, lasts) in [
            (true, Some(ending(10 * LONGEST)), LONGEST),
            (true, Some(ending(LONGEST)), LONGEST),
            (true, Some(ending(LONGEST - 2)), LONGEST - 1),
            (true, Some(ending(100)), 101),
            (true, Some(b"no certificate".to_vec()), 0),
            (true, None, 0),
            (false, Some(ending(100)), LONGEST),
            (false, None, LONGEST),
        ] {
            at(0);
            let sessions = Sessions::new(clock.clone(), is_dated);
            assert!(sessions.is_over(), "nothing was verified yet");
            sessions.verified(certificate.as_deref());
            for (seconds, is_over) in [(0, lasts == 0), (lasts.saturating_sub(1), lasts == 0), (lasts, true)]
            {
                at(seconds);
                assert_eq!(sessions.is_over(), is_over, "{is_dated} {seconds}");
            }
        }
    }
}
