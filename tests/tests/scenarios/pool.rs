//! The assignment of requests to connections. No connection with leftover bytes is reused, and no
//! response belongs to another request.

use sessio_driver::Runtime;
use sessio_testkit::{Connection, Server};
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    v100_p133_a_second_response_is_never_that_of_the_next_request
    v100_p131_p132_bytes_behind_a_response_close_its_connection
    v109_q18_an_incomplete_unread_response_closes_its_connection
    p117_p119_p114_a_response_with_close_closes_its_connection
    p020_p002_p069_a_tolerated_response_closes_its_connection
    q21_q22_what_keep_alive_announces_is_honoured
    f27_a_session_that_is_dropped_leaves_live_bodies_to_be_read
    m28_a_session_that_was_closed_is_usable
    s02_each_origin_has_connections_of_its_own
    p002_to_p109_the_table_of_responses_over_connections
}

mod together {
    use super::{q18_a_complete_response_keeps_its_connection_read_or_not, scenarios};

    scenarios! { together: q18_a_complete_response_keeps_its_connection_read_or_not }
}

const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const POISON: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";

async fn v100_p133_a_second_response_is_never_that_of_the_next_request<R: Runtime>(world: &World<R>) {
    for late in [POISON, "\r\n", "x", &POISON[..30]] {
        let session = world.session();
        let server = Server::scripted([
            Connection::new().expect_request().send(HELLO).gate("idle").send(late),
            Connection::new().expect_request().ok("second"),
        ]);
        let first = session.get(server.url("/1")).send().await.unwrap();
        assert_eq!(first.text().await.unwrap(), "hello");
        assert_eq!(session.stats().idle, 1);
        server.open_gate("idle");
        server.wait_steps(0, 5);
        let second = session.post(server.url("/2")).send().await.unwrap();
        assert_eq!(
            (sessio_tests::fetch::connection(&second), second.text().await.unwrap()),
            ((2, false), "second".into())
        );
        assert_eq!(server.wait_closed(0).requests().len(), 1);
    }
}

async fn v100_p131_p132_bytes_behind_a_response_close_its_connection<R: Runtime>(world: &World<R>) {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for whole in [HELLO, chunked] {
        for excess in [POISON, "\r\n", "x", &POISON[..30]] {
            for cut in [usize::MAX, 20] {
                let session = world.session();
                let server = Server::scripted([
                    Connection::new().expect_request().send(whole.to_owned() + excess).cut_every(cut),
                    Connection::new().expect_request().ok("second"),
                ]);
                let first = session.get(server.url("/1")).send().await.unwrap();
                assert_eq!(first.text().await.unwrap(), "hello");
                // If the bytes are cut, the excess may still be in flight.
                server.wait_until(|state| {
                    let first = &state.connections()[0];
                    first.steps >= 3 || !first.is_open()
                });
                let second = session.get(server.url("/2")).send().await.unwrap();
                assert_eq!(second.text().await.unwrap(), "second");
                server.wait_closed(0);
            }
        }
    }
}

async fn v109_q18_an_incomplete_unread_response_closes_its_connection<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let server = Server::start();
    for path in ["/bytes/1000000", "/chunked/1000000", "/close/1000000"] {
        let response = session.get(server.url(path)).send().await.unwrap();
        let number = server.accepted() - 1;
        drop(response);
        server.wait_closed(number);
        assert_eq!(session.stats().idle, 0, "{path}");
    }
    let mut response = session.get(server.url("/bytes/1000000")).send().await.unwrap();
    response.chunk().await.unwrap();
    drop(response);
    server.wait_open(0);
}

async fn q18_a_complete_response_keeps_its_connection_read_or_not<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for _ in 0..3 {
        session.get(server.url("/get")).send().await.unwrap();
    }
    assert_eq!(server.accepted(), 1);
}

