//! Requests of authentication flows: their order, their credentials, their limits and errors.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests say what went wrong by where they stop")]
#![allow(clippy::disallowed_types, reason = "the flows of a test write into one list")]

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use sessio::auth::{Need, Received, SubRequest};
use sessio::retry::RetryPolicy;
use sessio::{
    Auth, Body, Call, Error, Flow, FlowDecision, Head, Instant, Jar, Kind, Memory, Mount, Now, Observer,
    Prepared, Request, Result, Scheme, Seed, SessionState, Settings, Step, Timeout, UnixTime, hook, merge,
    prepare,
};

const NOW: Now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };
const OK: &str = "200 OK\r\nContent-Length: 0\r\n\r\n";
const DENIED: &str = "401 X\r\nContent-Length: 4\r\n\r\nwho?";

fn token(text: &str) -> String {
    format!("200 OK\r\nSet-Cookie: auth=1\r\nContent-Length: {}\r\n\r\n{text}", text.len())
}

/// Gets a token from another origin, and again after each 401 up to `renewals` times.
#[derive(Clone, Debug)]
struct Tokens {
    renewals: u32,
    log: Arc<Mutex<Vec<String>>>,
    address: &'static str,
}

#[derive(Clone, Debug)]
struct TokenFlow {
    scheme: Tokens,
    token: Option<String>,
}

impl Scheme for Tokens {
    fn begin(&self) -> Box<dyn Flow> {
        Box::new(TokenFlow { scheme: self.clone(), token: None })
    }
}

impl Flow for TokenFlow {
    fn asks(&self) -> bool {
        true
    }

    fn need(&mut self, _: &Prepared, _: Now) -> Result<Need> {
        let request =
            || SubRequest::post(self.scheme.address).basic_auth("client", "key").form([("grant", "x")]);
        Ok(match self.token {
            Some(_) => Need::Nothing,
            None => Need::Response(Box::new(request())),
        })
    }

    fn received(&mut self, response: &Received<'_>, _: Now) -> Result<()> {
        let text = String::from_utf8_lossy(response.body).into_owned();
        let status = response.head.status.as_u16();
        self.scheme.log.lock().unwrap().push(format!("{status} {} {}", text.len(), response.is_whole));
        if !response.head.status.is_success() {
            return Err(Error::new(Kind::Authentication).with_detail("no token"));
        }
        self.token = Some(text.chars().take(20).collect());
        Ok(())
    }

    fn sign(&mut self, request: &mut Prepared) -> Result<()> {
        let token = self.token.as_deref().unwrap_or_default();
        Ok(request.headers_mut().insert("Authorization", format!("Bearer {token}"))?)
    }

    fn challenged(&mut self, head: &Head, _: &mut Prepared) -> Result<FlowDecision> {
        if head.status != 401 || self.scheme.renewals == 0 {
            return Ok(FlowDecision::Accept);
        }
        self.scheme.renewals -= 1;
        self.token = None;
        Ok(FlowDecision::Renew)
    }

    fn clone_box(&self) -> Box<dyn Flow> {
        Box::new(self.clone())
    }
}

fn tokens(renewals: u32) -> Tokens {
    Tokens { renewals, log: Arc::default(), address: "http://auth.test/token" }
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.headers.insert("X-Session-Key", "secret").unwrap();
    settings
}

#[derive(Debug, Default)]
struct Sent {
    /// Where each request went, and its bytes.
    requests: Vec<(String, String)>,
    reused: Vec<bool>,
    history: usize,
    jar: Jar,
}

/// A peer: the response to a request for this host, or `None` if it cannot be reached.
type Peer<'p> = dyn FnMut(&str, &str) -> Option<String> + 'p;

fn run(settings: &Settings, request: Request, peer: &mut Peer<'_>) -> (Sent, Result<(u16, String)>) {
    let mut state = SessionState::new(Seed::new(7));
    let mut sent = Sent::default();
    let call = prepare(merge(settings, request), &mut state.jar, NOW);
    let mut call = match call.and_then(|call| Call::new(call, Memory::default())) {
        Ok(call) => call,
        Err(error) => return (sent, Err(error)),
    };
    let done = drive(&mut call, &mut state, peer, &mut sent);
    sent.history = call.history().len();
    sent.jar = state.jar;
    (sent, done)
}

