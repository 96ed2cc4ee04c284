//! Requests with a pace: they wait in a lane each, and then in the queue of the pool.
//!
//! A lane has the tickets of one [`PaceKey`], in the order of their numbers. Only the first of them
//! can be in the queue of the pool, and only once its pace lets it go. It keeps its number there. The
//! pace is asked again when the pool has a connection for it. So a request begins when both let it,
//! and a request that waits for its pace holds no connection.
//!
//! Nothing runs by itself: time passes when [`Pool::collect_at`] or another operation is called. The
//! first ticket of a lane has a time to wait for ([`Pool::pace_wait`]). Its holder is woken when that
//! time changes.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use super::lease::{Effects, Grant, Lease, Ticket};
use super::slab::Slab;
use super::{Checkout, Pool};
use crate::base::time::Instant;
use crate::policy::pace::{Outcome, Pace, PaceKey, PaceState, PaceWait, Pass, Permit, Refusal};

/// Maximum number of lanes without requests. Beyond it, those at rest are forgotten, and then those
/// that were not used for the longest time. Redirects can name any number of hosts.
const MOST_LANES: usize = 1024;

/// The lanes of a pool.
#[derive(Debug)]
pub(super) struct Lanes<K> {
    by_key: HashMap<PaceKey, usize>,
    lanes: Slab<Lane<K>>,
    /// The lanes of the waiting tickets.
    tickets: HashMap<Ticket, usize>,
    /// The requests that have begun, each with its lane.
    permits: Slab<(usize, Permit)>,
    /// The lanes in which a request may be able to begin.
    changed: Vec<usize>,
    /// Number of waiting tickets that are not in the queue of the pool.
    waiting: usize,
    /// Number of lanes at which some are forgotten.
    sweep_at: usize,
}

#[derive(Debug)]
struct Lane<K> {
    pace: Arc<Pace>,
    state: PaceState,
    /// The waiting tickets, each with the key of its connection. `None` needs no connection.
    waiting: BTreeMap<Ticket, Option<K>>,
    /// The first ticket, while it is in the queue of the pool.
    queued: Option<(Ticket, K)>,
    /// The time that the holder of the first ticket waits for, and the ticket.
    announced: Option<(Ticket, Instant)>,
    last_used: Instant,
}

impl<K> Lane<K> {
    fn is_unused(&self) -> bool {
        self.waiting.is_empty() && self.queued.is_none() && self.state.running() == 0
    }
}

impl<K> Default for Lanes<K> {
    fn default() -> Self {
        Self {
            by_key: HashMap::new(),
            lanes: Slab::default(),
            tickets: HashMap::new(),
            permits: Slab::default(),
            changed: Vec::new(),
            waiting: 0,
            sweep_at: MOST_LANES,
        }
    }
}

impl<K> Lanes<K> {
    /// Whether neither a ticket nor a request is left.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0
            && self.tickets.is_empty()
            && self.by_key.values().all(|at| self.lanes.get(*at).is_some_and(Lane::is_unused))
    }

    /// Number of tickets that wait for their pace.
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    /// The lane of a key. The pace of the latest request applies to all of its requests.
    fn lane(&mut self, key: PaceKey, pace: &Arc<Pace>, now: Instant) -> usize {
        if let Some(at) = self.by_key.get(&key).copied()
            && let Some(lane) = self.lanes.get_mut(at)
        {
            lane.last_used = now;
            if !Arc::ptr_eq(&lane.pace, pace) {
                lane.pace = Arc::clone(pace);
            }
            return at;
        }
        if self.by_key.len() >= self.sweep_at {
            self.sweep(now);
        }
        let at = self.lanes.insert(Lane {
            pace: Arc::clone(pace),
            state: PaceState::default(),
            waiting: BTreeMap::new(),
            queued: None,
            announced: None,
            last_used: now,
        });
        self.by_key.insert(key, at);
        at
    }

    /// Forgets lanes at rest. If too many unused ones are left, it also forgets the older half.
    fn sweep(&mut self, now: Instant) {
        let lanes = &mut self.lanes;
        let mut unused = Vec::new();
        self.by_key.retain(|_, at| {
            let Some(lane) = lanes.get(*at) else { return false };
            if !lane.is_unused() {
                return true;
            }
            let is_kept = !lane.state.is_at_rest(now);
            if is_kept {
                unused.push((lane.last_used, *at));
            } else {
                lanes.remove(*at);
            }
            is_kept
        });
        if unused.len() > MOST_LANES / 2 {
            unused.sort_unstable();
            unused.drain(..unused.len() / 2).for_each(|(_, at)| drop(lanes.remove(at)));
            self.by_key.retain(|_, at| lanes.get(*at).is_some());
        }
        self.sweep_at = self.by_key.len() + MOST_LANES / 2;
    }
}

