//! One exchange by hand. Its time passes only when a test advances it.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "tests count from an instant, and fail where they cannot go on"
)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sessio::call::Io;
use sessio::range::{PartialFile, Validator};
use sessio::{
    Body, BodyProgress, Call, Change, Conn, Instant, Jar, Kind, Memory, Now, Request, Result, Seed,
    SessionState, Settings, Step, UnixTime, merge, prepare,
};

const SECOND: Duration = Duration::from_secs(1);

struct Hand {
    call: Call,
    state: SessionState,
    now: Now,
    connections: u64,
}

impl Hand {
    fn new(request: Request) -> Self {
        let now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };
        let mut state = SessionState::new(Seed::new(1));
        let request = prepare(merge(&Settings::default(), request), &mut state.jar, now).unwrap();
        Self { call: Call::new(request, Memory::default()).unwrap(), state, now, connections: 0 }
    }

    fn connect(&mut self) -> &mut Self {
        let Ok(Step::Connect(_)) = self.call.step(self.now) else { panic!("{:?}", self.call) };
        self.connections += 1;
        let remote = SocketAddr::from(([127, 0, 0, 1], 80));
        self.call.connected(Conn::plain(self.connections, self.now.mono).to(remote));
        self
    }

    fn pass(&mut self, time: Duration) -> &mut Self {
        self.now = self.now.after(time);
        self
    }

    #[track_caller]
    fn io(&mut self) -> Io<'_> {
        match self.call.step(self.now) {
            Ok(Step::Io(io)) => io,
            other => panic!("{other:?}"),
        }
    }

    /// The time until the call wants to be polled again.
    #[track_caller]
    fn wait(&mut self) -> Option<Duration> {
        let now = self.now.mono;
        self.io().deadline.map(|end| end - now)
    }

    /// Takes all bytes to be sent.
    #[track_caller]
    fn take(&mut self) -> String {
        let mut out = Vec::new();
        loop {
            let Ok(Step::Io(io)) = self.call.step(self.now) else { break };
            let n = io.send.len();
            if n == 0 {
                break;
            }
            out.extend_from_slice(io.send);
            self.call.sent(n);
        }
        String::from_utf8(out).unwrap()
    }

    #[track_caller]
    fn say(&mut self, bytes: &str) -> &mut Self {
        self.io().recv[..bytes.len()].copy_from_slice(bytes.as_bytes());
        self.call.received(bytes.len());
        self
    }

    #[track_caller]
    fn head(&mut self) -> u16 {
        if let Ok(Step::Release) = self.call.step(self.now) {
            self.call.release();
        }
        let Ok(Step::Head) = self.call.step(self.now) else { panic!("{:?}", self.call) };
        self.call.take_head().unwrap().status.as_u16()
    }

    /// Reads the available body. Returns also whether the connection was released for reuse, if it
    /// was released.
    fn read(&mut self) -> (String, Option<bool>) {
        let (mut body, mut is_kept) = (Vec::new(), None);
        loop {
            match self.call.step(self.now).unwrap() {
                Step::Body(bytes) => {
                    body.extend_from_slice(bytes);
                    let n = bytes.len();
                    self.call.consume(n);
                }
                Step::Release => is_kept = Some(self.call.release().is_some()),
                _ => return (String::from_utf8(body).unwrap(), is_kept),
            }
        }
    }
}

fn expecting(body: impl Into<Body>) -> Hand {
    Hand::new(Request::post("http://h/").body(body).expect_continue())
}

