//! Cases that the model cannot see: the amount of work, forgotten hosts, refused leases.

use crate::base::time::Instant;
use crate::route::key::{Key, KeyBuf};
use std::time::Duration;

use ::url::Url;

use super::{dial, proof, steps, url};
use crate::pool::{Effects, FEW_HOSTS, Grant, Lease, MOST_EXPIRED, Policy, Pool, Ticket};

fn wide() -> Policy {
    Policy { max_idle: usize::MAX, max_idle_per_host: usize::MAX, ..Policy::default() }
}

fn wait(pool: &mut Pool<KeyBuf, u32>, host: u8, now: Instant) -> Ticket {
    match pool.request(&Key::of(&url(host)), now, &mut Effects::default()) {
        Grant::Wait(ticket) => ticket,
        grant => panic!("{grant:?}"),
    }
}

/// The lease of the only ticket that has a grant now.
fn only(pool: &mut Pool<KeyBuf, u32>, effects: &Effects<u32>) -> Lease {
    let [ticket] = effects.ready[..] else { panic!("{effects:?}") };
    match pool.collect(ticket) {
        Some(Grant::Dial(lease)) => lease,
        grant => panic!("{grant:?}"),
    }
}

/// A different host for every number.
fn other(number: usize) -> Url {
    Url::parse(&format!("http://other{number}/")).unwrap()
}

/// Adds and drops enough hosts that every unused host is forgotten.
fn sweep(pool: &mut Pool<KeyBuf, u32>, now: Instant) {
    for number in 0..4 * FEW_HOSTS {
        match pool.request(&Key::of(&other(number)), now, &mut Effects::default()) {
            Grant::Dial(lease) => pool.discard(lease, now, &mut Effects::default()),
            Grant::Wait(ticket) => pool.cancel(ticket, now, &mut Effects::default()),
            grant @ (Grant::Idle(_) | Grant::Refused(_)) => panic!("{grant:?}"),
        }
    }
    assert!(pool.by_key.len() <= FEW_HOSTS + 1, "{}", pool.by_key.len());
    assert!(!pool.by_key.contains_key(&Key::of(&other(0))));
    assert!(pool.hosts.places() <= FEW_HOSTS + 1, "{}", pool.hosts.places());
}

#[test]
fn hosts_that_nobody_uses_are_forgotten() {
    let (now, mut pool) = (Instant::from_nanos(1 << 42), Pool::new(Policy::default()));
    sweep(&mut pool, now);
    assert_eq!(pool.keys().count(), 0);
}

#[test]
fn a_host_is_not_forgotten_while_one_of_its_connections_is_lent_out() {
    let (now, mut effects) = (Instant::from_nanos(1 << 42), Effects::default());
    let mut pool = Pool::new(Policy { max_per_host: Some(1), ..Policy::default() });
    let lease = dial(&mut pool, 1, now);
    sweep(&mut pool, now);
    let waiting = wait(&mut pool, 1, now);
    pool.checkin(lease, 1, proof(now, None), now, &mut effects);
    assert_eq!(effects.ready, [waiting]);
    let Some(Grant::Idle(checkout)) = pool.collect(waiting) else { panic!() };
    assert_eq!(checkout.connection, 1);
}

#[test]
fn a_host_is_not_forgotten_while_a_connection_idles() {
    let (now, mut pool, mut effects) =
        (Instant::from_nanos(1 << 42), Pool::new(Policy::default()), Effects::default());
    let lease = dial(&mut pool, 1, now);
    pool.checkin(lease, 1, proof(now, None), now, &mut effects);
    sweep(&mut pool, now);
    assert!(matches!(pool.request(&Key::of(&url(1)), now, &mut effects), Grant::Idle(_)));
}

#[test]
fn a_host_is_not_forgotten_while_somebody_waits_for_it() {
    let (now, mut effects) = (Instant::from_nanos(1 << 42), Effects::default());
    let mut pool = Pool::new(Policy { max_total: Some(1), ..Policy::default() });
    let lease = dial(&mut pool, 2, now);
    let waiting = wait(&mut pool, 1, now);
    sweep(&mut pool, now);
    pool.discard(lease, now, &mut effects);
    assert_eq!(effects.ready, [waiting]);
    let lease = only(&mut pool, &effects);
    pool.discard(lease, now, &mut effects);
    assert_eq!(pool.stats().open(), 0);
}

