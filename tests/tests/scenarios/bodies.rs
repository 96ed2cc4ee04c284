//! Response bodies are complete or an error, never cut short.

use sessio::{Kind, Stage};
use sessio_driver::Runtime;
use sessio_testkit::{Connection, Server, pattern};
use sessio_tests::fetch::fetch;
use sessio_tests::movable::Movable;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    s09_bodies_of_every_framing_are_complete
    s09_a_body_is_read_piece_by_piece
    s06_text_is_decoded_by_the_charset_of_the_response
    s02_an_error_status_keeps_its_body
    p126_p121_p124_responses_without_a_body
    p138_p139_b33_interim_responses_are_skipped
    fw5_a_switch_of_protocols_is_an_error_although_it_was_asked_for
    fc5_an_interim_response_and_then_the_end_is_no_response
    fa14_trailers_that_are_valid_only_in_a_head_are_dropped
    q25_q32_trailers_come_after_the_body_and_set_nothing
    f13_p017_p058_p059_a_truncated_body_is_never_complete
    f12_f09_a_head_that_is_cut_short_is_an_error
    p084_p019_large_heads_and_small_chunks
    q36_limits_on_bodies_hold_before_they_are_read
    f14_a_server_may_close_its_side_before_it_is_read
    b52_bytes_before_a_truncation_can_be_kept
}

async fn s09_bodies_of_every_framing_are_complete<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for size in [0, 1, 5000, 300_000] {
        for path in ["bytes", "chunked", "close"] {
            let response =
                session.get(server.url(&format!("/{path}/{size}?chunk=999"))).send().await.unwrap();
            if path == "bytes" {
                assert_eq!(response.content_length(), Some(size as u64));
            }
            assert!(response.bytes().await.unwrap() == pattern(size), "{path} {size}");
        }
    }
    assert_eq!(server.accepted(), 4, "bodies that end with their connection end it");
}

async fn s09_a_body_is_read_piece_by_piece<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let mut response = session.get(server.url("/chunked/100000?chunk=1000")).send().await.unwrap();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        assert!(!chunk.is_empty());
        body.extend_from_slice(&chunk);
    }
    assert!(body == pattern(100_000));
    assert_eq!(response.chunk().await.unwrap(), None, "the end stays the end");
    let mut response = session.get(server.url("/bytes/10")).send().await.unwrap();
    let mut seen = 0;
    while response.read_with(|bytes| seen += bytes.len()).await.unwrap() {}
    assert_eq!((seen, response.content_length()), (10, Some(0)));
    assert_eq!(server.accepted(), 1);
}

async fn s06_text_is_decoded_by_the_charset_of_the_response<R: Runtime>(world: &World<R>) {
    for (kind, body, text) in [
        ("text/plain; charset=ISO-8859-1", &b"caf\xe9"[..], "caf\u{e9}"),
        ("text/plain", b"caf\xc3\xa9", "caf\u{e9}"),
        ("TEXT/HTML; Charset=\"utf-8\"", b"caf\xc3\xa9", "caf\u{e9}"),
        ("text/plain", b"\xef\xbb\xbfbom", "bom"),
        ("text/plain", b"bad \xff", "bad \u{fffd}"),
        ("text/plain", b"", ""),
    ] {
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
        let session = world.session();
        let server =
            Server::scripted(Connection::new().expect_request().send([head.as_bytes(), body].concat()));
        let response = session.get(server.url("/")).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), text, "{kind}");
    }
    let (server, session) = (Server::start(), world.session());
    let error = session.get(server.url("/html")).send().await.unwrap().json::<u32>().await.unwrap_err();
    assert_eq!((error.kind(), error.kind().blame()), (Kind::InvalidJson, sessio::Blame::Peer));
    let text = error.to_string();
    assert!(
        text.contains("status 200 OK, text/html") && text.contains("it begins with \"<!doctype html>"),
        "{text}"
    );
    assert!(text.contains(&server.url("/html")), "{text}");
}

async fn s02_an_error_status_keeps_its_body<R: Movable>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for (status, fails) in [(200, false), (304, false), (399, false), (400, true), (404, true), (599, true)] {
        let response = session.get(server.url(&format!("/status/{status}"))).send().await.unwrap();
        assert_eq!(response.error_for_status().is_err(), fails, "{status}");
    }
    let refused = session.get(server.url("/nowhere")).send().await.unwrap().error_for_status().unwrap_err();
    assert_eq!(refused.status(), 404);
    fn travels<T: std::error::Error + Send + Sync + 'static>(_: &T) {}
    travels(&refused);
    assert!(refused.into_response().text().await.unwrap().starts_with("There is nothing here."));
    let refused = session.get(server.url("/nowhere")).send().await.unwrap().error_for_status().unwrap_err();
    let error = sessio::Error::from(refused);
    assert!(error.is_status() && error.response().unwrap().head.status == 404);
}

