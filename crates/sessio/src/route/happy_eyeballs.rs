//! Order and pace of connection attempts to a host's addresses (RFC 8305, rows F02 and F03).
//!
//! ```
//! use sessio::Instant;
//! use sessio::happy_eyeballs::{HappyEyeballs, Step};
//!
//! # fn main() -> Result<(), std::net::AddrParseError> {
//! # #[allow(clippy::disallowed_methods)]
//! let now = Instant::from_nanos(1 << 42);
//! let (six, four) = ("[2001:db8::1]:80".parse()?, "192.0.2.1:80".parse()?);
//! let mut dial = HappyEyeballs::new([six, four], None);
//! assert_eq!(dial.step(now), Step::Start { address: six, until: None });
//! dial.started(now);
//! // The next attempt starts a quarter of a second later, or as soon as this one has failed.
//! assert_eq!(dial.step(now), Step::Wait(Some(now + sessio::happy_eyeballs::DELAY)));
//! dial.failed(six, "unreachable");
//! assert_eq!(dial.step(now), Step::Start { address: four, until: None });
//! dial.started(now);
//! dial.connected(four);
//! assert_eq!(dial.step(now), Step::Won(four));
//! # Ok(())
//! # }
//! ```

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use crate::base::time::Instant;

/// Delay before the next attempt starts in parallel: 250 ms (RFC 8305 section 5).
pub const DELAY: Duration = Duration::from_millis(250);

/// A race of connection attempts to a host's addresses; `E` is the error of a failed attempt.
///
/// [`step`](Self::step) returns the next action and changes nothing. Only reports of results change
/// the state. A report about an attempt that is not open has no effect.
#[derive(Debug)]
pub struct HappyEyeballs<E> {
    attempts: Vec<(SocketAddr, Outcome<E>)>,
    started: usize,
    deadline: Option<Instant>,
    is_sequential: bool,
    /// Time of the next attempt if none has failed before; `None` is never.
    due: Option<Instant>,
    /// An attempt has failed, or none has started: the next one starts at once.
    is_due: bool,
    winner: Option<SocketAddr>,
}

/// The state of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<E> {
    /// No attempt has started.
    Untried,
    /// An attempt is open.
    Open,
    /// The attempt failed.
    Failed(E),
}

/// The next action of a [`HappyEyeballs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Connect to this address, then call [`HappyEyeballs::started`].
    Start {
        /// The address to connect to.
        address: SocketAddr,
        /// Deadline of the attempt.
        until: Option<Instant>,
    },
    /// Wait for a result of the open attempts, at most until this time.
    Wait(Option<Instant>),
    /// This address is connected; the other attempts must be dropped.
    Won(SocketAddr),
    /// All attempts have failed.
    Lost,
    /// The deadline has passed; all attempts must be dropped.
    Late,
}

impl<E> HappyEyeballs<E> {
    /// Starts a race of these addresses.
    ///
    /// The family of the first address goes first, then the families alternate. Each address is
    /// tried once. All addresses are tried before the deadline: when it is near, attempts follow
    /// each other faster.
    pub fn new(addresses: impl IntoIterator<Item = SocketAddr>, deadline: Option<Instant>) -> Self {
        let attempts = interleave(addresses).map(|address| (address, Outcome::Untried)).collect();
        Self { attempts, started: 0, deadline, is_sequential: false, due: None, is_due: true, winner: None }
    }

    /// Tries one address at a time, for a runtime that waits for one connection only. Each attempt
    /// gets an equal share of the remaining time.
    #[must_use]
    pub fn sequential(mut self) -> Self {
        self.is_sequential = true;
        self
    }

    /// The next action.
    #[must_use]
    pub fn step(&self, now: Instant) -> Step {
        if let Some(winner) = self.winner {
            return Step::Won(winner);
        }
        if self.deadline.is_some_and(|end| end <= now) {
            return Step::Late;
        }
        match self.attempts.get(self.started) {
            Some((address, _)) if self.is_due || self.due.is_some_and(|due| due <= now) => {
                let until = if self.is_sequential { self.share(now) } else { self.deadline };
                Step::Start { address: *address, until }
            }
            Some(_) => Step::Wait(self.due.or(self.deadline)),
            None if self.attempts.iter().all(|(_, outcome)| matches!(outcome, Outcome::Failed(_))) => {
                Step::Lost
            }
            None => Step::Wait(self.deadline),
        }
    }

    /// Reports that the requested attempt has started.
    pub fn started(&mut self, now: Instant) {
        let share = self.share(now);
        let Some((_, outcome)) = self.attempts.get_mut(self.started) else { return };
        *outcome = Outcome::Open;
        self.started += 1;
        self.is_due = false;
        self.due = if self.is_sequential {
            share
        } else {
            let pace = now + DELAY;
            Some(share.map_or(pace, |share| share.min(pace)))
        };
    }

    /// Reports a failed attempt.
    pub fn failed(&mut self, address: SocketAddr, error: E) {
        let found = self.attempts.iter_mut().find(|(tried, _)| *tried == address);
        if let Some((_, outcome @ Outcome::Open)) = found {
            *outcome = Outcome::Failed(error);
            self.is_due = true;
        }
    }

    /// Reports a successful attempt. The first success wins.
    pub fn connected(&mut self, address: SocketAddr) {
        let is_open = |(tried, outcome): &(SocketAddr, Outcome<E>)| {
            *tried == address && matches!(outcome, Outcome::Open)
        };
        if self.attempts.iter().any(is_open) {
            self.winner.get_or_insert(address);
        }
    }

    /// The state of each address, in the order of the attempts.
    #[must_use]
    pub fn into_outcomes(self) -> Vec<(SocketAddr, Outcome<E>)> {
        self.attempts
    }

