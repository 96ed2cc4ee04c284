//! Requests with a pace in the queue of the pool.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::base::time::Seed;
use crate::policy::pace::{CircuitBreaker, Outcome, Pace, PaceKey, Reason};

const START: Instant = Instant::from_nanos(1 << 50);

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn status(status: u16, retry_after: Option<u64>) -> Outcome {
    let status = http::StatusCode::from_u16(status).unwrap();
    Outcome::Status { status, retry_after: retry_after.map(Duration::from_secs), latency: None }
}

/// Callers of a pool, as careful as a driver has to be. A caller asks for its ticket when it is
/// woken, and at the time that it was last given. It asks at no other time.
struct Callers {
    pool: Pool<KeyBuf, u32>,
    paces: Vec<Option<Arc<Pace>>>,
    now: Instant,
    waiting: BTreeMap<usize, (u8, Ticket, Option<Instant>)>,
    running: BTreeMap<usize, (u8, Lease)>,
    /// The begin of each call, in order.
    begun: Vec<(u8, usize, Instant)>,
    refused: Vec<(u8, usize, Reason)>,
    next: usize,
}

impl Callers {
    fn new(policy: Policy, paces: Vec<Option<Pace>>) -> Self {
        Self {
            pool: Pool::new(policy),
            paces: paces.into_iter().map(|pace| pace.map(Arc::new)).collect(),
            now: START,
            waiting: BTreeMap::new(),
            running: BTreeMap::new(),
            begun: Vec::new(),
            refused: Vec::new(),
            next: 0,
        }
    }

    fn request(&mut self, host: u8) -> usize {
        let (call, mut effects) = (self.next, Effects::default());
        self.next += 1;
        let url = url(host);
        let key = Key::of(&url);
        let grant = match &self.paces[usize::from(host)] {
            Some(pace) => {
                let pace_key = PaceKey::new(&url, None);
                self.pool.request_paced(Some(&key), false, pace_key, pace, self.now, &mut effects)
            }
            None => self.pool.request(&key, self.now, &mut effects),
        };
        self.granted(call, host, grant);
        self.wake(effects);
        call
    }

    fn request_many(&mut self, host: u8, count: usize) {
        for _ in 0..count {
            self.request(host);
        }
    }

    fn granted(&mut self, call: usize, host: u8, grant: Grant<u32>) {
        match grant {
            Grant::Idle(Checkout { lease, .. }) | Grant::Dial(lease) => {
                self.running.insert(call, (host, lease));
                self.begun.push((host, call, self.now));
            }
            Grant::Wait(ticket) => {
                let until = self.pool.pace_wait(ticket, self.now).and_then(|wait| wait.until);
                self.waiting.insert(call, (host, ticket, until));
            }
            Grant::Refused(refusal) => self.refused.push((host, call, refusal.reason)),
        }
    }

    fn ask(&mut self, call: usize) {
        let Some((host, ticket, _)) = self.waiting.remove(&call) else { return };
        let mut effects = Effects::default();
        let grant = self.pool.collect_at(ticket, self.now, &mut effects);
        self.granted(call, host, grant.unwrap_or(Grant::Wait(ticket)));
        self.wake(effects);
    }

    /// Wakes callers in the order of their calls, which is the order of their tickets.
    fn wake(&mut self, effects: Effects<u32>) {
        let is_ready = |ticket: &Ticket| effects.ready.contains(ticket);
        let woken: Vec<_> = self
            .waiting
            .iter()
            .filter(|(_, (_, ticket, _))| is_ready(ticket))
            .map(|(call, _)| *call)
            .collect();
        woken.into_iter().for_each(|call| self.ask(call));
    }

    fn report(&mut self, call: usize, outcome: &Outcome) {
        let mut effects = Effects::default();
        self.pool.report(&self.running[&call].1, outcome, self.now, &mut effects);
        self.wake(effects);
    }

    fn end(&mut self, call: usize, is_kept: bool) {
        let Some((_, lease)) = self.running.remove(&call) else { return };
        let mut effects = Effects::default();
        match is_kept {
            true => self.pool.checkin(lease, 7, proof(self.now, None), self.now, &mut effects),
            false => self.pool.discard(lease, self.now, &mut effects),
        }
        self.wake(effects);
    }

    fn set_policy(&mut self, policy: Policy) {
        let mut effects = Effects::default();
        self.pool.set_policy(policy, self.now, &mut effects);
        self.wake(effects);
    }

    /// The caller drops its call.
    fn drop(&mut self, call: usize) {
        if let Some((_, ticket, _)) = self.waiting.remove(&call) {
            let mut effects = Effects::default();
            self.pool.cancel(ticket, self.now, &mut effects);
            self.wake(effects);
        }
        self.end(call, false);
    }

