//! One renewal at a time, for all calls of a scheme.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use sessio::auth::{SingleFlight, Turn, TurnTicket};
use sessio::{Blame, Error, Kind, Result, Timeout};

use crate::shared::catch_panic;

/// The line of the calls of one scheme: one renews, and the others wait for its result. A clone is a
/// handle on the same line.
///
/// It is a [`SingleFlight`] under a lock, with the wakers of the calls that wait. A scheme of your
/// own keeps one beside its token, and each of its flows has a [`Seat`]. No lock is held while code
/// of the caller runs.
#[derive(Clone, Default)]
pub struct Renewals(Arc<Mutex<Line>>);

#[derive(Default)]
struct Line {
    flight: SingleFlight<Failure>,
    wakers: HashMap<TurnTicket, Waker>,
}

/// The failure of the call that renewed, for the calls that waited.
#[derive(Clone)]
struct Failure {
    kind: Kind,
    detail: Arc<str>,
}

/// The place of one [`Flow`](sessio::Flow) in the line of its scheme. A dropped seat is given up. If
/// it led, the next one leads. A flow's copy gets a seat of its own.
pub struct Seat {
    renewals: Renewals,
    ticket: Option<TurnTicket>,
}

/// The part of a flow in a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "a call renews, waits, or does neither")]
pub enum Part {
    /// This call renews. It [finishes](Seat::finish) with the result.
    Renew,
    /// Another call renews: the flow needs its [turn](sessio::auth::Need::Turn).
    Wait,
    /// Another call has renewed. The seat is free again.
    Renewed,
}

impl Renewals {
    /// A line without calls.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A seat that takes no part yet.
    #[must_use]
    pub fn seat(&self) -> Seat {
        Seat { renewals: self.clone(), ticket: None }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Takes part in the renewal. The first flow renews.
    ///
    /// # Errors
    /// The failure of the call that renewed, if this one waited for it.
    pub fn part(&mut self) -> Result<Part> {
        let mut line = self.renewals.line();
        let ticket = *self.ticket.get_or_insert_with(|| line.flight.join());
        let done = match line.flight.turn(ticket) {
            Turn::Lead => return Ok(Part::Renew),
            Turn::Wait => return Ok(Part::Wait),
            Turn::Done(done) => done,
            _ => Ok(()),
        };
        self.ticket = None;
        let waker = line.wakers.remove(&ticket);
        drop(line);
        drop(waker);
        match done {
            Ok(()) => Ok(Part::Renewed),
            Err(Failure { kind, detail }) => {
                Err(Error::new(kind).with_detail(format!("in another call: {detail}")))
            }
        }
    }

    /// Ends the renewal that this flow leads, and wakes the calls that wait. Without the lead it has
    /// no effect.
    ///
    /// The calls that wait get the error of the server. An error of this call alone they do not get:
    /// then the place is [given up](Self::leave), and the next call renews within its own limits.
    /// Such errors are those of the caller and of its limits, of its proxy and its TLS settings, of
    /// the wait for the pool, and of the time limit over the whole call.
    pub fn finish(&mut self, result: Result<(), &Error>) {
        if result.is_err_and(is_of_this_call) {
            return self.leave();
        }
        let Some(ticket) = self.ticket.take() else { return };
        let result = result.map_err(|error| Failure { kind: error.kind(), detail: error.to_string().into() });
        let mut line = self.renewals.line();
        let woken = line.flight.finish(ticket, result);
        if woken.is_empty() {
            line.flight.leave(ticket);
        }
        let own = line.wakers.remove(&ticket);
        let wakers: Vec<_> = woken.iter().filter_map(|ticket| line.wakers.remove(ticket)).collect();
        drop(line);
        catch_panic(|| drop(own));
        wake(wakers);
    }

    /// Gives up the place.
    pub fn leave(&mut self) {
        let Some(ticket) = self.ticket.take() else { return };
        let mut line = self.renewals.line();
        let next = line.flight.leave(ticket);
        let own = line.wakers.remove(&ticket);
        let waker = next.and_then(|next| line.wakers.remove(&next));
        drop(line);
        catch_panic(|| drop(own));
        wake(waker);
    }

    /// Waits for the end of the renewal, for [`Flow::poll_turn`](sessio::Flow::poll_turn).
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(ticket) = self.ticket else { return Poll::Ready(()) };
        {
            let line = self.renewals.line();
            if !line.flight.is_waiting(ticket) {
                return Poll::Ready(());
            }
            if line.wakers.get(&ticket).is_some_and(|waker| waker.will_wake(cx.waker())) {
                return Poll::Pending;
            }
        }
        // Cloning and dropping a waker runs code of the caller.
        let waker = cx.waker().clone();
        let before = {
            let mut line = self.renewals.line();
            // The renewal may have ended meanwhile.
            if !line.flight.is_waiting(ticket) {
                return Poll::Ready(());
            }
            line.wakers.insert(ticket, waker)
        };
        drop(before);
        Poll::Pending
    }
}

