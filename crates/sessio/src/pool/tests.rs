//! Tests of the pool against a model that is too simple to be wrong, and case by case.

mod cases;
mod paced;
pub(super) mod steps;

use crate::base::time::Instant;
use crate::route::key::{Key, KeyBuf};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use url::Url;

use super::{Checkout, Effects, Grant, HostPolicy, Lease, MOST_EXPIRED, Policy, Pool, ReuseProof, Ticket};
use crate::route::routing::RouteOptions;

fn url(host: u8) -> Url {
    Url::parse(&format!("http://host{host}/")).unwrap()
}

fn proof(now: Instant, idle_for: Option<Duration>) -> ReuseProof {
    ReuseProof { opened: now, idle_for }
}

fn dial(pool: &mut Pool<KeyBuf, u32>, host: u8, now: Instant) -> Lease {
    match pool.request(&Key::of(&url(host)), now, &mut Effects::default()) {
        Grant::Dial(lease) => lease,
        grant => panic!("{grant:?}"),
    }
}

#[test]
fn d10_the_last_one_back_is_the_first_one_out() {
    let (now, mut pool, mut effects) =
        (Instant::from_nanos(1 << 42), Pool::new(Policy::default()), Effects::default());
    let leases: Vec<_> = (0..3).map(|_| dial(&mut pool, 1, now)).collect();
    for (connection, lease) in leases.into_iter().enumerate() {
        pool.checkin(lease, connection as u32, proof(now, None), now, &mut effects);
    }
    for expected in [2, 1, 0] {
        let Grant::Idle(checkout) = pool.request(&Key::of(&url(1)), now, &mut effects) else { panic!() };
        assert_eq!(checkout.connection, expected);
    }
    assert_eq!((pool.stats().in_use, pool.stats().idle, pool.stats().reused), (3, 0, 3));
}

#[test]
fn the_ways_to_an_origin_are_closed_in_the_order_in_which_they_were_first_taken() {
    let (now, mut pool, mut effects) =
        (Instant::from_nanos(1 << 42), Pool::<KeyBuf, u32>::new(Policy::default()), Effects::default());
    for way in 0..50 {
        let mut routing = RouteOptions::default();
        routing.routes.pin("host1", [SocketAddr::from(([127, 0, 0, 1], way))]).unwrap();
        let Grant::Dial(lease) = pool.request(&Key::reaching(&url(1), &routing), now, &mut effects) else {
            panic!()
        };
        pool.checkin(lease, way.into(), proof(now, None), now, &mut effects);
    }
    pool.close_idle_of(|key| key.as_key().origin() == "http://host1", &mut effects);
    assert_eq!(effects.closed, (0..50).collect::<Vec<_>>());
}

#[test]
fn q21_a_servers_keep_alive_is_honoured() {
    let (now, mut pool, mut effects) =
        (Instant::from_nanos(1 << 42), Pool::new(Policy::default()), Effects::default());
    let lease = dial(&mut pool, 1, now);
    pool.checkin(lease, 1, proof(now, Some(Duration::from_secs(4))), now, &mut effects);
    let grant = pool.request(&Key::of(&url(1)), now + Duration::from_secs(5), &mut effects);
    assert!(matches!(grant, Grant::Dial(_)));
    assert_eq!(effects.closed, [1]);
}

#[test]
fn what_was_lent_out_before_a_close_does_not_come_back() {
    let (now, mut pool, mut effects) =
        (Instant::from_nanos(1 << 42), Pool::new(Policy::default()), Effects::default());
    let lease = dial(&mut pool, 1, now);
    pool.clear(&mut effects);
    pool.checkin(lease, 7, proof(now, None), now, &mut effects);
    assert_eq!(effects.closed, [7]);
    assert_eq!(pool.stats().open(), 0);
}

#[derive(Clone, Debug)]
enum Act {
    Request { host: u8, fresh: bool },
    Checkin { which: usize, idle_for: Option<u64> },
    Discard { which: usize },
    Cancel { which: usize },
    Evict { host: u8 },
    EvictIdle,
    EvictExpired,
    Wait(u64),
    Clear,
    SetPolicy(Policy),
}

