//! Fuzz body for whole calls: for any bytes of its peers, a call ends within its caps. Its secrets
//! stay with their origin.

use std::io;
use std::time::Duration;

use crate::base::kind::{Kind, Timeout};
use crate::call::{Call, Direction, Memory, Step};
use crate::message::body::Body;
use crate::policy::retry::{Attempt, AttemptEnd, Methods, RetryPolicy, Verdict};
use crate::prepared::auth::Auth;
use crate::prepared::hook::{self, Reaction};
use crate::route::key::KeyBuf;
use crate::testing::at;
use crate::wire::conn::Conn;
use crate::{Jar, Now, Observer, PreparedCall, Request, Seed, SessionState, Settings, merge, prepare};

/// The URL of the first request.
const URL: &str = "http://a.test/one/two?three";
/// The password.
const PASSWORD: &str = "sesame";
/// The user name and the password in the `Basic` scheme.
const BASIC: &str = "dXNlcjpzZXNhbWU=";
/// A value that belongs to the origin of the first request.
const KEY: &str = "key-of-a-test";
const SECRETS: [&str; 3] = [PASSWORD, BASIC, KEY];
/// The bytes of a body that comes from a source.
const UPLOAD: &[u8] = b"an upload of some length";
/// The most bytes of a body, decoded or not.
const BODY: u64 = 64 * 1024;
/// The most redirects of one call.
const REDIRECTS: u32 = 5;
/// The most attempts of a call.
const ATTEMPTS: u32 = 4;
/// The most responses before the final one: redirects, challenges, retries, and one refused
/// expectation.
const HISTORY: usize = 16 + ATTEMPTS as usize;
/// The time limit of a call, by its own clock.
const TOTAL: Duration = Duration::from_secs(60);
/// The most steps of a call.
const STEPS: usize = 400_000;

/// The action of a peer after its bytes. A peer that refuses the connection sends none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// It sends nothing more, and keeps the connection.
    Wait,
    Close,
    Reset,
    /// It reads nothing, sends its bytes, and closes.
    TakeNothing,
    Refuse,
}

/// One exchange of a peer.
#[derive(Clone, Copy)]
struct Exchange<'a> {
    then: Then,
    bytes: &'a [u8],
}

/// The exchanges of the input. The byte 0xff ends one, and the byte after it selects the action of
/// the next peer.
fn exchanges(script: &[u8]) -> impl Iterator<Item = Exchange<'_>> {
    let mut is_first = true;
    script.split(|byte| *byte == 0xff).map(move |piece| {
        let then = [Then::Wait, Then::Close, Then::Reset, Then::TakeNothing, Then::Refuse];
        let (then, bytes) = match piece.split_first() {
            _ if std::mem::take(&mut is_first) => (Then::Wait, piece),
            Some((byte, bytes)) => (then[usize::from(*byte) % then.len()], bytes),
            None => (Then::Close, piece),
        };
        Exchange { then, bytes }
    })
}

/// The outcome of a call.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    /// The statuses of its responses, the final one last.
    statuses: Vec<u16>,
    body: Vec<u8>,
    error: Option<Kind>,
}

