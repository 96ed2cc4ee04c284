//! `Expect: 100-continue`: the body waits for the interim response (RFC 9110 section 10.1.1).

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use sessio::{Kind, Timeout};
use sessio_driver::{Runtime, Session, Source};
use sessio_testkit::{Connection, Server, pattern};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    the_body_follows_100_continue
    a_100_continue_may_have_fields_and_follow_other_interim_responses
    without_100_continue_the_body_follows_after_a_limit
    a_final_response_in_place_of_100_continue_is_the_response
    q11_a_request_expects_nothing_by_default
    q11_a_request_with_a_refused_expectation_is_sent_again_without_it
    q11_a_body_sent_before_the_refusal_is_sent_again_if_it_is_replayable
    f32_a_body_that_waits_for_100_continue_follows_a_redirect
    f11_a_body_that_waits_for_100_continue_survives_a_stale_connection
    a_request_without_content_expects_nothing
    the_total_limit_runs_while_the_body_waits
}

const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
const SHORT: Duration = Duration::from_millis(25);

/// Counts how often the source was polled.
struct Counted(Pieces, Arc<AtomicUsize>);

impl Source for Counted {
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.poll_fill(cx, room)
    }
}

/// A source that cannot be replayed, and the number of polls.
fn counted() -> (Counted, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    (Counted(Pieces::of(["hello, ", "world"]), Arc::clone(&count)), count)
}

/// A session whose bodies wait this long for a 100. `None` waits forever.
fn waiting<R: Runtime>(world: &World<R>, wait: Option<Duration>) -> Session<FaultyRuntime<R>> {
    let session = world.session();
    session.update(|settings| settings.timeouts.expect = wait);
    session
}

/// Checks at its first poll that the server has sent the 100.
struct Obedient(Pieces, Arc<Server>);

impl Source for Obedient {
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        assert!(self.1.connection(0).sent_text().contains("100 Continue"), "it was to wait");
        self.0.poll_fill(cx, room)
    }
}

async fn the_body_follows_100_continue<R: Runtime>(world: &World<R>) {
    let large = pattern(300_000);
    for length in [None, Some(300_000)] {
        let session = waiting(world, None);
        let step = Connection::new().read_head().send(CONTINUE).read_body().ok("taken").routes();
        let server = Arc::new(Server::scripted(step));
        let source = Obedient(Pieces::of(large.chunks(10_007)), Arc::clone(&server));
        let request = session.post(server.url("/x")).source(source, length, false).expect_continue();
        assert_eq!(fetch(request).await.status, 200);
        assert!(server.requests()[0].body == large);
        assert_eq!(server.requests()[0].header("expect").as_deref(), Some("100-continue"));
        fetch(session.get(server.url("/get"))).await;
        assert_eq!(server.accepted(), 1, "the connection is as good as any");
    }
    // A body of bytes waits as well, small or large. The header can also be set by hand.
    for size in [1, 5000, 300_000] {
        let session = waiting(world, None);
        let step = Connection::new().read_head().send(CONTINUE).read_body().ok("taken").routes();
        let server = Server::scripted(step);
        let request = session.put(server.url("/x")).header("expect", "100-Continue").body(pattern(size));
        assert_eq!(fetch(request).await.status, 200);
        assert!(server.requests()[0].body == pattern(size));
        fetch(session.get(server.url("/get"))).await;
        assert_eq!(server.accepted(), 1);
    }
}

async fn a_100_continue_may_have_fields_and_follow_other_interim_responses<R: Runtime>(world: &World<R>) {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n";
    for word in ["HTTP/1.1 100 Continue\r\nX-Y: z\r\n\r\n".to_owned(), format!("{hints}{CONTINUE}")] {
        let session = waiting(world, None);
        let server = Server::scripted(Connection::new().read_head().send(&word).read_body().ok("taken"));
        let (source, _) = counted();
        let request = session.post(server.url("/x")).source(source, None, false).expect_continue();
        assert_eq!(request.send().await.unwrap().text().await.unwrap(), "taken");
        assert_eq!(server.requests()[0].text(), "hello, world");
    }
}