fn policy() -> impl Strategy<Value = Policy> {
    let limits = (0..15usize, 0..30usize, proptest::option::of(0..4usize), proptest::option::of(0..7usize));
    (limits, 1..12u64).prop_map(|((idle_per_host, idle, per_host, total), idle_timeout)| Policy {
        max_idle_per_host: idle_per_host,
        max_idle: idle,
        max_per_host: per_host,
        max_total: total,
        idle_timeout: Duration::from_secs(idle_timeout),
        ..Policy::default()
    })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0..5u8, prop::bool::weighted(0.1)).prop_map(|(host, fresh)| Act::Request { host, fresh }),
        6 => (any::<usize>(), proptest::option::of(0..20u64))
            .prop_map(|(which, idle_for)| Act::Checkin { which, idle_for }),
        3 => any::<usize>().prop_map(|which| Act::Discard { which }),
        2 => any::<usize>().prop_map(|which| Act::Cancel { which }),
        1 => (0..5u8).prop_map(|host| Act::Evict { host }),
        1 => Just(Act::EvictIdle),
        1 => Just(Act::EvictExpired),
        2 => (0..15u64).prop_map(Act::Wait),
        1 => Just(Act::Clear),
        1 => policy().prop_map(Act::SetPolicy),
    ]
}

/// The model's view of an idle connection, a lease that is out, and a ticket.
#[derive(Default)]
struct Model {
    /// Oldest first: the connection, its host, the end of its idle time, and whether one like it
    /// has failed since.
    idle: Vec<(u32, u8, Instant, bool)>,
    /// The host, and whether the lease is from before the last close.
    out: Vec<(Lease, u8, bool)>,
    waiting: Vec<(Ticket, u8)>,
    closed: Vec<u32>,
}

impl Model {
    fn in_use(&self, host: u8) -> usize {
        self.out.iter().filter(|(_, h, _)| *h == host).count()
    }

    fn reap(&mut self, now: Instant) {
        for _ in 0..MOST_EXPIRED {
            if self.idle.first().is_some_and(|(_, _, until, _)| *until <= now) {
                self.closed.push(self.idle.remove(0).0);
            }
        }
    }

    fn in_use_or_idle(&self, host: u8) -> usize {
        self.in_use(host) + self.idle.iter().filter(|(_, h, ..)| *h == host).count()
    }

    /// Closes the longest idle connection, of this host or of any.
    fn close_oldest(&mut self, host: Option<u8>) -> bool {
        let oldest = self.idle.iter().position(|(_, h, ..)| host.is_none_or(|host| *h == host));
        self.closed.extend(oldest.map(|oldest| self.idle.remove(oldest).0));
        oldest.is_some()
    }

    fn apply(&mut self, policy: &Policy, now: Instant) {
        self.idle.iter_mut().for_each(|entry| entry.2 = entry.2.min(now + policy.idle_timeout));
        self.closed.extend(self.idle.extract_if(.., |entry| entry.2 <= now).map(|entry| entry.0));
        for host in 0..5 {
            let idle = |model: &Self| model.in_use_or_idle(host) - model.in_use(host);
            while idle(self) > policy.max_idle_per_host
                || policy.max_per_host.is_some_and(|most| self.in_use_or_idle(host) > most.max(1))
            {
                if !self.close_oldest(Some(host)) {
                    break;
                }
            }
        }
        while self.idle.len() > policy.max_idle
            || policy.max_total.is_some_and(|most| self.out.len() + self.idle.len() > most.max(1))
        {
            if !self.close_oldest(None) {
                break;
            }
        }
    }

    /// `Some(Some(_))`: this connection; `Some(None)`: a new one; `None`: wait.
    fn admit(&mut self, host: u8, policy: &Policy, now: Instant) -> Option<Option<u32>> {
        for _ in 0..MOST_EXPIRED {
            let Some(newest) = self.idle.iter().rposition(|(_, h, ..)| *h == host) else { break };
            let (connection, _, until, has_failed) = self.idle.remove(newest);
            if until > now && !has_failed {
                return Some(Some(connection));
            }
            self.closed.push(connection);
        }
        if policy.max_per_host.is_some_and(|most| self.in_use(host) >= most.max(1)) {
            return None;
        }
        if policy.max_total.is_some_and(|most| self.out.len() + self.idle.len() >= most.max(1)) {
            if self.idle.is_empty() {
                return None;
            }
            self.closed.push(self.idle.remove(0).0);
        }
        Some(None)
    }
}

