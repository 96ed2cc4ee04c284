//! Retries of one call by hand. Its time passes only when a test advances it.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests count from an instant, and fail where they cannot go on"
)]

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sessio::call::{Carrier, Direction};
use sessio::retry::{Again, AttemptEnd, Jitter, Methods, RetryPolicy, StatusSet, Stop, Verdict};
use sessio::transport::Fate;
use sessio::{
    Body, Call, Change, Error, Instant, Kind, Memory, Now, Observer, Request, Seed, SessionState, Settings,
    Step, Timeout, UnixTime, merge, prepare,
};

const SECOND: Duration = Duration::from_secs(1);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const BUSY: &str = "HTTP/1.1 503 X\r\nRetry-After: 2\r\nContent-Length: 4\r\n\r\nbusy";
const BROKEN: &str = "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n";

struct Hand {
    call: Call,
    state: SessionState,
    now: Now,
    connections: u64,
    /// The error of the call, if settling met it.
    failed: Option<Error>,
    events: Arc<Mutex<Vec<String>>>,
}

/// The default policy, with the same waits in each run: 0.5, 1 and 2 s.
fn web() -> RetryPolicy {
    let mut policy = RetryPolicy::web();
    policy.backoff.jitter = Jitter::None;
    policy
}

impl Hand {
    fn new(request: Request) -> Self {
        let now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };
        let mut state = SessionState::new(Seed::new(1));
        let events = Arc::<Mutex<Vec<String>>>::default();
        let log = Arc::clone(&events);
        let request = request.observe(Observer::new(move |_: &Call, event: &sessio::call::Event<'_>| {
            log.lock().unwrap().push(event.to_string());
        }));
        let request = prepare(merge(&Settings::default(), request), &mut state.jar, now).unwrap();
        let call = Call::new(request, Memory::default()).unwrap();
        Self { call, state, now, connections: 0, failed: None, events }
    }

    fn pass(&mut self, time: Duration) -> &mut Self {
        self.now = self.now.after(time);
        self
    }

    fn connect(&mut self) -> &mut Self {
        let Ok(Step::Connect(to)) = self.call.step(self.now) else { panic!("{:?}", self.call) };
        self.connections += 1;
        let conn = to.open(self.connections, self.now, &[]).unwrap();
        self.call.connected(conn);
        self
    }

    /// Takes all bytes to be sent.
    fn take(&mut self) -> String {
        let mut out = Vec::new();
        while let Ok(Step::Io(io)) = self.call.step(self.now) {
            let n = io.send.len();
            if n == 0 {
                break;
            }
            out.extend_from_slice(io.send);
            self.call.sent(n);
        }
        String::from_utf8(out).unwrap()
    }

    /// Receives bytes, and then does all but waiting, connecting and reading.
    fn say(&mut self, bytes: &str) -> &mut Self {
        let Ok(Step::Io(io)) = self.call.step(self.now) else { panic!("{:?}", self.call) };
        io.recv[..bytes.len()].copy_from_slice(bytes.as_bytes());
        self.call.received(bytes.len());
        self.settle()
    }

    /// The connection ends.
    fn close(&mut self) -> &mut Self {
        self.call.received(0);
        self.settle()
    }

    fn refuse(&mut self) -> &mut Self {
        let Ok(Step::Connect(_)) = self.call.step(self.now) else { panic!("{:?}", self.call) };
        self.call.unreachable(Kind::Connect.into());
        self.settle()
    }

    fn settle(&mut self) -> &mut Self {
        loop {
            match self.call.step(self.now) {
                Ok(Step::Decide) => self.call.decide(&mut self.state, self.now),
                Ok(Step::Release) => drop(self.call.release()),
                Err(error) => {
                    self.failed = Some(error);
                    return self;
                }
                Ok(_) => return self,
            }
        }
    }

    /// The time that the call waits now.
    #[track_caller]
    fn waits(&mut self) -> Duration {
        let now = self.now.mono;
        match self.call.step(self.now) {
            Ok(Step::Wait { until, .. }) => until - now,
            other => panic!("{other:?}"),
        }
    }

    /// Waits for the next attempt. Returns the time of that.
    #[track_caller]
    fn sleep(&mut self) -> Duration {
        let wait = self.waits();
        self.pass(wait);
        wait
    }

    #[track_caller]
    fn head(&mut self) -> u16 {
        let Ok(Step::Head) = self.call.step(self.now) else { panic!("{:?}", self.call) };
        self.call.take_head().unwrap().status.as_u16()
    }

    #[track_caller]
    fn error(&mut self) -> Error {
        self.failed.take().unwrap_or_else(|| self.call.step(self.now).unwrap_err())
    }

    fn verdicts(&self) -> Vec<&'static str> {
        self.call.attempts().iter().map(|attempt| name(attempt.verdict)).collect()
    }
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Again { why, .. } => why.name(),
        Verdict::Stop(why) => why.name(),
    }
}

