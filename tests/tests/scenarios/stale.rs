//! Stale connections from the pool. Whether the close is detected before or after the request is
//! sent, the request is retried exactly if that is safe.

use std::io;
use std::sync::Arc;

use sessio::call::Event;
use sessio::{Call, Kind, Observer, Repeat};
use sessio_driver::{RequestBuilder, Runtime, Session};
use sessio_testkit::{Connection, Otherwise, Script, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::redirect_chain::{refusing_server, unused_address};
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    fa4_fb1_bytes_that_precede_a_request_are_no_response_to_it
    fa4b_bytes_that_precede_the_first_request_are_no_response
    fa4b_a_connection_that_ends_before_the_request_has_carried_nothing
    fs9_an_upload_of_which_nothing_was_sent_goes_out_over_a_new_connection
    f10_p135_a_connection_closed_while_idle_is_not_used
    f11_p136_b47_a_request_on_a_stale_connection_is_sent_again_only_if_safe
    f11_a_request_with_a_partial_response_is_not_sent_again
    f11_a_stale_connection_is_replaced_once
    f09_a_fresh_connection_is_never_tried_again
    f11_a_retry_that_cannot_connect_does_not_claim_to_be_safe
    f11_an_error_after_a_redirect_does_not_claim_to_be_safe
}

async fn f10_p135_a_connection_closed_while_idle_is_not_used<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let server = Server::start();
    for number in 1..=3 {
        // Even a POST is not affected.
        let response = session.post(server.url("/post")).body("x").send().await.unwrap();
        assert_eq!(sessio_tests::fetch::connection(&response), (number, false));
        response.bytes().await.unwrap();
        server.disconnect();
        server.wait_open(0);
    }
    assert_eq!(server.requests().len(), 3, "each was sent once");
}

/// Bytes received while a connection is idle, even for less than a millisecond, do not affect even
/// a POST.
async fn fa4_fb1_bytes_that_precede_a_request_are_no_response_to_it<R: Runtime>(world: &World<R>) {
    let server = Server::scripted(Script::new().otherwise(Otherwise::Routes));
    let session = world.session();
    let first = |gate: &str| Connection::new().expect_request().ok("first").gate(gate);
    for (number, rest) in [
        first("0").send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"),
        first("1").send("x"),
        first("2").close(),
    ]
    .into_iter()
    .enumerate()
    {
        let is_end = number == 2;
        server.script_next(rest);
        let url = server.url("/first");
        assert_eq!(session.get(url).send().await.unwrap().text().await.unwrap(), "first");
        assert_eq!(session.stats().idle, 1);
        server.open_gate(&number.to_string());
        if is_end {
            server.wait_closed(2 * number);
        } else {
            server.wait_steps(2 * number, 5);
        }
        let response = session.post(server.url("/anything")).body("x").send().await.unwrap();
        assert_eq!(sessio_tests::fetch::connection(&response), (2 * number as u64 + 2, false));
        assert!(response.text().await.unwrap().contains("\"x\""));
        session.close_idle();
    }
}

/// Delays the request until the server has played so many steps, or its whole script.
fn once_connected(server: &Arc<Server>, steps: Option<usize>) -> Observer {
    let server = Arc::clone(server);
    Observer::new(move |_: &Call, event: &Event<'_>| {
        if let Event::Connected { .. } = event {
            match steps {
                Some(steps) => drop(server.wait_steps(0, steps)),
                None => drop(server.wait_closed(0)),
            }
        }
    })
}

async fn fa4b_bytes_that_precede_the_first_request_are_no_response<R: Runtime>(world: &World<R>) {
    for word in
        ["HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nGREET!", "HTTP/1.1 200 OK\r\n\r\n", "220 mail\r\n", "x"]
    {
        for is_proxy in [false, true] {
            let server = Arc::new(Server::scripted(Connection::new().send(word)));
            let session = world.session();
            let request = match is_proxy {
                false => session.get(server.url("/")),
                true => session.get("https://h.test/").proxy(server.url("")),
            };
            let error = request.observe(once_connected(&server, Some(1))).send().await.unwrap_err();
            assert_eq!(error.kind(), Kind::UnsolicitedData, "{word:?}: {error}");
            assert_eq!(error.progress().unwrap().bytes_sent, 0);
            assert_eq!(server.wait_closed(0).received_text(), "", "nothing went out");
        }
    }
}

