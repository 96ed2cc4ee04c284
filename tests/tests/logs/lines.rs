//! The lines of a log.

use sessio::retry::RetryPolicy;
use sessio_driver::Runtime;
use sessio_testkit::{Connection, Server};
use sessio_tests::redirect_chain::refusing_server;
use sessio_tests::scenarios;
use sessio_tests::world::World;

use crate::receiver::{Receiver, bare};

scenarios! {
    s21_a_log_shows_connections_responses_and_redirects
    s21_a_retry_is_a_warning
    s21_a_failure_is_one_line_with_its_causes
    s21_a_dump_shows_heads_and_lengths
}

async fn s21_a_log_shows_connections_responses_and_redirects<R: Runtime>(world: &World<R>) {
    let receiver = Receiver::new();
    let (server, session) = (Server::start(), world.session());
    let first = session.get(server.url("/redirect/1?page=2&token=hunter2")).send().await.unwrap();
    let (moved, length) = (
        first.history()[0].head.headers.get("Content-Length").unwrap().to_owned(),
        first.bytes().await.unwrap().len(),
    );
    session.delete(server.url("/status/404")).send().await.unwrap().bytes().await.unwrap();
    let lines = bare(&receiver.logged(), &server, &["DEBUG"]);
    assert_eq!(
        lines,
        [
            "new connection 1 to HOST".to_owned(),
            format!(
                "http://HOST \"GET /redirect/1?page=2&token=REDACTED HTTP/1.1\" 302 {moved}, connection 1"
            ),
            "redirect to GET http://HOST/get".to_owned(),
            "reused connection 1 to HOST".to_owned(),
            format!("http://HOST \"GET /get HTTP/1.1\" 200 {length}, connection 1"),
            format!("body of {length} bytes, connection 1 kept"),
            "reused connection 1 to HOST".to_owned(),
            "http://HOST \"DELETE /status/404 HTTP/1.1\" 404 0, connection 1".to_owned(),
            "body of 0 bytes, connection 1 kept".to_owned(),
        ]
    );
    // Both crates receive the same records.
    let mine = |lines: Vec<_>| bare(&lines, &server, &["WARN", "DEBUG", "TRACE"]);
    assert_eq!(mine(receiver.logged()), mine(receiver.traced()));
    assert!(receiver.logged().iter().all(|line| line.text.chars().all(|char| !char.is_control())));
}

async fn s21_a_retry_is_a_warning<R: Runtime>(world: &World<R>) {
    let receiver = Receiver::new();
    let busy = "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n";
    let server =
        Server::scripted(Connection::new().expect_request().send(busy).expect_request().ok("fine").routes());
    let session = world.session();
    session.update(|settings| settings.retry = RetryPolicy::web().into());
    session.get(server.url("/")).send().await.unwrap().bytes().await.unwrap();
    let warning = "GET http://HOST/: waiting, status 503: again after 0ns, as Retry-After asks";
    assert_eq!(bare(&receiver.logged(), &server, &["WARN"]), [warning]);
    let lines = bare(&receiver.logged(), &server, &["DEBUG"]);
    assert_eq!(lines[1], "http://HOST \"GET / HTTP/1.1\" 503 0, connection 1");
    assert_eq!(lines[3], "http://HOST \"GET / HTTP/1.1\" 200 4, connection 1");
}

async fn s21_a_failure_is_one_line_with_its_causes<R: Runtime>(world: &World<R>) {
    let receiver = Receiver::new();
    let (server, session) = (refusing_server(), world.session());
    let error = session.get(server.url("/?key=hunter2")).send().await.unwrap_err();
    let lines = bare(&receiver.logged(), &server, &["WARN", "DEBUG"]);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert!(line.starts_with("GET failed: ") && line.contains("/?key=REDACTED"), "{line}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    let port = server.url("/").rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    assert!(cause.contains(&port) && line.split(": ").count() > 2, "{line}");
}

async fn s21_a_dump_shows_heads_and_lengths<R: Runtime>(world: &World<R>) {
    let receiver = Receiver::new();
    let (server, session) = (Server::start(), world.session());
    session.update(|settings| settings.headers.clear());
    let request = session.post(server.url("/status/201")).bearer_auth("hunter2").body("twelve bytes");
    request.send().await.unwrap().bytes().await.unwrap();
    let lines = receiver.logged();
    let wire: Vec<_> =
        lines.iter().filter(|line| line.target == "sessio::wire").map(|line| &*line.text).collect();
    let sent: Vec<_> = wire.iter().copied().filter(|line| line.starts_with("1 > ")).collect();
    assert!(sent[0].starts_with("1 > POST ") && sent[0].ends_with("/status/201 HTTP/1.1"), "{sent:?}");
    for line in ["1 > Content-Length: 12", "1 > Authorization: ***", "1 > [12 bytes of body]"] {
        assert!(sent.contains(&line), "{sent:?}");
    }
    assert!(sent[1].starts_with("1 > Host: "), "{sent:?}");
    let received: Vec<_> = wire.iter().copied().filter(|line| line.starts_with("1 < ")).collect();
    assert!(received[0].starts_with("1 < HTTP/1.1 201"), "{received:?}");
    assert!(received.contains(&"1 < Content-Length: 0"), "{received:?}");
    // The end of each head is a line of its own.
    assert!(wire.contains(&"1 >") && wire.contains(&"1 <"), "{wire:?}");
}
