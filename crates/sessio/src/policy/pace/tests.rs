//! Laws of a pace, as properties of random histories.

use std::time::Duration;

use http::StatusCode;

use super::*;
use crate::base::kind::{Kind, Timeout};
use crate::base::time::{Instant, Seed};

/// Long after the epoch, so that nothing saturates at zero.
const START: Instant = Instant::from_nanos(1 << 50);

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn status(status: u16, retry_after: Option<u64>, latency: u64) -> Outcome {
    let status = StatusCode::from_u16(status).unwrap();
    let retry_after = retry_after.map(Duration::from_secs);
    Outcome::Status { status, retry_after, latency: Some(millis(latency)) }
}

fn below(seed: &mut Seed, most: u64) -> u64 {
    seed.draw() % most
}

/// Begins a request, which has to be let go.
fn begin(state: &mut PaceState, pace: &Pace, now: Instant) -> Permit {
    assert_eq!(state.check(pace, now), Pass::Go, "at {now:?}");
    state.start(pace, now)
}

/// The begin of each request in 10^6 virtual seconds. Requests come alone, in bursts, and after
/// pauses.
fn begins(pace: &Pace, seed: u64) -> Vec<Instant> {
    let (mut state, mut seed, mut begins) = (PaceState::default(), Seed::new(seed), Vec::new());
    let (mut now, end) = (START, START + Duration::from_secs(1_000_000));
    while now < end {
        match below(&mut seed, 2048) {
            0 => now += Duration::from_secs(below(&mut seed, 1000)),
            1..256 => now += millis(below(&mut seed, 5000)),
            _ => {}
        }
        match state.check(pace, now) {
            Pass::Go => {
                let permit = state.start(pace, now);
                begins.push(now);
                state.finish(permit, now);
            }
            // One nanosecond earlier it would be too early.
            Pass::At(at) => {
                assert!(at > now);
                assert_ne!(state.check(pace, at - Duration::from_nanos(1)), Pass::Go);
                assert_eq!(state.check(pace, at), Pass::Go);
                now = at;
            }
            pass => panic!("{pass:?}"),
        }
    }
    begins
}

/// In no window of any length: the largest excess over `burst + length / interval` is found in one
/// pass, with numbers that are exact.
#[test]
fn the_rate_is_exceeded_in_no_window_of_a_million_seconds() {
    let rates =
        [(1, 10_000, 1), (3, 20_000, 1), (7, 60_000, 5), (100, 600_000, 100), (3, 9000, 2), (u32::MAX, 1, 1)];
    for (at, (requests, per, burst)) in rates.into_iter().enumerate() {
        let mut pace = Pace::rate(requests, millis(per));
        pace.rate = pace.rate.map(|rate| rate.burst(burst));
        if requests == u32::MAX {
            // Without a measurable interval nothing waits.
            let mut state = PaceState::default();
            (0..1000).for_each(|n| drop(begin(&mut state, &pace, START + Duration::from_nanos(n))));
            continue;
        }
        let begins = begins(&pace, at as u64);
        let (per, requests, burst) = (i128::from(per) * 1_000_000, i128::from(requests), i128::from(burst));
        // Scaled by the number of requests, so that the interval is a whole number.
        let potential = |index: usize| index as i128 * per - i128::from(begins[index].as_nanos()) * requests;
        let mut least = i128::MAX;
        for index in 0..begins.len() {
            least = least.min(potential(index));
            assert!(potential(index) - (burst - 1) * per <= least, "{requests} in {per} ns, {index}");
        }
        if burst == 1 {
            let most = requests as usize;
            assert!(begins.windows(most + 1).all(|all| (all[most] - all[0]).as_nanos() as i128 >= per));
        }
        // And the rate is used: 10^6 s have room for this many requests.
        let room = 1_000_000_000_000_000 / per * requests;
        assert!(begins.len() as i128 > room / 2, "{} of {room}", begins.len());
    }
}

