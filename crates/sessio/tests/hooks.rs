//! Hooks of sessions, mounts and requests: their order, their edits and their decisions.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests say what went wrong by where they stop")]
#![allow(clippy::disallowed_types, reason = "the hooks of a test write into one list")]

use std::sync::{Arc, Mutex};

use sessio::hook::{self, FinalResponse, Reaction};
use sessio::retry::RetryPolicy;
use sessio::{
    Auth, Call, Error, Guard, Head, Hook, Instant, Jar, Kind, Memory, Mount, Now, Prepared, Proxies, Proxy,
    Request, Result, Seed, SessionState, Settings, Step, UnixTime, merge, prepare,
};

const NOW: Now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };
const OK: &str = "200 OK\r\nContent-Length: 0\r\n\r\n";

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.headers.clear();
    settings
}

/// The requests of a call and its outcome.
#[derive(Debug)]
struct Sent {
    heads: Vec<String>,
    proxies: Vec<Option<String>>,
    status: Result<u16>,
    history: usize,
}

/// Runs a call whose responses are these, one after the other.
fn run(settings: &Settings, request: Request, responses: &[&str]) -> Sent {
    let mut state = SessionState::new(Seed::new(7));
    state.jar.insert_str("jar=1", &"http://a.test/".parse().unwrap(), NOW.wall).unwrap();
    state.jar.insert_str("jar=2", &"http://b.test/".parse().unwrap(), NOW.wall).unwrap();
    let mut sent = Sent { heads: Vec::new(), proxies: Vec::new(), status: Ok(0), history: 0 };
    let call = prepare(merge(settings, request), &mut state.jar, NOW);
    let call = call.and_then(|call| Call::new(call, Memory::default()));
    match call {
        Ok(mut call) => {
            sent.status = drive(&mut call, &mut state, responses, &mut sent);
            sent.history = call.history().len();
        }
        Err(error) => sent.status = Err(error),
    }
    sent
}

fn drive(call: &mut Call, state: &mut SessionState, responses: &[&str], sent: &mut Sent) -> Result<u16> {
    let (mut responses, mut response, mut now) = (responses.iter(), Vec::new(), NOW);
    let mut status = 0;
    loop {
        match call.step(now)? {
            Step::Connect(to) => {
                sent.proxies.push(to.proxy().map(ToString::to_string));
                let conn = to.open(1, now, &[])?;
                call.connected(conn);
            }
            Step::Io(io) if !io.send.is_empty() => {
                let n = io.send.len();
                sent.heads.push(String::from_utf8(io.send.to_vec()).unwrap());
                call.sent(n);
                response = format!("HTTP/1.1 {}", responses.next().unwrap()).into_bytes();
            }
            Step::Io(io) => {
                let n = response.len().min(io.recv.len());
                io.recv[..n].copy_from_slice(&response[..n]);
                response.drain(..n);
                call.received(n);
            }
            Step::Release => drop(call.release()),
            Step::Decide => call.decide(state, now),
            Step::Wait { until, .. } => now = now.after(until.saturating_duration_since(now.mono)),
            Step::Rewind => call.rewound(),
            Step::Head => status = call.take_head().unwrap().status.as_u16(),
            Step::Body(bytes) => {
                let n = bytes.len();
                call.consume(n);
            }
            Step::Done => return Ok(status),
            other => panic!("{other:?}"),
        }
    }
}

/// A header of a request.
fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// Records its name each time that it runs.
struct Named(&'static str, Arc<Mutex<Vec<String>>>);

impl Hook for Named {
    fn before(&self, request: &mut Prepared) -> Result<()> {
        self.1.lock().unwrap().push(format!("{} before {}", self.0, request.url().path()));
        Ok(())
    }

    fn after(&self, head: &Head, request: &mut Prepared) -> Reaction {
        let status = head.status.as_u16();
        self.1.lock().unwrap().push(format!("{} after {status} {}", self.0, request.url().path()));
        Reaction::Continue
    }

    fn response(&self, response: &mut FinalResponse<'_>) -> Result<()> {
        let (status, history) = (response.head.status.as_u16(), response.history.len());
        self.1.lock().unwrap().push(format!("{} response {status} {history}", self.0));
        Ok(())
    }
}

#[test]
fn s18_hooks_of_session_mount_and_request_all_run_in_this_order() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let mut settings = settings();
    settings.hooks.add(Named("session", Arc::clone(&log)));
    settings.mounts.add("http://a.test/in/", Mount::new().hook(Named("mount", Arc::clone(&log)))).unwrap();
    let request = Request::get("http://a.test/in/1").hook(Named("request", Arc::clone(&log)));
    let away = "302 X\r\nLocation: /out\r\nContent-Length: 0\r\n\r\n";
    let sent = run(&settings, request, &[away, OK]);
    assert_eq!((sent.status.unwrap(), sent.history), (200, 1));
    let expected = [
        "session before /in/1",
        "mount before /in/1",
        "request before /in/1",
        "session after 302 /in/1",
        "mount after 302 /in/1",
        "request after 302 /in/1",
        "session before /out",
        "request before /out",
        "session after 200 /out",
        "request after 200 /out",
        "session response 200 1",
        "request response 200 1",
    ];
    assert_eq!(*log.lock().unwrap(), expected);
}

