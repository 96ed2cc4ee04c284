//! Bodies as readers: of `futures_io`, of tokio, of the standard library.

use std::io::{self, BufRead as _, Read as _};

use ::smol::io::{AsyncReadExt as _, Cursor};
use ::smol::stream::StreamExt as _;
use sessio::Kind;
use sessio_driver::Runtime;
use sessio_testkit::{Connection, Server, pattern};
use sessio_tests::movable::Movable;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    futures_readers_read_every_framing
    f13_futures_readers_fail_on_a_truncated_body
    p34_futures_readers_are_uploaded
}

const WHOLES: [&str; 2] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello,\nyou\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n,\nyou\n\r\n0\r\nX: y\r\n\r\n",
];

/// Truncated responses, one for each point at which a body can end too early.
fn cuts() -> impl Iterator<Item = &'static str> {
    WHOLES
        .into_iter()
        .flat_map(|whole| (whole.find("\r\n\r\n").unwrap() + 4..whole.len()).map(|at| &whole[..at]))
}

fn cut_server(answer: &str) -> Server {
    Server::scripted(Connection::new().expect_request().send(answer).close())
}

/// Row F13: the error has a reason, and is of a kind that readers know.
fn check_cut(error: &io::Error, answer: &str) {
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{answer:?}: {error}");
    let cause = error.get_ref().unwrap().downcast_ref::<sessio::Error>().unwrap();
    assert_eq!(cause.kind(), Kind::IncompleteBody, "{answer:?}");
}

async fn futures_readers_read_every_framing<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for path in ["/bytes/100000", "/chunked/100000?chunk=777&trailers=1"] {
        let mut response = session.get(server.url(path)).send().await.unwrap();
        let mut seen = Vec::new();
        response.read_to_end(&mut seen).await.unwrap();
        assert!(seen == pattern(100_000), "{path}");
        assert_eq!(response.trailers().is_empty(), path.starts_with("/bytes"), "the head outlives the body");
    }
    let response = session.get(server.url("/stream/5")).send().await.unwrap();
    let lines: Vec<_> = ::smol::io::AsyncBufReadExt::lines(response).try_collect().await.unwrap();
    assert!(lines.len() == 5 && lines.iter().all(|line| line.starts_with('{') && line.ends_with('}')));
    let mut copy = Vec::new();
    let mut response = session.get(server.url("/bytes/100000")).send().await.unwrap();
    assert!(response.copy_to(&mut copy).await.unwrap() == 100_000 && copy == pattern(100_000));
    assert_eq!((server.accepted(), session.stats().idle), (1, 1));
}

async fn f13_futures_readers_fail_on_a_truncated_body<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for answer in cuts() {
        let server = cut_server(answer);
        let mut response = session.get(server.url("/")).send().await.unwrap();
        let mut seen = Vec::new();
        check_cut(&response.read_to_end(&mut seen).await.unwrap_err(), answer);
        check_cut(&::smol::io::AsyncBufReadExt::fill_buf(&mut response).await.unwrap_err(), answer);
        assert!(b"hello,\nyou\n".starts_with(&seen[..]));
    }
}

async fn p34_futures_readers_are_uploaded<R: Movable>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let large = pattern(200_000);
    for length in [Some(200_000), None] {
        let upload = session.put(server.url("/status/200")).reader(Cursor::new(large.clone()), length);
        upload.send().await.unwrap();
        let sent = server.requests().pop().unwrap();
        assert!(sent.body == large);
        assert_eq!(sent.header("content-length"), length.map(|length| length.to_string()));
    }
    // From one server to another, without the complete body in memory.
    let (far, near) = (Server::start(), session.get(server.url("/chunked/200000")).send().await.unwrap());
    session.put(far.url("/status/200")).reader(near, None).send().await.unwrap();
    assert!(far.requests().pop().unwrap().body == large);
    for length in [199_999, 200_001] {
        let server = Server::scripted(Connection::new());
        let upload = session.put(server.url("/")).reader(Cursor::new(large.clone()), Some(length));
        assert_eq!(upload.send().await.unwrap_err().kind(), Kind::BodyLength);
        assert!(server.wait_closed(0).requests().is_empty());
    }
}