fn get() -> Request {
    Request::get("http://h.test/").retry(web())
}

fn post() -> Request {
    Request::post("http://h.test/").body("order").retry(web())
}

#[test]
fn a_503_waits_without_a_connection_and_is_sent_again() {
    let mut hand = Hand::new(get());
    let first = hand.connect().take();
    hand.say(BUSY);
    assert_eq!([hand.waits(), hand.waits()], [2 * SECOND; 2], "asking changes nothing");
    assert_eq!(hand.pass(SECOND).waits(), SECOND);
    assert_eq!(hand.pass(SECOND).connect().take(), first);
    assert_eq!(hand.say(OK).head(), 200);
    let [waited, last] = hand.call.attempts() else { panic!("{:?}", hand.call.attempts()) };
    let at = Instant::ZERO + 2 * SECOND;
    assert_eq!(waited.verdict, Verdict::Again { at, wait: 2 * SECOND, why: Again::RetryAfter });
    assert_eq!((waited.end, waited.hop), (AttemptEnd::Status(503.try_into().unwrap()), 0));
    assert_eq!(last.verdict, Verdict::Stop(Stop::Success));
    let [busy] = hand.call.history() else { panic!("{:?}", hand.call.history()) };
    assert_eq!((busy.head.status.as_u16(), busy.connection), (503, 1));
    let events = hand.events.lock().unwrap().join("\n");
    let waiting = "waiting, status 503: again after 2s, as Retry-After asks\n\
                   skipped the rest, connection kept\nconnecting";
    assert!(events.contains(waiting), "{events}");
}

#[test]
fn a_call_without_a_policy_waits_for_nothing() {
    let mut hand = Hand::new(Request::get("http://h.test/").retry(None));
    hand.connect().take();
    assert_eq!(hand.say(BUSY).head(), 503);
    assert!(hand.call.attempts().is_empty() && hand.call.history().is_empty());
}

/// A wait that ends at or after the limit of the call is not begun.
#[test]
fn the_deadline_is_checked_before_the_wait() {
    for (limit, waits) in [(2 * SECOND, false), (2 * SECOND + Duration::from_nanos(1), true)] {
        let mut hand = Hand::new(get().timeout(limit));
        hand.connect().take();
        hand.say(BUSY);
        if waits {
            assert_eq!(hand.waits(), 2 * SECOND);
            let error = hand.pass(3 * SECOND).error();
            assert_eq!(error.kind(), Kind::Timeout(Timeout::Total));
            assert_eq!(error.attempts().len(), 1);
        } else {
            assert_eq!((hand.head(), hand.verdicts()), (503, vec!["deadline-too-near"]));
        }
    }
    let mut hand = Hand::new(get().timeout(SECOND / 4));
    let error = hand.refuse().error();
    assert_eq!((error.kind(), error.attempts().len()), (Kind::Connect, 1), "{error}");
    let said = error.attempts()[0].to_string();
    assert_eq!(said, "connect: not again, the wait does not fit into the time limit of the call");
}