#[test]
fn zero_is_one_and_no_span_is_no_limit() {
    let mut state = PaceState::default();
    let mut pace = Pace::rate(0, millis(10));
    pace.concurrency = Some(0);
    let first = begin(&mut state, &pace, START);
    assert_eq!(state.check(&pace, START), Pass::At(START + millis(10)));
    assert_eq!(state.check(&pace, START + millis(10)), Pass::Full);
    state.finish(first, START);
    drop(begin(&mut state, &pace, START + millis(10)));
    let (pace, mut state) = (Pace::rate(1, Duration::ZERO), PaceState::default());
    (0..100).for_each(|_| drop(begin(&mut state, &pace, START)));
}

#[test]
fn a_throttle_is_never_faster_after_an_error_and_within_its_bounds() {
    let mut seed = Seed::new(1);
    for round in 0..200 {
        let throttle = AutoThrottle {
            concurrency: [1.0, 0.5, 8.0, 0.0, -1.0, f64::NAN][round % 6],
            min: millis(below(&mut seed, 100)),
            max: millis(100 + below(&mut seed, 10_000)),
            ..AutoThrottle::default()
        };
        let mut pace = Pace::auto();
        pace.throttle = Some(throttle);
        let (mut state, mut now) = (PaceState::default(), START);
        for _ in 0..200 {
            if let Pass::At(at) = state.check(&pace, now) {
                now = at;
            }
            let before = state.delay(&pace).unwrap();
            let mut permit = begin(&mut state, &pace, now);
            let latency = below(&mut seed, 3000);
            let (outcome, is_error) = match below(&mut seed, 4) {
                0 => (status(429, None, latency), true),
                1 => (status(500, None, 0), true),
                2 => (Outcome::Failed { kind: Kind::Connect }, true),
                _ => (status(200, None, latency), false),
            };
            now += millis(latency);
            let _ = state.report(&pace, &mut permit, &outcome, now);
            state.finish(permit, now);
            let after = state.delay(&pace).unwrap();
            assert!(!is_error || after >= before, "{before:?} {after:?}");
            assert!(after >= throttle.min && after <= throttle.max);
        }
    }
}

/// The rule of scrapy: half the way down, the whole way up.
#[test]
fn a_throttle_follows_the_latency() {
    let pace = Pace::auto();
    let (mut state, mut now) = (PaceState::default(), START);
    let mut delays = Vec::new();
    for latency in [200, 200, 200, 5000, 200] {
        if let Pass::At(at) = state.check(&pace, now) {
            now = at;
        }
        let mut permit = begin(&mut state, &pace, now);
        let _ = state.report(&pace, &mut permit, &status(200, None, latency), now);
        state.finish(permit, now);
        delays.push(state.delay(&pace).unwrap().as_millis());
    }
    assert_eq!(delays, [600, 400, 300, 5000, 2600]);
    assert_eq!(state.check(&pace, now), Pass::At(now + millis(2600)));
}

#[test]
fn a_hold_counts_from_429_and_503_alone_and_never_shrinks() {
    let pace = Pace::new();
    for (outcome, until) in [
        (status(429, Some(7), 0), 7),
        (status(503, Some(7), 0), 7),
        (status(503, Some(0), 0), 0),
        (status(429, None, 0), 0),
        (status(200, Some(7), 0), 0),
        (status(500, Some(7), 0), 0),
        (Outcome::Failed { kind: Kind::Connect }, 0),
    ] {
        let mut state = PaceState::default();
        let (mut first, mut second) = (begin(&mut state, &pace, START), begin(&mut state, &pace, START));
        assert_eq!(state.report(&pace, &mut first, &outcome, START), until > 0);
        // A shorter one, and a second outcome of the same request, change nothing.
        let _ = state.report(&pace, &mut second, &status(429, Some(3), 0), START);
        assert!(!state.report(&pace, &mut first, &status(429, Some(30), 0), START));
        let until = START + Duration::from_secs(until.max(3));
        assert_eq!(state.check(&pace, START), Pass::At(until), "{outcome:?}");
        assert_eq!(state.check(&pace, until), Pass::Go);
        assert_eq!(state.earliest(&pace, 9, START), until);
    }
}