#[test]
fn b03_credentials_of_a_hook_take_precedence_and_stay_with_their_origin() {
    let once = Mutex::new(true);
    let hook = hook::before(move |request| {
        if std::mem::take(&mut *once.lock().unwrap()) {
            request.headers_mut().insert("Authorization", "hook")?;
            request.headers_mut().insert("X-Key", "key")?;
            request.headers_mut().mark_sensitive("X-Key");
            request.headers_mut().insert("X-Plain", "plain")?;
        }
        Ok(())
    });
    let request = Request::get("http://a.test/").basic_auth("user", "password").hook(hook);
    let here = "302 X\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n";
    let away = "302 X\r\nLocation: http://b.test/\r\nContent-Length: 0\r\n\r\n";
    let sent = run(&settings(), request, &[here, away, OK]);
    let seen = |name| sent.heads.iter().map(|head| header(head, name)).collect::<Vec<_>>();
    assert_eq!(seen("Authorization"), [Some("hook"), Some("hook"), None]);
    assert_eq!(seen("X-Key"), [Some("key"), Some("key"), None]);
    assert_eq!(seen("X-Plain"), [Some("plain"); 3]);
}

#[test]
fn a_hook_is_covered_by_a_signature_and_runs_for_each_attempt() {
    #[derive(Clone, Debug)]
    struct Signer;
    impl sessio::Scheme for Signer {
        fn begin(&self) -> Box<dyn sessio::Flow> {
            Box::new(Self)
        }
    }
    impl sessio::Flow for Signer {
        fn sign(&mut self, request: &mut Prepared) -> Result<()> {
            let signed = format!("over {}", request.headers().get("X-Try").unwrap_or("nothing"));
            Ok(request.headers_mut().insert("Authorization", signed)?)
        }
        fn challenged(&mut self, _: &Head, _: &mut Prepared) -> Result<sessio::FlowDecision> {
            Ok(sessio::FlowDecision::Accept)
        }
        fn clone_box(&self) -> Box<dyn sessio::Flow> {
            Box::new(Self)
        }
    }
    let count = Mutex::new(0);
    let hook = hook::before(move |request| {
        let mut count = count.lock().unwrap();
        *count += 1;
        Ok(request.headers_mut().insert("X-Try", count.to_string())?)
    });
    let request =
        Request::get("http://a.test/").auth(Auth::flow(Signer)).retry(RetryPolicy::web()).hook(hook);
    let busy = "503 Busy\r\nContent-Length: 0\r\n\r\n";
    let sent = run(&settings(), request, &[busy, busy, OK]);
    let seen: Vec<_> = sent.heads.iter().map(|head| header(head, "Authorization").unwrap()).collect();
    assert_eq!(seen, ["over 1", "over 2", "over 3"]);
    assert_eq!(sent.status.unwrap(), 200);
}

#[test]
fn a_hook_sends_an_edited_request_again_at_most_eight_times() {
    let again = || {
        hook::after(|head, request| {
            let times = request.headers().get("X-Times").map_or(0, |text| text.parse().unwrap());
            match head.status.as_u16() {
                429 => match request.headers_mut().insert("X-Times", (times + 1).to_string()) {
                    Ok(()) => Reaction::Again,
                    Err(error) => Reaction::Fail(error.into()),
                },
                _ => Reaction::Continue,
            }
        })
    };
    let busy = "429 X\r\nContent-Length: 0\r\n\r\n";
    let sent = run(&settings(), Request::post("http://a.test/").body("x").hook(again()), &[busy, busy, OK]);
    let seen: Vec<_> = sent.heads.iter().map(|head| header(head, "X-Times")).collect();
    assert_eq!(seen, [None, Some("1"), Some("2")]);
    assert!(sent.heads.iter().all(|head| head.ends_with("\r\n\r\nx")));
    assert_eq!((sent.status.unwrap(), sent.history), (200, 2));
    let sent = run(&settings(), Request::get("http://a.test/").hook(again()), &[busy; 10]);
    assert_eq!((sent.status.unwrap(), sent.heads.len(), sent.history), (429, 9, 8));
    // An edit without `Again` has no effect.
    let only_edits = hook::after(|_, request| {
        request.headers_mut().remove("Host");
        Reaction::Continue
    });
    let away = "302 X\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n";
    let sent = run(&settings(), Request::get("http://a.test/").hook(only_edits), &[away, OK]);
    assert_eq!(header(&sent.heads[1], "Host"), Some("a.test"));
}