fn drive(
    call: &mut Call,
    state: &mut SessionState,
    peer: &mut Peer<'_>,
    sent: &mut Sent,
) -> Result<(u16, String)> {
    let (mut response, mut now, mut host) = (Vec::new(), NOW, String::new());
    let (mut status, mut text, mut uploaded) = (0, Vec::new(), false);
    loop {
        // The same step again, as long as nothing is reported.
        let step = format!("{:?}", call.step(now)?);
        assert_eq!(step, format!("{:?}", call.step(now)?));
        match call.step(now)? {
            Step::Connect(to) => {
                host = to.url.host_str().unwrap().to_owned();
                uploaded = false;
                sent.requests.push((to.url.to_string(), String::new()));
                let conn = to.open(sent.requests.len() as u64, now, &[])?;
                call.connected(conn);
            }
            Step::Io(io) if !io.send.is_empty() => {
                let n = io.send.len();
                let bytes = String::from_utf8(io.send.to_vec()).unwrap();
                let last = &mut sent.requests.last_mut().unwrap().1;
                last.push_str(&bytes);
                response = match peer(&host, last) {
                    Some(text) => format!("HTTP/1.1 {text}").into_bytes(),
                    None => Vec::new(),
                };
                call.sent(n);
                now = now.after(Duration::from_millis(100));
            }
            Step::Io(io) if io.body > 0 && !uploaded => {
                uploaded = true;
                call.supply(b"body");
                call.supply_end();
            }
            Step::Io(io) => {
                let n = response.len().min(io.recv.len()).min(1000);
                io.recv[..n].copy_from_slice(&response[..n]);
                response.drain(..n);
                call.received(n);
            }
            Step::Release => sent.reused.push(call.release().is_some()),
            Step::Decide => call.decide(state, now),
            Step::Wait { until, .. } => now = now.after(until.saturating_duration_since(now.mono)),
            Step::Turn { .. } => assert!(call.poll_turn(&mut Context::from_waker(Waker::noop())).is_ready()),
            Step::Rewind => call.rewound(),
            Step::Head => status = call.take_head().unwrap().status.as_u16(),
            Step::Body(bytes) => {
                let n = bytes.len();
                text.extend_from_slice(bytes);
                call.consume(n);
            }
            Step::Done => return Ok((status, String::from_utf8(text).unwrap())),
            other => panic!("{other:?}"),
        }
    }
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn targets(sent: &Sent) -> Vec<&str> {
    sent.requests.iter().map(|(url, _)| url.as_str()).collect()
}

#[test]
fn a_token_is_got_before_the_first_request_with_no_secret_of_the_call() {
    let scheme = tokens(0);
    let mut request = Request::get("http://a.test/x")
        .auth(Auth::flow(scheme.clone()))
        .cookie("own", "1")
        .header("X-Key", "secret")
        .header("User-Agent", "mine");
    request.headers.mark_sensitive("X-Key");
    let (sent, done) = run(&settings(), request, &mut |host, _| match host {
        "auth.test" => Some(token("first")),
        _ => Some("200 OK\r\nContent-Length: 2\r\n\r\nhi".into()),
    });
    assert_eq!(done.unwrap(), (200, "hi".into()));
    assert_eq!(targets(&sent), ["http://auth.test/token", "http://a.test/x"]);
    let [(_, sub), (_, own)] = &sent.requests[..] else { panic!() };
    assert!(sub.starts_with("POST /token HTTP/1.1\r\nHost: auth.test\r\n"), "{sub}");
    assert!(sub.ends_with("\r\n\r\ngrant=x"), "{sub}");
    assert_eq!(header(sub, "Authorization"), Some("Basic Y2xpZW50OmtleQ=="));
    assert_eq!(header(sub, "User-Agent"), Some("mine"));
    for name in ["Cookie", "X-Key", "X-Session-Key"] {
        assert_eq!(header(sub, name), None, "{name}");
    }
    assert_eq!(header(own, "Authorization"), Some("Bearer first"));
    assert_eq!(header(own, "Cookie"), Some("own=1"));
    assert_eq!((sent.history, sent.reused), (0, vec![true, true]));
    assert_eq!(sent.jar.get("auth").unwrap().domain(), "auth.test");
    assert_eq!(*scheme.log.lock().unwrap(), ["200 5 true"]);
}

#[test]
fn a_token_is_renewed_after_a_challenge_and_the_body_is_sent_again() {
    for body in [Body::from("body"), Body::source(Some(4), true)] {
        let mut number = 0;
        let request = Request::post("http://a.test/x").auth(Auth::flow(tokens(1))).body(body);
        let (sent, done) = run(&settings(), request, &mut |host, bytes| match host {
            "auth.test" => {
                number += 1;
                Some(token(&format!("token{number}")))
            }
            _ if bytes.contains("token1") => Some(DENIED.into()),
            _ => Some(OK.into()),
        });
        assert_eq!(done.unwrap().0, 200);
        let urls = ["http://auth.test/token", "http://a.test/x", "http://auth.test/token", "http://a.test/x"];
        assert_eq!(targets(&sent), urls);
        assert!([1, 3].iter().all(|at| sent.requests[*at].1.ends_with("\r\n\r\nbody")));
        assert_eq!(header(&sent.requests[3].1, "Authorization"), Some("Bearer token2"));
        assert_eq!(sent.history, 1);
    }
}

#[test]
fn f32_a_renewal_needs_a_replayable_body() {
    let request =
        Request::post("http://a.test/x").auth(Auth::flow(tokens(1))).body(Body::source(Some(4), false));
    let (sent, done) = run(&settings(), request, &mut |host, bytes| match host {
        "auth.test" => Some(token("t")),
        _ if bytes.ends_with("body") => Some(DENIED.into()),
        _ => None,
    });
    let error = done.unwrap_err();
    assert_eq!((error.kind(), error.response().unwrap().head.status.as_u16()), (Kind::NotReplayable, 401));
    assert_eq!(sent.requests.len(), 2);
}

#[test]
fn a_flow_is_asked_again_for_each_hop_and_attempt_and_left_behind_with_its_origin() {
    let mut number = 0;
    let request = Request::get("http://a.test/1").auth(Auth::flow(tokens(0))).retry(RetryPolicy::web());
    let (sent, done) = run(&settings(), request, &mut |host, bytes| match host {
        "auth.test" => Some(token("t")),
        "b.test" => Some(OK.into()),
        _ if bytes.starts_with("GET /1 ") => {
            Some("302 X\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n".into())
        }
        _ => {
            number += 1;
            match number {
                1 => Some("503 X\r\nContent-Length: 0\r\n\r\n".into()),
                _ => Some("302 X\r\nLocation: http://b.test/\r\nContent-Length: 0\r\n\r\n".into()),
            }
        }
    });
    assert_eq!(done.unwrap().0, 200);
    let urls =
        ["http://auth.test/token", "http://a.test/1", "http://a.test/2", "http://a.test/2", "http://b.test/"];
    assert_eq!(targets(&sent), urls);
    let seen: Vec<_> = sent.requests[1..].iter().map(|(_, head)| header(head, "Authorization")).collect();
    assert_eq!(seen, [Some("Bearer t"), Some("Bearer t"), Some("Bearer t"), None]);
}

#[test]
fn a_redirect_does_not_lead_the_body_of_a_sub_request_to_another_origin() {
    for status in [307, 308] {
        let request = Request::get("http://a.test/").auth(Auth::flow(tokens(0)));
        let (sent, done) = run(&settings(), request, &mut |host, _| match host {
            "auth.test" => {
                Some(format!("{status} X\r\nLocation: http://b.test/three\r\nContent-Length: 0\r\n\r\n"))
            }
            _ => Some("200 X\r\nContent-Length: 0\r\n\r\n".into()),
        });
        let error = done.unwrap_err();
        assert_eq!(error.kind(), Kind::RedirectForbidden, "{error}");
        assert_eq!(targets(&sent), ["http://auth.test/token"]);
    }
}

#[test]
fn redirects_of_a_sub_request_keep_its_credentials_at_its_origin() {
    let request = Request::head("http://a.test/")
        .auth(Auth::flow(tokens(0)))
        .hook(hook::before(|request| Ok(request.headers_mut().insert("X-Hook", "secret")?)));
    let (sent, done) = run(&settings(), request, &mut |host, bytes| match host {
        "auth.test" if bytes.starts_with("POST /token ") => {
            Some("307 X\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n".into())
        }
        // A request without a body may leave the origin.
        "auth.test" => Some("303 X\r\nLocation: http://b.test/three\r\nContent-Length: 0\r\n\r\n".into()),
        "b.test" => Some(token("t")),
        _ => Some("302 X\r\nLocation: /further\r\nContent-Length: 0\r\n\r\n".into()),
    });
    // The call itself returns redirects, and is a HEAD request.
    assert_eq!(done.unwrap().0, 302);
    let urls = ["http://auth.test/token", "http://auth.test/two", "http://b.test/three", "http://a.test/"];
    assert_eq!(targets(&sent), urls);
    let seen: Vec<_> =
        sent.requests.iter().map(|(_, head)| header(head, "Authorization").is_some()).collect();
    assert_eq!(seen, [true, true, false, true]);
    let hooked: Vec<_> = sent.requests.iter().map(|(_, head)| header(head, "X-Hook").is_some()).collect();
    assert_eq!(hooked, [false, false, false, true]);
    assert_eq!(sent.history, 0);
}

#[test]
fn a_flow_receives_64_kib_at_most_and_the_rest_closes_the_connection() {
    for (length, expected) in
        [(65_536, "200 65536 true"), (65_537, "200 65536 false"), (900_000, "200 65536 false")]
    {
        let scheme = tokens(0);
        let request = Request::get("http://a.test/").auth(Auth::flow(scheme.clone())).body_limit(10);
        let (sent, done) = run(&settings(), request, &mut |host, _| match host {
            "auth.test" => Some(token(&"x".repeat(length))),
            _ => Some(OK.into()),
        });
        assert_eq!(done.unwrap().0, 200, "{length}");
        assert_eq!(*scheme.log.lock().unwrap(), [expected]);
        assert_eq!(sent.requests.len(), 2);
    }
}

#[test]
fn errors_name_the_request_of_the_flow() {
    let ask = |settings: &Settings, address, peer: &mut Peer<'_>| {
        let scheme = Tokens { address, ..tokens(0) };
        run(settings, Request::get("http://a.test/x").auth(Auth::flow(scheme)), peer).1.unwrap_err()
    };
    let error = ask(&settings(), "http://auth.test/token", &mut |_, _| None);
    assert_eq!(error.kind(), Kind::ClosedBeforeResponse);
    assert_eq!(error.url().unwrap().as_str(), "http://a.test/x");
    assert!(error.to_string().contains("POST http://auth.test/token"), "{error}");
    let source = std::error::Error::source(&error).unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!(source.url().unwrap().as_str(), "http://auth.test/token");
    // The flow itself fails, and an address that is none.
    let refused = "403 X\r\nContent-Length: 0\r\n\r\n";
    let error = ask(&settings(), "http://auth.test/token", &mut |_, _| Some(refused.into()));
    assert_eq!(error.kind(), Kind::Authentication);
    let error = ask(&settings(), "ftp://auth.test/token", &mut |_, _| None);
    assert_eq!(error.kind(), Kind::UnsupportedScheme);
    assert!(error.to_string().contains("authentication flow"), "{error}");
    // The time of the flow's request counts.
    let mut short = settings();
    short.timeouts.total = Some(Duration::from_millis(150));
    let error = ask(&short, "http://auth.test/token", &mut |host, _| match host {
        "auth.test" => Some("302 X\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n".into()),
        _ => Some(OK.into()),
    });
    assert_eq!(error.kind(), Kind::Timeout(Timeout::Total));
    assert!(error.to_string().contains("http://auth.test/two"), "{error}");
}