#[test]
fn a_long_hold_refuses_at_once_and_ends() {
    let mut pace = Pace::new();
    let mut state = PaceState::default();
    let mut permit = begin(&mut state, &pace, START);
    assert!(state.report(&pace, &mut permit, &status(429, Some(u64::MAX), 0), START));
    let Pass::Refused(refusal) = state.check(&pace, START) else { panic!() };
    let hour = Duration::from_secs(3600);
    assert_eq!((refusal.reason, refusal.wait), (Reason::HoldTooLong, Some(hour)));
    let minute = Duration::from_secs(60);
    assert_eq!(state.check(&pace, START + hour - minute), Pass::At(START + hour));
    assert_eq!(state.check(&pace, START + hour), Pass::Go);
    pace.hold = None;
    assert_eq!(state.check(&pace, START), Pass::Go);
}

/// A literal reading of the rule.
enum Model {
    Closed {
        in_a_row: u32,
    },
    Open {
        until: Instant,
    },
    /// The number of the only request.
    HalfOpen {
        trial: usize,
    },
}

/// Requests that begin, end, fail and are dropped at random.
#[test]
fn exactly_one_request_goes_through_a_half_open_circuit() {
    let mut seed = Seed::new(5);
    let (mut refused, mut trials) = (0, 0);
    for round in 0..300 {
        let most = 1 + round % 4;
        let open_for = Duration::from_secs(10);
        let breaker = CircuitBreaker { failures: most, open_for, ..CircuitBreaker::default() };
        let mut pace = Pace::new();
        pace.breaker = Some(breaker);
        let (mut state, mut now) = (PaceState::default(), START);
        let mut model = Model::Closed { in_a_row: 0 };
        // Requests that began before the last change have no effect.
        let mut changed_at = 0;
        let mut running: Vec<(usize, Permit)> = Vec::new();
        for number in 0..300 {
            now += millis(below(&mut seed, 1500));
            let kind = below(&mut seed, 6);
            if kind < 2 {
                let (goes, until) = match model {
                    Model::Closed { .. } => (true, None),
                    Model::Open { until } => (until <= now, Some(until)),
                    Model::HalfOpen { .. } => (false, None),
                };
                match state.check(&pace, now) {
                    Pass::Go => {
                        assert!(goes);
                        if let Model::Open { .. } = model {
                            model = Model::HalfOpen { trial: number };
                            trials += 1;
                        }
                        running.push((number, state.start(&pace, now)));
                    }
                    Pass::Refused(refusal) => {
                        assert!(!goes);
                        assert_eq!((refusal.kind(), refusal.until), (Kind::CircuitOpen, until));
                        refused += 1;
                    }
                    pass => panic!("{pass:?}"),
                }
                continue;
            }
            if running.is_empty() {
                continue;
            }
            let (ended, mut permit) = running.swap_remove(below(&mut seed, running.len() as u64) as usize);
            let (outcome, is_failure) = match kind {
                2 => (None, None),
                3 => (Some(Outcome::Failed { kind: Kind::Timeout(Timeout::Total) }), Some(true)),
                4 => (Some(status(503, None, 0)), Some(true)),
                _ if number % 2 == 0 => (Some(status(429, None, 0)), Some(false)),
                // A malformed response says nothing about the load of the host.
                _ if number % 3 == 0 => (Some(Outcome::Failed { kind: Kind::BadHead }), None),
                _ => (Some(status(200, None, 0)), Some(false)),
            };
            if let Some(outcome) = &outcome {
                let _ = state.report(&pace, &mut permit, outcome, now);
            }
            state.finish(permit, now);
            let until = now + Duration::from_secs(10);
            let changed = match (&mut model, is_failure) {
                (Model::HalfOpen { trial }, is_failure) if *trial == ended => Some(match is_failure {
                    Some(true) => Model::Open { until },
                    Some(false) => Model::Closed { in_a_row: 0 },
                    None => Model::Open { until: now },
                }),
                (Model::Closed { in_a_row }, Some(is_failure)) if ended >= changed_at => {
                    *in_a_row = if is_failure { *in_a_row + 1 } else { 0 };
                    (*in_a_row == most).then_some(Model::Open { until })
                }
                _ => None,
            };
            if let Some(changed) = changed {
                (model, changed_at) = (changed, number);
            }
        }
    }
    assert!(refused > 1000 && trials > 300, "{refused} {trials}");
}