async fn without_100_continue_the_body_follows_after_a_limit<R: Runtime>(world: &World<R>) {
    for size in [10, 300_000] {
        let session = waiting(world, Some(SHORT));
        let server = Server::scripted(Connection::new().expect_request().ok("taken").routes());
        let body = pattern(size);
        let request = session.post(server.url("/x")).body(body.clone()).expect_continue();
        assert_eq!(fetch(request).await.status, 200);
        assert!(server.requests()[0].body == body);
        fetch(session.get(server.url("/get"))).await;
        assert_eq!(server.accepted(), 1);
    }
}

async fn a_final_response_in_place_of_100_continue_is_the_response<R: Runtime>(world: &World<R>) {
    for status in [200, 401, 413, 500] {
        let session = waiting(world, None);
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 9\r\n\r\nno, thank");
        let server =
            Server::scripted([Connection::new().read_head().send(answer), Connection::new().routes()]);
        let (source, count) = counted();
        let request = session.post(server.url("/x")).source(source, Some(12), false).expect_continue();
        let response = request.send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), response.text().await.unwrap()),
            (status, "no, thank".into())
        );
        assert_eq!(count.load(Ordering::Relaxed), 0, "nobody has asked for the body");
        // The body was announced and never sent, so the connection cannot be reused.
        let recording = server.wait_closed(0);
        assert!(recording.received.ends_with(b"\r\n\r\n"), "{}", recording.received_text());
        fetch(session.get(server.url("/get"))).await;
        assert_eq!(server.accepted(), 2);
    }
}

async fn q11_a_request_expects_nothing_by_default<R: Runtime>(world: &World<R>) {
    // A 417 is a normal response if the request has no expectation, or another one.
    for expectation in [None, Some("the-impossible")] {
        let session = waiting(world, None);
        let answer = "HTTP/1.1 417 X\r\nContent-Length: 0\r\n\r\n";
        let server = Server::scripted(Connection::new().expect_request().send(answer));
        let mut request = session.post(server.url("/x")).body("hello");
        if let Some(expectation) = expectation {
            request = request.header("Expect", expectation);
        }
        let response = request.send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.history().len()), (417, 0));
        assert_eq!(server.requests()[0].header("expect").as_deref(), expectation);
    }
}

async fn q11_a_request_with_a_refused_expectation_is_sent_again_without_it<R: Runtime>(world: &World<R>) {
    let refusal = "HTTP/1.1 417 X\r\nSet-Cookie: seen=1\r\nContent-Length: 3\r\n\r\nno!";
    for second in [200, 417] {
        let session = waiting(world, None);
        let refusing = Connection::new().expect_request().ok(pattern(300_000)).read_head().send(refusal);
        let answer = format!("HTTP/1.1 {second} X\r\nContent-Length: 0\r\n\r\n");
        let accepting = Connection::new().expect_request().send(answer).routes();
        let server = Server::scripted([refusing.clone(), refusing, accepting]);
        // Two connections are idle. The second attempt uses neither.
        let first = session.get(server.url("/a")).send().await.unwrap();
        let other = session.get(server.url("/b")).send().await.unwrap();
        first.bytes().await.unwrap();
        other.bytes().await.unwrap();
        assert_eq!(session.stats().idle, 2);
        let (source, _) = counted();
        let request = session.post(server.url("/x")).source(source, Some(12), false).expect_continue();
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), second);
        assert!(!response.connection().is_reused());
        let [refused] = response.history() else { panic!("{:?}", response.history()) };
        assert_eq!((refused.head.status.as_u16(), refused.sent.get("expect")), (417, Some("100-continue")));
        assert!(refused.reused);
        assert_eq!(response.request().headers().get("expect"), None);
        response.bytes().await.unwrap();
        for recording in &server.connections()[..2] {
            assert!(recording.received.ends_with(b"\r\n\r\n"), "no byte of the body went there");
        }
        let sent = &server.connection(2).requests()[0];
        assert_eq!((sent.text(), sent.header("expect")), ("hello, world".to_owned(), None));
        assert_eq!(sent.header("cookie").as_deref(), Some("seen=1"));
        assert_eq!(fetch(session.get(server.url("/get"))).await.connection, (3, true));
        assert_eq!(server.accepted(), 3);
    }
}

