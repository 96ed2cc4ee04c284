//! Grants of the pool, and the proof that a connection can return.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::base::time::Instant;
use crate::policy::pace::Refusal;

/// The result of a request for a connection.
#[derive(Debug)]
pub enum Grant<T> {
    /// A connection that was used before.
    Idle(Checkout<T>),
    /// The right to open a connection.
    Dial(Lease),
    /// A place in the queue: see [`Pool::collect`](super::Pool::collect).
    Wait(Ticket),
    /// The pace of the host does not let the request begin. Only for requests
    /// [with a pace](super::Pool::request_paced).
    Refused(Refusal),
}

/// A connection taken from the pool.
///
/// The pool does not see the socket. Before each use, the driver checks whether anything can be
/// read, even if it is only the end of the stream. If so, it closes the connection and asks for
/// another one. Bytes before the request are no response to it (row FA4).
#[derive(Debug)]
#[non_exhaustive]
pub struct Checkout<T> {
    /// The connection that was checked in.
    pub connection: T,
    /// The right to have it open.
    pub lease: Lease,
}

/// The right to have one connection of one key open.
///
/// A lease returns with its connection by [`checkin`](super::Pool::checkin), or without one by
/// [`discard`](super::Pool::discard). So a connection returns only to the pool and key that lent
/// it. Another pool refuses it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a lease that is not given back counts for ever"]
pub struct Lease {
    pub(super) era: u32,
    pub(super) host: u32,
    pub(super) pool: PoolNumber,
    /// The number of the permit of a pace, from 1. 0 without a pace.
    pub(super) permit: u32,
}

impl Lease {
    /// The host of a lease without a place of the pool: a transport carries the request.
    pub(super) const NO_HOST: u32 = u32::MAX;
}

/// A place in the queue. The ticket that has waited longest is served first. It is valid only in
/// its own pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    number: Number,
    pool: PoolNumber,
}

/// Tests count the comparisons of these numbers.
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

/// The number of a pool, so that no pool takes back a connection that another has lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PoolNumber(NonZeroU32);

impl PoolNumber {
    /// A number that no other pool of the process has, unless four billion pools were made in
    /// between.
    pub(super) fn next() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        Self(NonZeroU32::new(NEXT.fetch_add(1, Ordering::Relaxed)).unwrap_or(NonZeroU32::MAX))
    }
}

/// The proof that an exchange ended cleanly: request and response are complete, no bytes follow,
/// and neither side wants to close. Only [`Call::release`](crate::Call::release) makes one.
#[derive(Debug)]
pub struct ReuseProof {
    pub(crate) opened: Instant,
    /// How long the server keeps the connection, if the response says so.
    pub(crate) idle_for: Option<Duration>,
}

/// The effects of a pool operation, which the driver performs outside of the pool's lock.
#[derive(Debug)]
#[non_exhaustive]
pub struct Effects<T> {
    /// Connections to close.
    pub closed: Vec<T>,
    /// Tickets that have a grant, or another time to wait for: wake their holders.
    pub ready: Vec<Ticket>,
}

impl<T> Default for Effects<T> {
    fn default() -> Self {
        Self { closed: Vec::new(), ready: Vec::new() }
    }
}