/// The request and its settings, drawn from two bytes. A hook looks at so many bytes of each body.
fn request(plan: u8, more: u8, looks: usize, jar: &mut Jar, now: Now) -> PreparedCall {
    let mut settings = Settings {
        max_redirects: REDIRECTS,
        follow_redirects: plan & 8 == 0,
        detect_loops: plan & 16 != 0,
        ..Settings::default()
    };
    settings.timeouts.total = Some(TOTAL);
    settings.limits.body_bytes = Some(BODY);
    if plan & 32 != 0 {
        (settings.limits.head_bytes, settings.limits.fields, settings.limits.interim) = (2000, 8, 2);
        (settings.limits.drain_bytes, settings.limits.body_bytes) = (20, Some(100));
    }
    if more & 16 != 0 {
        settings.timeouts.head = Some(Duration::from_millis(10));
        settings.timeouts.read = Some(Duration::from_millis(5));
    }
    settings.sensitive_headers = ["x-key".into()].into();
    if looks > 0 {
        settings.hooks.add(hook::body(
            looks,
            |_| true,
            move |response, _| {
                assert!(response.body.len() <= looks);
                Reaction::Continue
            },
        ));
    }
    settings.observer = Observer::new(|_, event| {
        let line = event.to_string();
        assert!(!line.contains(char::is_control), "an event has one line: {line:?}");
        assert!(!line.contains(BASIC) && !line.contains(KEY), "an event shows a secret: {line}");
    });
    let upload = |length, replayable| Body::source(length, replayable);
    let length = Some(UPLOAD.len() as u64);
    let request = match plan % 8 {
        0 => Request::get(URL),
        1 => Request::head(URL).redirects(REDIRECTS),
        2 => Request::post(URL).body("bytes"),
        3 => Request::put(URL).body(upload(length, true)),
        4 => Request::put(URL).body(upload(None, true)),
        5 => Request::post(URL).body(upload(None, false)),
        6 => Request::post(URL).body("bytes").expect_continue(),
        _ => Request::put(URL).body(upload(length, true)).expect_continue(),
    };
    let request = match more % 4 {
        1 => request.proxy("http://proxy.test"),
        2 => request.proxy("socks5h://proxy.test"),
        _ => request,
    };
    let request = match more / 4 % 4 {
        1 => request.basic_auth("user", PASSWORD),
        2 => request.bearer_auth(KEY),
        3 => request.auth(flow()),
        _ => request,
    };
    let request = match more & 32 {
        0 => request,
        _ => request.retry(retries(more)),
    };
    let request = request.header("X-Key", KEY).decode(plan & 64 == 0);
    prepare(merge(&settings, request), jar, now).expect("a request that can be sent")
}

/// A policy of retries, with waits that fit into the time limit of the call, and that do not.
fn retries(more: u8) -> RetryPolicy {
    let mut policy = RetryPolicy::web();
    policy.max_attempts = ATTEMPTS;
    policy.methods = if more & 64 == 0 { Methods::WithKey } else { Methods::Any };
    policy.retry_after.max = if more & 128 == 0 { TOTAL / 4 } else { 2 * TOTAL };
    policy
}

/// Digest authentication, which answers challenges.
#[cfg(feature = "digest")]
fn flow() -> Auth {
    Auth::flow(crate::prepared::auth::Digest::new("user", PASSWORD, Seed::new(1)))
}

#[cfg(not(feature = "digest"))]
fn flow() -> Auth {
    Auth::None
}

/// A driver of one call. Its peers are the script. Its clock moves only if nothing else can.
struct Driver<'a, E> {
    exchanges: E,
    now: Now,
    /// The current exchange.
    peer: Exchange<'a>,
    /// The bytes of the exchange that are not read yet.
    left: &'a [u8],
    /// A connection that can be used again.
    idle: Option<(KeyBuf, Conn)>,
    opened: u64,
    /// Whether each connection of the call was used before.
    reused: Vec<bool>,
    /// Bytes of the body that were supplied.
    supplied: usize,
    /// The bytes sent on the current connection, if it leads away from the origin of the first
    /// request.
    away: Option<Vec<u8>>,
}