#[test]
fn a_flow_that_never_has_enough_is_ended() {
    #[derive(Clone, Debug)]
    struct Greedy;
    impl Scheme for Greedy {
        fn begin(&self) -> Box<dyn Flow> {
            Box::new(Self)
        }
    }
    impl Flow for Greedy {
        fn asks(&self) -> bool {
            true
        }
        fn need(&mut self, _: &Prepared, _: Now) -> Result<Need> {
            Ok(Need::Response(Box::new(SubRequest::get("/more"))))
        }
        fn sign(&mut self, _: &mut Prepared) -> Result<()> {
            Ok(())
        }
        fn challenged(&mut self, _: &Head, _: &mut Prepared) -> Result<FlowDecision> {
            Ok(FlowDecision::Accept)
        }
        fn clone_box(&self) -> Box<dyn Flow> {
            Box::new(Self)
        }
    }
    let (sent, done) =
        run(&settings(), Request::get("http://a.test/x/y").auth(Auth::flow(Greedy)), &mut |_, _| {
            Some(OK.into())
        });
    assert_eq!(done.unwrap_err().kind(), Kind::Authentication);
    assert_eq!(targets(&sent), ["http://a.test/more"; 16]);
}

#[test]
fn a_flow_waits_its_turn_within_the_total_limit() {
    #[derive(Clone, Debug)]
    struct Waiting(Arc<Mutex<(bool, Option<Waker>)>>);
    impl Scheme for Waiting {
        fn begin(&self) -> Box<dyn Flow> {
            Box::new(self.clone())
        }
    }
    impl Flow for Waiting {
        fn asks(&self) -> bool {
            true
        }
        fn need(&mut self, _: &Prepared, _: Now) -> Result<Need> {
            Ok(if self.0.lock().unwrap().0 { Need::Nothing } else { Need::Turn })
        }
        fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
            let mut state = self.0.lock().unwrap();
            state.1 = Some(cx.waker().clone());
            if state.0 { Poll::Ready(()) } else { Poll::Pending }
        }
        fn sign(&mut self, request: &mut Prepared) -> Result<()> {
            Ok(request.headers_mut().insert("Authorization", "turn")?)
        }
        fn challenged(&mut self, _: &Head, _: &mut Prepared) -> Result<FlowDecision> {
            Ok(FlowDecision::Accept)
        }
        fn clone_box(&self) -> Box<dyn Flow> {
            Box::new(self.clone())
        }
    }
    let mut settings = settings();
    settings.timeouts.total = Some(Duration::from_secs(1));
    let scheme = Waiting(Arc::default());
    let mut state = SessionState::new(Seed::new(7));
    let begin = |state: &mut SessionState| {
        let request = Request::get("http://a.test/").auth(Auth::flow(scheme.clone()));
        Call::new(prepare(merge(&settings, request), &mut state.jar, NOW).unwrap(), Memory::default())
            .unwrap()
    };
    let cx = &mut Context::from_waker(Waker::noop());
    let mut call = begin(&mut state);
    assert!(matches!(call.step(NOW).unwrap(), Step::Decide));
    call.decide(&mut state, NOW);
    let Step::Turn { deadline, .. } = call.step(NOW).unwrap() else { panic!() };
    assert_eq!(deadline, Some(NOW.mono + Duration::from_secs(1)));
    assert!(call.poll_turn(cx).is_pending());
    assert!(matches!(call.step(NOW).unwrap(), Step::Turn { .. }));
    scheme.0.lock().unwrap().0 = true;
    assert!(call.poll_turn(cx).is_ready());
    call.decide(&mut state, NOW);
    assert!(matches!(call.step(NOW).unwrap(), Step::Connect(_)));
    assert_eq!(call.request().headers().get("Authorization"), Some("turn"));
    // A turn that does not come ends with the call's time.
    scheme.0.lock().unwrap().0 = false;
    let mut call = begin(&mut state);
    assert!(matches!(call.step(NOW).unwrap(), Step::Decide));
    call.decide(&mut state, NOW);
    assert!(call.poll_turn(cx).is_pending());
    let late = NOW.after(Duration::from_secs(1));
    assert_eq!(call.step(late).unwrap_err().kind(), Kind::Timeout(Timeout::Total));
    // A turn that no step asked for.
    let mut call = begin(&mut state);
    assert!(call.poll_turn(cx).is_ready());
    assert_eq!(call.step(NOW).unwrap_err().kind(), Kind::Misuse);
}