    /// Deadline of the next attempt: an equal share of the remaining time.
    fn share(&self, now: Instant) -> Option<Instant> {
        let left = u32::try_from(self.attempts.len() - self.started).unwrap_or(u32::MAX).max(1);
        self.deadline.map(|end| now + end.saturating_duration_since(now) / left)
    }
}

/// Alternates the families, beginning with that of the first address.
fn interleave(addresses: impl IntoIterator<Item = SocketAddr>) -> impl Iterator<Item = SocketAddr> {
    let mut seen = BTreeSet::new();
    let unique: Vec<_> = addresses.into_iter().filter(|address| seen.insert(*address)).collect();
    let first = unique.first().is_some_and(SocketAddr::is_ipv6);
    let (mut one, mut other): (VecDeque<_>, VecDeque<_>) =
        unique.into_iter().partition(|address| address.is_ipv6() == first);
    std::iter::from_fn(move || {
        let next = one.pop_front().or_else(|| other.pop_front());
        // The rest of the longer family keeps its order.
        if !other.is_empty() {
            std::mem::swap(&mut one, &mut other);
        }
        next
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(number: u8, is_six: bool) -> SocketAddr {
        let text = if is_six { format!("[2001:db8::{number:x}]:80") } else { format!("192.0.2.{number}:80") };
        text.parse().unwrap()
    }

    fn ms(span: u64) -> Duration {
        Duration::from_millis(span)
    }

    #[test]
    fn f02_families_take_turns_and_nothing_is_tried_twice() {
        let (six, four) = (|n| address(n, true), |n| address(n, false));
        let order = |list: &[SocketAddr]| interleave(list.iter().copied()).collect::<Vec<_>>();
        assert_eq!(
            order(&[six(1), six(2), six(3), four(1), six(1), four(2)]),
            [six(1), four(1), six(2), four(2), six(3)]
        );
        assert_eq!(order(&[four(1), four(2), six(1), four(3)]), [four(1), six(1), four(2), four(3)]);
        assert_eq!(order(&[]), []);
    }

    #[test]
    fn f03_a_near_deadline_leaves_time_for_all() {
        let now = Instant::from_nanos(1 << 42);
        let end = now + ms(300);
        let all = [address(1, false), address(2, false), address(3, false)];
        let mut dial = HappyEyeballs::<()>::new(all, Some(end));
        dial.started(now);
        assert_eq!(dial.step(now), Step::Wait(Some(now + ms(100))));
        let mut dial = HappyEyeballs::<()>::new(all, Some(now + ms(3000))).sequential();
        assert_eq!(dial.step(now), Step::Start { address: all[0], until: Some(now + ms(1000)) });
        dial.started(now);
        assert_eq!(dial.step(now + DELAY), Step::Wait(Some(now + ms(1000))), "one after the other");
        assert_eq!(dial.step(now + ms(3000)), Step::Late);
    }

    proptest! {
        /// Each address is tried at most once, in order. No wait is longer than the delay while
        /// untried addresses remain. The race ends exactly when one address has won or all have
        /// failed.
        #[test]
        fn f02_a_race_goes_on_until_it_is_decided(
            families in prop::collection::vec(any::<bool>(), 0..8),
            ends in prop::collection::vec((0_u64..2000, any::<bool>()), 8),
        ) {
            let all: Vec<_> = families.iter().zip(1..).map(|(six, n)| address(n, *six)).collect();
            let mut dial = HappyEyeballs::new(all.clone(), None);
            let start = Instant::from_nanos(1 << 42);
            let (mut now, mut last) = (start, start);
            let (mut tried, mut running) = (Vec::new(), Vec::<(Instant, bool, SocketAddr)>::new());
            let (mut failed, mut won) = (0, None);
            loop {
                match dial.step(now) {
                    Step::Start { address, until } => {
                        prop_assert!(until.is_none() && won.is_none());
                        prop_assert!(now <= last + DELAY);
                        let (takes, wins) = ends[tried.len()];
                        running.push((now + ms(takes), wins, address));
                        tried.push(address);
                        last = now;
                        dial.started(now);
                    }
                    Step::Wait(until) => {
                        prop_assert!(until.is_some() || tried.len() == all.len());
                        running.sort_by_key(|(at, ..)| *at);
                        let first = running.first().map(|(at, ..)| *at);
                        let next = first.into_iter().chain(until).min();
                        now = now.max(next.expect("something to wait for"));
                        if first.is_some_and(|at| at <= now) {
                            let (_, wins, address) = running.remove(0);
                            if wins {
                                dial.connected(address);
                                won = Some(address);
                            } else {
                                dial.failed(address, ());
                                failed += 1;
                            }
                        }
                    }
                    Step::Won(address) => {
                        prop_assert_eq!(Some(address), won);
                        break;
                    }
                    Step::Lost => {
                        prop_assert_eq!((failed, won), (all.len(), None));
                        break;
                    }
                    Step::Late => prop_assert!(false, "there is no deadline"),
                }
            }
            let order: Vec<_> = interleave(all).take(tried.len()).collect();
            prop_assert_eq!(&tried, &order);
            let outcomes = dial.into_outcomes();
            let is_untried = |(_, outcome): &(SocketAddr, Outcome<()>)| *outcome == Outcome::Untried;
            let has_failed = |(_, outcome): &&(SocketAddr, Outcome<()>)| *outcome == Outcome::Failed(());
            prop_assert_eq!(outcomes.iter().filter(has_failed).count(), failed);
            prop_assert_eq!(outcomes.iter().position(is_untried).unwrap_or(outcomes.len()), tried.len());
        }
    }
}