impl<'a, E: Iterator<Item = Exchange<'a>>> Driver<'a, E> {
    /// Plays the call to its end, with `cut` bytes in each read and write, and `sip` bytes of the body
    /// in each step.
    fn play(&mut self, call: &mut Call, state: &mut SessionState, cut: usize, sip: usize) -> Outcome {
        let mut outcome = Outcome::default();
        for _ in 0..STEPS {
            match call.step(self.now) {
                Ok(Step::Connect(_)) => self.connect(call),
                Ok(Step::Io(_)) => self.io(call, cut),
                Ok(Step::Message(_)) => panic!("no carrier was attached"),
                Ok(Step::Turn { .. }) => panic!("no flow waits for another call"),
                Ok(Step::Release) => {
                    let key = call.key().to_owned();
                    let kept = call.release().map(|(conn, _)| (key, conn));
                    // A connection with unread bytes is not used again.
                    self.idle = kept.filter(|_| self.left.is_empty() && self.peer.then == Then::Wait);
                }
                Ok(Step::Decide) => call.decide(state, self.now),
                Ok(Step::Wait { until, .. }) => {
                    self.now = self.now.after(until.saturating_duration_since(self.now.mono));
                }
                Ok(Step::Rewind) => {
                    self.supplied = 0;
                    call.rewound();
                }
                Ok(Step::Head) => {
                    let head = call.take_head().expect("it is there");
                    outcome.statuses.push(head.status.as_u16());
                }
                Ok(Step::Body(bytes)) => {
                    let n = bytes.len().min(sip);
                    outcome.body.extend_from_slice(&bytes[..n]);
                    call.consume(n);
                }
                Ok(Step::Done) => return outcome,
                Err(error) => {
                    let text = format!("{error} {error:?}");
                    assert!(!text.contains(BASIC) && !text.contains(KEY), "an error shows a secret: {text}");
                    let again = call.step(self.now).map(drop).expect_err("an error stays");
                    assert_eq!(again.kind(), error.kind());
                    outcome.error = Some(error.kind());
                    return outcome;
                }
            }
        }
        panic!("the call does not end: {outcome:?}");
    }

    fn connect(&mut self, call: &mut Call) {
        let to = call.wanted().expect("a connection is wanted");
        self.check_sent();
        let start = crate::Url::parse(URL).expect("a URL");
        self.away = (to.url.origin() != start.origin()).then(Vec::new);
        let none = Exchange { then: Then::Close, bytes: &[] };
        self.peer = self.exchanges.next().unwrap_or(none);
        self.left = self.peer.bytes;
        let idle = self.idle.take().filter(|(key, _)| !to.fresh && *key.as_key() == to.key());
        self.reused.push(idle.is_some());
        if let Some((_, conn)) = idle {
            return call.connected(conn);
        }
        if self.peer.then == Then::Refuse {
            return call.unreachable(Kind::Connect.into());
        }
        self.opened += 1;
        match to.check().and_then(|()| to.open(self.opened, self.now, &[])) {
            Ok(conn) => call.connected(conn),
            Err(error) => call.unreachable(error),
        }
    }

    fn io(&mut self, call: &mut Call, cut: usize) {
        let Ok(Step::Io(io)) = call.step(self.now) else { panic!("a repeated step is the same") };
        if !io.send.is_empty() {
            if self.peer.then == Then::TakeNothing {
                return call.broken(Direction::Send, io::ErrorKind::BrokenPipe.into());
            }
            let n = io.send.len().min(cut);
            if let Some(away) = &mut self.away {
                away.extend_from_slice(&io.send[..n]);
            }
            return call.sent(n);
        }
        if io.body > 0 {
            let rest = &UPLOAD[self.supplied..];
            if rest.is_empty() {
                return call.supply_end();
            }
            let n = rest.len().min(io.body).min(cut);
            self.supplied += call.supply(&rest[..n]);
            return;
        }
        if !io.recv.is_empty() {
            let n = self.left.len().min(io.recv.len()).min(cut);
            io.recv[..n].copy_from_slice(&self.left[..n]);
            self.left = &self.left[n..];
            match self.peer.then {
                _ if n > 0 => return call.received(n),
                Then::Close | Then::TakeNothing | Then::Refuse => return call.received(0),
                Then::Reset => return call.broken(Direction::Receive, io::ErrorKind::ConnectionReset.into()),
                Then::Wait => {}
            }
        }
        // Nothing moves but the clock.
        let deadline = io.deadline.expect("a call with a time limit has a deadline");
        assert!(deadline > self.now.mono, "the deadline is over");
        self.now = self.now.after(deadline - self.now.mono);
    }

    /// Checks that no secret has gone to another origin.
    fn check_sent(&self) {
        let sent = self.away.as_deref().unwrap_or_default();
        for secret in SECRETS {
            assert!(!sent.windows(secret.len()).any(|at| at == secret.as_bytes()), "{}", sent.escape_ascii());
        }
    }
}

