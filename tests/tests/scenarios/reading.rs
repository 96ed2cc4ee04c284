//! Ways to read a response body: lines, events, links, texts, and the number of bytes read.

use sessio::Kind;
use sessio::call::BodyState;
use sessio_driver::{Response, Runtime};
use sessio_testkit::{Connection, Server, pattern};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::folder::Folder;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    s12_b41_lines_are_the_same_however_they_are_cut
    s12_lines_of_a_truncated_body_end_with_its_error
    s12_a_line_without_end_is_refused
    s11_b40_lines_are_text_in_the_charset_of_the_body
    events_are_read_as_they_arrive
    s13_b42_links_are_resolved_against_the_url_of_the_response
    s06_text_in_a_charset_of_the_callers
    s08_b38_a_partly_read_body_is_never_complete
    s08_b38_a_failed_body_fails_on_each_read
    a_decoded_body_has_no_content_length
    f13_a_downloaded_file_is_complete_or_absent
}

const COUNTED: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";

/// The response of a server that sends this body in pieces of that size.
async fn answer<R: Runtime>(
    world: &World<R>,
    fields: &str,
    body: &[u8],
    cut: usize,
) -> (Response<FaultyRuntime<R>>, Server) {
    let head = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {}\r\n\r\n", body.len());
    let script = Connection::new().expect_request().send([head.as_bytes(), body].concat()).cut_every(cut);
    let server = Server::scripted(script);
    let response = world.session().get(server.url("/dir/page?q")).send().await.unwrap();
    (response, server)
}

async fn s12_b41_lines_are_the_same_however_they_are_cut<R: Runtime>(world: &World<R>) {
    for (body, expected) in [
        ("", &[][..]),
        ("\n", &[""]),
        ("one\r\ntwo\n\nthree\rfour", &["one", "two", "", "three", "four"]),
        ("caf\u{e9}\r\n\u{20ac}\r\n", &["caf\u{e9}", "\u{20ac}"]),
    ] {
        for cut in [1, 2, 1000] {
            let (response, _server) = answer(world, "", body.as_bytes(), cut).await;
            let mut lines = response.lines();
            for line in expected {
                assert_eq!(lines.next().await.unwrap().as_deref(), Some(*line), "{body:?} {cut}");
            }
            assert_eq!(lines.next().await.unwrap(), None);
            assert_eq!(lines.next().await.unwrap(), None, "the end stays the end");
            assert_eq!(lines.response().body_state(), BodyState::Read);
        }
    }
    let (server, session) = (Server::start(), world.session());
    for _ in 0..2 {
        let mut lines = session.get(server.url("/stream/5")).send().await.unwrap().lines();
        let mut count = 0;
        while let Some(line) = lines.next().await.unwrap() {
            assert!(line.starts_with('{') && line.ends_with('}'), "{line}");
            count += 1;
        }
        assert_eq!(count, 5);
    }
    assert_eq!(server.accepted(), 1, "the connection is kept");
}

async fn s12_lines_of_a_truncated_body_end_with_its_error<R: Runtime>(world: &World<R>) {
    let answer = format!("{COUNTED}Content-Length: 20\r\n\r\none\ntwo");
    let server = Server::scripted(Connection::new().expect_request().send(answer).close());
    let mut lines = world.session().get(server.url("/")).send().await.unwrap().lines();
    assert_eq!(lines.next().await.unwrap().as_deref(), Some("one"));
    for _ in 0..2 {
        assert_eq!(lines.next().await.unwrap_err().kind(), Kind::IncompleteBody);
    }
    assert_eq!(lines.response().body_state(), BodyState::Failed);
}

async fn s12_a_line_without_end_is_refused<R: Runtime>(world: &World<R>) {
    let session = world.session();
    session.update(|settings| settings.limits.line_bytes = 1000);
    let long = "x".repeat(500);
    for start in ["short\n", "data: short\n\n"] {
        let endless = Connection::new().expect_request().send("HTTP/1.1 200 OK\r\n\r\n").send(start);
        let server = Server::scripted([endless.clone().send(&long).forever(), endless.send(&long).forever()]);
        let mut lines = session.get(server.url("/")).send().await.unwrap().lines();
        assert_eq!(lines.next().await.unwrap().as_deref(), start.lines().next());
        let refused = loop {
            match lines.next().await {
                Ok(line) => assert_eq!(line.as_deref(), Some("")),
                Err(error) => break error,
            }
        };
        assert!(refused.kind() == Kind::LineTooLong && refused.to_string().contains("limits.line_bytes"));
        drop(lines);
        server.wait_closed(0);
        let mut events = session.get(server.url("/")).send().await.unwrap().events();
        if start.starts_with("data") {
            assert_eq!(events.next().await.unwrap().unwrap().data, "short");
        }
        assert_eq!(events.next().await.unwrap_err().kind(), Kind::LineTooLong);
        drop(events);
        server.wait_closed(1);
    }
}