#[test]
fn a_hook_fails_a_call_with_the_response_in_the_error() {
    let refuse = || Error::new(Kind::Status).with_detail("refused by a hook");
    let after = hook::after(move |head, _| match head.status.as_u16() {
        500 => Reaction::Fail(refuse()),
        _ => Reaction::Continue,
    });
    let request = Request::get("http://a.test/").hook(after);
    let error = run(&settings(), request, &["500 X\r\nContent-Length: 0\r\n\r\n"]).status.unwrap_err();
    assert_eq!(error.kind(), Kind::Status);
    assert_eq!(error.response().unwrap().head.status, 500);
    assert_eq!(error.url().unwrap().as_str(), "http://a.test/");
    assert!(error.to_string().contains("refused by a hook"), "{error}");

    let response = hook::response(|response| {
        response.head.headers.insert("X-Seen", "1")?;
        Err(Error::new(Kind::Status))
    });
    let error = run(&settings(), Request::get("http://a.test/").hook(response), &[OK]).status.unwrap_err();
    assert_eq!(error.response().unwrap().head.headers.get("X-Seen"), Some("1"));

    let before = hook::before(|_| Err(Error::new(Kind::InvalidHeader)));
    let sent = run(&settings(), Request::get("http://a.test/").hook(before), &[]);
    assert_eq!((sent.status.unwrap_err().kind(), sent.heads.len()), (Kind::InvalidHeader, 0));
}

#[test]
fn a_hook_changes_the_head_that_the_caller_receives() {
    let hook = hook::response(|response| {
        response.head.status = sessio::http::StatusCode::IM_A_TEAPOT;
        Ok(())
    });
    let sent = run(&settings(), Request::get("http://a.test/").hook(hook), &[OK]);
    assert_eq!(sent.status.unwrap(), 418);
}

#[test]
fn edits_of_a_hook_are_checked_before_a_byte_is_sent() {
    type Edit = fn(&mut Prepared) -> Result<()>;
    let cases: [(Edit, Kind); 6] = [
        (|request| Ok(request.headers_mut().insert("X", "a\r\nb")?), Kind::InvalidHeader),
        (|request| Ok(request.headers_mut().append("Host", "b.test")?), Kind::InvalidHeader),
        (|request| Ok(request.headers_mut().insert("Transfer-Encoding", "gzip")?), Kind::InvalidHeader),
        (|request| Ok(request.headers_mut().insert("Proxy-Authorization", "x")?), Kind::InvalidHeader),
        (|request| request.set_url("ftp://a.test/"), Kind::UnsupportedScheme),
        (|request| request.set_target("/ /"), Kind::InvalidUrl),
    ];
    for (number, (edit, kind)) in cases.into_iter().enumerate() {
        let request = Request::post("http://a.test/").body("x").hook(hook::before(edit));
        let sent = run(&settings(), request, &[OK]);
        assert_eq!(sent.status.unwrap_err().kind(), kind, "{number}");
        assert!(sent.heads.is_empty(), "{number}");
        // The same edit on a later hop.
        let later = hook::before(move |request| match request.url().path() {
            "/2" => edit(request),
            _ => Ok(()),
        });
        let away = "307 X\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n";
        let sent = run(&settings(), Request::post("http://a.test/").body("x").hook(later), &[away, OK]);
        assert_eq!((sent.status.unwrap_err().kind(), sent.heads.len()), (kind, 1), "{number}");
    }
    // A body has its new framing.
    let longer = hook::before(|request| {
        request.set_body("longer");
        Ok(())
    });
    let sent = run(&settings(), Request::post("http://a.test/").body("x").hook(longer), &[OK]);
    assert_eq!(header(&sent.heads[0], "Content-Length"), Some("6"));
    assert!(sent.heads[0].ends_with("\r\n\r\nlonger"));
}