#[test]
fn failures_are_retried_until_the_attempts_are_used_up() {
    let mut hand = Hand::new(post());
    let waits: Vec<_> = (0..3).map(|_| hand.refuse().sleep()).collect();
    assert_eq!(waits, [SECOND / 2, SECOND, 2 * SECOND]);
    let error = hand.refuse().error();
    let names: Vec<_> = error.attempts().iter().map(|attempt| name(attempt.verdict)).collect();
    assert_eq!(names, ["backoff", "backoff", "backoff", "attempts-spent"]);
    assert!(error.is_connect() && error.is_safe_to_repeat(), "nothing was ever sent");
    assert_eq!(hand.call.step(hand.now).unwrap_err().kind(), Kind::Connect, "it stays failed");
    let events = hand.events.lock().unwrap();
    let of = |word: &str| events.iter().filter(|line| line.starts_with(word)).count();
    assert_eq!((of("connecting"), of("waiting"), of("failed")), (4, 3, 1), "{events:?}");
}

/// The server may have processed the request. A key, or the caller, makes a second one harmless.
#[test]
fn a_post_that_may_be_processed_is_not_sent_again() {
    let any = || {
        let mut policy = web();
        policy.methods = Methods::Any;
        policy
    };
    let seed = &mut Seed::new(9);
    for (request, again) in [
        (post(), false),
        (post().retry(any()), true),
        (post().idempotency_key(seed), true),
        (post().header("Idempotency-Key", "7"), true),
        (Request::put("http://h.test/").body("order").retry(web()), true),
    ] {
        for (response, status) in [("", 0), (BUSY, 503), (BROKEN, 500)] {
            let mut hand = Hand::new(request_again(&request));
            let first = hand.connect().take();
            if status == 0 {
                hand.close();
            } else {
                hand.say(response);
            }
            if again {
                hand.sleep();
                assert_eq!(hand.connect().take(), first, "the same request, with the same key");
                assert_eq!(hand.say(OK).head(), 200);
            } else if status == 0 {
                let error = hand.error();
                assert_eq!(error.kind(), Kind::ClosedBeforeResponse);
                assert_eq!(error.attempts()[0].verdict, Verdict::Stop(Stop::NotIdempotent));
            } else {
                assert_eq!((hand.head(), hand.verdicts()), (status, vec!["not-idempotent"]));
            }
        }
    }
}

fn request_again(request: &Request) -> Request {
    let mut again = Request::new(&request.method, request.address.url().unwrap().as_str());
    again.body = request.body.clone();
    again.changes = request.changes.clone();
    again
}

#[test]
fn a_body_that_cannot_be_replayed_stops_it() {
    let mut hand = Hand::new(Request::put("http://h.test/").body(Body::source(Some(5), false)).retry(web()));
    hand.connect();
    assert_eq!(hand.call.supply(b"order"), 5);
    hand.call.supply_end();
    hand.take();
    assert_eq!((hand.say(BUSY).head(), hand.verdicts()), (503, vec!["body-not-replayable"]));
}

#[test]
fn the_source_of_a_body_starts_over_after_the_wait() {
    for closes in [false, true] {
        let mut hand =
            Hand::new(Request::put("http://h.test/").body(Body::source(Some(5), true)).retry(web()));
        hand.connect();
        hand.call.supply(b"order");
        hand.call.supply_end();
        let first = hand.take();
        if closes {
            hand.close();
        } else {
            hand.say(BUSY);
        }
        hand.sleep();
        assert!(matches!(hand.call.step(hand.now), Ok(Step::Rewind)) && hand.call.needs_source());
        hand.call.rewound();
        hand.connect();
        hand.call.supply(b"order");
        hand.call.supply_end();
        assert_eq!(hand.take(), first);
        assert_eq!(hand.say(OK).head(), 200);
        let events = hand.events.lock().unwrap().join("\n");
        assert!(events.contains("rewound the body\nconnecting"), "{events}");
    }
}

