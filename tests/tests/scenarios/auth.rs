//! Authentication: credentials, and flows that respond to challenges.

use sessio::coding::ContentCoding;
use sessio::{Auth, Flow, FlowDecision, Head, Kind, Prepared, Result, Scheme};
use sessio_driver::Runtime;
use sessio_testkit::{Connection, Server};
use sessio_tests::redirect_chain::redirect_chain;
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    a01_b13_basic_and_bearer
    b03_an_explicit_header_wins_over_all
    a05_a07_a_flow_of_two_steps_has_its_challenge_in_the_history
    a07_cookies_of_a_challenge_are_sent_with_the_next_request
    a08_v21_a_flow_ends_at_another_origin_and_restarts_for_each_call
    f32_a_body_after_a_challenge_must_be_replayable
    f32_a_coded_body_is_sent_again_after_a_challenge
    a08_a_flow_without_an_end_fails_at_the_limit
    p45_a_flow_that_changes_the_body_changes_its_framing
}

/// Responds to `WWW-Authenticate: Step <word>` with that word and the secret, as Digest would with
/// a hash.
#[derive(Debug)]
struct Steps(&'static str);

#[derive(Clone, Debug)]
struct Conversation(&'static str);

impl Scheme for Steps {
    fn begin(&self) -> Box<dyn Flow> {
        Box::new(Conversation(self.0))
    }
}

impl Flow for Conversation {
    fn sign(&mut self, request: &mut Prepared) -> Result<()> {
        Ok(request.headers_mut().insert("X-Signed", "1")?)
    }

    fn challenged(&mut self, head: &Head, request: &mut Prepared) -> Result<FlowDecision> {
        let Some(word) = head.headers.get("WWW-Authenticate").and_then(|line| line.strip_prefix("Step "))
        else {
            return Ok(FlowDecision::Accept);
        };
        request.headers_mut().insert("Authorization", format!("Step {word} {}", self.0))?;
        Ok(FlowDecision::Again)
    }

    fn clone_box(&self) -> Box<dyn Flow> {
        Box::new(self.clone())
    }
}

fn challenge(word: &str, more: &str) -> String {
    format!("HTTP/1.1 401 X\r\nWWW-Authenticate: Step {word}\r\n{more}Content-Length: 4\r\n\r\nwho?")
}

async fn a01_b13_basic_and_bearer<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session
        .get(server.url("/get"))
        .basic_auth("\u{fc}ser", "p\u{e4}ss:x")
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    session.get(server.url("/get")).basic_auth(b"\xfc", "").send().await.unwrap().bytes().await.unwrap();
    session.get(server.url("/get")).bearer_auth("abc.def").send().await.unwrap().bytes().await.unwrap();
    let sent: Vec<_> = server.requests().iter().map(|r| r.header_all("authorization").concat()).collect();
    assert_eq!(sent, ["Basic w7xzZXI6cMOkc3M6eA==", "Basic /Do=", "Bearer abc.def"]);
    let error = session.get(server.url("/get")).bearer_auth("a\r\nb: c").send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidHeader);
}

async fn b03_an_explicit_header_wins_over_all<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session.update(|settings| settings.auth = Auth::basic("session", "1"));
    let url = server.url("/get").replace("//", "//url:info@");
    session
        .get(&url)
        .header("authorization", "Mine")
        .bearer_auth("too")
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    session.get(&url).bearer_auth("request").send().await.unwrap().bytes().await.unwrap();
    session.get(&url).send().await.unwrap().bytes().await.unwrap();
    session.get(&url).without_auth().send().await.unwrap().bytes().await.unwrap();
    session.get(&url).auth(Auth::None).send().await.unwrap().bytes().await.unwrap();
    let sent: Vec<_> = server.requests().iter().map(|request| request.header("authorization")).collect();
    let some = |text: &str| Some(text.to_owned());
    let expected =
        [some("Mine"), some("Bearer request"), some("Basic c2Vzc2lvbjox"), None, some("Basic dXJsOmluZm8=")];
    assert_eq!(sent, expected);
}

async fn a05_a07_a_flow_of_two_steps_has_its_challenge_in_the_history<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let server = Server::scripted(
        Connection::new()
            .expect_request()
            .send(challenge("one", ""))
            .expect_request()
            .send(challenge("two", ""))
            .expect_request()
            .ok("in"),
    );
    let auth = Auth::flow(Steps("secret"));
    let response = session.post(server.url("/x")).auth(auth).body("payload").send().await.unwrap();
    let told: Vec<_> = response.history().iter().map(|exchange| exchange.head.status.as_u16()).collect();
    assert_eq!(told, [401, 401]);
    assert_eq!(response.history()[0].sent.get("authorization"), None);
    assert_eq!(response.history()[1].sent.get("authorization"), Some("Step one secret"));
    assert_eq!(response.text().await.unwrap(), "in");
    let requests = server.requests();
    assert!(requests.iter().all(|r| r.text() == "payload" && r.header("x-signed").is_some()));
    assert_eq!(requests[2].header_all("authorization"), ["Step two secret"]);
    assert_eq!(server.accepted(), 1);
}

