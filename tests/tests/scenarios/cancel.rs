//! Futures are dropped at every point where they wait, and sockets fail at every operation. Nothing
//! leaks, the next request succeeds, and no connection with leftover bytes is reused.

use std::io;

use sessio::Error;
use sessio_driver::{Runtime, Session};
use sessio_testkit::{Connection, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::polls::polled;
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    waiting:
    f24_a_request_is_dropped_at_every_point
    f24_an_upload_is_dropped_at_every_point
    f24_a_redirect_is_dropped_at_every_point
    f24_a_chunk_is_dropped_at_every_point_and_loses_nothing
    f24_q37_a_body_is_dropped_at_every_point
}

mod faults {
    use super::{g04_every_operation_on_a_socket_fails_once, scenarios};

    scenarios! { waiting: g04_every_operation_on_a_socket_fails_once }
    scenarios! { @on blocking: BlockingThread => g04_every_operation_on_a_socket_fails_once }
}

/// Checks that the session works, and that the server received no bytes of a broken request.
async fn check<R: Runtime>(session: &Session<FaultyRuntime<R>>, server: &Server) {
    assert_eq!(session.stats().in_use, 0, "nobody holds a connection");
    // Whole reads and writes instead of single bytes, to save time.
    session.runtime().drip(false);
    let response = session.get(server.url("/anything/after")).send().await.unwrap();
    let told = response.text().await.unwrap();
    session.close();
    session.runtime().drip(true);
    assert!(told.contains("/anything/after"), "the answer to another request: {told}");
    for recording in server.connections() {
        assert_eq!(recording.fault, None);
    }
}

const ANSWER: &str =
    "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";

async fn f24_a_request_is_dropped_at_every_point<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let session = world.session_on(world.runtime().dripping());
    let mut points = 0;
    loop {
        server.script_path("/x", Connection::new().expect_request().send(ANSWER));
        let request = session.get(server.url("/x")).send();
        let sent = polled(points, async { request.await?.bytes().await }).await;
        if let Some(body) = sent {
            assert_eq!(body.unwrap(), "hello");
            break;
        }
        check(&session, &server).await;
        points += 1;
    }
    check(&session, &server).await;
    assert!(points > 100, "{points} points");
}

async fn f24_an_upload_is_dropped_at_every_point<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let session = world.session_on(world.runtime().dripping());
    let mut points = 0;
    loop {
        let before = server.accepted();
        let source = Pieces::of(["one", "two"]);
        let sent =
            polled(points, session.post(server.url("/anything")).source(source, None, false).send()).await;
        let is_done = sent.is_some();
        drop(sent);
        check(&session, &server).await;
        assert!(server.accepted() <= before + 2);
        if is_done {
            break;
        }
        points += 1;
    }
    let bodies: Vec<_> =
        server.requests().iter().filter(|r| r.method() == "POST").map(|r| r.text()).collect();
    assert!(bodies.iter().all(|body| body == "onetwo"), "{bodies:?}");
}

async fn f24_a_redirect_is_dropped_at_every_point<R: Runtime>(world: &World<R>) {
    let (a, b) = (Server::start(), Server::start());
    let session = world.session_on(world.runtime().dripping());
    // The reuse of a connection must not depend on the load of the machine.
    session.update(|settings| settings.limits.drain_time = std::time::Duration::from_secs(2));
    let url = sessio_tests::redirect_chain::redirect_chain(&[&a, &b], 302);
    let mut points = 0;
    while polled(points, session.get(&url).send()).await.is_none() {
        check(&session, if points % 2 == 0 { &a } else { &b }).await;
        points += 1;
    }
    check(&session, &b).await;
}

async fn f24_a_chunk_is_dropped_at_every_point_and_loses_nothing<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let session = world.session_on(world.runtime().dripping());
    for times in 1..4 {
        let mut response = session.get(server.url("/chunked/300?chunk=100")).send().await.unwrap();
        let mut body = Vec::new();
        loop {
            match polled(times, response.chunk()).await {
                Some(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
                Some(Ok(None)) => break,
                Some(Err(error)) => panic!("{error}"),
                None => {}
            }
        }
        assert_eq!(body, sessio_testkit::pattern(300));
    }
    assert_eq!(server.accepted(), 1);
    check(&session, &server).await;
}

async fn f24_q37_a_body_is_dropped_at_every_point<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let session = world.session_on(world.runtime().dripping());
    for points in 0..60 {
        let response = session.get(server.url("/bytes/50")).send().await.unwrap();
        polled(points, response.bytes()).await;
        check(&session, &server).await;
    }
}

/// Redirects with cookies and an upload, then a body in chunks.
async fn exchange<R: Runtime>(session: &Session<FaultyRuntime<R>>, server: &Server) -> Result<(), Error> {
    let put = session.post(server.url("/redirect/2?cookies=1"));
    let put = put.source(Pieces::of(["a", "b"]), None, true);
    let body = put.send().await?.bytes().await?;
    assert!(body.ends_with(b"}\n") || body.ends_with(b"}"), "{body:?}");
    let more = session.get(server.url("/chunked/1000?chunk=99")).send().await?.bytes().await?;
    assert_eq!(more, sessio_testkit::pattern(1000));
    Ok(())
}

async fn g04_every_operation_on_a_socket_fails_once<R: Runtime>(world: &World<R>) {
    let whole = world.runtime();
    exchange(&world.session_on(whole.clone()), &Server::start()).await.unwrap();
    // Every change of direction, and regular points between.
    let mut points: Vec<usize> = (0..whole.moved()).step_by(50).chain(whole.turns()).collect();
    points.sort_unstable();
    points.dedup();
    assert!(points.len() > 40 && whole.turns().len() == 8, "{points:?}");
    for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe] {
        for point in &points {
            let server = Server::start();
            let session = world.session_on(world.runtime().failing(*point, kind));
            // A reused connection that fails at the right moment is replaced.
            if let Err(error) = exchange(&session, &server).await {
                assert!(error.progress().is_some(), "{error}");
                assert!(std::error::Error::source(&error).is_some() || error.kind() != sessio::Kind::Io);
            }
            assert!(session.runtime().has_failed(), "after {point} bytes");
            check(&session, &server).await;
        }
    }
}