#[test]
fn a_url_of_a_hook_has_its_own_host_proxy_mount_cookies_and_no_secret_of_the_old_one() {
    let mut settings = settings();
    settings.sensitive_headers = ["x-listed".into()].into();
    settings.auth = Auth::bearer("session");
    settings.proxies.set("http://b.test", Proxy::parse("http://p.test:3128").unwrap()).unwrap();
    settings.mounts.add("http://b.test/", Mount::new().header("X-Mount", "b").bearer_auth("b")).unwrap();
    for is_later in [false, true] {
        let hook = hook::before(move |request| match request.url().path() {
            "/first" if is_later => Ok(()),
            _ => {
                request.set_url("http://b.test/new?q")?;
                Ok(request.headers_mut().insert("X-Late", "1")?)
            }
        });
        let request = Request::get(if is_later { "http://a.test/first" } else { "http://a.test/" })
            .header("X-Listed", "listed")
            .header("X-Plain", "plain")
            .cookie("own", "1")
            .hook(hook);
        let away = "302 X\r\nLocation: /second\r\nContent-Length: 0\r\n\r\n";
        let responses: &[&str] = if is_later { &[away, OK] } else { &[OK] };
        let sent = run(&settings, request, responses);
        assert_eq!(sent.status.unwrap(), 200);
        let head = sent.heads.last().unwrap();
        assert!(head.starts_with("GET http://b.test/new?q HTTP/1.1\r\nHost: b.test\r\n"), "{head}");
        assert_eq!(sent.proxies.last().unwrap().as_deref(), Some("http://p.test:3128"));
        assert_eq!(header(head, "Cookie"), Some("jar=2"));
        for (name, value) in [("X-Plain", Some("plain")), ("X-Late", Some("1")), ("X-Mount", Some("b"))] {
            assert_eq!(header(head, name), value, "{name} {head}");
        }
        for name in ["Authorization", "X-Listed"] {
            assert_eq!(header(head, name), None, "{name} {head}");
        }
    }
    // Credentials that the hook sets afterwards are for the new origin.
    let hook = hook::before(|request| {
        request.set_url("http://b.test/")?;
        Ok(request.headers_mut().insert("Authorization", "for b")?)
    });
    let sent = run(&settings, Request::get("http://a.test/").hook(hook), &[OK]);
    assert_eq!(header(&sent.heads[0], "Authorization"), Some("for b"));
    // Within one origin the credentials stay, out of a mount they do not.
    let there = |path: &'static str| hook::before(move |request| request.set_url(path));
    let sent = run(&settings, Request::get("http://a.test/").hook(there("/x")), &[OK]);
    assert!(sent.heads[0].starts_with("GET /x "));
    assert_eq!(header(&sent.heads[0], "Authorization"), Some("Bearer session"));
    assert_eq!(header(&sent.heads[0], "Cookie"), Some("jar=1"));
    settings.mounts.add("http://a.test/in/", Mount::new().bearer_auth("mount")).unwrap();
    let sent = run(&settings, Request::get("http://a.test/in/").hook(there("/out")), &[OK]);
    assert_eq!(header(&sent.heads[0], "Authorization"), None);
}

#[test]
fn a_cookie_line_of_a_hook_is_for_its_hop_and_attempt() {
    let edit = |value: Option<&'static str>| {
        hook::before(move |request| {
            assert!(request.url().path() == "/2" || request.headers().contains("Cookie"));
            match value {
                _ if request.url().path() == "/2" => Ok(()),
                Some(value) => Ok(request.headers_mut().insert("cookie", value)?),
                None => {
                    request.headers_mut().remove("Cookie");
                    Ok(())
                }
            }
        })
    };
    let away = "302 X\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n";
    let busy = "503 X\r\nContent-Length: 0\r\n\r\n";
    for (value, seen) in [(Some("edited=1; jar=edited"), Some("edited=1; jar=edited")), (None, None)] {
        let line = |head: &str| {
            let lines: Vec<_> =
                head.lines().filter(|line| line.to_lowercase().starts_with("cookie:")).collect();
            assert!(lines.len() <= 1, "{head}");
            lines.first().map(|line| line[8..].to_owned())
        };
        let request = || Request::get("http://a.test/1").cookie("own", "1").hook(edit(value));
        let sent = run(&settings(), request().retry(RetryPolicy::web()), &[busy, away, OK]);
        assert_eq!((sent.status.unwrap(), sent.heads.len()), (200, 3));
        // The next attempt begins with the line of the jar and the request, and the hook edits it.
        let lines: Vec<_> = sent.heads.iter().map(|head| line(head)).collect();
        let after = Some("jar=1; own=1".to_owned());
        assert_eq!(lines, [seen.map(str::to_owned), seen.map(str::to_owned), after]);
        // A flow that needs nothing leaves the line as it is.
        #[cfg(feature = "sigv4")]
        {
            let auth = Auth::flow(sessio::auth::SigV4::new("key", "secret", "region", "service"));
            let sent = run(&settings(), request().auth(auth), &[OK]);
            assert_eq!(line(&sent.heads[0]).as_deref(), seen);
        }
    }
}

