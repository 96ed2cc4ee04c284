//! Request bodies, and servers that respond before they have received them.

use sessio::{Body, Kind, Stage};
use sessio_driver::Runtime;
use sessio_testkit::{Connection, Server, pattern};
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::source::{Endless, Pieces};
use sessio_tests::world::World;

scenarios! {
    p39_p40_bodies_of_bytes_say_their_length
    p36_p32_p43_forms_and_json_say_what_they_are
    p34_b18_b19_sources_with_and_without_a_length
    p44_empty_pieces_do_not_end_a_chunked_body
    f29_a_source_that_fails_never_looks_complete
    f30_a_source_that_is_shorter_or_longer_than_declared_is_an_error
    q07_a_response_before_the_end_of_the_body_ends_the_upload
    q07_a_response_is_seen_although_the_server_continues_to_read
    q08_f17_a_response_before_a_reset_is_delivered
    f16_a_peer_that_resets_during_the_upload_is_an_error_of_sending
    q07_a_server_gets_no_more_of_the_upload_after_its_response
    b49_an_upload_given_up_leaves_no_connection_behind
}

async fn p39_p40_bodies_of_bytes_say_their_length<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let large = pattern(251).repeat(20_000);
    for body in
        [Body::empty(), "".into(), "gr\u{fc}\u{df}e".into(), pattern(8 << 10).into(), large.clone().into()]
    {
        let expected = body.as_bytes().unwrap().to_vec();
        let before = server.requests().len();
        let response = session.post(server.url("/status/200")).body(body).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let sent = &server.requests()[before];
        assert!(sent.body == expected, "{} bytes", expected.len());
        assert_eq!(sent.header_all("content-length"), [expected.len().to_string()]);
        assert_eq!((sent.header("transfer-encoding"), sent.header("content-type")), (None, None));
    }
    assert_eq!(server.accepted(), 1);
}

async fn p36_p32_p43_forms_and_json_say_what_they_are<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let url = server.url("/anything");
    session.post(&url).form([("a b", "1&2"), ("a b", "\u{e9}")]).send().await.unwrap().bytes().await.unwrap();
    session.get(&url).json(&serde_json::json!({"a": [1, null]})).send().await.unwrap().bytes().await.unwrap();
    session
        .post(&url)
        .header("content-type", "text/x")
        .form([("a", "1")])
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let sent: Vec<_> =
        server.requests().iter().map(|r| (r.header_all("content-type").concat(), r.text())).collect();
    let expected = [
        ("application/x-www-form-urlencoded", "a+b=1%262&a+b=%C3%A9"),
        ("application/json", "{\"a\": [1, null]}"),
        ("text/x", "a=1"),
    ];
    assert_eq!(sent, expected.map(|(kind, body)| (kind.to_owned(), body.to_owned())));
}

async fn p34_b18_b19_sources_with_and_without_a_length<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let large = pattern(1 << 20);
    let pieces = |size| Pieces::of(large.chunks(size));
    for (source, length, expected) in [
        (Pieces::of(["hello, ", "world"]), Some(12), &b"hello, world"[..]),
        (Pieces::of(["hello, ", "world"]), None, b"hello, world"),
        (Pieces::of([""; 0]), Some(0), b""),
        (Pieces::of([""; 0]), None, b""),
        (pieces(10_007), Some(1 << 20), &large),
        (pieces(200_000), None, &large),
    ] {
        let before = server.requests().len();
        session
            .put(server.url("/status/200"))
            .source(source, length, false)
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        let sent = &server.requests()[before];
        assert!(sent.body == expected, "{length:?}");
        assert_eq!(sent.header("content-length"), length.map(|length| length.to_string()));
        assert_eq!(sent.header("transfer-encoding").is_some(), length.is_none());
    }
    assert_eq!(server.accepted(), 1);
}

async fn p44_empty_pieces_do_not_end_a_chunked_body<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    // Chunks of one byte from an encoder, and a caller that wants chunks for bytes.
    let source = Pieces::of(["a", "b", "c"]);
    session
        .post(server.url("/status/200"))
        .source(source, None, false)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let chunked = session.post(server.url("/status/200")).header("Transfer-Encoding", "chunked");
    chunked.body("bytes").send().await.unwrap().bytes().await.unwrap();
    let empty = session.post(server.url("/status/200")).header("Transfer-Encoding", "chunked");
    empty.body("").send().await.unwrap().bytes().await.unwrap();
    let received = server.connection(0).received_text();
    assert!(received.contains("\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"), "{received}");
    let bodies: Vec<_> = server.requests().iter().map(|request| request.text()).collect();
    assert_eq!(bodies, ["abc", "bytes", ""]);
    assert!(server.requests().iter().all(|request| request.header("content-length").is_none()));
}

async fn f29_a_source_that_fails_never_looks_complete<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for (length, sizes) in [(None, 1), (Some(100), 1), (None, 50_000), (Some(200_000), 50_000)] {
        let server = Server::scripted(Connection::new());
        let source = Pieces::of([pattern(sizes), pattern(sizes)]).then_fail();
        let error = session.post(server.url("/x")).source(source, length, false).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::BodySource);
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the disk is gone");
        assert_eq!(error.progress().unwrap().stage, Stage::Send);
        let recording = server.wait_closed(0);
        assert!(recording.requests().is_empty(), "the server has a whole request");
        assert!(!recording.received.ends_with(b"0\r\n\r\n"));
    }
    assert_eq!(session.stats().idle, 0);
}