#[test]
fn hosts_in_use_are_not_looked_through_for_each_new_one() {
    let (now, mut pool) = (Instant::from_nanos(1 << 42), Pool::<KeyBuf, u32>::new(Policy::default()));
    let mut leases = Vec::new();
    let total = steps::of(|| {
        for number in 0..8 * FEW_HOSTS {
            match pool.request(&Key::of(&other(number)), now, &mut Effects::default()) {
                Grant::Dial(lease) => leases.push(lease),
                grant => panic!("{grant:?}"),
            }
        }
    });
    assert!(total < 20 * 8 * FEW_HOSTS, "{total}");
    assert_eq!(pool.keys().count(), leases.len());
}

#[test]
fn what_idles_is_taken_out_oldest_first() {
    let (now, mut pool, mut effects) =
        (Instant::from_nanos(1 << 42), Pool::new(Policy::default()), Effects::default());
    for (connection, host) in [(1, 1), (2, 2), (3, 1)] {
        let lease = match pool.request_fresh(&Key::of(&url(host)), now, &mut Effects::default()) {
            Grant::Dial(lease) => lease,
            grant => panic!("{grant:?}"),
        };
        pool.checkin(lease, connection, proof(now, None), now, &mut effects);
    }
    let lent = dial(&mut pool, 3, now);
    // The third was returned after the first had failed.
    let taken: Vec<_> = std::iter::from_fn(|| pool.take_idle()).collect();
    assert_eq!(taken, [2, 3]);
    assert_eq!((pool.stats().idle, pool.stats().in_use), (0, 1));
    pool.discard(lent, now, &mut effects);
}

#[test]
fn a_connection_is_kept_up_to_its_end_and_not_at_it() {
    let minute = Duration::from_secs(60);
    let cases = [
        (Policy { idle_timeout: minute, ..wide() }, None),
        (wide(), Some(minute)),
        (Policy { max_lifetime: Some(minute), ..wide() }, None),
        // The shortest limit applies.
        (Policy { idle_timeout: 2 * minute, max_lifetime: Some(3 * minute), ..wide() }, Some(minute)),
    ];
    for (policy, idle_for) in cases {
        for (at, is_kept) in [(minute - Duration::from_nanos(1), true), (minute, false)] {
            let (now, mut pool, mut effects) =
                (Instant::from_nanos(1 << 42), Pool::new(policy), Effects::default());
            let lease = dial(&mut pool, 1, now);
            pool.checkin(lease, 1, proof(now, idle_for), now, &mut effects);
            assert_eq!(pool.next_expiry(), Some(now + minute));
            let grant = pool.request(&Key::of(&url(1)), now + at, &mut effects);
            assert_eq!(matches!(grant, Grant::Idle(_)), is_kept, "{policy:?} {at:?}");
            assert_eq!(effects.closed.len(), usize::from(!is_kept));
        }
    }
}

#[test]
fn a_connection_whose_life_is_over_is_closed_when_it_comes_back() {
    let (start, mut effects) = (Instant::from_nanos(1 << 42), Effects::default());
    let life = Duration::from_secs(60);
    let mut pool = Pool::new(Policy { max_lifetime: Some(life), ..Policy::default() });
    let lease = dial(&mut pool, 1, start);
    pool.checkin(lease, 1, proof(start, None), start + life, &mut effects);
    assert_eq!((effects.closed, pool.stats().open()), (vec![1], 0));
}

#[test]
fn connections_are_numbered_as_they_are_opened() {
    let mut pool = Pool::<KeyBuf, u32>::new(Policy::default());
    assert_eq!((pool.dialled(), pool.dialled(), pool.stats().dialled), (1, 2, 2));
}

/// A pool with this number of idle connections, ten for each host or all for one.
fn idling(most: u32, hosts: u32, now: Instant) -> Pool<KeyBuf, u32> {
    let mut pool = Pool::new(wide());
    let leases: Vec<_> = (0..most).map(|number| dial(&mut pool, (number % hosts) as u8, now)).collect();
    for (number, lease) in (0..).zip(leases) {
        pool.checkin(lease, number, proof(now, None), now, &mut Effects::default());
    }
    pool
}