async fn p117_p119_p114_a_response_with_close_closes_its_connection<R: Runtime>(world: &World<R>) {
    for (head, is_kept) in [
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n", false),
        ("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nConnection: x, CLOSE\r\nContent-Length: 5\r\n", false),
        ("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n", true),
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n", false),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n", true),
        ("HTTP/1.0 200 OK\r\nProxy-Connection: keep-alive\r\nContent-Length: 5\r\n", false),
    ] {
        let (server, session) = (Server::start(), world.session());
        server.script_path("/x", Connection::new().expect_request().send(head.to_owned() + "\r\nhello"));
        let response = session.get(server.url("/x")).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "hello");
        assert_eq!(session.stats().idle, usize::from(is_kept), "{head}");
        if !is_kept {
            server.wait_open(0);
        }
        // The request may ask for the close too.
        let close = session.get(server.url("/get")).header("Connection", "close").send().await.unwrap();
        close.bytes().await.unwrap();
        server.wait_open(0);
        assert_eq!(session.stats().idle, 0);
    }
}

async fn p020_p002_p069_a_tolerated_response_closes_its_connection<R: Runtime>(world: &World<R>) {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        let session = world.session();
        let server = Server::scripted(Connection::new().expect_request().send(head));
        let response = session.get(server.url("/x")).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "hello", "{head:?}");
        assert_eq!(session.stats().idle, 0, "{head:?}");
        server.wait_closed(0);
    }
}

async fn q21_q22_what_keep_alive_announces_is_honoured<R: Runtime>(world: &World<R>) {
    for (announced, idle) in [
        ("timeout=5", 1),
        ("timeout=1", 1),
        ("timeout=0", 0),
        ("max=0", 0),
        ("max=1", 1),
        ("timeout=5, max=100", 1),
    ] {
        let session = world.session();
        let head = format!("HTTP/1.1 200 OK\r\nKeep-Alive: {announced}\r\nContent-Length: 0\r\n\r\n");
        let server = Server::scripted(Connection::new().expect_request().send(head));
        session.get(server.url("/x")).send().await.unwrap().bytes().await.unwrap();
        assert_eq!(session.stats().idle, idle, "{announced}");
    }
}

async fn f27_a_session_that_is_dropped_leaves_live_bodies_to_be_read<R: Runtime>(world: &World<R>) {
    for drops in [false, true] {
        let (server, other, session) = (Server::start(), Server::start(), world.session());
        session.get(other.url("/get")).send().await.unwrap().bytes().await.unwrap();
        let mut response = session.get(server.url("/bytes/3000000")).send().await.unwrap();
        let first = response.chunk().await.unwrap().unwrap();
        if drops {
            drop(session);
        } else {
            session.close();
        }
        other.wait_open(0);
        let rest = response.rest().await.unwrap();
        assert_eq!(first.len() + rest.len(), 3_000_000);
        // Its connection belongs to the session as it was before.
        server.wait_open(0);
    }
}

async fn m28_a_session_that_was_closed_is_usable<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for _ in 0..3 {
        let response = session.get(server.url("/cookies/set/a/1")).send().await.unwrap();
        response.bytes().await.unwrap();
        assert_eq!((session.stats().idle, server.open_connections()), (1, 1));
        session.close();
        session.close();
        server.wait_open(0);
    }
    assert_eq!((server.accepted(), session.cookies(|jar| jar.len())), (3, 1));
}

async fn s02_each_origin_has_connections_of_its_own<R: Runtime>(world: &World<R>) {
    let servers = [Server::start(), Server::start(), Server::start_on([127, 0, 0, 2])];
    let session = world.session();
    for _ in 0..3 {
        for server in &servers {
            session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
            // Another name for the same address is another origin.
            session
                .get(server.url_at(&format!("{}.nip", server.addr().ip()), "/get"))
                .send()
                .await
                .unwrap_err();
        }
    }
    for server in &servers {
        assert_eq!((server.accepted(), server.connection(0).requests().len()), (1, 3));
        let own = server.addr().to_string();
        assert!(server.requests().iter().all(|request| request.header_all("host") == [own.clone()]));
    }
    assert_eq!(session.stats().idle, 3);
}