#[test]
fn observers_see_the_request_of_a_flow_as_a_call_of_its_own() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let (calls, seen) = (Arc::new(Mutex::new(0)), Arc::clone(&log));
    let observer = Observer::per_call(move |request| {
        let mut calls = calls.lock().unwrap();
        *calls += 1;
        let (number, seen) = (*calls, Arc::clone(&seen));
        seen.lock().unwrap().push(format!("{number} {}", request.url().path()));
        move |_: &Call, event: &sessio::call::Event<'_>| {
            let name = format!("{event:?}");
            let name = name.split([' ', '(', '{']).next().unwrap().to_owned();
            seen.lock().unwrap().push(format!("{number} {name}"));
        }
    });
    let request = Request::get("http://a.test/x").auth(Auth::flow(tokens(0))).observe(observer);
    let (_, done) = run(&settings(), request, &mut |host, _| match host {
        "auth.test" => Some(token("t")),
        _ => Some(OK.into()),
    });
    assert_eq!(done.unwrap().0, 200);
    let expected = [
        "1 /x",
        "2 /token",
        "2 Connecting",
        "2 Connected",
        "2 Sent",
        "2 Head",
        "2 FinalResponse",
        "2 Done",
        "1 Connecting",
        "1 Connected",
        "1 Sent",
        "1 Head",
        "1 FinalResponse",
        "1 Done",
    ];
    assert_eq!(*log.lock().unwrap(), expected);
}