#[test]
fn fs8_nobody_pays_for_all_that_has_idled_too_long() {
    for hosts in [1, 100] {
        let now = Instant::from_nanos(1 << 42);
        let mut pool = idling(10_000, hosts, now);
        let late = now + pool.policy().idle_timeout;
        let mut closed = 0;
        while pool.next_expiry() == Some(late) {
            let mut effects = Effects::default();
            let mut lease = None;
            let asked = steps::of(|| match pool.request(&Key::of(&url(0)), late, &mut effects) {
                Grant::Dial(dialled) => lease = Some(dialled),
                grant @ (Grant::Wait(_) | Grant::Refused(_)) => panic!("{grant:?}"),
                // The connection that has returned since.
                Grant::Idle(checkout) => lease = Some(checkout.lease),
            });
            let came_back = steps::of(|| {
                pool.checkin(lease.unwrap(), u32::MAX, proof(late, None), late, &mut effects);
            });
            let most = 3 * MOST_EXPIRED;
            assert!((1..=most).contains(&effects.closed.len()), "{}", effects.closed.len());
            assert!(asked < 400 && came_back < 400, "{asked} {came_back}");
            assert!(!effects.closed.contains(&u32::MAX));
            closed += effects.closed.len();
        }
        assert_eq!((closed, pool.stats().idle), (10_000, 1));
    }
}

#[test]
fn fs8_to_evict_costs_the_same_for_each_connection() {
    let now = Instant::from_nanos(1 << 42);
    type Evict = fn(&mut Pool<KeyBuf, u32>, Instant, &mut Effects<u32>);
    let ways: [Evict; 4] = [
        |pool, _, effects| pool.close_idle(effects),
        |pool, _, effects| pool.close_idle_of(|key| *key.as_key() == Key::of(&url(0)), effects),
        |pool, late, effects| pool.close_expired(late, effects),
        |pool, _, effects| pool.clear(effects),
    ];
    for evict in ways {
        let mut pool = idling(5_000, 1, now);
        let mut effects = Effects::default();
        let late = now + pool.policy().idle_timeout;
        let total = steps::of(|| evict(&mut pool, late, &mut effects));
        assert_eq!((effects.closed.len(), pool.stats().idle, pool.next_expiry()), (5_000, 0, None));
        assert!(total < 5_000 * 20, "{total}");
    }
}

#[test]
fn what_has_idled_too_long_is_evicted_and_nothing_else() {
    let (now, mut pool, mut effects) = (Instant::from_nanos(1 << 42), Pool::new(wide()), Effects::default());
    let leases: Vec<_> = (0..4).map(|_| dial(&mut pool, 1, now)).collect();
    for (second, lease) in [3, 1, 4, 2].into_iter().zip(leases) {
        let idle_for = Some(Duration::from_secs(u64::from(second)));
        pool.checkin(lease, second, proof(now, idle_for), now, &mut effects);
    }
    assert_eq!(pool.next_expiry(), Some(now + Duration::from_secs(1)));
    pool.close_expired(now + Duration::from_secs(2), &mut effects);
    assert_eq!(effects.closed, [1, 2]);
    assert_eq!((pool.stats().idle, pool.next_expiry()), (2, Some(now + Duration::from_secs(3))));
}

#[test]
fn a_failure_costs_those_that_idled_before_it_and_none_after() {
    let now = Instant::from_nanos(1 << 42);
    let (mut pool, mut effects) = (idling(100, 1, now), Effects::default());
    let grant = pool.request_fresh(&Key::of(&url(0)), now, &mut effects);
    let Grant::Dial(lease) = grant else { panic!("{grant:?}") };
    assert_eq!(effects.closed.len(), MOST_EXPIRED);
    pool.checkin(lease, 1_000, proof(now, None), now, &mut effects);
    let grant = pool.request(&Key::of(&url(0)), now, &mut effects);
    let Grant::Idle(checkout) = grant else { panic!("{grant:?}") };
    assert_eq!(checkout.connection, 1_000);
    let mut leases = vec![checkout.lease];
    while pool.stats().idle > 0 {
        match pool.request(&Key::of(&url(0)), now, &mut effects) {
            Grant::Dial(lease) => leases.push(lease),
            grant => panic!("{grant:?}"),
        }
    }
    assert_eq!(effects.closed.len(), 100);
    leases.into_iter().for_each(|lease| pool.discard(lease, now, &mut effects));
}

