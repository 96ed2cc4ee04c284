//! The pace of a call by hand, with the pool. Time passes only when a test advances it.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_types, reason = "the observer of a test writes into a shared list")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests say what went wrong by where they stop")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sessio::call::Event;
use sessio::pace::{CircuitBreaker, Outcome, Pace, Reason};
use sessio::pool::{Effects, Grant, Lease, Policy, Pool};
use sessio::routing::KeyBuf;
use sessio::{
    Blame, Call, Conn, Error, Instant, Kind, Memory, Mount, Now, Observer, Request, Seed, SessionState,
    Settings, Step, Timeout, UnixTime, Url, merge, prepare,
};

const SECOND: Duration = Duration::from_secs(1);
const BUSY: &str = "HTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";

/// A driver of calls, one at a time.
struct Hand {
    settings: Settings,
    pool: Pool<KeyBuf, Conn>,
    state: SessionState,
    now: Now,
    events: Arc<Mutex<Vec<String>>>,
}

impl Hand {
    fn new(pace: impl Into<Option<Arc<Pace>>>) -> Self {
        let events = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&events);
        let mut settings = Settings::default();
        settings.pace = pace.into();
        settings.observer = Observer::new(move |_: &Call, event: &Event<'_>| {
            log.lock().unwrap().push(event.to_string());
        });
        let now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };
        let (pool, state) = (Pool::new(Policy::default()), SessionState::new(Seed::new(1)));
        Self { settings, pool, state, now, events }
    }

    fn call(&mut self, request: Request) -> Call {
        let request = prepare(merge(&self.settings, request), &mut self.state.jar, self.now).unwrap();
        Call::new(request, Memory::default()).unwrap()
    }

    /// Asks the pool for the connection that a call wants.
    fn request(&mut self, call: &mut Call) -> Grant<Conn> {
        let Ok(Step::Connect(to)) = call.step(self.now) else { panic!("{call:?}") };
        let (rule, mut effects) = (to.pace.unwrap(), Effects::default());
        let (key, host) = (to.key(), rule.key(to.url));
        self.pool.request_paced(Some(&key), to.fresh, host, &rule.pace, self.now.mono, &mut effects)
    }

    /// Connects a call, and takes its request.
    fn begin(&mut self, call: &mut Call) -> Lease {
        let grant = self.request(call);
        let Grant::Dial(lease) = grant else { panic!("{grant:?}") };
        let conn = call.wanted().unwrap().open(1, self.now, &[]).unwrap();
        call.connected(conn);
        while let Ok(Step::Io(io)) = call.step(self.now)
            && !io.send.is_empty()
        {
            let n = io.send.len();
            call.sent(n);
        }
        lease
    }

    fn say(&self, call: &mut Call, bytes: &str) {
        let Ok(Step::Io(io)) = call.step(self.now) else { panic!("{call:?}") };
        io.recv[..bytes.len()].copy_from_slice(bytes.as_bytes());
        call.received(bytes.len());
    }

    fn report(&mut self, call: &Call, lease: &Lease) -> Outcome {
        let outcome = call.pace_outcome(self.now).unwrap();
        self.pool.report(lease, &outcome, self.now.mono, &mut Effects::default());
        outcome
    }

    fn fail(&mut self, call: &mut Call) -> Error {
        loop {
            match call.step(self.now) {
                Ok(Step::Decide) => call.decide(&mut self.state, self.now),
                Ok(step) => panic!("{step:?}"),
                Err(error) => return error,
            }
        }
    }
}

fn get() -> Request {
    Request::get("http://h.test/")
}

