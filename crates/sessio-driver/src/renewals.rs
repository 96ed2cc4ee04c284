//! One renewal at a time, for all calls of a scheme.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use sessio::auth::{SingleFlight, Turn, TurnTicket};
use sessio::{Error, Kind, Result};

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
    pub fn finish(&mut self, result: Result<(), &Error>) {
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