async fn p126_p121_p124_responses_without_a_body<R: Runtime>(world: &World<R>) {
    for (method, answer, accepted) in [
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 1),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 1),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", 1),
        ("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 1),
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1),
        // Bytes after responses that have no body: rows P121, P122, P124, P127, P128.
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 2),
        ("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 2),
        ("GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", 2),
        ("GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 2),
        ("GET", "HTTP/1.1 304 Not Modified\r\n\r\nhello", 2),
    ] {
        let session = world.session();
        let server = Server::scripted([
            Connection::new().expect_request().send(answer).routes(),
            Connection::new().routes(),
        ]);
        let response = session.request(method, server.url("/x")).send().await.unwrap();
        assert!(response.bytes().await.unwrap().is_empty(), "{answer:?}");
        assert_eq!(fetch(session.get(server.url("/get"))).await.status, 200);
        assert_eq!(server.accepted(), accepted, "{answer:?}");
    }
}

async fn p138_p139_b33_interim_responses_are_skipped<R: Runtime>(world: &World<R>) {
    let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nSet-Cookie: early=1\r\n\r\n";
    for (before, is_ok) in [
        ("HTTP/1.1 100 Continue\r\n\r\n".to_owned(), true),
        (hints.repeat(50), true),
        ("HTTP/1.1 199 What\r\n\r\n".to_owned(), true),
        (hints.repeat(101), false),
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n".to_owned(), false),
    ] {
        let session = world.session();
        let server = Server::scripted(Connection::new().expect_request().send(before.clone()).ok("final"));
        match session.get(server.url("/")).send().await {
            Ok(response) => assert!(is_ok && response.text().await.unwrap() == "final"),
            Err(error) => {
                assert!(
                    !is_ok && matches!(error.kind(), Kind::TooManyInterim | Kind::UnexpectedUpgrade),
                    "{error}"
                );
            }
        }
        // Row Q32: trailers set no cookies.
        assert_eq!(session.cookies(|jar| jar.len()), 0);
    }
}

/// The session does not support the other protocol, and does not drop its bytes silently.
async fn fw5_a_switch_of_protocols_is_an_error_although_it_was_asked_for<R: Runtime>(world: &World<R>) {
    let upgraded =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nhello in chat";
    let granted = "HTTP/1.1 200 OK\r\nVia: here\r\n\r\nhello through the tunnel";
    for (said, status) in [(upgraded, 101), (granted, 200)] {
        let server = Server::scripted(Connection::new().expect_request().send(said));
        let session = world.session();
        let request = match status {
            101 => session.get(server.url("/")).header("Connection", "Upgrade").header("Upgrade", "chat"),
            _ => session.request("CONNECT", server.url("/")),
        };
        let error = request.send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::UnsupportedUpgrade, "{error}");
        let response = error.response().unwrap();
        assert_eq!(
            (response.head.status.as_u16(), response.head.headers.len()),
            (status, if status == 101 { 2 } else { 1 })
        );
        server.wait_closed(0);
        assert_eq!(session.stats().open(), 0);
    }
}

/// A 100 followed by the end of the stream is neither a response nor a part of one.
async fn fc5_an_interim_response_and_then_the_end_is_no_response<R: Runtime>(world: &World<R>) {
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    for (rest, kind) in [("", Kind::ClosedBeforeResponse), ("HTTP/1.1 2", Kind::IncompleteHead)] {
        let server = Server::scripted(Connection::new().expect_request().send(interim).send(rest).close());
        let error = world.session().get(server.url("/")).send().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(server.accepted(), 1, "the server has begun to act on it");
    }
}

async fn fa14_trailers_that_are_valid_only_in_a_head_are_dropped<R: Runtime>(world: &World<R>) {
    let said = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\
                X-Sum: 1\r\nSet-Cookie: late=1\r\nContent-Length: 1\r\nAuthorization: Basic eDp5\r\n\r\n";
    let server = Server::scripted(Connection::new().expect_request().send(said));
    let session = world.session();
    let mut response = session.get(server.url("/")).send().await.unwrap();
    while response.chunk().await.unwrap().is_some() {}
    let names: Vec<_> = response.trailers().iter().map(|field| field.name.to_owned()).collect();
    assert_eq!((names, session.cookies(|jar| jar.len())), (vec!["X-Sum".to_owned()], 0));
}

async fn q25_q32_trailers_come_after_the_body_and_set_nothing<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let mut response = session.get(server.url("/chunked/100?trailers=1")).send().await.unwrap();
    assert!(response.trailers().is_empty());
    while response.chunk().await.unwrap().is_some() {}
    assert_eq!(response.trailers().get("x-body-size"), Some("100"));
    assert!(!response.headers().contains("x-body-size"));
    let trailer = "0\r\nSet-Cookie: late=1\r\nLocation: /get\r\n\r\n";
    let step = Connection::new().expect_request();
    server.script_path(
        "/x",
        step.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned() + trailer).cut_every(1),
    );
    let response = session.get(server.url("/x")).send().await.unwrap();
    assert!(response.bytes().await.unwrap().is_empty());
    assert_eq!((session.cookies(|jar| jar.len()), server.accepted()), (0, 1));
}