#[test]
fn rfc9110_10_1_1_a_body_waits_for_a_second_and_no_longer() {
    let mut hand = expecting("hello");
    assert!(hand.connect().take().ends_with("\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
    assert_eq!(hand.wait(), Some(SECOND));
    assert_eq!(hand.pass(SECOND / 4).wait(), Some(SECOND * 3 / 4));
    assert_eq!(hand.take(), "", "it waits");
    assert_eq!(hand.pass(SECOND * 3 / 4).take(), "hello");
    // The 100 comes late and makes no difference.
    hand.say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(hand.head(), 200);
}

#[test]
fn rfc9110_10_1_1_no_source_is_asked_before_the_word() {
    let mut hand = expecting(Body::source(None, false));
    hand.connect().take();
    assert_eq!(hand.io().body, 0);
    hand.say("HTTP/1.1 103 X\r\n\r\n");
    assert_eq!(hand.io().body, 0, "that was another word");
    hand.say("HTTP/1.1 100 Continue\r\n\r\n");
    assert!(hand.io().body > 0 && hand.wait().is_none());
    assert_eq!(hand.call.supply(b"hello"), 5);
    hand.call.supply_end();
    assert_eq!(hand.take(), "5\r\nhello\r\n0\r\n\r\n");
    hand.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!((hand.head(), hand.read().0), (200, "hi".to_owned()));
}

#[test]
fn rfc9110_10_1_1_the_wait_can_be_for_ever_and_other_limits_rest() {
    let mut request = Request::post("http://h/").body("hello").expect_continue();
    request.timeouts.expect = Change::Remove;
    (request.timeouts.send, request.timeouts.head) = (Change::Set(SECOND), Change::Set(SECOND));
    let mut hand = Hand::new(request);
    hand.connect().take();
    assert_eq!(hand.wait(), None);
    hand.pass(SECOND * 1000).say("HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(hand.wait(), Some(SECOND), "now it is being sent");
    assert_eq!(hand.take(), "hello");
    assert_eq!(hand.wait(), Some(SECOND), "now its answer is waited for");
    hand.pass(SECOND);
    let error = hand.call.step(hand.now).unwrap_err();
    assert_eq!(error.kind().name(), "head-timeout");
    let mut request = Request::post("http://h/").body("hello").expect_continue();
    request.timeouts.expect = Change::Set(Duration::ZERO);
    let request = merge(&Settings::default(), request);
    let error =
        prepare(request, &mut Jar::new(), Now { mono: Instant::ZERO, wall: UnixTime(0) }).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidTimeout);
}

#[test]
fn q11_a_refused_expectation_is_dropped_on_a_new_connection() {
    let mut hand = expecting(Body::source(Some(5), false));
    hand.connect().take();
    hand.say("HTTP/1.1 417 X\r\nContent-Length: 0\r\n\r\n");
    while !matches!(hand.call.step(hand.now), Ok(Step::Connect(_))) {
        match hand.call.step(hand.now).unwrap() {
            Step::Release => assert!(hand.call.release().is_none(), "half a request has gone out on it"),
            Step::Decide => hand.call.decide(&mut hand.state, hand.now),
            other => panic!("{other:?}: a source that was not asked need not start over"),
        }
    }
    let Ok(Step::Connect(to)) = hand.call.step(hand.now) else { panic!() };
    assert!(to.fresh);
    assert!(!hand.connect().take().contains("Expect"));
    assert_eq!((hand.call.history().len(), hand.io().body), (1, 6));
}

const STREAM: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn rfc9110_7_5_both_directions_go_on_after_a_good_answer() {
    let mut hand = Hand::new(Request::post("http://h/").body(Body::source(None, false)));
    hand.connect().take();
    hand.say(STREAM);
    assert_eq!(hand.head(), 200);
    assert!(hand.call.needs_source() && hand.io().body > 0);
    hand.call.supply(b"ping");
    assert_eq!(hand.take(), "4\r\nping\r\n");
    hand.say("4\r\npong\r\n");
    // While the caller does not read, the call takes no more bytes from the socket, and sends none.
    assert!(matches!(hand.call.step(hand.now), Ok(Step::Body(b"pong"))));
    assert_eq!(hand.read(), ("pong".to_owned(), None));
    hand.call.supply_end();
    assert_eq!(hand.take(), "0\r\n\r\n");
    hand.say("0\r\n\r\n");
    assert_eq!(hand.read(), (String::new(), Some(true)));
    assert!(!hand.call.needs_source() && hand.call.timings().sent.is_some());
}

#[test]
fn q07_the_upload_ends_with_a_refusal_and_with_the_answer() {
    for (head, rest, status) in [
        ("HTTP/1.1 500 X\r\nContent-Length: 2\r\n\r\n", "no", 500),
        ("HTTP/1.1 200 X\r\nConnection: close\r\nContent-Length: 2\r\n\r\n", "no", 200),
        ("HTTP/1.1 200 X\r\n\r\n", "no", 200),
        ("HTTP/1.0 200 X\r\nContent-Length: 2\r\n\r\n", "no", 200),
    ] {
        let mut hand = Hand::new(Request::post("http://h/").body(Body::source(None, true)));
        hand.connect().take();
        hand.say(head);
        assert!(!hand.call.needs_source(), "{head}");
        assert_eq!(hand.head(), status);
        assert_eq!((hand.io().body, hand.io().send.len()), (0, 0));
        hand.say(rest);
        assert_eq!(hand.read().0, "no");
    }
    let mut hand = Hand::new(Request::post("http://h/").body(Body::source(None, true)));
    hand.connect().take();
    hand.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(hand.head(), 200);
    hand.call.supply(b"ping");
    hand.say("ok");
    assert_eq!(hand.read(), ("ok".to_owned(), Some(false)));
    assert!(!hand.call.needs_source());
}

#[test]
fn t03_the_limit_for_reading_starts_anew_while_the_peer_takes() {
    let mut request = Request::post("http://h/").body(Body::source(None, false));
    request.timeouts.read = Change::Set(SECOND);
    let mut hand = Hand::new(request);
    hand.connect().take();
    hand.say(STREAM);
    assert_eq!(hand.head(), 200);
    assert_eq!(hand.wait(), Some(SECOND));
    for _ in 0..5 {
        hand.pass(SECOND / 2).call.supply(b"more");
        hand.take();
        assert_eq!(hand.wait(), Some(SECOND));
    }
    hand.pass(SECOND);
    let error = hand.call.step(hand.now).unwrap_err();
    assert_eq!(error.kind().name(), "read-timeout");
}

#[test]
fn s04_each_moment_is_told() {
    let mut hand = Hand::new(Request::post("http://h/").body("hello"));
    hand.call.step(hand.now).unwrap();
    hand.pass(SECOND);
    hand.call.admitted(hand.now);
    hand.pass(SECOND);
    hand.call.resolved(hand.now);
    hand.pass(SECOND).connect();
    hand.pass(SECOND).take();
    hand.pass(SECOND).say("HTTP/1.1 ");
    hand.io();
    hand.pass(SECOND).say("200 OK\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(hand.head(), 200);
    hand.pass(SECOND).say("hi");
    assert_eq!(hand.read(), ("hi".to_owned(), Some(true)));
    let told = hand.call.timings();
    assert_eq!(told.secure, None);
    let told = [told.resolve, told.connect, told.sent, told.first_byte, told.head, told.end];
    assert_eq!(told, [2, 3, 4, 5, 6, 7].map(|at| Some(SECOND * at)));
    assert_eq!(hand.call.elapsed(), SECOND * 6);
    assert_eq!(hand.call.remote_address(), Some(SocketAddr::from(([127, 0, 0, 1], 80))));
}

#[test]
fn progress_is_told_once_however_often_the_call_is_asked() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let [up, down] = [("up", Arc::clone(&told)), ("down", Arc::clone(&told))].map(|(way, told)| {
        move |transfer: BodyProgress| told.lock().unwrap().push((way, transfer.bytes, transfer.total))
    });
    let request = Request::post("http://h/").body("hello").on_upload_progress(up).on_download_progress(down);
    let mut hand = Hand::new(request);
    hand.connect();
    let head = hand.io().send.len() - 5;
    for n in [head - 1, 1, 2, 3] {
        hand.call.sent(n);
        for _ in 0..2 {
            hand.io();
        }
    }
    hand.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
    assert_eq!(hand.head(), 200);
    for rest in ["", "cd"] {
        if !rest.is_empty() {
            hand.say(rest);
        }
        hand.call.step(hand.now).unwrap();
        hand.read();
    }
    let expected = [("up", 2, Some(5)), ("up", 5, Some(5)), ("down", 2, Some(4)), ("down", 4, Some(4))];
    assert_eq!(*told.lock().unwrap(), expected);
}

#[test]
fn fn8_the_bytes_of_a_partial_file_are_no_progress() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = {
        let told = Arc::clone(&told);
        move |transfer: BodyProgress| told.lock().unwrap().push((transfer.bytes, transfer.total))
    };
    let mut hand = Hand::new(Request::get("http://h/"));
    let request = Request::get("http://h/").for_download().on_download_progress(tell);
    let mut request = prepare(merge(&Settings::default(), request), &mut hand.state.jar, hand.now).unwrap();
    let validator = Validator::read(b"\"v1\"").unwrap();
    PartialFile { length: 500, validator }.ask(&mut request).unwrap();
    hand.call = Call::new(request, Memory::default()).unwrap();
    hand.connect().take();
    hand.say("HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\nContent-Range: bytes 500-503/504\r\n\r\n");
    assert_eq!(hand.head(), 206);
    // The call is asked before the first byte of the body.
    hand.io();
    assert_eq!(*told.lock().unwrap(), []);
    hand.say("ab");
    hand.call.step(hand.now).unwrap();
    hand.read();
    assert_eq!(*told.lock().unwrap(), [(502, Some(504))]);
}

/// A call on a reused connection, which ends after `most` bytes of the request. Its source is
/// polled as early as allowed, and cannot be replayed.
fn stale_upload(request: Request, most: usize) -> Result<String> {
    let mut hand = Hand::new(Request::get("http://h/"));
    hand.connect().take();
    hand.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let Ok(Step::Release) = hand.call.step(hand.now) else { panic!("{:?}", hand.call) };
    let (conn, _) = hand.call.release().unwrap();
    let mut hand = Hand::new(request);
    let Ok(Step::Connect(_)) = hand.call.step(hand.now) else { panic!("{:?}", hand.call) };
    hand.call.connected(conn);
    let mut pieces = ["one", "two", "three"].into_iter();
    feed(&mut hand, &mut pieces);
    let mut left = most;
    while left > 0 {
        let Ok(Step::Io(io)) = hand.call.step(hand.now) else { break };
        let n = left.min(io.send.len());
        if n == 0 {
            break;
        }
        left -= n;
        hand.call.sent(n);
        feed(&mut hand, &mut pieces);
    }
    hand.call.received(0);
    match hand.call.step(hand.now)? {
        Step::Connect(to) => assert!(to.fresh),
        other => panic!("{other:?}"),
    }
    hand.connect();
    let mut again = String::new();
    loop {
        let out = hand.take();
        again.push_str(&out);
        feed(&mut hand, &mut pieces);
        if out.is_empty() {
            return Ok(again);
        }
    }
}

/// One piece each time the call wants one, then the end.
fn feed(hand: &mut Hand, pieces: &mut impl Iterator<Item = &'static str>) {
    if let Ok(Step::Io(io)) = hand.call.step(hand.now)
        && io.body > 0
    {
        match pieces.next() {
            Some(piece) => assert_eq!(hand.call.supply(piece.as_bytes()), piece.len()),
            None => hand.call.supply_end(),
        }
    }
}

#[test]
fn fs9_what_was_read_of_a_source_and_not_sent_goes_out_over_the_next_connection() {
    for (length, framed) in
        [(Some(11), "onetwothree"), (None, "3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n")]
    {
        for is_idempotent in [false, true] {
            let request = || {
                let method = if is_idempotent { "PUT" } else { "POST" };
                Request::new(method, "http://h/").body(Body::source(length, false))
            };
            let head = {
                let mut hand = Hand::new(request());
                hand.connect().take()
            };
            for most in 0..head.len() + framed.len() {
                let is_sent_again = most == 0 || is_idempotent && most <= head.len();
                match stale_upload(request(), most) {
                    Ok(sent) => {
                        assert!(is_sent_again, "{most}");
                        assert_eq!(sent, format!("{head}{framed}"), "after {most}");
                    }
                    Err(error) => {
                        assert!(!is_sent_again, "{most}: {error}");
                        assert_eq!(error.kind(), Kind::ClosedBeforeResponse);
                        assert_eq!(error.progress().unwrap().bytes_sent, most as u64);
                    }
                }
            }
        }
    }
}