async fn s11_b40_lines_are_text_in_the_charset_of_the_body<R: Runtime>(world: &World<R>) {
    for (kind, body, expected) in [
        ("text/plain; charset=latin1", &b"caf\xe9\n\x85"[..], ["caf\u{e9}", "\u{85}"]),
        ("text/plain", b"\xef\xbb\xbfbom\n\xe2\x82", ["bom", "\u{fffd}"]),
        ("application/json; charset=latin1", b"caf\xc3\xa9\n1", ["caf\u{e9}", "1"]),
        ("text/plain; charset=Shift_JIS", b"\x82\xb1\n1", ["\u{3053}", "1"]),
        ("text/plain; charset=utf-16le", b"a\0\r\0\n\0\x0a\x0a", ["a", "\u{a0a}"]),
    ] {
        for cut in [1, 1000] {
            let fields = format!("Content-Type: {kind}\r\n");
            let (response, _server) = answer(world, &fields, body, cut).await;
            let mut lines = response.lines();
            for line in expected {
                assert_eq!(lines.next().await.unwrap().as_deref(), Some(line), "{kind}");
            }
            assert_eq!(lines.next().await.unwrap(), None, "{kind}");
        }
    }
}

async fn events_are_read_as_they_arrive<R: Runtime>(world: &World<R>) {
    let body = "\u{feff}retry: 250\r\n: a comment\n\nevent: price\ndata: 1\rdata: 2\r\rid: 7\ndata:\u{e9}\n\ndata: cut";
    for cut in [1, 3, 1000] {
        let (response, _server) = answer(world, "", body.as_bytes(), cut).await;
        let mut events = response.events_after("6");
        let price = events.next().await.unwrap().unwrap();
        assert_eq!((&*price.event, &*price.data, &*price.id), ("price", "1\n2", "6"));
        let second = events.next().await.unwrap().unwrap();
        assert_eq!((&*second.event, &*second.data, &*second.id), ("message", "\u{e9}", "7"));
        assert_eq!(events.next().await.unwrap(), None);
        assert_eq!(events.next().await.unwrap(), None, "the end stays the end");
        assert_eq!((events.last_event_id(), events.retry().unwrap().as_millis()), ("7", 250));
    }
    let script = Connection::new()
        .expect_request()
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n")
        .close();
    let server = Server::scripted(script);
    let mut events = world.session().get(server.url("/")).send().await.unwrap().events();
    for data in ["1", "2"] {
        assert_eq!(events.next().await.unwrap().unwrap().data, data);
    }
    assert_eq!(events.next().await.unwrap_err().kind(), Kind::IncompleteBody);
    assert_eq!(events.response().status(), 200);
}

async fn s13_b42_links_are_resolved_against_the_url_of_the_response<R: Runtime>(world: &World<R>) {
    let fields = "Link: <?page=3>; rel=\"next last\", <http://x/a,b;c>; Rel=up; title=\"a, b\"\r\nlink: <up>; rel=Top\r\n";
    let (response, _server) = answer(world, fields, b"", 1000).await;
    let links = response.links();
    assert_eq!(links.len(), 3);
    for rel in ["next", "LAST"] {
        assert_eq!(links.get(rel).unwrap().target(), response.url().join("?page=3").ok());
    }
    assert_eq!(links.get("up").unwrap().target().unwrap().as_str(), "http://x/a,b;c");
    assert_eq!(links.get("up").unwrap().title().as_deref(), Some("a, b"));
    assert_eq!(links.get("top").unwrap().target().unwrap().path(), "/dir/up");
    let (response, _server) = answer(world, "", b"", 1000).await;
    assert!(response.links().is_empty());
}

async fn s06_text_in_a_charset_of_the_callers<R: Runtime>(world: &World<R>) {
    let fields = "Content-Type: text/html; charset=utf-8\r\n";
    for (charset, body, expected) in [
        ("latin1", &b"\xe9"[..], "\u{e9}"),
        ("shift_jis", b"\x82\xb1", "\u{3053}"),
        ("latin1", b"\xef\xbb\xbf\xc3\xa9", "\u{e9}"),
    ] {
        let (response, _server) = answer(world, fields, body, 1000).await;
        assert_eq!(response.text_with_charset(charset).await.unwrap(), expected, "{charset}");
    }
    let (response, _server) = answer(world, fields, b"", 1000).await;
    assert_eq!(response.text_with_charset("no-such").await.unwrap_err().kind(), Kind::UnknownCharset);
}