async fn fa4b_a_connection_that_ends_before_the_request_has_carried_nothing<R: Runtime>(world: &World<R>) {
    let server = Arc::new(Server::scripted(Connection::new().close()));
    let request = world.session().post(server.url("/")).body("order");
    let error = request.observe(once_connected(&server, None)).send().await.unwrap_err();
    assert_eq!((error.kind(), server.accepted()), (Kind::ClosedBeforeResponse, 1));
    assert!(error.is_safe_to_repeat() && error.progress().unwrap().bytes_sent == 0);
}

async fn fs9_an_upload_of_which_nothing_was_sent_goes_out_over_a_new_connection<R: Runtime>(
    world: &World<R>,
) {
    let server = Server::start();
    let runtime = world.runtime();
    let first = world.session_on(runtime.clone());
    first.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
    // Counted while the connection is open, because TLS sends a close_notify.
    let moved = runtime.moved();
    for length in [None, Some(6)] {
        // The first write of the second request fails, which no check before can predict.
        let session = world.session_on(world.runtime().failing(moved, io::ErrorKind::BrokenPipe));
        session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
        let source = Pieces::of(["one", "two"]);
        let response =
            session.post(server.url("/anything")).source(source, length, false).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), sessio_tests::fetch::connection(&response)),
            (200, (2, false))
        );
        response.bytes().await.unwrap();
        assert_eq!(server.requests().last().unwrap().text(), "onetwo");
    }
}

/// A session with an idle connection, on which the next request fails.
async fn idle<R: Runtime>(world: &World<R>, resets: bool) -> (Server, Session<FaultyRuntime<R>>) {
    // The server reads the complete request, so that the backends do not differ in how much is
    // sent.
    let race = Connection::new().expect_request().ok("first").expect_request();
    let race = if resets { race.reset() } else { race.close() };
    let server = Server::scripted(Script::new().connection(race).otherwise(Otherwise::Routes));
    let session = world.session();
    session.get(server.url("/first")).send().await.unwrap().bytes().await.unwrap();
    (server, session)
}

async fn f11_p136_b47_a_request_on_a_stale_connection_is_sent_again_only_if_safe<R: Runtime>(
    world: &World<R>,
) {
    type Make<R> = fn(&Session<FaultyRuntime<R>>, String) -> RequestBuilder<FaultyRuntime<R>>;
    let cases: [(&str, Make<R>, bool); 12] = [
        ("GET", |s, url| s.get(url), true),
        ("HEAD", |s, url| s.head(url), true),
        ("OPTIONS", |s, url| s.options(url), true),
        ("PUT", |s, url| s.put(url).body("x"), true),
        ("DELETE", |s, url| s.delete(url), true),
        ("POST", |s, url| s.post(url).body("x"), false),
        ("PATCH", |s, url| s.patch(url), false),
        ("PROPFIND", |s, url| s.request("PROPFIND", url), false),
        ("POST with a key", |s, url| s.post(url).header("idempotency-key", "1").body("x"), true),
        ("PUT, replayable", |s, url| s.put(url).source(Pieces::of(["x"]), None, true), true),
        ("PUT, not replayable", |s, url| s.put(url).source(Pieces::of(["x"]), None, false), false),
        (
            "POST with a key, not replayable",
            |s, url| s.post(url).header("Idempotency-Key", "1").source(Pieces::of(["x"]), None, false),
            false,
        ),
    ];
    for (name, make, is_safe) in cases {
        for resets in [false, true] {
            let (server, session) = idle(world, resets).await;
            match make(&session, server.url("/anything")).send().await {
                Ok(response) => {
                    assert!(is_safe, "{name} was sent twice");
                    assert_eq!(
                        (response.status().as_u16(), sessio_tests::fetch::connection(&response)),
                        (200, (2, false))
                    );
                    assert!(response.history().is_empty());
                }
                Err(error) => {
                    assert!(!is_safe, "{name}: {error}");
                    assert!(matches!(error.kind(), Kind::ClosedBeforeResponse | Kind::Io), "{name}: {error}");
                    let progress = error.progress().unwrap();
                    assert!(progress.reused && progress.bytes_sent > 0 && progress.bytes_received == 0);
                    assert_ne!(progress.repeat, Repeat::Safe);
                    assert_eq!(server.accepted(), 1);
                }
            }
        }
    }
}