    /// Time passes up to `end`. Each timer rings when it is due.
    fn pass(&mut self, end: Instant) {
        loop {
            let due = self.waiting.iter().filter_map(|(call, (_, _, until))| Some((until.as_ref()?, call)));
            let Some((at, call)) = due.min().map(|(at, call)| (*at, *call)).filter(|(at, _)| *at <= end)
            else {
                break;
            };
            self.now = self.now.max(at);
            self.ask(call);
        }
        self.now = self.now.max(end);
    }

    fn check(&self) {
        let stats = self.pool.stats();
        assert_eq!((stats.in_use, stats.waiting), (self.running.len(), self.waiting.len()));
        for (host, pace) in self.paces.iter().enumerate() {
            let running = self.running.values().filter(|(at, _)| usize::from(*at) == host).count();
            let most = pace.as_ref().and_then(|pace| pace.concurrency).unwrap_or(u32::MAX).max(1);
            assert!(running <= most as usize, "{running} at a time");
        }
    }

    fn begun(&self, host: u8) -> Vec<usize> {
        self.begun.iter().filter(|(at, _, _)| *at == host).map(|(_, call, _)| *call).collect()
    }
}

fn random_pace(seed: &mut Seed) -> Option<Pace> {
    let mut pace = Pace::new();
    match seed.draw() % 4 {
        0 => return None,
        1 => {}
        _ => pace = Pace::rate(1 + (seed.draw() % 4) as u32, millis(1 + seed.draw() % 2000)),
    }
    if seed.draw().is_multiple_of(2) {
        pace.concurrency = Some((seed.draw() % 4) as u32);
    }
    if seed.draw().is_multiple_of(3) {
        pace.breaker = Some(CircuitBreaker { failures: 2, ..CircuitBreaker::default() });
    }
    if seed.draw().is_multiple_of(4) {
        pace.throttle = Pace::auto().throttle;
    }
    Some(pace)
}

/// One random event at a host. Which one does not depend on other hosts.
fn event(callers: &mut Callers, host: u8, seed: &mut Seed) {
    let pick = |calls: Vec<usize>, draw: u64| calls.get((draw % calls.len().max(1) as u64) as usize).copied();
    let (kind, draw) = (seed.draw() % 8, seed.draw());
    let of = |(call, at): (&usize, u8)| (at == host).then_some(*call);
    let running = callers.running.iter().filter_map(|(call, (at, _))| of((call, *at))).collect();
    let waiting = callers.waiting.iter().filter_map(|(call, (at, _, _))| of((call, *at))).collect();
    match kind {
        0..=3 => {
            callers.request(host);
        }
        4 | 5 => {
            if let Some(call) = pick(running, draw) {
                let outcome = match draw % 7 {
                    0 => Some(status(429, Some(draw % 5))),
                    1 => Some(status(503, None)),
                    2 => Some(Outcome::Failed { kind: crate::Kind::Connect }),
                    3 => None,
                    _ => Some(status(200, None)),
                };
                if let Some(outcome) = &outcome {
                    callers.report(call, outcome);
                }
                callers.end(call, kind == 4);
            }
        }
        _ => {
            let calls = if kind == 6 { waiting } else { running };
            if let Some(call) = pick(calls, draw) {
                callers.drop(call);
            }
        }
    }
}

/// The laws of the line, at every step of random histories. Requests of a host keep their order and
/// their number at a time. No drop leaves anything behind.
#[test]
fn requests_of_a_host_begin_in_their_order_and_drops_leave_the_line_usable() {
    let mut begun = 0;
    for round in 0..200 {
        let mut seed = Seed::new(round);
        let policy = Policy::new()
            .max_per_host([None, Some(1), Some(2)][(round % 3) as usize])
            .max_total([None, Some(3)][(round % 2) as usize]);
        let paces = (0..3).map(|_| random_pace(&mut seed)).collect();
        let mut callers = Callers::new(policy, paces);
        for _ in 0..150 {
            let host = (seed.draw() % 3) as u8;
            event(&mut callers, host, &mut seed);
            callers.check();
            if round % 4 == 3 && seed.draw().is_multiple_of(10) {
                let most = 1 + (seed.draw() % 4) as usize;
                callers.set_policy(Policy::new().max_per_host(most).max_total(most + 1));
                callers.check();
            }
            let end = callers.now + millis(seed.draw() % 700);
            callers.pass(end);
            callers.check();
        }
        for host in 0..3 {
            assert!(callers.begun(host).is_sorted(), "round {round}");
        }
        begun += callers.begun.len();
        // Each call that is left begins, is refused, or was dropped: nothing waits for ever.
        for _ in 0..2000 {
            let Some(call) = callers.running.keys().next().copied() else {
                let end = callers.now + millis(60_000);
                callers.pass(end);
                if callers.running.is_empty() {
                    break;
                }
                continue;
            };
            callers.end(call, false);
            callers.check();
        }
        assert!(callers.waiting.is_empty() && callers.running.is_empty(), "round {round}");
        let lanes = callers.pool.lanes.as_ref();
        assert!(lanes.is_none_or(|lanes| lanes.is_empty()), "round {round}");
    }
    assert!(begun > 5000, "{begun}");
}