/// Bytes that were read from the source and not sent survive the wait, although the source cannot
/// start over.
#[test]
fn bytes_that_were_not_sent_are_kept_over_the_wait() {
    let mut hand = Hand::new(Request::post("http://h.test/").body(Body::source(None, false)).retry(web()));
    hand.connect();
    assert_eq!(hand.call.supply(b"order"), 5);
    hand.call.broken(Direction::Send, io::ErrorKind::BrokenPipe.into());
    hand.close();
    assert_eq!(hand.sleep(), SECOND / 2);
    hand.connect();
    hand.call.supply_end();
    let sent = hand.take();
    assert!(sent.ends_with("\r\n\r\n5\r\norder\r\n0\r\n\r\n"), "{sent}");
    assert_eq!(hand.say(OK).head(), 200);
}

#[test]
fn a_redirect_that_is_retried_offers_no_next_request() {
    let mut policy = web();
    policy.statuses = StatusSet::new([302]);
    let mut hand = Hand::new(Request::get("http://a.test/").retry(policy).redirects(None));
    hand.connect().take();
    hand.say("HTTP/1.1 302 X\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n").sleep();
    hand.connect().take();
    assert_eq!(hand.say(OK).head(), 200);
    assert!(hand.call.take_next().is_none(), "the response is no redirect");
}

#[test]
fn a_redirect_is_in_the_history_before_the_next_hop_and_in_the_error_of_its_body() {
    let part = "HTTP/1.1 302 X\r\nLocation: /next\r\nContent-Length: 9\r\n\r\nhalf";
    let sent = |history: &[sessio::Exchange]| {
        let all = history.iter().map(|it| (it.url.to_string(), it.sent.contains("X-First"), it.head.status));
        all.map(|(url, has_field, status)| (url, has_field, status.as_u16())).collect::<Vec<_>>()
    };
    let expected = [("http://a.test/".to_owned(), true, 302)];
    let request = || Request::get("http://a.test/").header("X-First", "1");
    let mut hand = Hand::new(request());
    hand.connect().take();
    hand.say(part).say(" more");
    assert!(matches!(hand.call.step(hand.now), Ok(Step::Connect(_))), "{:?}", hand.call);
    assert_eq!(sent(hand.call.history()), expected);

    let mut hand = Hand::new(request().timeout(SECOND / 10));
    hand.connect().take();
    let error = hand.say(part).pass(SECOND).error();
    assert_eq!(error.kind(), Kind::Timeout(Timeout::Total));
    assert_eq!(sent(error.history()), expected);
}

#[test]
fn a_redirect_does_not_reset_the_count() {
    let mut hand = Hand::new(get());
    hand.connect().take();
    hand.say(BROKEN).sleep();
    hand.connect().take();
    hand.say("HTTP/1.1 302 X\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n");
    for wait in [1, 2] {
        hand.connect().take();
        assert_eq!(hand.say(BROKEN).sleep(), wait * SECOND);
    }
    hand.connect().take();
    assert_eq!(hand.say(BROKEN).head(), 500);
    let hops: Vec<_> = hand.call.attempts().iter().map(|attempt| attempt.hop).collect();
    assert_eq!((hops, hand.call.hop()), (vec![0, 1, 1, 1], 1));
    let statuses: Vec<_> = hand.call.history().iter().map(|it| it.head.status.as_u16()).collect();
    assert_eq!(statuses, [500, 302, 500, 500]);
}

#[test]
fn cookies_of_a_busy_response_are_sent_with_the_next_attempt() {
    let mut hand = Hand::new(get().header("Cookie", "own=1"));
    assert!(hand.connect().take().contains("Cookie: own=1\r\n"));
    hand.say("HTTP/1.1 429 X\r\nRetry-After: 1\r\nSet-Cookie: queue=7\r\nContent-Length: 0\r\n\r\n").sleep();
    let again = hand.connect().take();
    assert!(again.contains("own=1") && again.contains("queue=7"), "{again}");
}