#[test]
fn the_mount_of_its_url_applies_to_a_sub_request_without_its_credentials() {
    let mut settings = settings();
    let mount = Mount::new().header("X-Mount", "1").bearer_auth("secret").cookie("id", "secret");
    settings.mounts.add("http://auth.test/", mount).unwrap();
    settings
        .mounts
        .add("http://a.test/", Mount::new().auth(Auth::flow(tokens(0))).header("X-Own", "1"))
        .unwrap();
    let (sent, done) = run(&settings, Request::get("http://a.test/x"), &mut |host, _| match host {
        "auth.test" => Some(token("t")),
        _ => Some(OK.into()),
    });
    assert_eq!(done.unwrap().0, 200);
    let [(_, sub), (_, own)] = &sent.requests[..] else { panic!() };
    assert_eq!((header(sub, "X-Mount"), header(own, "X-Mount")), (Some("1"), None));
    assert_eq!((header(sub, "X-Own"), header(own, "X-Own")), (None, Some("1")));
    assert_eq!((header(sub, "Cookie"), header(own, "Authorization")), (None, Some("Bearer t")));
    assert!(header(sub, "Authorization").unwrap().starts_with("Basic "));
}

#[test]
fn no_hook_runs_for_a_sub_request_and_its_redirects() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let hook = |name: &'static str| {
        let log = Arc::clone(&log);
        hook::before(move |request| {
            log.lock().unwrap().push(format!("{name} {}", request.url()));
            Ok(())
        })
    };
    let mut settings = settings();
    settings.hooks.add(hook("session"));
    for url in ["http://auth.test/", "http://b.test/", "http://a.test/"] {
        settings.mounts.add(url, Mount::new().hook(hook("mount"))).unwrap();
    }
    let request = Request::get("http://a.test/x").auth(Auth::flow(tokens(1))).hook(hook("request"));
    let mut denied = 0;
    let (sent, done) = run(&settings, request, &mut |host, bytes| match host {
        "auth.test" if bytes.starts_with("POST /token ") => {
            Some("303 X\r\nLocation: /two\r\nContent-Length: 0\r\n\r\n".into())
        }
        "auth.test" => Some("302 X\r\nLocation: http://b.test/three\r\nContent-Length: 0\r\n\r\n".into()),
        "b.test" => Some(token("t")),
        _ => {
            denied += 1;
            Some(if denied == 1 { DENIED } else { OK }.into())
        }
    });
    assert_eq!((done.unwrap().0, sent.requests.len()), (200, 8));
    let expected = ["session", "mount", "request"].map(|name| format!("{name} http://a.test/x"));
    assert_eq!(*log.lock().unwrap(), expected);
}