#[test]
fn a_share_of_failures_opens_the_circuit() {
    let share = Some(FailureShare::new(50, 10, Duration::from_secs(60)));
    let breaker = CircuitBreaker { failures: 0, share, ..CircuitBreaker::default() };
    let mut pace = Pace::new();
    pace.breaker = Some(breaker);
    let run = |script: &[(u64, bool)]| {
        let (mut state, mut now) = (PaceState::default(), START);
        for (at, (pause, fails)) in script.iter().enumerate() {
            now += Duration::from_secs(*pause);
            if state.check(&pace, now) != Pass::Go {
                return Some(at);
            }
            let mut permit = state.start(&pace, now);
            let _ = state.report(&pace, &mut permit, &status(if *fails { 500 } else { 200 }, None, 0), now);
            state.finish(permit, now);
        }
        None
    };
    let script = |pauses: u64, pattern: &[bool], count: usize| -> Vec<_> {
        pattern.iter().cycle().take(count).map(|fails| (pauses, *fails)).collect()
    };
    assert_eq!(run(&script(1, &[false, true], 20)), Some(10));
    assert_eq!(run(&script(1, &[true], 20)), Some(10), "not before there are 10");
    assert_eq!(run(&script(1, &[false, false, true], 50)), None);
    assert_eq!(run(&script(7, &[true], 50)), None, "never 10 within a minute");
}

/// A wait that is known to be too long fails at once, so this bound must hold.
#[test]
fn nothing_begins_before_the_earliest_time() {
    let mut seed = Seed::new(9);
    for _ in 0..500 {
        let mut pace = Pace::rate(1 + below(&mut seed, 5) as u32, millis(1 + below(&mut seed, 3000)));
        pace.rate = pace.rate.map(|rate| rate.burst(1 + below(&mut seed, 4) as u32));
        if below(&mut seed, 2) == 0 {
            let min = millis(below(&mut seed, 500));
            pace.throttle = Some(AutoThrottle { min, ..AutoThrottle::default() });
        }
        let (mut state, mut now) = (PaceState::default(), START);
        for _ in 0..below(&mut seed, 8) {
            step(&mut state, &pace, &mut now, &mut seed);
        }
        let before = below(&mut seed, 8) as usize;
        let earliest = state.earliest(&pace, before, now);
        for _ in 0..=before {
            step(&mut state, &pace, &mut now, &mut seed);
        }
        assert!(now >= earliest, "{now:?} {earliest:?}");
    }

    /// The next request begins as early as it can.
    fn step(state: &mut PaceState, pace: &Pace, now: &mut Instant, seed: &mut Seed) {
        if let Pass::At(at) = state.check(pace, *now) {
            *now = at;
        }
        let mut permit = begin(state, pace, *now);
        let retry_after = (below(seed, 4) == 0).then(|| below(seed, 3));
        let outcome = status([200, 429][below(seed, 2) as usize], retry_after, below(seed, 900));
        let _ = state.report(pace, &mut permit, &outcome, *now);
        state.finish(permit, *now);
    }
}

#[test]
fn a_state_at_rest_is_a_new_one() {
    let pace = Pace::rate(1, Duration::from_secs(5));
    let mut state = PaceState::default();
    assert!(state.is_at_rest(START));
    let mut permit = begin(&mut state, &pace, START);
    assert!(!state.is_at_rest(START + Duration::from_secs(9)), "a request is under way");
    let _ = state.report(&pace, &mut permit, &status(429, Some(8), 0), START);
    state.finish(permit, START);
    for (at, is_at_rest) in [(0, false), (5, false), (7, false), (8, true)] {
        assert_eq!(state.is_at_rest(START + Duration::from_secs(at)), is_at_rest, "{at}");
    }
}

#[test]
fn a_key_is_an_origin_and_a_mount() {
    let url = |url: &str| url::Url::parse(url).unwrap();
    let of = |text: &str| PaceKey::new(&url(text), None);
    assert_eq!(of("http://a.test/x"), of("http://A.test:80/y?z"));
    assert_eq!(of("http://a.test:81/").to_string(), "http://a.test:81");
    for other in ["https://a.test/", "http://b.test/", "http://a.test:81/"] {
        assert_ne!(of("http://a.test/"), of(other));
    }
    let pattern = std::sync::Arc::new(crate::UrlPattern::parse("http://a.test/v2").unwrap());
    assert_ne!(of("http://a.test/v2"), PaceKey::new(&url("http://a.test/v2"), Some(pattern)));
}