/// No retry mends an error of the caller, a malformed response, or the limit of the whole call.
#[test]
fn lasting_errors_are_returned_at_once() {
    let mut hand = Hand::new(get());
    hand.connect().take();
    let error = hand.say("no HTTP\r\n\r\n").error();
    assert_eq!(error.attempts()[0].verdict, Verdict::Stop(Stop::FailureNotListed), "{error}");

    let mut hand = Hand::new(Request::put("http://h.test/").body(Body::source(None, true)).retry(web()));
    hand.connect();
    hand.call.supply_failed(io::ErrorKind::NotFound.into());
    let error = hand.error();
    assert_eq!((error.kind(), error.attempts().len()), (Kind::BodySource, 0));

    let mut hand = Hand::new(get().timeout(SECOND));
    hand.connect().take();
    let error = hand.pass(SECOND).error();
    assert_eq!((error.kind(), error.attempts().len()), (Kind::Timeout(Timeout::Total), 0));
}

/// The caller has the response. Only reading its body fails.
#[test]
fn a_failing_body_is_not_retried() {
    let mut hand = Hand::new(get());
    hand.connect().take();
    assert_eq!(hand.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel").head(), 200);
    let Ok(Step::Body(b"hel")) = hand.call.step(hand.now) else { panic!("{:?}", hand.call) };
    hand.call.consume(3);
    assert_eq!(hand.close().error().kind(), Kind::IncompleteBody);
    assert_eq!(hand.verdicts(), ["success"]);
}

/// Time limits of one attempt begin again with each one.
#[test]
fn a_time_limit_of_an_attempt_is_retried() {
    let mut request = get();
    request.timeouts.head = Change::Set(SECOND);
    let mut hand = Hand::new(request);
    for wait in [SECOND / 2, SECOND] {
        hand.connect().take();
        assert_eq!(hand.pass(SECOND).settle().sleep(), wait);
    }
    hand.connect().take();
    assert_eq!(hand.pass(SECOND / 2).say(OK).head(), 200);
}

/// A stale connection is replaced within the attempt, also in the second one.
#[test]
fn each_attempt_may_meet_one_stale_connection() {
    let mut hand = Hand::new(get());
    let mut stale = Vec::new();
    for _ in 0..2 {
        let mut other = Hand::new(get());
        other.connect().take();
        let Ok(Step::Io(io)) = other.call.step(other.now) else { panic!() };
        io.recv[..OK.len()].copy_from_slice(OK.as_bytes());
        other.call.received(OK.len());
        other.call.decide(&mut other.state, other.now);
        let Ok(Step::Release) = other.call.step(other.now) else { panic!("{:?}", other.call) };
        stale.push(other.call.release().unwrap().0);
    }
    for conn in stale {
        let Ok(Step::Connect(to)) = hand.call.step(hand.now) else { panic!("{:?}", hand.call) };
        assert!(!to.fresh);
        hand.call.connected(conn);
        hand.take();
        hand.close();
        let Ok(Step::Connect(to)) = hand.call.step(hand.now) else { panic!("{:?}", hand.call) };
        assert!(to.fresh && hand.call.attempts().len() < 2);
        hand.connect().take();
        hand.say(BUSY).sleep();
    }
    hand.connect().take();
    assert_eq!(hand.say(OK).head(), 200);
    assert_eq!(hand.verdicts(), ["retry-after", "retry-after", "success"]);
}

/// A dead host: each call fails, and asks for more attempts. The budget bounds what all of them
/// send, however a host is dead.
#[test]
fn ten_thousand_calls_to_a_dead_host_send_twelve_thousand_requests() {
    for is_refused in [true, false] {
        let mut state = SessionState::new(Seed::new(3));
        let mut now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };
        let mut requests = 0_u64;
        let mut idle = None;
        for _ in 0..10_000 {
            // The default policy, with its jitter and its budget of 20 %.
            let request = Request::get("http://h.test/").retry(RetryPolicy::web());
            let request = prepare(merge(&Settings::default(), request), &mut state.jar, now).unwrap();
            let mut call = Call::new(request, Memory::default()).unwrap();
            loop {
                match call.step(now) {
                    Ok(Step::Connect(_)) if is_refused => {
                        requests += 1;
                        call.unreachable(Kind::Connect.into());
                    }
                    Ok(Step::Connect(to)) => {
                        requests += 1;
                        let conn = idle.take().unwrap_or_else(|| to.open(1, now, &[]).unwrap());
                        call.connected(conn);
                    }
                    Ok(Step::Io(io)) if !io.send.is_empty() => {
                        let n = io.send.len();
                        call.sent(n);
                    }
                    Ok(Step::Io(io)) => {
                        io.recv[..BROKEN.len()].copy_from_slice(BROKEN.as_bytes());
                        call.received(BROKEN.len());
                    }
                    Ok(Step::Release) => idle = call.release().map(|(conn, _)| conn),
                    Ok(Step::Decide) => call.decide(&mut state, now),
                    Ok(Step::Wait { until, .. }) => now = now.after(until - now.mono),
                    Ok(Step::Head) => drop(call.take_head()),
                    Ok(Step::Done) | Err(_) => break,
                    Ok(step) => panic!("{step:?}"),
                }
            }
            now = now.after(Duration::from_millis(10));
        }
        assert!((11_900..=12_000).contains(&requests), "{requests}");
    }
}