/// Takes over the grants of the pool to waiting tickets, and checks each against the model. It must
/// go to the first ticket among those that can be served.
fn collect(pool: &mut Pool<KeyBuf, u32>, policy: &Policy, model: &mut Model, ready: &[Ticket], now: Instant) {
    for ticket in ready {
        let place = model.waiting.iter().position(|(t, _)| t == ticket).unwrap();
        let (_, host) = model.waiting.remove(place);
        assert!(model.waiting[..place].iter().all(|(_, other)| *other != host), "overtaken");
        let expected = model.admit(host, policy, now);
        let lease = match pool.collect(*ticket).unwrap() {
            Grant::Idle(checkout) => {
                assert_eq!(expected, Some(Some(checkout.connection)));
                checkout.lease
            }
            Grant::Dial(lease) => {
                assert_eq!(expected, Some(None));
                lease
            }
            Grant::Wait(_) | Grant::Refused(_) => panic!("granted a place in line"),
        };
        model.out.push((lease, host, false));
    }
}

proptest! {
    /// No connection is lost, lent twice, too old, or over the limits. No lease is lost. No ticket
    /// waits that could be served, and none is overtaken. The limits of the keys do the same as those
    /// of the pool.
    #[test]
    fn the_pool_equals_its_model(
        acts in prop::collection::vec(act(), 0..160),
        policy in policy(),
        is_by_key: bool,
    ) {
        let mut policy = policy;
        let mut now = Instant::from_nanos(1 << 42);
        let mut routing = RouteOptions::default();
        let mut common = policy;
        if is_by_key {
            let limits = HostPolicy::new()
                .max_connections(policy.max_per_host.unwrap_or(usize::MAX))
                .max_idle(policy.max_idle_per_host)
                .idle_timeout(policy.idle_timeout);
            routing.pool = Some(Arc::new(limits));
            common = Policy { max_idle: policy.max_idle, max_total: policy.max_total, ..Policy::default() };
        }
        let mut pool =
            Pool::new(common).with_host_policies(|key: &KeyBuf| key.as_key().host_policy().copied());
        let mut model = Model::default();
        let mut made = 0;
        for act in acts {
            let mut effects = Effects::default();
            model.closed.clear();
            match act {
                Act::Wait(seconds) => now += Duration::from_secs(seconds),
                Act::Request { host, fresh } => {
                    model.reap(now);
                    let (url, granted);
                    url = crate::pool::tests::url(host);
                    if fresh {
                        model.idle.iter_mut().filter(|(_, h, ..)| *h == host).for_each(|entry| entry.3 = true);
                        granted = pool.request_fresh(&Key::reaching(&url, &routing), now, &mut effects);
                        prop_assert!(!matches!(granted, Grant::Idle(_)));
                    } else {
                        granted = pool.request(&Key::reaching(&url, &routing), now, &mut effects);
                    }
                    match (granted, model.admit(host, &policy, now)) {
                        (Grant::Idle(checkout), Some(Some(connection))) => {
                            prop_assert_eq!(checkout.connection, connection);
                            model.out.push((checkout.lease, host, false));
                        }
                        (Grant::Dial(lease), Some(None)) => model.out.push((lease, host, false)),
                        (Grant::Wait(ticket), None) => model.waiting.push((ticket, host)),
                        (grant, expected) => panic!("{grant:?} instead of {expected:?}"),
                    }
                }
                Act::SetPolicy(changed) => {
                    policy = match is_by_key {
                        true => Policy { max_idle: changed.max_idle, max_total: changed.max_total, ..policy },
                        false => changed,
                    };
                    pool.set_policy(changed, now, &mut effects);
                    model.apply(&policy, now);
                }
                Act::Checkin { which, idle_for } if !model.out.is_empty() => {
                    let open = (model.out.len() + model.idle.len(), &model.out[which % model.out.len()]);
                    let is_over = policy.max_total.is_some_and(|most| open.0 > most.max(1))
                        || policy.max_per_host.is_some_and(|most| model.in_use_or_idle(open.1.1) > most.max(1));
                    let (lease, host, is_old) = model.out.swap_remove(which % model.out.len());
                    made += 1;
                    let span = idle_for.map(Duration::from_secs);
                    pool.checkin(lease, made, proof(now, span), now, &mut effects);
                    let until = now + span.map_or(policy.idle_timeout, |span| span.min(policy.idle_timeout));
                    if until <= now || policy.max_idle_per_host == 0 || policy.max_idle == 0 || is_old || is_over {
                        model.closed.push(made);
                    } else {
                        model.reap(now);
                        if model.idle.len() >= policy.max_idle {
                            model.closed.push(model.idle.remove(0).0);
                        }
                        let same = |(_, h, ..): &(u32, u8, Instant, bool)| *h == host;
                        if model.idle.iter().filter(|entry| same(entry)).count() >= policy.max_idle_per_host {
                            let oldest = model.idle.iter().position(same).unwrap();
                            model.closed.push(model.idle.remove(oldest).0);
                        }
                        model.idle.push((made, host, until, false));
                    }
                }
                Act::Discard { which } if !model.out.is_empty() => {
                    let (lease, ..) = model.out.swap_remove(which % model.out.len());
                    pool.discard(lease, now, &mut effects);
                }
                Act::Cancel { which } if !model.waiting.is_empty() => {
                    let (ticket, _) = model.waiting.remove(which % model.waiting.len());
                    pool.cancel(ticket, now, &mut effects);
                }
                Act::Checkin { .. } | Act::Discard { .. } | Act::Cancel { .. } => {}
                Act::Evict { host } => {
                    pool.close_idle_of(|key| key.as_key().origin() == format!("http://host{host}"), &mut effects);
                    model.closed.extend(model.idle.extract_if(.., |(_, h, ..)| *h == host).map(|entry| entry.0));
                }
                Act::EvictIdle => {
                    pool.close_idle(&mut effects);
                    model.closed.extend(model.idle.drain(..).map(|entry| entry.0));
                }
                Act::EvictExpired => {
                    pool.close_expired(now, &mut effects);
                    model.closed.extend(model.idle.extract_if(.., |entry| entry.2 <= now).map(|entry| entry.0));
                }
                Act::Clear => {
                    pool.clear(&mut effects);
                    model.closed.extend(model.idle.drain(..).map(|entry| entry.0));
                    model.out.iter_mut().for_each(|(_, _, is_old)| *is_old = true);
                }
            }
            collect(&mut pool, &policy, &mut model, &effects.ready, now);
            effects.closed.sort_unstable();
            model.closed.sort_unstable();
            prop_assert_eq!(&effects.closed, &model.closed);
            // No ticket waits that could be served.
            for (_, host) in model.waiting.clone() {
                let could = {
                    let host_has_room = policy.max_per_host.is_none_or(|most| model.in_use(host) < most.max(1));
                    let all_have_room = policy.max_total.is_none_or(|most| model.out.len() < most.max(1));
                    host_has_room && all_have_room
                };
                prop_assert!(!could, "host {host} waits in vain");
            }
            prop_assert_eq!(pool.next_expiry(), model.idle.iter().map(|entry| entry.2).min());
            let mut keys: Vec<_> = pool.keys().map(|(key, idle, used)| (key.as_key().origin().to_owned(), idle, used)).collect();
            keys.sort_unstable();
            let hosts = (0..5).map(|host| {
                let idle = model.idle.iter().filter(|(_, h, ..)| *h == host).count();
                (format!("http://host{host}"), idle, model.in_use(host))
            });
            let is_waiting = |host: &str| model.waiting.iter().any(|(_, h)| host == format!("http://host{h}"));
            let expected: Vec<_> =
                hosts.filter(|(host, idle, used)| idle + used > 0 || is_waiting(host)).collect();
            prop_assert_eq!(keys, expected);
            let stats = pool.stats();
            prop_assert_eq!((stats.idle, stats.in_use, stats.waiting), (model.idle.len(), model.out.len(), model.waiting.len()));
            prop_assert_eq!(stats.open(), model.idle.len() + model.out.len());
        }
    }
}