#[test]
fn a_mount_does_not_overwrite_the_fields_of_a_sub_request() {
    let fields = [
        ("Authorization", "mount"),
        ("Content-Type", "text/mount"),
        ("Content-Length", "99"),
        ("Content-Encoding", "gzip"),
        ("Cookie", "mount=1"),
        ("Accept", "text/mount"),
        ("User-Agent", "mount"),
    ];
    let mut settings = settings();
    let mount = fields.iter().fold(Mount::new(), |mount, (name, value)| mount.header(name, value));
    settings.mounts.add("http://auth.test/", mount).unwrap();
    let (sent, done) =
        run(&settings, Request::get("http://a.test/").auth(Auth::flow(tokens(0))), &mut |host, _| {
            Some(if host == "auth.test" { token("t") } else { OK.into() })
        });
    assert_eq!(done.unwrap().0, 200);
    let sub = &sent.requests[0].1;
    let expected = [
        ("Authorization", Some("Basic Y2xpZW50OmtleQ==")),
        ("Content-Type", Some("application/x-www-form-urlencoded")),
        ("Content-Length", Some("7")),
        ("Content-Encoding", None),
        // Those of the mount, which the flow does not set.
        ("Accept", Some("text/mount")),
        ("User-Agent", Some("mount")),
    ];
    for (name, value) in expected {
        assert_eq!(header(sub, name), value, "{name}: {sub}");
    }
    assert!(sub.ends_with("\r\n\r\ngrant=x"), "{sub}");
}