impl Hand {
    /// A transport takes the whole request.
    fn attach(&mut self) -> &mut Self {
        let Ok(Step::Connect(_)) = self.call.step(self.now) else { panic!("{:?}", self.call) };
        self.connections += 1;
        self.call.attached(Carrier::new(self.connections, self.now.mono));
        let Ok(Step::Message(io)) = self.call.step(self.now) else { panic!("{:?}", self.call) };
        let n = io.body.len();
        self.call.request_taken(n);
        self
    }

    fn transport_failed(&mut self, fate: Fate) -> &mut Self {
        self.call.transport_failed(fate, Kind::Io.into());
        self.settle()
    }
}

/// A transport knows that the request was not processed. Then also a POST is sent again: at once the
/// first time, and later by the policy.
#[test]
fn a_request_that_was_not_processed_is_sent_again_within_the_attempts() {
    let mut hand = Hand::new(post());
    hand.attach().transport_failed(Fate::Unprocessed);
    assert!(hand.call.attempts().is_empty(), "it is the same attempt");
    hand.attach().transport_failed(Fate::Unprocessed);
    assert_eq!(hand.sleep(), SECOND / 2);
    hand.attach().transport_failed(Fate::Unprocessed);
    hand.attach().transport_failed(Fate::Unprocessed);
    assert_eq!(hand.sleep(), SECOND);
    // It may have been processed now.
    let error = hand.attach().transport_failed(Fate::Unknown).error();
    assert!(!error.is_safe_to_repeat());
    assert_eq!(hand.verdicts(), ["backoff", "backoff", "not-idempotent"]);

    let mut hand = Hand::new(post());
    for wait in [SECOND / 2, SECOND, 2 * SECOND] {
        hand.attach().transport_failed(Fate::Unprocessed);
        hand.attach().transport_failed(Fate::Unprocessed);
        assert_eq!(hand.sleep(), wait);
    }
    hand.attach().transport_failed(Fate::Unprocessed);
    let error = hand.attach().transport_failed(Fate::Unprocessed).error();
    assert_eq!((error.kind(), error.attempts().len(), hand.connections), (Kind::Io, 4, 8));
}