async fn a07_cookies_of_a_challenge_are_sent_with_the_next_request<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let server = Server::scripted(
        Connection::new()
            .expect_request()
            .send(challenge("one", "Set-Cookie: round=1\r\n"))
            .expect_request()
            .ok("in"),
    );
    let auth = Auth::flow(Steps("secret"));
    session.get(server.url("/x")).auth(auth).cookie("own", "1").send().await.unwrap().bytes().await.unwrap();
    assert_eq!(server.requests()[1].header_all("cookie"), ["round=1; own=1"]);
}

async fn a08_v21_a_flow_ends_at_another_origin_and_restarts_for_each_call<R: Runtime>(world: &World<R>) {
    let (a, b, session) = (Server::start(), Server::start(), world.session());
    session.update(|settings| settings.auth = Auth::flow(Steps("secret")));
    a.script_path("/redirect-to", Connection::new().expect_request().send(challenge("one", "")));
    b.script_path("/anything/end", Connection::new().expect_request().send(challenge("evil", "")));
    let response = session.get(redirect_chain(&[&a, &b], 302)).send().await.unwrap();
    // The challenge of B has no effect: the session has no credentials for that origin.
    assert_eq!((response.status().as_u16(), response.history().len()), (401, 2));
    assert_eq!((a.requests().len(), b.requests().len()), (2, 1));
    assert_eq!(a.requests()[1].header("authorization").as_deref(), Some("Step one secret"));
    assert_eq!(b.requests()[0].header("authorization"), None);
    session.get(a.url("/get")).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(a.requests()[2].header("authorization"), None);
}

async fn f32_a_body_after_a_challenge_must_be_replayable<R: Runtime>(world: &World<R>) {
    for replayable in [true, false] {
        let step = Connection::new().expect_request().send(challenge("one", "")).expect_request().ok("in");
        let session = world.session();
        let server = Server::scripted(step);
        let request = session.post(server.url("/x")).auth(Auth::flow(Steps("secret")));
        match request.source(Pieces::of(["a", "b"]), None, replayable).send().await {
            Ok(response) => {
                assert!(replayable && response.status() == 200);
                assert!(server.requests().iter().all(|request| request.text() == "ab"));
            }
            Err(error) => {
                assert!(!replayable && error.kind() == Kind::NotReplayable, "{error}");
                assert_eq!(error.response().unwrap().head.status, 401);
                assert_eq!(server.requests().len(), 1);
            }
        }
    }
}

async fn f32_a_coded_body_is_sent_again_after_a_challenge<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let step = || Connection::new().expect_request().send(challenge("one", "")).expect_request().ok("in");
    for is_source in [false, true] {
        let server = Server::scripted(step());
        let request =
            session.post(server.url("/x")).auth(Auth::flow(Steps("secret"))).compress(ContentCoding::Gzip);
        let request = match is_source {
            false => request.body("ab".repeat(100)),
            true => request.source(Pieces::of(["ab"; 100]), Some(200), true),
        };
        assert_eq!(request.send().await.unwrap().status(), 200);
        let requests = server.requests();
        let [first, second] = &requests[..] else { panic!("{} requests", requests.len()) };
        assert!(first.body == second.body && first.body.starts_with(&[0x1f, 0x8b]) && first.body.len() < 200);
        assert_eq!(second.header_all("content-encoding"), ["gzip"]);
    }
}

async fn a08_a_flow_without_an_end_fails_at_the_limit<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let mut script = Connection::new();
    for _ in 0..20 {
        script = script.expect_request().send(challenge("again", ""));
    }
    let server = Server::scripted(script);
    let response = session.get(server.url("/x")).auth(Auth::flow(Steps("secret"))).send().await.unwrap();
    assert_eq!((response.status().as_u16(), server.requests().len()), (401, 9));
}

async fn p45_a_flow_that_changes_the_body_changes_its_framing<R: Runtime>(world: &World<R>) {
    #[derive(Clone, Debug)]
    struct Sealed;
    impl Scheme for Sealed {
        fn begin(&self) -> Box<dyn Flow> {
            Box::new(Self)
        }
    }
    impl Flow for Sealed {
        fn sign(&mut self, request: &mut Prepared) -> Result<()> {
            let sealed = [request.body().as_bytes().unwrap_or_default(), b"+seal"].concat();
            request.set_body(sealed);
            Ok(())
        }
        fn challenged(&mut self, _: &Head, _: &mut Prepared) -> Result<FlowDecision> {
            Ok(FlowDecision::Accept)
        }
        fn clone_box(&self) -> Box<dyn Flow> {
            Box::new(Self)
        }
    }
    let (server, session) = (Server::start(), world.session());
    session
        .post(server.url("/post"))
        .body("letter")
        .auth(Auth::flow(Sealed))
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let sent = &server.requests()[0];
    assert_eq!(
        (sent.text(), sent.header_all("content-length")),
        ("letter+seal".into(), vec!["11".to_owned()])
    );
}