#[test]
fn a_hook_does_not_lead_past_the_guard_or_https_only() {
    let mut settings = settings();
    settings.guard = Guard::public();
    settings.proxies = Proxies::from(Proxy::parse("http://p.test:3128").unwrap());
    let hook = || hook::before(|request| request.set_url("http://127.0.0.1/"));
    let sent = run(&settings, Request::get("http://a.test/").hook(hook()), &[OK]);
    assert_eq!(sent.status.unwrap_err().kind(), Kind::BlockedAddress);
    settings.tls = settings.tls.https_only(true);
    let sent = run(&settings, Request::get("https://a.test/").hook(hook()), &[OK]);
    assert_eq!(sent.status.unwrap_err().kind(), Kind::HttpsOnly);
}

#[test]
fn an_edit_of_a_prepared_call_follows_its_url() {
    let mut settings = settings();
    settings.proxies.set("http://b.test", Proxy::parse("http://p.test:3128").unwrap()).unwrap();
    let mut jar = Jar::new();
    for host in ["a", "b"] {
        let url = format!("http://{host}.test/").parse().unwrap();
        jar.insert_str(&format!("jar={host}"), &url, NOW.wall).unwrap();
    }
    let request = || Request::get("http://a.test/").cookie("own", "1").bearer_auth("secret");
    let mut call = prepare(merge(&settings, request()), &mut jar, NOW).unwrap();
    call.request.set_url("http://b.test/x").unwrap();
    let mut without = Call::new(call.clone(), Memory::default()).unwrap();
    assert_eq!(without.request().headers().get("Cookie"), None);
    let Ok(Step::Connect(to)) = without.step(NOW) else { panic!() };
    assert_eq!(to.proxy().unwrap().to_string(), "http://p.test:3128");
    call.follow_url(|call| call.attach_cookies(&mut jar, NOW)).unwrap();
    let with = Call::new(call, Memory::default()).unwrap();
    assert_eq!(with.request().headers().get("Cookie"), Some("jar=b"));
    assert!(!with.request().headers().contains("Authorization"));
    // The request's own cookies go to another path of the same origin.
    let mut call = prepare(merge(&settings, request()), &mut jar, NOW).unwrap();
    call.request.set_url("/x").unwrap();
    let call = Call::new(call, Memory::default()).unwrap();
    assert_eq!(call.request().headers().get("Cookie"), Some("own=1"));
    assert_eq!(call.request().headers().get("Authorization"), Some("Bearer secret"));
}

/// The outcome of a call with one response: the status, the body, and the error that ends it. The
/// peer sends pieces of this size, and then closes.
fn read(settings: &Settings, request: Request, response: &str, size: usize) -> (u16, String, Option<Kind>) {
    let mut state = SessionState::new(Seed::new(7));
    let call = prepare(merge(settings, request), &mut state.jar, NOW).unwrap();
    let mut call = Call::new(call, Memory::default()).unwrap();
    let (mut left, mut status, mut body) = (response.as_bytes(), 0, Vec::new());
    loop {
        match call.step(NOW) {
            Ok(Step::Connect(to)) => {
                let conn = to.open(1, NOW, &[]).unwrap();
                call.connected(conn);
            }
            Ok(Step::Io(io)) if !io.send.is_empty() => {
                let n = io.send.len();
                call.sent(n);
            }
            Ok(Step::Io(io)) => {
                let n = left.len().min(io.recv.len()).min(size);
                io.recv[..n].copy_from_slice(&left[..n]);
                left = &left[n..];
                call.received(n);
            }
            Ok(Step::Release) => drop(call.release()),
            Ok(Step::Decide) => call.decide(&mut state, NOW),
            Ok(Step::Head) => {
                status = call.take_head().unwrap().status.as_u16();
                if let Some(left) = call.body_left() {
                    assert!([40, 41].contains(&left), "{left}");
                }
            }
            Ok(Step::Body(bytes)) => {
                // The caller reads in pieces of its own.
                let n = bytes.len().min(3);
                body.extend_from_slice(&bytes[..n]);
                call.consume(n);
            }
            Ok(Step::Done) => return (status, String::from_utf8(body).unwrap(), None),
            Ok(other) => panic!("{other:?}"),
            Err(error) => return (status, String::from_utf8(body).unwrap(), Some(error.kind())),
        }
    }
}