async fn f11_a_request_with_a_partial_response_is_not_sent_again<R: Runtime>(world: &World<R>) {
    for part in ["H", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"] {
        let step = Connection::new().expect_request().ok("first").expect_request().send(part).close();
        let server = Server::scripted(Script::new().connection(step).otherwise(Otherwise::Routes));
        let session = world.session();
        session.get(server.url("/first")).send().await.unwrap().bytes().await.unwrap();
        let error = session.get(server.url("/get")).send().await.unwrap_err();
        assert_eq!((error.kind(), server.accepted()), (Kind::IncompleteHead, 1));
        assert_eq!(error.progress().unwrap().repeat, Repeat::No);
    }
}

async fn f11_a_stale_connection_is_replaced_once<R: Runtime>(world: &World<R>) {
    let step = Connection::new().expect_request().ok("first").expect_request().close();
    let dead = Connection::new().expect_request().close();
    let server = Server::scripted([step, dead.clone(), dead]);
    let session = world.session();
    session.get(server.url("/first")).send().await.unwrap().bytes().await.unwrap();
    let error = session.get(server.url("/get")).send().await.unwrap_err();
    assert_eq!((error.kind(), server.accepted()), (Kind::ClosedBeforeResponse, 2));
    assert!(!error.progress().unwrap().reused, "the second time it was a new one");
}

async fn f09_a_fresh_connection_is_never_tried_again<R: Runtime>(world: &World<R>) {
    let server = Server::scripted([Connection::new().expect_request().close(), Connection::new().routes()]);
    let error = world.session().get(server.url("/get")).send().await.unwrap_err();
    assert_eq!((error.kind(), server.accepted()), (Kind::ClosedBeforeResponse, 1));
    assert!(!error.progress().unwrap().reused && !error.is_safe_to_repeat());
}

async fn f11_a_retry_that_cannot_connect_does_not_claim_to_be_safe<R: Runtime>(world: &World<R>) {
    let step = Connection::new().expect_request().ok("first").expect_request().close();
    let server =
        Server::scripted_on(unused_address(), Script::new().connection(step).otherwise(Otherwise::Refuse));
    let session = world.session();
    session.get(server.url("/first")).send().await.unwrap().bytes().await.unwrap();
    let error = session.get(server.url("/get")).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Connect);
    // The server may have processed the request on the stale connection.
    assert_eq!(error.progress().unwrap().repeat, Repeat::IfIdempotent);
    assert!(!error.is_safe_to_repeat());
}

async fn f11_an_error_after_a_redirect_does_not_claim_to_be_safe<R: Runtime>(world: &World<R>) {
    let gone = refusing_server();
    let server = Server::start();
    let url = sessio_tests::redirect_chain::redirect(&server, gone.url("/"), 303);
    let session = world.session();
    let error = session.post(&url).body("order").send().await.unwrap_err();
    // The order was accepted, so sending it again would order twice.
    assert_eq!((error.kind(), error.progress().unwrap().hop), (Kind::Connect, 1));
    assert!(!error.is_safe_to_repeat());
    // Nothing was sent here.
    let error = session.post(gone.url("/")).body("order").send().await.unwrap_err();
    assert!(error.is_safe_to_repeat() && error.is_connect());
}
