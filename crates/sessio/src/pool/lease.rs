//! What is handed out, and what it takes to come back.

use std::time::{Duration, Instant};

/// What a request for a connection is answered with.
#[derive(Debug)]
pub enum Grant<T> {
    /// A connection that was used before.
    Idle(Checkout<T>),
    /// The right to open one.
    Dial(Lease),
    /// A place in line: see [`Pool::collect`](super::Pool::collect).
    Wait(Ticket),
}

/// A connection taken out of the pool.
#[derive(Debug)]
#[non_exhaustive]
pub struct Checkout<T> {
    /// What was put in.
    pub connection: T,
    /// The right to have it open.
    pub lease: Lease,
    /// Whether it idled for so long that the socket must be asked before it is used.
    pub probe: bool,
}

/// The right to have one connection of one key open. It comes back with its connection to
/// [`checkin`](super::Pool::checkin), or without to [`discard`](super::Pool::discard): a connection can only
/// come back where it came from.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a lease that is not given back counts for ever"]
pub struct Lease {
    pub(super) host: usize,
    pub(super) era: u64,
}

/// A place in line; who has waited longest comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(super) u64);

/// The evidence that an exchange ended cleanly: request sent whole, response received whole, nothing behind
/// it, and neither side wants to close. Made by [`Call::release`](crate::Call::release) alone.
#[derive(Debug)]
pub struct Proof {
    pub(crate) opened: Instant,
    /// How long the server keeps the connection, if it said so.
    pub(crate) idle_for: Option<Duration>,
}

/// What an act on the pool has brought about, for the driver to do outside of its lock.
#[derive(Debug)]
#[non_exhaustive]
pub struct Effects<T> {
    /// Connections to close.
    pub closed: Vec<T>,
    /// Tickets whose turn it is: their holders are to be woken.
    pub ready: Vec<Ticket>,
}

impl<T> Default for Effects<T> {
    fn default() -> Self {
        Self { closed: Vec::new(), ready: Vec::new() }
    }
}