#[tokio::test]
async fn tokio_readers_read_and_are_uploaded() {
    use sessio_tokio::{Reader, Session, body::ReaderSource};
    use tokio::io::AsyncReadExt as _;

    let (server, far, session) = (Server::start(), Server::start(), Session::new());
    let large = pattern(100_000);
    for path in ["/bytes/100000", "/chunked/100000?chunk=777"] {
        let mut reader = Reader::from(session.get(server.url(path)).send().await.unwrap());
        assert_eq!(reader.status(), 200);
        let mut start = [0; 10];
        reader.read_exact(&mut start).await.unwrap();
        assert!(start[..] == large[..10]);
        assert!(reader.into_response().rest().await.unwrap() == large[10..]);
    }
    for (answer, is_whole) in
        WHOLES.map(|whole| (whole, true)).into_iter().chain(cuts().map(|cut| (cut, false)))
    {
        let (server, mut copy) = (cut_server(answer), Vec::new());
        let mut reader = Reader::from(session.get(server.url("/")).send().await.unwrap());
        match reader.copy_to(&mut copy).await {
            Ok(count) => assert!(is_whole && count == 11 && copy == b"hello,\nyou\n", "{answer:?}"),
            Err(error) => check_cut(&error, answer),
        }
    }
    for length in [Some(100_000), None] {
        let near = Reader::from(session.get(server.url("/chunked/100000")).send().await.unwrap());
        let upload = session.put(far.url("/status/200")).source(ReaderSource::new(near), length, false);
        upload.send().await.unwrap();
        let sent = far.requests().pop().unwrap();
        assert!(sent.body == large);
        assert_eq!(sent.header("content-length"), length.map(|length| length.to_string()));
    }
    for answer in cuts() {
        let server = cut_server(answer);
        let mut reader = Reader::from(session.get(server.url("/")).send().await.unwrap());
        check_cut(&reader.read_to_end(&mut Vec::new()).await.unwrap_err(), answer);
        check_cut(&tokio::io::AsyncBufReadExt::fill_buf(&mut reader).await.unwrap_err(), answer);
    }
}

#[test]
fn readers_of_the_standard_library_read_and_are_uploaded() {
    let (server, far, session) = (Server::start(), Server::start(), sessio_blocking::Session::new());
    let large = pattern(100_000);
    for path in ["/bytes/100000", "/chunked/100000?chunk=777"] {
        let mut response = session.get(server.url(path)).send().unwrap();
        let mut start = [0; 10];
        response.read_exact(&mut start).unwrap();
        assert!(start[..] == large[..10]);
        assert!(response.rest().unwrap() == large[10..]);
    }
    let lines: Vec<_> = session.get(server.url("/stream/5")).send().unwrap().lines().collect();
    let own: Vec<_> = io::BufRead::lines(session.get(server.url("/stream/5")).send().unwrap()).collect();
    assert!(own.iter().zip(&lines).all(|(own, line)| own.as_ref().unwrap() == line.as_ref().unwrap()));
    assert!(lines.len() == 5 && lines.iter().all(|line| line.as_ref().unwrap().ends_with('}')));
    let mut copy = Vec::new();
    let mut response = session.get(server.url("/chunked/100000?chunk=777")).send().unwrap();
    assert!(response.copy_to(&mut copy).unwrap() == 100_000 && copy == large);
    for length in [Some(100_000), None] {
        let near = session.get(server.url("/chunked/100000")).send().unwrap();
        session.put(far.url("/status/200")).reader(near, length).send().unwrap();
        let sent = far.requests().pop().unwrap();
        assert!(sent.body == large);
        assert_eq!(sent.header("content-length"), length.map(|length| length.to_string()));
    }
    for answer in cuts() {
        let server = cut_server(answer);
        let mut response = session.get(server.url("/")).send().unwrap();
        check_cut(&response.read_to_end(&mut Vec::new()).unwrap_err(), answer);
        check_cut(&response.fill_buf().unwrap_err(), answer);
        let server = cut_server(answer);
        let lines = session.get(server.url("/")).send().unwrap().lines();
        // A caller that ignores errors reaches the end, and no line is truncated.
        assert!(lines.flatten().all(|line| ["hello,", "you"].contains(&&*line)));
    }
}