/// A flow that edits the URL.
#[derive(Clone, Debug)]
struct Moving {
    to: &'static str,
    asks: bool,
    when_challenged: bool,
}

impl Scheme for Moving {
    fn begin(&self) -> Box<dyn Flow> {
        self.clone_box()
    }
}

impl Flow for Moving {
    fn asks(&self) -> bool {
        self.asks
    }

    fn sign(&mut self, request: &mut Prepared) -> Result<()> {
        if self.when_challenged { Ok(()) } else { request.set_url(self.to) }
    }

    fn challenged(&mut self, head: &Head, request: &mut Prepared) -> Result<FlowDecision> {
        if head.status != 401 || !self.when_challenged {
            return Ok(FlowDecision::Accept);
        }
        request.set_url(self.to)?;
        Ok(FlowDecision::Again)
    }

    fn clone_box(&self) -> Box<dyn Flow> {
        Box::new(self.clone())
    }
}

#[test]
fn a_flow_edits_the_query_of_its_url_and_nothing_else_of_it() {
    for (asks, when_challenged) in [(false, false), (true, false), (false, true)] {
        let ask = |to: &'static str| {
            let request = Request::get("http://a.test/x?page=2&token=secret").cookie("own", "1");
            let auth = Auth::flow(Moving { to, asks, when_challenged });
            let (mut sent, done) = run(&settings(), request.auth(auth), &mut |_, bytes| {
                Some(if when_challenged && bytes.contains("?page") { DENIED } else { OK }.into())
            });
            if when_challenged {
                assert!(sent.requests.remove(0).1.starts_with("GET /x?page=2&token=secret "));
            }
            (sent, done)
        };
        let (sent, done) = ask("?sig=1");
        assert_eq!(done.unwrap().0, 200, "{asks} {when_challenged}");
        assert!(sent.requests[0].1.starts_with("GET /x?sig=1 HTTP/1.1\r\nHost: a.test\r\n"));
        assert_eq!(header(&sent.requests[0].1, "Cookie"), Some("own=1"));
        for to in ["/y", "http://b.test/x", "https://a.test/x", "http://a.test:81/x", "http://me@a.test/x"] {
            let (sent, done) = ask(to);
            let error = done.unwrap_err();
            assert_eq!(error.kind(), Kind::Authentication, "{to}");
            assert!(error.to_string().contains("replaced more than the query"), "{error}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
            assert!(sent.requests.is_empty(), "{to}");
        }
    }
}