async fn p002_to_p109_the_table_of_responses_over_connections<R: Runtime>(world: &World<R>) {
    // The head after the status line and its CRLF, the body, and the outcome: a kind of error, or
    // whether the connection may be reused.
    const OK: &str = "HTTP/1.1 200 OK\r\n";
    let cases: &[(&str, &str, &str)] = &[
        ("P003", "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "conflicting-length"),
        ("P005", "Content-Length: 5, 6\r\n\r\nhello!", "conflicting-length"),
        ("P008", "Content-Length: 0x5\r\n\r\nhello", "bad-length"),
        ("P009", "Content-Length: 1_0\r\n\r\nhellohello", "bad-length"),
        ("P010", "Content-Length:\r\n\r\nhello", "bad-length"),
        ("P012", "Content-Length: 5abc\r\n\r\nhello", "bad-length"),
        ("P013", "Content-Length: 18446744073709551615\r\n\r\nhello", "bad-length"),
        ("P014", "Content-Length: 18446744073709551621\r\n\r\nhello", "bad-length"),
        ("P019", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "kept"),
        (
            "P022",
            "Transfer-Encoding: chunked, gzip\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "unsupported-transfer-coding",
        ),
        (
            "P023",
            "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello",
            "unsupported-transfer-coding",
        ),
        (
            "P027",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "unsupported-transfer-coding",
        ),
        ("P029", "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", "bad-head"),
        ("P030", "Transfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "kept"),
        ("P033", "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\nhello", "bad-head"),
        ("P036", "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", "bad-chunk"),
        ("P038", "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n", "kept"),
        ("P043", "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", "bad-chunk"),
        ("P048", "Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n", "kept"),
        ("P050", "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nhello", "bad-chunk"),
        ("V103", "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n", "bad-chunk"),
        ("P063", "Transfer-Encoding: chunked\r\n\r\n0\r\nbad\r\n\r\n", "bad-chunk"),
        ("P070", "X: a\rb\r\nContent-Length: 5\r\n\r\nhello", "bad-head"),
        ("P071", "X: a\0b\r\nContent-Length: 5\r\n\r\nhello", "bad-head"),
        ("P074", "X: \u{e9}\r\nContent-Length: 5\r\n\r\nhello", "kept"),
        ("P076", " X: a\r\nContent-Length: 5\r\n\r\nhello", "bad-head"),
        ("P078", "A : b\r\nContent-Length: 5\r\n\r\nhello", "bad-head"),
        ("P080", "nocolon\r\nContent-Length: 5\r\n\r\nhello", "bad-head"),
        ("P081", ": b\r\nContent-Length: 5\r\n\r\nhello", "bad-head"),
    ];
    let first_lines: &[(&str, &str, &str)] = &[
        (
            "P031",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "unsupported-transfer-coding",
        ),
        ("P092", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", "kept"),
        ("P093", "HTTP/1.1  200 OK\r\nContent-Length: 5\r\n\r\nhello", "bad-head"),
        ("P094", "HTTP/1.1 99 X\r\nContent-Length: 5\r\n\r\nhello", "bad-head"),
        ("P097", "HTTP/1.1 999 X\r\nContent-Length: 5\r\n\r\nhello", "kept"),
        ("P101", "HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\nhello", "bad-head"),
        ("P102", "HTTP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "not-http"),
        ("P105", "ICY 200 OK\r\nContent-Length: 5\r\n\r\nhello", "not-http"),
        ("P108", "<html>hello</html>", "not-http"),
        ("P109", "\x15\x03\x01\x00\x02\x02\x46", "not-http"),
    ];
    let cases = cases.iter().map(|(id, rest, fate)| (*id, OK.to_owned() + rest, *fate));
    let cases = cases.chain(first_lines.iter().map(|(id, whole, fate)| (*id, (*whole).to_owned(), *fate)));
    for (id, answer, fate) in cases {
        for size in [usize::MAX, 1] {
            let session = world.session();
            let server = Server::scripted(Connection::new().expect_request().send(&answer).cut_every(size));
            let outcome = match session.get(server.url("/x")).send().await {
                Ok(response) => response.bytes().await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(body) => {
                    assert_eq!(("kept", &body[..]), (fate, &b"hello"[..]), "{id} {size}");
                    assert_eq!(session.stats().idle, 1, "{id} {size}");
                }
                Err(error) => {
                    assert_eq!(error.kind().name(), fate, "{id} {size}: {error}");
                    assert_eq!(session.stats().idle, 0, "{id} {size}");
                    server.wait_closed(0);
                }
            }
        }
    }
}
