//! One renewal at a time, for many calls that need it.

use std::collections::BTreeMap;

/// The line of calls that need the same renewal, such as a new token. The first one leads: it
/// renews. The others wait for its result. If the leader leaves, the next one leads.
///
/// It is a value without a lock or a clock. A scheme keeps it beside its token, and its flows answer
/// [`Need::Turn`](super::Need::Turn) while they wait. `E` is the failure that the waiting calls get.
///
/// Laws, for any order of operations:
/// - At most one call leads. If a call waits, there is a leader.
/// - A result reaches exactly the calls that wait for it.
/// - A call that leaves has no effect on the others, except that the next one leads after a leader.
///
/// ```
/// use sessio::auth::{SingleFlight, Turn};
///
/// let mut line = SingleFlight::<&str>::default();
/// let [a, b, c] = [line.join(), line.join(), line.join()];
/// assert_eq!([line.turn(a), line.turn(b), line.turn(c)], [Turn::Lead, Turn::Wait, Turn::Wait]);
/// // The call of `a` is dropped.
/// assert_eq!(line.leave(a), Some(b));
/// assert_eq!(line.turn(b), Turn::Lead);
/// // `b` has a token: wake the others.
/// assert_eq!(line.finish(b, Ok(())), [c]);
/// assert_eq!(line.turn(c), Turn::Done(Ok(())));
/// ```
#[derive(Clone, Debug)]
pub struct SingleFlight<E> {
    next: u64,
    leader: Option<TurnTicket>,
    /// The others: without a result they wait. The first to join is first.
    others: BTreeMap<TurnTicket, Option<Result<(), E>>>,
}

/// A place in the line of a [`SingleFlight`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TurnTicket(u64);

/// The state of a place in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Turn<E> {
    /// This call renews, and then [finishes](SingleFlight::finish).
    Lead,
    /// Another call renews.
    Wait,
    /// Another call has renewed, or failed to. The place is given up.
    Done(Result<(), E>),
}

impl<E> Default for SingleFlight<E> {
    fn default() -> Self {
        Self { next: 0, leader: None, others: BTreeMap::new() }
    }
}

impl<E: Clone> SingleFlight<E> {
    /// Joins the line. Without a leader, the new place leads.
    pub fn join(&mut self) -> TurnTicket {
        let ticket = TurnTicket(self.next);
        self.next += 1;
        match self.leader {
            None => self.leader = Some(ticket),
            Some(_) => drop(self.others.insert(ticket, None)),
        }
        ticket
    }

    /// The state of a place. A result is returned once. A place that was given up is
    /// `Done(Ok(()))`.
    pub fn turn(&mut self, ticket: TurnTicket) -> Turn<E> {
        if self.leader == Some(ticket) {
            return Turn::Lead;
        }
        match self.others.get(&ticket) {
            Some(None) => Turn::Wait,
            _ => Turn::Done(self.others.remove(&ticket).flatten().unwrap_or(Ok(()))),
        }
    }

    /// The leader ends with this result. Returns the places to wake: all that wait. It has no effect
    /// for any other place.
    pub fn finish(&mut self, ticket: TurnTicket, result: Result<(), E>) -> Vec<TurnTicket> {
        if self.leader != Some(ticket) {
            return Vec::new();
        }
        self.leader = None;
        let waiting = self.others.iter_mut().filter(|(_, done)| done.is_none());
        waiting
            .map(|(ticket, done)| {
                *done = Some(result.clone());
                *ticket
            })
            .collect()
    }

    /// Gives up a place. Returns the place to wake, if another one leads now.
    pub fn leave(&mut self, ticket: TurnTicket) -> Option<TurnTicket> {
        if self.leader != Some(ticket) {
            self.others.remove(&ticket);
            return None;
        }
        self.leader = self.others.iter().find(|(_, done)| done.is_none()).map(|(ticket, _)| *ticket);
        let leader = self.leader?;
        self.others.remove(&leader);
        Some(leader)
    }

    /// Whether a place waits without a result.
    #[must_use]
    pub fn is_waiting(&self, ticket: TurnTicket) -> bool {
        matches!(self.others.get(&ticket), Some(None))
    }

    /// Whether a call renews now.
    #[must_use]
    pub fn is_led(&self) -> bool {
        self.leader.is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn one_leads_and_each_result_reaches_exactly_those_that_wait(
            operations in prop::collection::vec((0..4_u8, any::<prop::sample::Index>()), 0..60),
        ) {
            let mut line = SingleFlight::<u32>::default();
            // The places that are held, with the result that each is owed.
            let mut held: Vec<(TurnTicket, Option<Result<(), u32>>)> = Vec::new();
            for (number, (operation, index)) in operations.into_iter().enumerate() {
                if operation == 0 || held.is_empty() {
                    held.push((line.join(), None));
                } else {
                    let at = index.index(held.len());
                    let (ticket, owed) = held[at];
                    let is_leader = line.turn_of(ticket) == Some(Turn::Lead);
                    match operation {
                        1 => {
                            let result = if number % 2 == 0 { Ok(()) } else { Err(number as u32) };
                            let woken = line.finish(ticket, result);
                            let waiting = held.iter().filter(|(other, owed)| *other != ticket && owed.is_none());
                            let waiting: Vec<_> = waiting.map(|(other, _)| *other).collect();
                            prop_assert_eq!(woken, if is_leader { waiting } else { Vec::new() });
                            if is_leader {
                                held.retain(|(other, _)| *other != ticket);
                                for (_, owed) in &mut held {
                                    owed.get_or_insert(result);
                                }
                            }
                        }
                        2 => {
                            let woken = line.leave(ticket);
                            held.remove(at);
                            let next = held.iter().find(|(_, owed)| owed.is_none()).map(|(other, _)| *other);
                            prop_assert_eq!(woken, next.filter(|_| is_leader));
                        }
                        _ => match (line.turn(ticket), owed) {
                            (Turn::Done(result), Some(owed)) => {
                                prop_assert_eq!(result, owed);
                                held.remove(at);
                            }
                            (Turn::Lead | Turn::Wait, None) => {}
                            (turn, owed) => prop_assert!(false, "{:?} {:?}", turn, owed),
                        },
                    }
                }
                let leaders = held.iter().filter(|(ticket, _)| line.turn_of(*ticket) == Some(Turn::Lead)).count();
                let waiting = held.iter().filter(|(_, owed)| owed.is_none()).count();
                prop_assert_eq!(leaders, usize::from(waiting > 0));
                prop_assert_eq!(line.is_led(), leaders == 1);
            }
        }
    }

    impl SingleFlight<u32> {
        /// The state of a place, which keeps it.
        fn turn_of(&self, ticket: TurnTicket) -> Option<Turn<u32>> {
            (self.leader == Some(ticket)).then_some(Turn::Lead)
        }
    }
}