#[test]
fn fa8_a_place_that_becomes_free_costs_no_look_at_the_whole_line() {
    let per_release = |most: usize| {
        let (now, mut pool) =
            (Instant::from_nanos(1 << 42), Pool::new(Policy { max_total: Some(3), ..wide() }));
        let mut leases: Vec<_> = (0..3).map(|host| dial(&mut pool, host, now)).collect();
        let tickets: Vec<_> = (0..most).map(|number| wait(&mut pool, (number % 200) as u8, now)).collect();
        let mut dearest = 0;
        for ticket in tickets {
            let mut effects = Effects::default();
            let lease = leases.pop().unwrap();
            let taken = steps::of(|| pool.discard(lease, now, &mut effects));
            dearest = dearest.max(taken);
            // First come, first served.
            assert_eq!(effects.ready, [ticket]);
            leases.push(only(&mut pool, &effects));
        }
        assert_eq!(pool.stats().waiting, 0);
        dearest
    };
    let (few, many) = (per_release(100), per_release(20_000));
    assert!(many < 3 * few && many < 600, "{few} {many}");
}

#[test]
fn fa8_to_leave_the_line_costs_no_look_at_the_whole_line() {
    for policy in [Policy { max_total: Some(1), ..wide() }, Policy { max_per_host: Some(1), ..wide() }] {
        let per_cancel = |most: usize| {
            let (now, mut pool) = (Instant::from_nanos(1 << 42), Pool::new(policy));
            let lease = dial(&mut pool, 1, now);
            let mut tickets: Vec<_> = (0..most).map(|_| wait(&mut pool, 1, now)).collect();
            // Start in the middle.
            tickets.rotate_left(most / 2);
            let mut dearest = 0;
            for ticket in tickets {
                let mut effects = Effects::default();
                dearest = dearest.max(steps::of(|| pool.cancel(ticket, now, &mut effects)));
                assert!(effects.ready.is_empty());
            }
            assert_eq!(pool.stats().waiting, 0);
            pool.discard(lease, now, &mut Effects::default());
            dearest
        };
        let (few, many) = (per_cancel(100), per_cancel(20_000));
        assert!(many < 3 * few && many < 300, "{policy:?}: {few} {many}");
    }
}

#[test]
fn whoever_cannot_use_the_place_holds_up_nobody() {
    let (now, mut effects) = (Instant::from_nanos(1 << 42), Effects::default());
    let mut pool = Pool::new(Policy { max_total: Some(2), max_per_host: Some(1), ..Policy::default() });
    let (first, second) = (dial(&mut pool, 1, now), dial(&mut pool, 2, now));
    let at_its_limit = wait(&mut pool, 1, now);
    let next = wait(&mut pool, 3, now);
    pool.discard(second, now, &mut effects);
    assert_eq!(effects.ready, [next]);
    let third = only(&mut pool, &effects);
    effects.ready.clear();
    pool.discard(first, now, &mut effects);
    assert_eq!(effects.ready, [at_its_limit]);
    let first = only(&mut pool, &effects);
    [first, third].into_iter().for_each(|lease| pool.discard(lease, now, &mut effects));
}

#[test]
fn a_place_that_was_granted_goes_to_the_next_when_its_holder_leaves() {
    let (now, mut effects) = (Instant::from_nanos(1 << 42), Effects::default());
    let mut pool = Pool::new(Policy { max_per_host: Some(1), ..Policy::default() });
    let lease = dial(&mut pool, 1, now);
    let [first, second] = [0; 2].map(|_| wait(&mut pool, 1, now));
    pool.checkin(lease, 1, proof(now, None), now, &mut effects);
    pool.cancel(first, now, &mut effects);
    assert_eq!((effects.ready, effects.closed), (vec![first, second], vec![1]));
    assert!(pool.collect(first).is_none());
    assert!(matches!(pool.collect(second), Some(Grant::Dial(_))));
    assert!(pool.collect(second).is_none());
}

