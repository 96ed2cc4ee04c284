//! What is handed out, and what it takes to come back.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::base::time::Instant;

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
///
/// The pool does not see the socket. Before each use the driver looks whether anything is there to be read,
/// if only the end of the stream. Such a connection is closed, and another one is asked for: what came before the
/// request was written is no response to it (row FA4).
#[derive(Debug)]
#[non_exhaustive]
pub struct Checkout<T> {
    /// What was put in.
    pub connection: T,
    /// The right to have it open.
    pub lease: Lease,
}

/// The right to have one connection of one key open. It comes back with its connection to
/// [`checkin`](super::Pool::checkin), or without to [`discard`](super::Pool::discard): a connection can only
/// come back where it came from. Another pool refuses it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a lease that is not given back counts for ever"]
pub struct Lease {
    pub(super) era: u64,
    pub(super) host: u32,
    pub(super) pool: PoolNumber,
}

/// A place in line; who has waited longest comes first. It is good in its own pool alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    number: Number,
    pool: PoolNumber,
}

/// Tests count how often these are compared.
#[cfg(not(test))]
type Number = u64;
#[cfg(test)]
type Number = super::tests::steps::Counted;

impl Ticket {
    #[allow(clippy::useless_conversion, reason = "it is one in tests")]
    pub(super) fn new(number: u64, pool: PoolNumber) -> Self {
        Self { number: number.into(), pool }
    }
}

/// What tells pools apart, so that none takes back what another has lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PoolNumber(NonZeroU32);

impl PoolNumber {
    /// One that no other pool of the process has, unless there were four billion in between.
    pub(super) fn next() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        Self(NonZeroU32::new(NEXT.fetch_add(1, Ordering::Relaxed)).unwrap_or(NonZeroU32::MAX))
    }
}

/// The evidence that an exchange ended cleanly: request sent whole, response received whole, nothing behind
/// it, and neither side wants to close. Made by [`Call::release`](crate::Call::release) alone.
#[derive(Debug)]
pub struct ReuseProof {
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
