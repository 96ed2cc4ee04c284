//! The pool against a model that is too simple to be wrong.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use url::Url;

use super::{Policy, Pool, Proof};

fn url(host: u8) -> Url {
    Url::parse(&format!("http://host{host}/")).unwrap()
}

fn proof(now: Instant, idle_for: Option<Duration>) -> Proof {
    Proof { opened: now, idle_for }
}

#[test]
fn d10_the_last_one_back_is_the_first_one_out() {
    let (now, mut pool, mut closed) = (Instant::now(), Pool::new(Policy::default()), Vec::new());
    for connection in 0..3 {
        pool.checkin(&url(1), connection, proof(now, None), now, &mut closed);
    }
    let order: Vec<_> = std::iter::from_fn(|| pool.checkout(&url(1), now, &mut closed))
        .map(|checkout| checkout.connection)
        .collect();
    assert_eq!(order, [2, 1, 0]);
    assert!(closed.is_empty());
}

#[test]
fn q21_a_servers_keep_alive_is_honoured() {
    let (now, mut pool, mut closed) = (Instant::now(), Pool::new(Policy::default()), Vec::new());
    pool.checkin(&url(1), 1, proof(now, Some(Duration::from_secs(4))), now, &mut closed);
    assert!(pool.checkout(&url(1), now + Duration::from_secs(5), &mut closed).is_none());
    assert_eq!(closed, [1]);
}

#[test]
fn v100_a_connection_that_idled_is_probed() {
    let (now, mut pool, mut closed) = (Instant::now(), Pool::new(Policy::default()), Vec::new());
    for (idle, probe) in [(0, false), (40, true)] {
        pool.checkin(&url(1), 1, proof(now, None), now, &mut closed);
        let later = now + Duration::from_millis(idle);
        assert_eq!(pool.checkout(&url(1), later, &mut closed).unwrap().probe, probe);
    }
}

#[derive(Clone, Debug)]
enum Act {
    Checkin { host: u8, idle_for: Option<u64> },
    Checkout { host: u8 },
    Wait(u64),
    Clear,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => (0..6u8, proptest::option::of(0..20u64)).prop_map(|(host, idle_for)| Act::Checkin { host, idle_for }),
        5 => (0..6u8).prop_map(|host| Act::Checkout { host }),
        2 => (0..15u64).prop_map(Act::Wait),
        1 => Just(Act::Clear),
    ]
}

proptest! {
    /// No connection is lost, none is handed out twice, none too old, none beyond the limits.
    #[test]
    fn the_pool_equals_its_model(acts in prop::collection::vec(act(), 0..200), per_host in 0..4usize, total in 0..8usize) {
        let policy = Policy {
            max_idle_per_host: per_host,
            max_idle: total,
            idle_timeout: Duration::from_secs(10),
            ..Policy::default()
        };
        let mut now = Instant::now();
        let mut pool = Pool::new(policy);
        // (connection, host, until), oldest first.
        let mut model: Vec<(u32, u8, Instant)> = Vec::new();
        let mut made = 0;
        for act in acts {
            let mut closed = Vec::new();
            let mut expect_closed: Vec<u32> = Vec::new();
            match act {
                Act::Wait(seconds) => now += Duration::from_secs(seconds),
                Act::Clear => {
                    closed = pool.clear();
                    expect_closed.extend(model.drain(..).map(|(connection, ..)| connection));
                }
                Act::Checkin { host, idle_for } => {
                    made += 1;
                    let span = idle_for.map(Duration::from_secs);
                    pool.checkin(&url(host), made, proof(now, span), now, &mut closed);
                    let until = now + span.map_or(policy.idle_timeout, |span| span.min(policy.idle_timeout));
                    if until <= now || per_host == 0 || total == 0 {
                        expect_closed.push(made);
                    } else {
                        reap(&mut model, now, &mut expect_closed);
                        if model.len() >= total {
                            expect_closed.push(model.remove(0).0);
                        }
                        if model.iter().filter(|(_, h, _)| *h == host).count() >= per_host {
                            let oldest = model.iter().position(|(_, h, _)| *h == host).unwrap();
                            expect_closed.push(model.remove(oldest).0);
                        }
                        model.push((made, host, until));
                    }
                }
                Act::Checkout { host } => {
                    let got = pool.checkout(&url(host), now, &mut closed).map(|checkout| checkout.connection);
                    reap(&mut model, now, &mut expect_closed);
                    let mut expected = None;
                    while let Some(newest) = model.iter().rposition(|(_, h, _)| *h == host) {
                        let (connection, _, until) = model.remove(newest);
                        if until > now {
                            expected = Some(connection);
                            break;
                        }
                        expect_closed.push(connection);
                    }
                    prop_assert_eq!(got, expected);
                }
            }
            closed.sort_unstable();
            expect_closed.sort_unstable();
            prop_assert_eq!(closed, expect_closed);
            prop_assert_eq!(pool.stats().idle, model.len());
        }
    }
}

/// The oldest go while they are due; a younger one with a shorter time waits for its checkout.
fn reap(model: &mut Vec<(u32, u8, Instant)>, now: Instant, closed: &mut Vec<u32>) {
    while model.first().is_some_and(|(.., until)| *until <= now) {
        closed.push(model.remove(0).0);
    }
}