async fn q11_a_body_sent_before_the_refusal_is_sent_again_if_it_is_replayable<R: Runtime>(world: &World<R>) {
    let refusal = "HTTP/1.1 417 X\r\nContent-Length: 0\r\n\r\n";
    for replayable in [true, false] {
        // The server sends nothing before it has the body.
        let session = waiting(world, Some(SHORT));
        let server = Server::scripted([
            Connection::new().expect_request().send(refusal),
            Connection::new().expect_request().ok("taken"),
        ]);
        let source = Pieces::of(["hello, ", "world"]);
        let request = session.post(server.url("/x")).source(source, None, replayable).expect_continue();
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), if replayable { 200 } else { 417 });
        let sent: Vec<_> = server.requests().iter().map(|request| request.text()).collect();
        assert_eq!(sent, vec!["hello, world"; 1 + usize::from(replayable)]);
    }
}

async fn f32_a_body_that_waits_for_100_continue_follows_a_redirect<R: Runtime>(world: &World<R>) {
    let session = waiting(world, None);
    let far = Server::scripted(Connection::new().read_head().send(CONTINUE).read_body().ok("taken"));
    let location = far.url("/far");
    let redirect = format!("HTTP/1.1 307 X\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let near = Server::scripted(Connection::new().read_head().send(redirect));
    let (source, _) = counted();
    let request = session.put(near.url("/near")).source(source, Some(12), false).expect_continue();
    let response = request.send().await.unwrap();
    assert_eq!((response.url().as_str(), response.history().len()), (&*location, 1));
    assert!(near.wait_closed(0).received.ends_with(b"\r\n\r\n"));
    let sent = &far.requests()[0];
    assert_eq!(
        (sent.text(), sent.header("expect").as_deref()),
        ("hello, world".to_owned(), Some("100-continue"))
    );
    // A redirect that drops the body drops the expectation.
    let far = Server::start();
    let redirect = format!("HTTP/1.1 303 X\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", far.url("/get"));
    let near = Server::scripted(Connection::new().read_head().send(redirect));
    let request = session.post(near.url("/near")).body("hello").expect_continue();
    assert_eq!(fetch(request).await.status, 200);
    assert_eq!((far.requests()[0].method(), far.requests()[0].header("expect")), ("GET", None));
}

async fn f11_a_body_that_waits_for_100_continue_survives_a_stale_connection<R: Runtime>(world: &World<R>) {
    let session = waiting(world, None);
    let server = Server::scripted([
        Connection::new().expect_request().ok("first").read_head().close(),
        Connection::new().read_head().send(CONTINUE).read_body().ok("taken"),
    ]);
    fetch(session.get(server.url("/first"))).await;
    let (source, _) = counted();
    let request = session.put(server.url("/x")).source(source, Some(12), false).expect_continue();
    let response = request.send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.connection().is_reused()), (200, false));
    assert_eq!(server.connection(1).requests()[0].text(), "hello, world");
}

async fn a_request_without_content_expects_nothing<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), waiting(world, None));
    session.update(|settings| settings.headers.insert("Expect", "100-continue")).unwrap();
    fetch(session.get(server.url("/get"))).await;
    fetch(session.post(server.url("/status/200"))).await;
    fetch(session.post(server.url("/status/200")).body("")).await;
    fetch(session.post(server.url("/status/200")).source(Pieces::of([""; 0]), Some(0), false)).await;
    assert!(server.requests().iter().all(|request| request.header("expect").is_none()));
    assert_eq!((server.requests().len(), server.accepted()), (4, 1));
}

async fn the_total_limit_runs_while_the_body_waits<R: Runtime>(world: &World<R>) {
    let session = waiting(world, None);
    let server = Server::scripted(Connection::new().read_head());
    let request = session.post(server.url("/x")).body("hello").expect_continue().timeout(SHORT * 12);
    let error = request.send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout(Timeout::Total));
    assert!(server.wait_closed(0).received.ends_with(b"\r\n\r\n"));
}