impl<K: Eq + Hash + Clone, T> Pool<K, T> {
    /// Requests a connection with this key at the pace of its host. Without a key it requests only the
    /// right to begin: a transport carries the request. `fresh` is that of
    /// [`request_fresh`](Self::request_fresh).
    ///
    /// The request counts at its pace from the grant until its lease is given back. Report its
    /// outcome by [`report`](Self::report) before. A ticket is asked by
    /// [`collect_at`](Self::collect_at) when it is woken, and at the time of its
    /// [`pace_wait`](Self::pace_wait).
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use sessio::pace::{Pace, PaceKey};
    /// use sessio::pool::{Effects, Grant, Policy, Pool};
    /// use sessio::{Instant, Url};
    ///
    /// let (now, key) = (Instant::from_nanos(1 << 42), "http://example.org");
    /// let host = PaceKey::new(&Url::parse(key).unwrap(), None);
    /// let pace = Arc::new(Pace::rate(1, Duration::from_secs(5)));
    /// let mut pool: Pool<String, &str> = Pool::new(Policy::default());
    /// let mut effects = Effects::default();
    ///
    /// let first = pool.request_paced(Some(key), false, host.clone(), &pace, now, &mut effects);
    /// assert!(matches!(first, Grant::Dial(_)));
    /// let second = pool.request_paced(Some(key), false, host, &pace, now, &mut effects);
    /// let Grant::Wait(ticket) = second else { panic!() };
    /// let at = pool.pace_wait(ticket, now).and_then(|wait| wait.until).unwrap();
    /// assert_eq!(at - now, Duration::from_secs(5));
    /// assert!(matches!(pool.collect_at(ticket, at, &mut effects), Some(Grant::Dial(_))));
    /// ```
    pub fn request_paced<Q>(
        &mut self,
        key: Option<&Q>,
        fresh: bool,
        host: PaceKey,
        pace: &Arc<Pace>,
        now: Instant,
        effects: &mut Effects<T>,
    ) -> Grant<T>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        self.reap(now, effects);
        if fresh
            && let Some(host) = key.and_then(|key| self.by_key.get(key))
            && let Some(host) = self.hosts.get_mut(*host)
        {
            host.trusted_from = self.idle.next_number();
        }
        let ticket = self.line.ticket(self.number);
        let lanes = self.lanes.get_or_insert_default();
        let at = lanes.lane(host, pace, now);
        if let Some(lane) = lanes.lanes.get_mut(at) {
            lane.waiting.insert(ticket, key.map(ToOwned::to_owned));
        }
        lanes.tickets.insert(ticket, at);
        lanes.waiting += 1;
        lanes.changed.push(at);
        self.settle_lanes(now, effects);
        self.take_grant(ticket, effects).unwrap_or(Grant::Wait(ticket))
    }

    /// The grant of a ticket at this time; otherwise as [`collect`](Self::collect).
    pub fn collect_at(&mut self, ticket: Ticket, now: Instant, effects: &mut Effects<T>) -> Option<Grant<T>> {
        if let Some(lanes) = &mut self.lanes
            && let Some(at) = lanes.tickets.get(&ticket)
        {
            lanes.changed.push(*at);
            self.settle_lanes(now, effects);
        }
        self.take_grant(ticket, effects)
    }

    /// The wait of a ticket for its pace. `None` if it waits for a connection.
    #[must_use]
    pub fn pace_wait(&self, ticket: Ticket, now: Instant) -> Option<PaceWait> {
        let lanes = self.lanes.as_ref()?;
        let lane = lanes.lanes.get(*lanes.tickets.get(&ticket)?)?;
        let (first, last) = (lane.waiting.first_key_value()?.0, lane.waiting.last_key_value()?.0);
        let is_queued = lane.queued.is_some();
        if !lane.waiting.contains_key(&ticket) {
            return None;
        }
        if *first == ticket && !is_queued {
            let until = match lane.state.check(&lane.pace, now) {
                Pass::At(until) => Some(until),
                _ => None,
            };
            return Some(PaceWait { until, earliest: lane.state.earliest(&lane.pace, 0, now) });
        }
        // The place of the last one is known without counting.
        let is_last = *last == ticket;
        let before = if is_last { lane.waiting.len() - 1 + usize::from(is_queued) } else { 0 };
        let earliest = lane.state.earliest(&lane.pace, before, now);
        // The others are woken when they become the first. With a timer each would wake at every slot.
        Some(PaceWait { until: Some(earliest).filter(|at| is_last && *at > now), earliest })
    }

    /// Takes the outcome of a request with a pace. Only the first one of a lease counts. Without a
    /// pace it has no effect.
    pub fn report(&mut self, lease: &Lease, outcome: &Outcome, now: Instant, effects: &mut Effects<T>) {
        let Some(lanes) = self.lanes.as_mut().filter(|_| lease.pool == self.number) else { return };
        let Some(permit) = (lease.permit as usize).checked_sub(1) else { return };
        let Some((at, permit)) = lanes.permits.get_mut(permit) else { return };
        let Some(lane) = lanes.lanes.get_mut(*at) else { return };
        lanes.changed.push(*at);
        if lane.state.report(&lane.pace, permit, outcome, now) {
            // Some waits may not fit into their time limits any more.
            effects.ready.extend(lane.waiting.keys());
        }
        self.settle_lanes(now, effects);
    }

    fn take_grant(&mut self, ticket: Ticket, effects: &mut Effects<T>) -> Option<Grant<T>> {
        // Its holder is here.
        effects.ready.retain(|ready| *ready != ticket);
        self.line.granted.remove(&ticket)
    }

    /// Lets requests begin in all lanes that have changed.
    pub(super) fn settle_lanes(&mut self, now: Instant, effects: &mut Effects<T>) {
        while let Some(at) = self.lanes.as_mut().and_then(|lanes| lanes.changed.pop()) {
            while self.advance_lane(at, now, effects) {}
        }
    }

    /// Lets the first request of a lane begin, or go on to the queue of the pool. Returns `false` if
    /// it has to wait.
    fn advance_lane(&mut self, at: usize, now: Instant, effects: &mut Effects<T>) -> bool {
        let Some(lanes) = &mut self.lanes else { return false };
        let Some(lane) = lanes.lanes.get_mut(at) else { return false };
        if lane.queued.is_some() {
            // Its wait for a connection ends if the pace refuses all requests.
            let Pass::Refused(refusal) = lane.state.check(&lane.pace, now) else { return false };
            if let Some((ticket, key)) = lane.queued.take() {
                lane.waiting.insert(ticket, Some(key));
                lanes.waiting += 1;
                self.drop_out(ticket);
            }
            self.refuse_lane(at, refusal, effects);
            return false;
        }
        let Some((ticket, _)) = lane.waiting.first_key_value().filter(|_| lane.queued.is_none()) else {
            return false;
        };
        let ticket = *ticket;
        match lane.state.check(&lane.pace, now) {
            Pass::Go => {}
            Pass::At(until) => {
                if lane.announced != Some((ticket, until)) {
                    lane.announced = Some((ticket, until));
                    effects.ready.push(ticket);
                }
                return false;
            }
            Pass::Full => {
                // It has no timer now, so the time that follows is announced, even if it is the same.
                lane.announced = None;
                return false;
            }
            Pass::Refused(refusal) => {
                self.refuse_lane(at, refusal, effects);
                return false;
            }
        }
        lane.announced = None;
        lanes.waiting -= 1;
        let Some(key) = lane.waiting.remove(&ticket) else { return false };
        let Some(key) = key else {
            let lease = Lease { host: Lease::NO_HOST, era: self.era, pool: self.number, permit: 0 };
            let mut grant = Grant::Dial(lease);
            self.begin_paced(ticket, &mut grant, now);
            self.line.granted.insert(ticket, grant);
            effects.ready.push(ticket);
            return true;
        };
        lane.queued = Some((ticket, key.clone()));
        let host = self.host(&key);
        self.line_up(ticket, host);
        self.admit_waiting(host, now, effects);
        true
    }

    fn refuse_lane(&mut self, at: usize, refusal: Refusal, effects: &mut Effects<T>) {
        let Some(lanes) = &mut self.lanes else { return };
        let Some(lane) = lanes.lanes.get_mut(at) else { return };
        lane.announced = None;
        for (ticket, _) in std::mem::take(&mut lane.waiting) {
            lanes.tickets.remove(&ticket);
            lanes.waiting -= 1;
            self.line.granted.insert(ticket, Grant::Refused(refusal));
            effects.ready.push(ticket);
        }
    }

    /// Whether the pace of a ticket in the queue still lets it begin. Otherwise it is the first of its
    /// lane again.
    pub(super) fn may_begin(&mut self, ticket: Ticket, now: Instant) -> bool {
        let Some(lanes) = &mut self.lanes else { return true };
        let Some(at) = lanes.tickets.get(&ticket).copied() else { return true };
        let Some(lane) = lanes.lanes.get_mut(at) else { return true };
        if lane.state.check(&lane.pace, now) == Pass::Go {
            return true;
        }
        if let Some((ticket, key)) = lane.queued.take() {
            lane.waiting.insert(ticket, Some(key));
            lanes.waiting += 1;
        }
        lanes.changed.push(at);
        false
    }

    /// Begins the request of a ticket that has a pace.
    pub(super) fn begin_paced(&mut self, ticket: Ticket, grant: &mut Grant<T>, now: Instant) {
        let Some(lanes) = &mut self.lanes else { return };
        let Some(at) = lanes.tickets.remove(&ticket) else { return };
        let Some(lane) = lanes.lanes.get_mut(at) else { return };
        lane.queued = None;
        let permit = lane.state.start(&lane.pace, now);
        // There is no memory for four billion requests.
        let number = lanes.permits.insert((at, permit)) as u32 + 1;
        lanes.changed.push(at);
        match grant {
            Grant::Idle(Checkout { lease, .. }) | Grant::Dial(lease) => lease.permit = number,
            Grant::Wait(_) | Grant::Refused(_) => {}
        }
    }

    /// Ends the request of a lease that is given back.
    pub(super) fn end_paced(&mut self, lease: &Lease, now: Instant, effects: &mut Effects<T>) {
        let Some(lanes) = self.lanes.as_mut().filter(|_| lease.pool == self.number) else { return };
        let Some(permit) = (lease.permit as usize).checked_sub(1) else { return };
        let Some((at, permit)) = lanes.permits.remove(permit) else { return };
        if let Some(lane) = lanes.lanes.get_mut(at) {
            lane.state.finish(permit, now);
            lane.last_used = now;
        }
        lanes.changed.push(at);
        self.settle_lanes(now, effects);
    }

    /// Takes a ticket out of its lane. Returns `false` if it has none.
    pub(super) fn cancel_paced(&mut self, ticket: Ticket) -> bool {
        let Some(lanes) = &mut self.lanes else { return false };
        let Some(at) = lanes.tickets.remove(&ticket) else { return false };
        if let Some(lane) = lanes.lanes.get_mut(at) {
            if lane.waiting.remove(&ticket).is_some() {
                lanes.waiting -= 1;
            } else {
                lane.queued = None;
            }
        }
        lanes.changed.push(at);
        true
    }

    /// Number of lanes that are remembered.
    #[cfg(test)]
    pub(super) fn lanes(&self) -> usize {
        self.lanes.as_ref().map_or(0, |lanes| lanes.by_key.len())
    }
}