async fn s08_b38_a_partly_read_body_is_never_complete<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for path in ["/bytes/100000", "/chunked/100000?chunk=999", "/close/100000"] {
        for way in 0..5 {
            let mut response = session.get(server.url(path)).send().await.unwrap();
            assert_eq!(response.body_state(), BodyState::Unread);
            let mut start = [0; 10];
            let n = response.read(&mut start).await.unwrap();
            assert_eq!(response.body_state(), BodyState::Part, "{path}");
            let error = match way {
                0 => response.bytes().await.unwrap_err(),
                1 => response.text().await.unwrap_err(),
                2 => response.json::<u32>().await.unwrap_err(),
                3 => response.text_with_charset("utf-8").await.unwrap_err(),
                _ => {
                    assert!(response.rest().await.unwrap() == pattern(100_000)[n..], "{path}");
                    continue;
                }
            };
            assert_eq!(error.kind(), Kind::PartlyRead);
            assert!(error.to_string().contains(&format!("{n} bytes")) && error.is_body(), "{error}");
        }
        let mut response = session.get(server.url(path)).send().await.unwrap();
        while response.chunk().await.unwrap().is_some() {}
        assert_eq!(response.body_state(), BodyState::Read);
        assert_eq!(response.bytes().await.unwrap_err().kind(), Kind::PartlyRead, "what was read is gone");
    }
    // Looking at a body does not read it, and an empty body yields no piece.
    let mut response = session.get(server.url("/bytes/10")).send().await.unwrap();
    assert!(!response.fill_buf().await.unwrap().is_empty());
    assert_eq!(response.body_state(), BodyState::Unread);
    assert_eq!(response.bytes().await.unwrap(), pattern(10));
    let mut response = session.get(server.url("/bytes/0")).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap(), None);
    assert_eq!(response.body_state(), BodyState::Read);
    assert!(response.bytes().await.unwrap().is_empty());
}

async fn s08_b38_a_failed_body_fails_on_each_read<R: Runtime>(world: &World<R>) {
    let answer = format!("{COUNTED}Content-Length: 20\r\n\r\nhello");
    let server = Server::scripted(Connection::new().expect_request().send(answer).close());
    let mut response = world.session().get(server.url("/")).send().await.unwrap();
    let mut seen = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        seen.extend_from_slice(&chunk);
    }
    assert_eq!((&*seen, response.body_state()), (&b"hello"[..], BodyState::Failed));
    assert_eq!(response.chunk().await.unwrap_err().kind(), Kind::IncompleteBody);
    assert_eq!(response.bytes().await.unwrap_err().kind(), Kind::IncompleteBody);
}

async fn a_decoded_body_has_no_content_length<R: Runtime>(world: &World<R>) {
    // "hello" as a stored block.
    let coded = b"\x78\x01\x01\x05\x00\xfa\xffhello\x06\x2c\x02\x15";
    let fields = "Content-Encoding: deflate\r\n";
    let (response, _server) = answer(world, fields, coded, 1000).await;
    assert_eq!(response.headers().get("content-length"), Some("16"));
    assert_eq!(response.content_length(), None);
    assert_eq!(response.text().await.unwrap(), "hello");
}

async fn f13_a_downloaded_file_is_complete_or_absent<R: Runtime>(world: &World<R>) {
    let (server, session, folder) = (Server::start(), world.session(), Folder::new());
    let path = folder.file("page");
    for path_of_url in ["/bytes/100000", "/chunked/100000?chunk=999", "/close/100000", "/bytes/0"] {
        let response = session.get(server.url(path_of_url)).send().await.unwrap();
        let count = response.save(&path).await.unwrap();
        assert!(std::fs::read(&path).unwrap() == pattern(usize::try_from(count).unwrap()), "{path_of_url}");
    }
    std::fs::write(&path, "old").unwrap();
    let cut = format!("{COUNTED}Content-Length: 20\r\n\r\nhello");
    let server = Server::scripted(Connection::new().expect_request().send(cut).close());
    let response = session.get(server.url("/")).send().await.unwrap();
    let error = response.save(&path).await.unwrap_err();
    assert_eq!(error.kind(), Kind::IncompleteBody);
    assert_eq!(std::fs::read(&path).unwrap(), b"old");

    let server = Server::start();
    // More than any network delivers by then, so the connection is closed on all of them.
    let mut response = session.get(server.url("/bytes/1000000")).send().await.unwrap();
    response.read(&mut [0; 10]).await.unwrap();
    let error = response.save(&path).await.unwrap_err();
    assert_eq!(error.kind(), Kind::PartlyRead);
    assert_eq!(std::fs::read(&path).unwrap(), b"old");

    let response = session.get(server.url("/bytes/100")).send().await.unwrap();
    let error = response.save(folder.file("missing/page")).await.unwrap_err();
    assert_eq!((error.kind(), error.io_kind()), (Kind::File, Some(std::io::ErrorKind::NotFound)));
    assert!(
        error.to_string().contains("cannot write the body to") && error.to_string().contains("page"),
        "{error}"
    );
    assert_eq!(folder.names(), ["page"], "no draft is left");
}