#[test]
fn fa17_what_another_pool_has_given_is_refused_and_does_no_harm() {
    let (now, mut effects) = (Instant::from_nanos(1 << 42), Effects::default());
    let narrow = Policy { max_per_host: Some(1), ..Policy::default() };
    let (mut pool, mut stranger) = (Pool::new(narrow), Pool::new(narrow));
    let own = dial(&mut pool, 1, now);
    let waiting = wait(&mut pool, 1, now);
    let counts = |pool: &Pool<KeyBuf, u32>| (pool.stats().idle, pool.stats().in_use, pool.stats().waiting);

    let foreign = dial(&mut stranger, 1, now);
    let foreign_ticket = wait(&mut stranger, 1, now);
    assert!(pool.collect(foreign_ticket).is_none());
    pool.cancel(foreign_ticket, now, &mut effects);
    pool.discard(foreign, now, &mut effects);
    let foreign = dial(&mut stranger, 2, now);
    pool.checkin(foreign, 9, proof(now, None), now, &mut effects);
    assert_eq!((counts(&pool), &effects.closed[..], &effects.ready[..]), ((0, 1, 1), &[9][..], &[][..]));

    // A pool that has never lent anything has nothing to count down.
    let mut fresh = Pool::<KeyBuf, u32>::new(Policy::default());
    fresh.discard(dial(&mut stranger, 3, now), now, &mut effects);
    assert_eq!(counts(&fresh), (0, 0, 0));

    pool.discard(own, now, &mut effects);
    assert_eq!(effects.ready, [waiting]);
}

#[test]
fn a_raised_limit_serves_the_queue_in_its_order() {
    let (now, mut effects) = (Instant::from_nanos(1 << 42), Effects::default());
    let narrow = Policy::new().max_per_host(1).max_total(2);
    let mut pool = Pool::new(narrow);
    let leases = [dial(&mut pool, 1, now), dial(&mut pool, 2, now)];
    let tickets = [2, 3, 1, 2].map(|host| wait(&mut pool, host, now));
    pool.set_policy(narrow.max_total(3), now, &mut effects);
    assert_eq!(effects.ready, [tickets[1]], "the first has its host at the limit");
    effects.ready.clear();
    pool.set_policy(narrow.max_per_host(2).max_total(5), now, &mut effects);
    assert_eq!(effects.ready, [tickets[0], tickets[2]]);
    assert_eq!((pool.stats().in_use, pool.stats().waiting), (5, 1));
    leases.into_iter().for_each(|lease| pool.discard(lease, now, &mut Effects::default()));
    assert!(pool.collect(tickets[3]).is_some());
}

#[test]
fn a_lowered_limit_closes_the_longest_idle_and_cuts_nothing_off() {
    let (now, mut effects) = (Instant::from_nanos(1 << 42), Effects::default());
    let mut pool = Pool::new(wide());
    let mut leases: Vec<_> = (0..6).map(|_| dial(&mut pool, 1, now)).collect();
    for (connection, lease) in (1..).zip(leases.drain(..3)) {
        pool.checkin(lease, connection, proof(now, None), now, &mut effects);
    }
    pool.set_policy(wide().max_per_host(5), now, &mut effects);
    assert_eq!(effects.closed, [1]);
    pool.set_policy(wide().max_per_host(2), now, &mut effects);
    assert_eq!((&effects.closed[..], pool.stats().in_use), (&[1, 2, 3][..], 3));
    // Three are in use, and one too many.
    let mut leases = leases.into_iter();
    for (connection, idle) in [(4, 0), (5, 1), (6, 2)] {
        pool.checkin(leases.next().unwrap(), connection, proof(now, None), now, &mut effects);
        assert_eq!(pool.stats().idle, idle, "{connection}");
    }
    assert_eq!(effects.closed, [1, 2, 3, 4]);
}

#[test]
fn a_shorter_idle_time_counts_from_the_change() {
    let (now, mut effects) = (Instant::from_nanos(1 << 42), Effects::default());
    let (mut pool, second) = (idling(2, 1, now), Duration::from_secs(1));
    pool.set_policy(wide().idle_timeout(5 * second), now + 2 * second, &mut effects);
    assert_eq!(pool.next_expiry(), Some(now + 7 * second));
    // A longer one applies to those that return later.
    pool.set_policy(wide().idle_timeout(60 * second), now + 3 * second, &mut effects);
    assert_eq!(pool.next_expiry(), Some(now + 7 * second));
    pool.set_policy(wide().idle_timeout(Duration::ZERO), now + 4 * second, &mut effects);
    assert_eq!((effects.closed.len(), pool.stats().open()), (2, 0));
}
