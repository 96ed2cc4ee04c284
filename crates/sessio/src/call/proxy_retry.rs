//! Retries of a proxy over another connection.

use std::io;

use super::event::Event;
use super::machine::{Call, Phase};
use crate::base::kind::{Kind, Timeout};
use crate::error::Error;
use crate::wire::tunnel::Again;

impl Call {
    /// Retries a failed stage of the connection, or fails.
    ///
    /// A proxy may ask for credentials that it has not received, and close. Then it receives them
    /// on another connection, as with any challenge. If the proxy cannot reach an address of
    /// the origin, it receives the remaining addresses. No byte of the request was sent. The
    /// connect limit applies to all attempts together.
    #[cold]
    pub(super) fn redial_or_fail(&mut self, error: Error) {
        let remaining = match self.conn.as_mut().and_then(|conn| conn.again()) {
            Some(Again::Credentials(auth)) => {
                self.prepared.options.routing.plan.set_auth(*auth);
                Vec::new()
            }
            Some(Again::Addresses(remaining)) => remaining,
            None => return self.fail(error),
        };
        self.conn = None;
        self.forget_connection();
        self.rare_mut().remaining_addresses = remaining;
        self.recycle();
        self.phase = Phase::Connect { fresh: true, limit: Timeout::Connect };
        self.report(Event::Retry { kind: error.kind() });
        self.report_own(Self::connecting);
    }

    /// The connection ended within a stage, or the grace period of that stage is over.
    #[cold]
    pub(super) fn cut_off(&mut self, cause: Option<io::Error>) {
        let error: Error = match &mut self.conn {
            Some(conn) if conn.is_tunnelling() => {
                // The proxy's earlier bytes give the reason.
                conn.cut_short().unwrap_or_else(|| Kind::ClosedBeforeResponse.into()).into()
            }
            _ => Kind::TlsClosed.into(),
        };
        self.redial_or_fail(match cause {
            Some(cause) if !error.is_proxy() => error.with_source(cause),
            _ => error,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::time::Instant;
    use crate::{Jar, Memory, Now, Request, Settings, Step, UnixTime, merge, prepare};

    #[test]
    fn f21_the_limit_for_connecting_holds_for_all_addresses_together() {
        let mut settings = Settings::default();
        settings.timeouts.connect = Some(Duration::from_secs(10));
        settings.proxies.set("all", "socks5://p").unwrap();
        let at = |seconds| Duration::from_secs(seconds);
        let start = Now { mono: Instant::ZERO, wall: UnixTime(0) };
        let after = |seconds| Now { mono: start.mono + at(seconds), ..start };
        let request = prepare(merge(&settings, Request::get("http://a/")), &mut Jar::new(), start).unwrap();
        let mut call = Call::new(request, Memory::default()).unwrap();
        let mut addresses: Vec<_> = (1..=9).map(|n| format!("192.0.2.{n}:80").parse().unwrap()).collect();
        for attempt in 0..3 {
            let begun = after(if attempt == 0 { 0 } else { 4 * attempt });
            let Ok(Step::Connect(to)) = call.step(begun) else { panic!("{call:?}") };
            assert_eq!((to.is_admitted, to.fresh), (attempt > 0, attempt > 0));
            if attempt > 0 {
                assert_eq!(
                    to.destination_for_proxy(),
                    Some(crate::route::routing::Destination::Addresses(addresses.clone()))
                );
                assert_eq!(to.deadline, Some(after(10).mono));
            }
            let conn = to.open(attempt, begun, &addresses).unwrap();
            call.admitted(begun);
            assert_eq!(call.resolved(begun), Some(after(10).mono));
            call.connected(conn);
            for word in [&b"\x05\0"[..], b"\x05\x05\0\x01\0"] {
                let Ok(Step::Io(io)) = call.step(begun) else { panic!("{call:?}") };
                let n = io.send.len();
                call.sent(n);
                let Ok(Step::Io(io)) = call.step(begun) else { panic!("{call:?}") };
                assert_eq!(io.deadline, Some(after(10).mono));
                io.recv[..word.len()].copy_from_slice(word);
                call.received(word.len());
            }
            addresses.remove(0);
        }
        // A blocking resolver returned too late: no time is left to dial.
        assert!(matches!(call.step(after(9)), Ok(Step::Connect(_))));
        assert_eq!(call.resolved(after(11)), Some(after(11).mono));
        assert_eq!(call.step(after(11)).unwrap_err().kind(), Kind::Timeout(Timeout::Connect));
    }
}