#[test]
fn the_outcome_is_known_before_the_connection_is_released() {
    let mut hand = Hand::new(Pace::new());
    let mut call = hand.call(get());
    assert_eq!(call.pace_outcome(hand.now), None);
    let lease = hand.begin(&mut call);
    assert_eq!(call.pace_outcome(hand.now), None);
    hand.now = hand.now.after(3 * SECOND);
    hand.say(&mut call, BUSY);
    let Ok(Step::Release) = call.step(hand.now) else { panic!("{call:?}") };
    let outcome = hand.report(&call, &lease);
    let status = 429.try_into().unwrap();
    let (retry_after, latency) = (Some(7 * SECOND), Some(3 * SECOND));
    assert_eq!(outcome, Outcome::Status { status, retry_after, latency });
    let (conn, proof) = call.release().unwrap();
    hand.pool.checkin(lease, conn, proof, hand.now.mono, &mut Effects::default());
    let Ok(Step::Decide) = call.step(hand.now) else { panic!("{call:?}") };
    call.decide(&mut hand.state, hand.now);
    assert_eq!(call.pace_outcome(hand.now), None);
    let Ok(Step::Head) = call.step(hand.now) else { panic!("{call:?}") };
    // It holds the next call.
    let mut call = hand.call(get());
    let Grant::Wait(ticket) = hand.request(&mut call) else { panic!() };
    let wait = hand.pool.pace_wait(ticket, hand.now.mono).unwrap();
    assert_eq!((wait.until, wait.earliest), (Some(hand.now.mono + 7 * SECOND), hand.now.mono + 7 * SECOND));
}

#[test]
fn a_date_in_retry_after_holds_the_next_call_until_then() {
    // 2026-01-01 00:00:00 is the time of the clock.
    for (date, seconds) in [
        ("Thu, 01 Jan 2026 00:00:09 GMT", Some(9)),
        ("Thursday, 01-Jan-26 00:01:00 GMT", Some(60)),
        ("Thu Jan  1 00:00:05 2026", Some(5)),
        ("Wed, 31 Dec 2025 23:59:00 GMT", Some(0)),
        ("tomorrow", None),
    ] {
        let mut hand = Hand::new(Pace::new());
        let mut call = hand.call(get());
        let lease = hand.begin(&mut call);
        hand.say(&mut call, &BUSY.replace("Retry-After: 7", &format!("Retry-After: {date}")));
        let Outcome::Status { retry_after, .. } = hand.report(&call, &lease) else { panic!() };
        assert_eq!(retry_after, seconds.map(Duration::from_secs), "{date}");
        let Ok(Step::Release) = call.step(hand.now) else { panic!("{call:?}") };
        let (conn, proof) = call.release().unwrap();
        hand.pool.checkin(lease, conn, proof, hand.now.mono, &mut Effects::default());
        let mut call = hand.call(get());
        match (hand.request(&mut call), seconds) {
            (Grant::Wait(ticket), Some(seconds)) if seconds > 0 => {
                let wait = hand.pool.pace_wait(ticket, hand.now.mono).unwrap();
                assert_eq!(wait.until, Some(hand.now.mono + Duration::from_secs(seconds)), "{date}");
            }
            (Grant::Wait(_), _) => panic!("{date}"),
            (_, seconds) => assert_eq!(seconds.unwrap_or(0), 0, "{date}"),
        }
    }
}