/// The begin of each call to one host, with and without the calls to another.
#[test]
fn no_host_delays_another() {
    for round in 0..100 {
        let histories = [false, true].map(|has_other| {
            let mut seed = Seed::new(1000 + round);
            let paces = vec![random_pace(&mut seed), random_pace(&mut seed)];
            let mut callers = Callers::new(Policy::default(), paces);
            let (mut own, mut other) = (Seed::new(round), Seed::new(round + 1));
            for _ in 0..200 {
                event(&mut callers, 0, &mut own);
                if has_other {
                    event(&mut callers, 1, &mut other);
                }
                let end = callers.now + millis(own.draw() % 500);
                callers.pass(end);
            }
            let begun = callers.begun.iter().filter(|(host, _, _)| *host == 0);
            begun.map(|(_, _, at)| *at).collect::<Vec<_>>()
        });
        assert_eq!(histories[0], histories[1], "round {round}");
    }
}

#[test]
fn a_hold_of_one_host_is_shared_by_its_calls_and_by_no_other() {
    let mut callers = Callers::new(Policy::default(), vec![Some(Pace::new()), Some(Pace::new())]);
    let first = callers.request(0);
    callers.report(first, &status(429, Some(9)));
    callers.end(first, true);
    callers.request_many(0, 5);
    callers.request(1);
    assert_eq!((callers.begun(0).len(), callers.begun(1).len()), (1, 1));
    callers.pass(START + millis(8999));
    assert_eq!(callers.begun(0).len(), 1);
    callers.pass(START + millis(9000));
    assert_eq!(callers.begun(0), [0, 1, 2, 3, 4, 5]);
    assert_eq!(callers.pool.stats().reused, 1);
}

/// The request has to go through the rate again when a connection becomes free.
#[test]
fn requests_that_waited_for_a_connection_do_not_come_in_a_burst() {
    let policy = Policy::new().max_per_host(2);
    let mut callers = Callers::new(policy, vec![Some(Pace::rate(1, millis(1000)))]);
    callers.request_many(0, 6);
    callers.pass(START + millis(60_000));
    assert_eq!(callers.begun(0), [0, 1]);
    callers.end(0, true);
    callers.end(1, true);
    assert_eq!(callers.begun(0), [0, 1, 2]);
    callers.pass(START + millis(61_000));
    assert_eq!(callers.begun(0), [0, 1, 2, 3]);
}

#[test]
fn an_open_circuit_refuses_all_that_wait_and_lets_one_through() {
    let mut pace = Pace::new();
    pace.concurrency = Some(1);
    pace.breaker = Some(CircuitBreaker { failures: 1, ..CircuitBreaker::default() });
    let mut callers = Callers::new(Policy::default(), vec![Some(pace)]);
    callers.request_many(0, 4);
    callers.report(0, &Outcome::Failed { kind: crate::Kind::Connect });
    assert_eq!(callers.refused, [1, 2, 3].map(|call| (0, call, Reason::CircuitOpen)));
    callers.end(0, false);
    callers.pass(START + millis(30_000));
    callers.request_many(0, 3);
    assert_eq!(callers.begun(0), [0, 4]);
    // The one that tries is dropped: another one takes its place.
    callers.drop(4);
    callers.request(0);
    assert_eq!(callers.begun(0), [0, 4, 7]);
    callers.report(7, &status(200, None));
    callers.end(7, true);
    callers.request(0);
    assert_eq!(callers.begun(0), [0, 4, 7, 8]);
}

/// Redirects can name any number of hosts.
#[test]
fn hosts_are_forgotten_and_those_in_use_are_not() {
    let mut pool: Pool<KeyBuf, u32> = Pool::new(Policy::default());
    let mut effects = Effects::default();
    let pace = Arc::new(Pace::rate(1, Duration::from_secs(3600)));
    let mut request = |pool: &mut Pool<KeyBuf, u32>, host: usize, now: Instant| {
        let url = Url::parse(&format!("http://h{host}/")).unwrap();
        pool.request_paced(Some(&Key::of(&url)), false, PaceKey::new(&url, None), &pace, now, &mut effects)
    };
    let Grant::Dial(used) = request(&mut pool, 0, START) else { panic!() };
    for host in 1..20_000 {
        let now = START + millis(host as u64);
        let Grant::Dial(lease) = request(&mut pool, host, now) else { panic!("{host}") };
        pool.discard(lease, now, &mut Effects::default());
        assert!(pool.lanes() <= 1537, "{}", pool.lanes());
    }
    let now = START + millis(20_000);
    // The latest hosts and those in use keep their pace.
    for host in [0, 19_999] {
        assert!(matches!(request(&mut pool, host, now), Grant::Wait(_)), "{host}");
    }
    pool.discard(used, now, &mut Effects::default());
}