async fn f30_a_source_that_is_shorter_or_longer_than_declared_is_an_error<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let short = "the server must not take the part for the whole";
    for (name, source, length, is_whole) in [
        (short, Pieces::of(["hello"]), 6, false),
        (short, Pieces::of([""; 0]), 1, false),
        ("one piece too long", Pieces::of(["hello!"]), 5, false),
        ("a piece too many", Pieces::of(["hello", "!"]), 5, true),
        ("a piece where none was declared", Pieces::of(["!"]), 0, true),
        ("large and too long", Pieces::of(pattern(200_000).chunks(1000)), 199_999, false),
    ] {
        // The server never responds, so only the length of the source decides.
        let server = Server::scripted(Connection::new());
        let result = session.post(server.url("/x")).source(source, Some(length), false).send().await;
        let error = result.expect_err(name);
        assert_eq!(error.kind(), Kind::BodyLength, "{name}");
        let recording = server.wait_closed(0);
        assert_eq!(recording.requests().len(), usize::from(is_whole), "{name}");
        assert!(recording.remainder().len() <= 100 + length as usize + 200, "no excess byte leaves");
    }
    assert_eq!(session.stats().idle, 0);
    // A source that has given all declared bytes, and does not end, is complete.
    let server = Server::scripted(Connection::new().expect_request().ok("taken"));
    let source = Pieces::of(["hello"]).then_stall();
    let response = session.post(server.url("/x")).source(source, Some(5), false).send().await.unwrap();
    assert_eq!((response.status().as_u16(), server.requests()[0].text()), (200, "hello".to_owned()));
}

const REFUSAL: &str = "HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\ntoo large";

async fn q07_a_response_before_the_end_of_the_body_ends_the_upload<R: Runtime>(world: &World<R>) {
    let session = world.session();
    // The server reads no byte of the body, so the client's writes block forever.
    for endless in [false, true] {
        let server = Server::scripted(Connection::new().read_head().send(REFUSAL).stall());
        let request = session.post(server.url("/x"));
        let request = if endless {
            let pieces = std::iter::repeat_n(vec![b'x'; 60_000], 600);
            request.source(Pieces::of(pieces), None, false)
        } else {
            request.body(vec![b'x'; 32 << 20])
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 413);
        assert_eq!(response.text().await.unwrap(), "too large");
        assert_eq!(session.stats().idle, 0, "half a request has gone out on it");
    }
}

async fn q07_a_response_is_seen_although_the_server_continues_to_read<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let server = Server::scripted(Connection::new().read_head().send(REFUSAL));
    server.record_bytes(false);
    let response = session.post(server.url("/x")).source(Endless, None, false).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.text().await.unwrap()), (413, "too large".into()));
    server.wait_closed(0);
}

async fn q08_f17_a_response_before_a_reset_is_delivered<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let server = Server::scripted(Connection::new().read_head().send(REFUSAL).reset());
    let response = session.post(server.url("/x")).body(vec![b'x'; 32 << 20]).send().await.unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(response.text().await.unwrap(), "too large");
    assert_eq!(session.stats().idle, 0);
}

async fn f16_a_peer_that_resets_during_the_upload_is_an_error_of_sending<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let server = Server::scripted(Connection::new().read_head().read(100_000).reset());
    let error = session.post(server.url("/x")).body(vec![b'x'; 32 << 20]).send().await.unwrap_err();
    assert!(matches!(error.kind(), Kind::Io | Kind::ClosedBeforeResponse), "{error}");
    let progress = error.progress().unwrap();
    assert_eq!((progress.stage, progress.bytes_received), (Stage::Send, 0));
    assert!(progress.bytes_sent >= 100_000);
    assert!(!error.is_safe_to_repeat());
}

async fn q07_a_server_gets_no_more_of_the_upload_after_its_response<R: Runtime>(world: &World<R>) {
    let session = world.session();
    // Only the head was received when the rest of the body would be due.
    let server = Server::scripted(
        Connection::new().read_head().send(&REFUSAL[..REFUSAL.len() - 9]).gate("more").send("too large"),
    );
    let source = Pieces::of([pattern(1000), pattern(1000)]).then_stall();
    let mut response = session.post(server.url("/x")).source(source, None, false).send().await.unwrap();
    assert_eq!(response.status(), 413);
    server.open_gate("more");
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        body.extend_from_slice(&chunk);
    }
    assert_eq!(body, b"too large");
    let recording = server.wait_closed(0);
    assert!(recording.requests().is_empty() && !recording.received.ends_with(b"0\r\n\r\n"));
}

async fn b49_an_upload_given_up_leaves_no_connection_behind<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let server = Server::scripted([Connection::new().read_head().send(REFUSAL), Connection::new().routes()]);
    let source = Pieces::of([pattern(1000)]).then_stall();
    let response = session.post(server.url("/x")).source(source, Some(2000), false).send().await.unwrap();
    assert_eq!(response.status(), 413);
    drop(response);
    server.wait_closed(0);
    assert_eq!(fetch(session.get(server.url("/get"))).await.status, 200);
    assert_eq!(server.accepted(), 2);
}