/// Whether an error comes from the settings of its call, so that another call may do without it.
fn is_of_this_call(error: &Error) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(each) = cause {
        if let Some(error) = each.downcast_ref::<Error>() {
            let is_own = matches!(error.kind().blame(), Blame::Caller | Blame::Limit)
                || matches!(error.kind(), Kind::Timeout(Timeout::Pool | Timeout::Total));
            if is_own || error.is_proxy() || error.is_tls() {
                return true;
            }
        }
        cause = each.source();
    }
    false
}

/// Wakes calls. A panic of a waker belongs to its own call.
fn wake(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(|waker| catch_panic(|| waker.wake()));
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
    }
}

impl fmt::Debug for Renewals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Renewals(is_led: {})", self.line().flight.is_led())
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seat(is_taken: {})", self.ticket.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wakers(renewals: &Renewals) -> usize {
        renewals.line().wakers.len()
    }

    /// Seats that take part: the first leads, and the others wait.
    fn crowd(renewals: &Renewals, number: usize) -> Vec<Seat> {
        let cx = &mut Context::from_waker(Waker::noop());
        let mut seats: Vec<_> = (0..number).map(|_| renewals.seat()).collect();
        for (at, seat) in seats.iter_mut().enumerate() {
            let expected = if at == 0 { Part::Renew } else { Part::Wait };
            assert_eq!(seat.part().unwrap(), expected);
            assert_eq!(seat.poll(cx).is_pending(), at > 0);
            // A second poll with the same waker adds none.
            assert_eq!(seat.poll(cx).is_pending(), at > 0);
        }
        assert_eq!(wakers(renewals), number - 1);
        seats
    }

    #[test]
    fn no_waker_is_left_of_a_crowd_that_is_dropped() {
        for from_front in [true, false] {
            let renewals = Renewals::new();
            let mut seats = crowd(&renewals, 50);
            while !seats.is_empty() {
                drop(if from_front { seats.remove(0) } else { seats.swap_remove(seats.len() - 1) });
                assert!(wakers(&renewals) <= seats.len());
            }
            assert_eq!(wakers(&renewals), 0);
            assert_eq!(format!("{renewals:?}"), "Renewals(is_led: false)");
        }
        // Nor of calls that get the result, or that are dropped before they take it.
        let renewals = Renewals::new();
        let mut seats = crowd(&renewals, 9);
        seats[0].finish(Ok(()));
        seats.truncate(5);
        assert_eq!(seats[1].part().unwrap(), Part::Renewed);
        drop(seats);
        assert_eq!(wakers(&renewals), 0);
    }

    #[test]
    fn an_error_of_the_leaders_own_settings_makes_the_next_one_lead() {
        let own = [
            Error::new(Kind::Paced),
            Error::new(Kind::CircuitOpen),
            Error::new(Kind::ProxyRefused),
            Error::new(Kind::ProxyAuthentication),
            Error::new(Kind::BlockedAddress),
            Error::new(Kind::BodyTooLarge),
            Error::new(Kind::CertificateUnknownRoot),
            Error::new(Kind::InvalidUrl),
            Error::new(Kind::Timeout(Timeout::Pool)),
            Error::new(Kind::Timeout(Timeout::Total)),
            // Within the error of the request for a token.
            Error::new(Kind::Connect).with_source(Error::new(Kind::ProxyRefused)),
        ];
        for error in own {
            let renewals = Renewals::new();
            let mut seats = crowd(&renewals, 3);
            seats[0].finish(Err(&error));
            assert_eq!(seats[1].part().unwrap(), Part::Renew, "{error}");
            assert_eq!(seats[2].part().unwrap(), Part::Wait, "{error}");
            // The place of the first is free.
            assert_eq!(seats[0].part().unwrap(), Part::Wait, "{error}");
        }
        let shared = [
            Error::new(Kind::Authentication),
            Error::new(Kind::Status),
            Error::new(Kind::Connect),
            Error::new(Kind::ClosedBeforeResponse),
            Error::new(Kind::Timeout(Timeout::Head)),
        ];
        for error in shared {
            let renewals = Renewals::new();
            let mut seats = crowd(&renewals, 3);
            seats[0].finish(Err(&error));
            for seat in &mut seats[1..] {
                let got = seat.part().unwrap_err();
                assert_eq!(got.kind(), error.kind());
                assert!(got.to_string().contains("in another call"), "{got}");
            }
            assert_eq!(wakers(&renewals), 0);
        }
    }
}