/// A transport needs no connection, and so no place among those of the pool.
#[test]
fn a_request_without_a_connection_has_a_pace_alone() {
    let mut pool: Pool<KeyBuf, u32> = Pool::new(Policy::new().max_total(1));
    let mut effects = Effects::default();
    let mut pace = Pace::new();
    pace.concurrency = Some(2);
    let (pace, key) = (Arc::new(pace), PaceKey::new(&url(1), None));
    let mut request = |pool: &mut Pool<KeyBuf, u32>| {
        pool.request_paced(None::<&Key<'_>>, false, key.clone(), &pace, START, &mut effects)
    };
    let (Grant::Dial(one), Grant::Dial(_two)) = (request(&mut pool), request(&mut pool)) else { panic!() };
    let Grant::Wait(ticket) = request(&mut pool) else { panic!() };
    assert_eq!((pool.stats().in_use, pool.stats().waiting), (0, 1));
    let mut effects = Effects::default();
    pool.discard(one, START, &mut effects);
    assert_eq!(effects.ready, [ticket]);
    assert!(matches!(pool.collect(ticket), Some(Grant::Dial(_))));
}

/// A step of one request costs the same however many wait.
#[test]
fn the_work_for_one_request_does_not_grow_with_the_line() {
    let work = |waiting: usize| {
        let mut callers = Callers::new(Policy::default(), vec![Some(Pace::rate(1, millis(10)))]);
        callers.request_many(0, waiting);
        let (_, ticket, until) = callers.waiting[&1];
        let mut effects = Effects::default();
        steps::of(|| {
            let grant = callers.pool.collect_at(ticket, until.unwrap(), &mut effects);
            assert!(grant.is_some());
        })
    };
    let (few, many) = (work(100), work(2000));
    assert!(many < few * 4, "{few} {many}");
}

/// The clock of a drop may be behind the clock of a timer that has rung.
#[test]
fn a_ticket_whose_timer_has_rung_is_woken_when_the_running_request_ends() {
    let mut pace = Pace::rate(1, Duration::from_secs(5));
    pace.concurrency = Some(1);
    let pace = Arc::new(pace);
    let (url, at) = (url(1), |millis: u64| START + Duration::from_millis(millis));
    let (key, host) = (Key::of(&url), PaceKey::new(&url, None));
    let (mut pool, mut effects) = (Pool::<KeyBuf, u32>::new(Policy::default()), Effects::default());
    let Grant::Dial(lease) = pool.request_paced(Some(&key), false, host.clone(), &pace, at(0), &mut effects)
    else {
        panic!()
    };
    let Grant::Wait(ticket) = pool.request_paced(Some(&key), false, host, &pace, at(1_000), &mut effects)
    else {
        panic!()
    };
    assert!(pool.collect_at(ticket, at(5_000), &mut effects).is_none());
    assert_eq!(pool.pace_wait(ticket, at(5_000)).unwrap().until, None);
    let mut effects = Effects::default();
    pool.discard(lease, at(100), &mut effects);
    assert_eq!(effects.ready, [ticket]);
    assert_eq!(pool.pace_wait(ticket, at(5_000)).unwrap().until, None, "it may begin now");
    assert!(pool.collect_at(ticket, at(5_000), &mut effects).is_some());
}

#[test]
fn a_circuit_that_opens_refuses_the_ticket_in_the_queue_too() {
    let breaker = CircuitBreaker { failures: 1, ..CircuitBreaker::default() };
    let pace = Pace { breaker: Some(breaker), ..Pace::default() };
    let mut callers = Callers::new(Policy { max_per_host: Some(2), ..Policy::default() }, vec![Some(pace)]);
    let (_, second) = (callers.request(0), callers.request(0));
    let (third, fourth) = (callers.request(0), callers.request(0));
    assert_eq!(callers.waiting.len(), 2);
    let mut effects = Effects::default();
    let lease = &callers.running[&second].1;
    callers.pool.report(lease, &status(503, None), callers.now, &mut effects);
    callers.wake(effects);
    let refused: Vec<_> = callers.refused.iter().map(|(_, call, _)| *call).collect();
    assert_eq!((refused, callers.waiting.len()), (vec![third, fourth], 0));
}