#[test]
fn a_hook_sees_the_start_of_a_body_and_the_caller_all_of_it() {
    let text = "the body of this response, to its end...";
    let chunks: String =
        text.as_bytes().chunks(7).map(|it| format!("{:x}\r\n{}\r\n", it.len(), it.escape_ascii())).collect();
    let framings = [
        (format!("Content-Length: 40\r\n\r\n{text}"), true, None),
        (format!("Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"), true, None),
        (format!("\r\n{text}"), true, None),
        // Bodies that end too soon, and one that breaks its framing.
        (format!("Content-Length: 41\r\n\r\n{text}"), false, Some(Kind::IncompleteBody)),
        (format!("Transfer-Encoding: chunked\r\n\r\n{chunks}x\r\n"), false, Some(Kind::BadChunk)),
    ];
    for (rest, ends, error) in &framings {
        for most in [1, 39, 40, 41, 70_000] {
            for size in [1, 7, 100_000] {
                let seen = Arc::new(Mutex::new(Vec::new()));
                let log = Arc::clone(&seen);
                let hook = hook::body(
                    most,
                    |head| head.status == 200,
                    move |response, _| {
                        log.lock().unwrap().push((response.text().into_owned(), response.is_whole));
                        Reaction::Continue
                    },
                );
                let request = Request::get("http://a.test/").hook(hook);
                let outcome = read(&settings(), request, &format!("HTTP/1.1 200 OK\r\n{rest}"), size);
                let case = format!("{most} {size} {rest}");
                assert_eq!(outcome, (200, text.to_owned(), *error), "{case}");
                let start = text[..most.min(text.len())].to_owned();
                assert_eq!(*seen.lock().unwrap(), [(start, *ends && most >= text.len())], "{case}");
            }
        }
    }
    // The limit of the body holds for the caller, not for the hook.
    for size in [1, 100_000] {
        let hook = hook::body(
            9,
            |_| true,
            |response, _| {
                assert_eq!(response.body, b"the body ");
                Reaction::Continue
            },
        );
        let (request, response) =
            (Request::get("http://a.test/").body_limit(20), format!("HTTP/1.1 200 OK\r\n{}", framings[1].0));
        let outcome = read(&settings(), request.clone().hook(hook), &response, size);
        assert_eq!(outcome.2, Some(Kind::BodyTooLarge));
        assert_eq!(outcome, read(&settings(), request, &response, size), "{size}");
    }
}

#[test]
fn a_hook_decides_by_a_body_to_send_again_or_to_fail() {
    let hook = || {
        hook::body(
            16,
            |head| head.status == 200,
            |response, request| match response.body {
                b"busy" => match request.headers_mut().insert("X-Again", "1") {
                    Ok(()) => Reaction::Again,
                    Err(fault) => Reaction::Fail(fault.into()),
                },
                b"error" => Reaction::Fail(Error::new(Kind::Status).with_detail("by its page")),
                _ => Reaction::Continue,
            },
        )
    };
    let page = |text: &str| format!("200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
    let (busy, error, long) = (page("busy"), page("error"), page(&"busy".repeat(30_000)));
    let away = "302 X\r\nLocation: /2\r\nContent-Length: 4\r\n\r\nbusy";
    let request = || Request::post("http://a.test/1").body("x").hook(hook());
    let sent = run(&settings(), request(), &[&busy, &busy, away, &long]);
    assert_eq!((sent.status.unwrap(), sent.history, sent.heads.len()), (200, 3, 4));
    let seen: Vec<_> = sent.heads.iter().map(|head| header(head, "X-Again")).collect();
    assert_eq!(seen, [None, Some("1"), Some("1"), Some("1")]);
    let refused = run(&settings(), request(), &[&busy, &error]).status.unwrap_err();
    assert_eq!((refused.kind(), refused.response().unwrap().head.status.as_u16()), (Kind::Status, 200));
    assert!(refused.to_string().contains("by its page"), "{refused}");
}
