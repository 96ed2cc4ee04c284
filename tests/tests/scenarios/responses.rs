//! The properties of a response, item by item of the behaviour of requests (S-01 to S-17).

use std::time::Duration;

use sessio::Kind;
use sessio::call::BodyState;
use sessio_driver::Runtime;
use sessio_testkit::{Connection, Server};
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    s01_s02_b36_only_4xx_and_5xx_are_errors_and_say_so
    s03_a_redirect_that_is_not_followed_has_the_next_request
    s04_b31_elapsed_is_of_each_hop_and_not_of_the_body
    s05_s07_json_is_utf8_whatever_its_media_type_and_charset
    s10_b39_each_fault_of_a_body_has_its_own_kind
    s14_a_response_that_is_dropped_unread_closes_its_connection
    s15_the_last_body_is_not_read_during_the_call
    s17_names_of_headers_have_no_case_and_keep_their_order
}

/// A connection that sends this response and closes.
fn send(head: &str, body: &[u8]) -> Connection {
    let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    Connection::new().expect_request().send([head.as_bytes(), body].concat()).close()
}

async fn s01_s02_b36_only_4xx_and_5xx_are_errors_and_say_so<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for (line, fails) in [
        ("200 OK", false),
        ("299 Odd", false),
        ("304 Not Modified", false),
        ("399 Odd", false),
        ("400 Bad", true),
        ("499 Odd", true),
        ("500 Bad", true),
        ("599 \u{e9}", true),
        ("600 Odd", false),
        ("999 Odd", false),
    ] {
        let server = Server::scripted(send(&format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n"), b""));
        let response = session.get(server.url("/x")).send().await.unwrap();
        let status = response.status();
        assert_eq!(status.as_str(), &line[..3]);
        match response.error_for_status() {
            Ok(_) => assert!(!fails, "{line}"),
            Err(refused) => {
                let error = sessio::Error::from(refused);
                assert!(fails && error.is_status() && error.kind() == Kind::Status, "{line}");
                let told = error.to_string();
                assert!(told.contains(&line[..3]) && told.contains(&server.url("/x")), "{told}");
                assert_eq!(&*error.response().unwrap().head.reason, &line.as_bytes()[4..]);
            }
        }
    }
}

async fn s03_a_redirect_that_is_not_followed_has_the_next_request<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let location = "Location: /next\r\n";
    for (line, fields, next) in [
        ("301 Moved", location, Some("GET")),
        ("302 Found", location, Some("GET")),
        ("303 Other", location, Some("GET")),
        ("307 Again", location, Some("POST")),
        ("308 Moved", location, Some("POST")),
        ("300 Many", location, None),
        ("304 Same", location, None),
        ("201 Made", location, None),
        ("302 Nowhere", "", None),
        ("302 Empty", "Location: \r\n", None),
    ] {
        let answer = send(&format!("HTTP/1.1 {line}\r\n{fields}Content-Length: 0\r\n\r\n"), b"");
        let server = Server::scripted([answer, send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"")]);
        let request = session.post(server.url("/first")).body("x").redirects(None);
        let mut response = request.send().await.unwrap();
        assert_eq!(response.status().as_str(), &line[..3], "it is handed over as it is");
        let told = response.next().map(Result::unwrap);
        assert_eq!(told.as_ref().map(|next| next.request.method().as_str()), next, "{line}");
        if let Some(next) = told {
            assert_eq!(session.execute(next).await.unwrap().url().path(), "/next");
            assert!(response.next().is_none(), "it is taken once");
        }
    }
}

async fn s04_b31_elapsed_is_of_each_hop_and_not_of_the_body<R: Runtime>(world: &World<R>) {
    let runtime = world.runtime();
    let session = world.session_on(runtime.clone());
    let server = Server::start();
    let mut response = session.get(server.url("/redirect-to?url=/bytes/100")).send().await.unwrap();
    let (own, hop) = (response.elapsed(), response.history()[0].elapsed);
    runtime.pass(Duration::from_secs(3600));
    while response.chunk().await.unwrap().is_some() {}
    assert_eq!((response.elapsed(), response.history()[0].elapsed), (own, hop));
    assert!(own < Duration::from_secs(3600), "by a clock that only goes forward");
}