#[test]
fn a_call_without_a_pace_takes_no_policy_step() {
    let mut hand = Hand::new(None);
    let mut call = hand.call(get());
    let Ok(Step::Connect(to)) = call.step(hand.now) else { panic!("{call:?}") };
    assert!(to.pace.is_none());
    let conn = to.open(1, hand.now, &[]).unwrap();
    call.connected(conn);
    while let Ok(Step::Io(io)) = call.step(hand.now)
        && !io.send.is_empty()
    {
        let n = io.send.len();
        call.sent(n);
    }
    hand.say(&mut call, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(call.pace_outcome(hand.now), None);
    let Ok(Step::Head) = call.step(hand.now) else { panic!("{call:?}") };
}

/// The limit of the whole call says as much about a host as any other.
#[test]
fn a_total_limit_counts_as_a_failure_of_the_host() {
    let mut breaker = CircuitBreaker::default();
    breaker.failures = 1;
    let mut pace = Pace::new();
    pace.breaker = Some(breaker);
    let mut hand = Hand::new(pace);
    let mut call = hand.call(get().timeout(5 * SECOND).retry(sessio::retry::RetryPolicy::web()));
    let lease = hand.begin(&mut call);
    hand.now = hand.now.after(5 * SECOND);
    for _ in 0..3 {
        let Ok(Step::Decide) = call.step(hand.now) else { panic!("asking changes nothing: {call:?}") };
    }
    let outcome = hand.report(&call, &lease);
    assert_eq!(outcome, Outcome::Failed { kind: Kind::Timeout(Timeout::Total) });
    let error = hand.fail(&mut call);
    assert_eq!((error.kind(), error.attempts().len()), (Kind::Timeout(Timeout::Total), 0));
    hand.pool.discard(lease, hand.now.mono, &mut Effects::default());

    let mut call = hand.call(get());
    let Grant::Refused(refusal) = hand.request(&mut call) else { panic!() };
    call.pace_refused(refusal);
    let error = hand.fail(&mut call);
    assert_eq!((error.kind(), error.kind().blame()), (Kind::CircuitOpen, Blame::Limit));
    assert_eq!(error.pace_refusal(), Some(&refusal));
    assert_eq!((refusal.reason, refusal.wait), (Reason::CircuitOpen, Some(30 * SECOND)));
    let said = "too many requests to the host have failed, and none is sent for a while (http://h.test, for 30s more)";
    assert!(error.to_string().starts_with(said), "{error}");
    assert!(error.is_safe_to_repeat());
}

#[test]
fn a_wait_is_one_event_and_one_that_does_not_fit_is_an_error() {
    for (limit, fits) in [(SECOND, false), (10 * SECOND, false), (10 * SECOND + SECOND / 8, true)] {
        let mut hand = Hand::new(Pace::rate(1, 10 * SECOND));
        let mut first = hand.call(get());
        let _lease = hand.begin(&mut first);
        let mut call = hand.call(get().timeout(limit));
        let Grant::Wait(ticket) = hand.request(&mut call) else { panic!() };
        let wait = hand.pool.pace_wait(ticket, hand.now.mono).unwrap();
        call.paced(&wait, hand.now);
        if fits {
            call.paced(&wait, hand.now);
            let Ok(Step::Connect(_)) = call.step(hand.now) else { panic!("{call:?}") };
            let events = hand.events.lock().unwrap();
            let paced = events.iter().filter(|line| *line == "waiting for the pace of the host");
            assert_eq!(paced.count(), 1, "{events:?}");
        } else {
            let error = hand.fail(&mut call);
            let refusal = error.pace_refusal().unwrap();
            assert_eq!((error.kind(), refusal.reason), (Kind::Paced, Reason::DeadlineTooNear));
            assert_eq!(refusal.wait, Some(10 * SECOND));
        }
        hand.pool.cancel(ticket, hand.now.mono, &mut Effects::default());
    }
}

/// The pace of the mount replaces that of the session, and is chosen again for each redirect.
#[test]
fn the_pace_is_that_of_the_longest_mount() {
    let mut hand = Hand::new(Pace::rate(1, SECOND));
    let mounts = &mut hand.settings.mounts;
    mounts.add("http://h.test/own", Mount::new().pace(Pace::rate(2, SECOND))).unwrap();
    mounts.add("http://h.test/none", Mount::new().pace(None)).unwrap();
    mounts.add("http://h.test/same", Mount::new().header("X-Same", "1")).unwrap();
    let of = |call: &Call| {
        let rule = call.options().pace.as_ref();
        rule.map(|rule| (rule.pace.rate.unwrap().requests, rule.mount.is_some()))
    };
    let expected =
        [("", Some((1, false))), ("own", Some((2, true))), ("none", None), ("same", Some((1, false)))];
    for (path, expected) in expected {
        let url = format!("http://h.test/{path}");
        assert_eq!(of(&hand.call(Request::get(&*url))), expected, "{path}");
        let mut call = hand.call(Request::get("http://h.test/"));
        let lease = hand.begin(&mut call);
        let moved = format!("HTTP/1.1 302 X\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n");
        hand.say(&mut call, &moved);
        hand.pool.discard(lease, hand.now.mono, &mut Effects::default());
        loop {
            match call.step(hand.now) {
                Ok(Step::Release) => drop(call.release()),
                Ok(Step::Decide) => call.decide(&mut hand.state, hand.now),
                _ => break,
            }
        }
        assert_eq!((of(&call), call.hop()), (expected, 1), "{path}");
        hand.now = hand.now.after(9 * SECOND);
    }
    let rule = hand.call(get()).options().pace.clone().unwrap();
    assert_eq!(rule.key(&Url::parse("http://h.test/").unwrap()).to_string(), "http://h.test");
}