async fn f13_p017_p058_p059_a_truncated_body_is_never_complete<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let counted = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello, you";
    let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\n, you\r\n0\r\nX: y\r\n\r\n";
    for whole in [counted, chunked] {
        let body_at = whole.find("\r\n\r\n").unwrap() + 4;
        for cut in body_at..whole.len() {
            for resets in [false, true] {
                let step = Connection::new().expect_request().send(&whole[..cut]);
                let server = Server::scripted(if resets { step.reset() } else { step.close() });
                let mut response = session.get(server.url("/")).send().await.unwrap();
                let mut seen = Vec::new();
                let error = loop {
                    match response.chunk().await {
                        Ok(Some(chunk)) => seen.extend_from_slice(&chunk),
                        Ok(None) => panic!("{:?} is taken for whole", &whole[..cut]),
                        Err(error) => break error,
                    }
                };
                assert_eq!(error.kind(), Kind::IncompleteBody, "{cut} {resets}: {error}");
                assert_eq!(error.progress().unwrap().stage, Stage::Body);
                assert!("hello, you".as_bytes().starts_with(&seen), "bytes that had come are delivered");
                assert!(response.chunk().await.is_err(), "and it stays an error");
            }
        }
    }
    assert_eq!(session.stats().idle, 0);
}

async fn f12_f09_a_head_that_is_cut_short_is_an_error<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    for cut in 0..head.len() {
        for resets in [false, true] {
            let step = Connection::new().expect_request().send(&head[..cut]);
            let server = Server::scripted(if resets { step.reset() } else { step.close() });
            let error = session.get(server.url("/")).send().await.unwrap_err();
            let expected = if cut == 0 { Kind::ClosedBeforeResponse } else { Kind::IncompleteHead };
            assert_eq!(error.kind(), expected, "{cut} {resets}: {error}");
            let progress = error.progress().unwrap();
            assert_eq!((progress.bytes_received, progress.reused), (cut as u64, false));
            assert_eq!(server.accepted(), 1, "a fresh connection is not tried twice");
        }
    }
}

async fn p084_p019_large_heads_and_small_chunks<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let field = format!("X-Large: {}\r\n", "x".repeat(65_000));
    let chunks = "1\r\nx\r\n".repeat(20_000) + "0\r\n\r\n";
    let answer = format!("HTTP/1.1 200 OK\r\n{field}Transfer-Encoding: chunked\r\n\r\n{chunks}");
    let server = Server::scripted(Connection::new().expect_request().send(&answer).cut_every(4099).routes());
    let response = session.get(server.url("/")).send().await.unwrap();
    assert_eq!(response.headers().get("x-large").unwrap().len(), 65_000);
    assert_eq!(response.bytes().await.unwrap().len(), 20_000);
    session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(server.accepted(), 1);
    let endless = Connection::new().expect_request().send("HTTP/1.1 200 OK\r\n").send(&field).forever();
    let server = Server::scripted(endless);
    let error = session.get(server.url("/")).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::HeadTooLarge);
    server.wait_closed(0);
}

async fn q36_limits_on_bodies_hold_before_they_are_read<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session.update(|settings| settings.limits.body_bytes = Some(1000));
    for (path, is_ok) in [
        ("/bytes/1000", true),
        ("/bytes/1001", false),
        ("/chunked/1000?chunk=300", true),
        ("/chunked/1001?chunk=300", false),
        ("/close/1000", true),
        ("/close/100000", false),
    ] {
        let response = session.get(server.url(path)).send().await.unwrap();
        match response.bytes().await {
            Ok(body) => assert!(is_ok && body.len() == 1000, "{path}"),
            Err(error) => assert!(!is_ok && error.kind() == Kind::BodyTooLarge, "{path} {error}"),
        }
    }
    // A request may have its own limit, or none.
    for (most, is_ok) in [(Some(999), false), (Some(2000), true), (None, true)] {
        let response = session.get(server.url("/bytes/2000")).body_limit(most).send().await.unwrap();
        let refused = response.bytes().await.err().map(|error| error.kind());
        assert_eq!(refused, (!is_ok).then_some(Kind::BodyTooLarge), "{most:?}");
    }
    let response = session.get(server.url("/bytes/2000")).send().await.unwrap();
    assert_eq!(response.bytes().await.unwrap_err().kind(), Kind::BodyTooLarge);
}

async fn f14_a_server_may_close_its_side_before_it_is_read<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let server = Server::scripted([
        Connection::new().expect_request().ok("whole").half_close(),
        Connection::new().routes(),
    ]);
    let response = session.get(server.url("/")).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "whole");
    // The server has ended the connection before the next request, so it is not used.
    server.wait_steps(0, 4);
    session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(server.accepted(), 2);
    server.wait_closed(0);
}

async fn b52_bytes_before_a_truncation_can_be_kept<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
    let body = pattern(70_000);
    let server = Server::scripted(Connection::new().expect_request().send(head).send(&body).close());
    let mut response = session.get(server.url("/")).send().await.unwrap();
    let mut seen = Vec::new();
    let error = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => seen.extend_from_slice(&chunk),
            Ok(None) => panic!("taken for whole"),
            Err(error) => break error,
        }
    };
    assert!(seen == body && error.kind() == Kind::IncompleteBody);
    assert!(error.to_string().contains("70000"), "{error}");
}