async fn s05_s07_json_is_utf8_whatever_its_media_type_and_charset<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for (kind, body, value) in [
        ("application/json", &b"{\"a\": \"\xc3\xa9\"}"[..], Some("\u{e9}")),
        ("APPLICATION/Problem+JSON; charset=latin1", b"{\"a\": \"\xc3\xa9\"}", Some("\u{e9}")),
        ("text/plain", b"\xef\xbb\xbf{\"a\": \"\xc3\xa9\"}", Some("\u{e9}")),
        ("", b" {\"a\": \"x\"}\r\n", Some("x")),
        ("application/json", b"", None),
        ("application/json", b"{\"a\": NaN}", None),
        ("application/json", b"{\"a\": \"\xe9\"}", None),
        ("application/json", b"{\"a\": \"x\"} {}", None),
        ("application/json", b"{\"a\": \"secret\"", None),
    ] {
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
        let head = format!("HTTP/1.1 200 OK\r\n{kind}Content-Length: {}\r\n\r\n", body.len());
        let server = Server::scripted(send(&head, body));
        let response = session.get(server.url("/x")).send().await.unwrap();
        match response.json::<serde_json::Value>().await {
            Ok(json) => assert_eq!(json["a"].as_str(), value, "{head}"),
            Err(error) => {
                assert_eq!((value, error.kind()), (None, Kind::InvalidJson));
                let cause = std::error::Error::source(&error).unwrap();
                assert!(cause.is::<serde_json::Error>() && !format!("{error} {cause}").contains("secret"));
            }
        }
    }
}

async fn s10_b39_each_fault_of_a_body_has_its_own_kind<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (head, body, kind) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", &b"hello"[..], Kind::IncompleteBody),
        (chunked, b"5\r\nhello\r\n", Kind::IncompleteBody),
        (chunked, b"5\r\nhello\r\nzz\r\n", Kind::BadChunk),
        (chunked, b"5\r\nhello, world", Kind::BadChunk),
        ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n", b"hello", Kind::BadCoding),
    ] {
        let server = Server::scripted(send(head, body));
        let mut response = session.get(server.url("/x")).send().await.unwrap();
        let error = loop {
            match response.chunk().await {
                Ok(piece) => assert!(piece.is_some(), "it is never whole"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), kind);
        assert_eq!((response.status().as_u16(), response.body_state()), (200, BodyState::Failed));
    }
}

async fn s14_a_response_that_is_dropped_unread_closes_its_connection<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let server = Server::scripted(
        Connection::new().expect_request().send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nstart"),
    );
    let response = session.get(server.url("/x")).send().await.unwrap();
    assert_eq!((response.body_state(), session.stats().in_use), (BodyState::Unread, 1));
    drop(response);
    server.wait_closed(0);
    assert_eq!((session.stats().in_use, session.stats().idle), (0, 0));
}

async fn s15_the_last_body_is_not_read_during_the_call<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let redirect = "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 5\r\n\r\nthere";
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello";
    let script =
        Connection::new().expect_request().send(redirect).expect_request().send(cut).gate("end").close();
    let server = Server::scripted(script);
    // The bodies of hops are read during the call. The last body is not, so its error appears when
    // it is read.
    let response = session.get(server.url("/x")).send().await.unwrap();
    assert_eq!((response.history().len(), response.body_state()), (1, BodyState::Unread));
    server.open_gate("end");
    assert_eq!(response.bytes().await.unwrap_err().kind(), Kind::IncompleteBody);
}

async fn s17_names_of_headers_have_no_case_and_keep_their_order<R: Runtime>(world: &World<R>) {
    let head = "HTTP/1.1 200 OK\r\nX-b: 1\r\nx-A: 2\r\nX-B: 3\r\nContent-Length: 0\r\n\r\n";
    let server = Server::scripted(send(head, b""));
    let response = world.session().get(server.url("/x")).send().await.unwrap();
    let headers = response.headers();
    let names: Vec<_> = headers.iter().map(|field| field.name).collect();
    assert_eq!(names, ["Connection", "X-b", "x-A", "X-B", "Content-Length"]);
    for name in ["x-b", "X-B", "X-b"] {
        assert_eq!((headers.get(name), headers.get_all(name).count()), (Some("1"), 2));
    }
    let mut copy = headers.clone();
    assert_eq!(&copy, headers);
    copy.insert("x-a", "9").unwrap();
    assert_eq!((copy.get("X-A"), headers.get("X-A")), (Some("9"), Some("2")));
    assert_ne!(&copy, headers);
    copy.insert("X-a", "2").unwrap();
    assert_eq!(&copy, headers, "the spelling of names makes no difference");
}