/// Plays the script against a call. A hook looks at so many bytes of each body.
fn play(
    [plan, more, cut, sip]: [u8; 4],
    looks: usize,
    script: &[u8],
) -> (Outcome, Vec<bool>, Vec<AttemptEnd>) {
    // 255 stands for no limit.
    let size = |byte: u8| if byte == u8::MAX { usize::MAX } else { usize::from(byte).max(1) };
    let (mut state, now) = (SessionState::new(Seed::new(1)), at(1_767_225_600));
    let mut call =
        Call::new(request(plan, more, looks, &mut state.jar, now), Memory::default()).expect("a call");
    let none = Exchange { then: Then::Close, bytes: &[] };
    let mut driver = Driver {
        exchanges: exchanges(script),
        now,
        peer: none,
        left: &[],
        idle: None,
        opened: 0,
        reused: Vec::new(),
        supplied: 0,
        away: None,
    };
    let outcome = driver.play(&mut call, &mut state, size(cut), size(sip));
    driver.check_sent();
    assert_ne!(outcome.error, Some(Kind::Misuse), "the driver answers every step");
    assert!(outcome.body.len() as u64 <= call.options().limits.body_bytes.unwrap_or(BODY));
    assert!(call.hop() <= REDIRECTS && call.history().len() <= HISTORY);
    // Each of them has a decision. A stale connection is no attempt of its own.
    let attempts = call.attempts();
    assert!(attempts.len() <= ATTEMPTS as usize && (more & 32 != 0 || attempts.is_empty()), "{attempts:?}");
    if more & 32 != 0 && more & 64 == 0 && matches!(plan % 8, 2 | 5 | 6) {
        let is_repeated = |attempt: &&Attempt| {
            matches!(attempt.end, AttemptEnd::Status(_)) && matches!(attempt.verdict, Verdict::Again { .. })
        };
        // Only a redirect makes a GET of a POST, and a GET may be repeated.
        assert!(attempts.iter().find(is_repeated).is_none_or(|attempt| attempt.hop > 0), "{attempts:?}");
    }
    assert!(driver.now.mono - now.mono <= TOTAL, "it continues after its time limit");
    assert!(outcome.error.is_some() || outcome.statuses.len() == 1, "one response for one request");
    let ends = attempts.iter().map(|attempt| attempt.end).collect();
    assert!(call.take_memory().capacity() <= 512 * 1024);
    (outcome, driver.reused, ends)
}

/// Plays one call. The first four bytes draw the request, its settings and the cuts; the others are
/// the script of the peers.
pub fn call(data: &[u8]) {
    let Some((&draws, script)) = data.split_first_chunk::<4>() else { return };
    // A script with a secret could put it into a URL.
    if SECRETS.iter().any(|secret| script.windows(secret.len()).any(|at| at == secret.as_bytes())) {
        return;
    }
    let [plan, more, ..] = draws;
    let (cut, reused, ends) = play(draws, 0, script);
    let (whole, reused_whole, ends_whole) = play([plan, more, 255, 255], 0, script);
    // A hook that only looks changes nothing.
    let looks = 1 + usize::from(plan) * usize::from(more) % 300;
    let (seen, reused_seen, ends_seen) = play(draws, looks, script);
    let is_late = |outcome: &Outcome| outcome.error == Some(Kind::Timeout(Timeout::Total));
    let is_same_way = reused == reused_seen && ends == ends_seen && !is_late(&seen) && !is_late(&cut);
    if is_same_way && ![cut.error, seen.error].contains(&Some(Kind::CodingGrowth)) {
        agree(&cut, &seen, script);
    }
    // The limit on growth compares lengths at each read, and a decoder may hold bytes back before an
    // error. A call reads an early response sooner if more of it comes in one read.
    let is_guarded = [cut.error, whole.error].contains(&Some(Kind::CodingGrowth));
    // With the small limit on a drain, a connection is reused only if the rest is there already.
    let has_other_peers = plan & 32 != 0 && reused != reused_whole;
    // Of two faults of a response, one may be retried and the other not.
    let has_other_peers = has_other_peers || ends != ends_whole;
    if !is_guarded && !has_other_peers && plan % 8 < 6 {
        agree(&cut, &whole, script);
    }
}

/// Checks that two runs of one script have the same outcome.
fn agree(one: &Outcome, other: &Outcome, script: &[u8]) {
    let script = script.escape_ascii();
    assert_eq!(one.statuses, other.statuses, "{script}");
    // A response can have two faults. The cut decides which of them is found first.
    let both_fail = one.error.is_some() && other.error.is_some();
    assert!(both_fail || one.error == other.error, "{:?} {:?}: {script}", one.error, other.error);
    let is_prefix = one.body.starts_with(&other.body) || other.body.starts_with(&one.body);
    assert!(is_prefix && (both_fail || one.body == other.body), "{script}");
}
