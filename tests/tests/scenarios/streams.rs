//! Bodies as streams of `futures_core`, in both directions.

use ::smol::stream::{self, StreamExt as _};
use sessio::call::BodyState;
use sessio::{Bytes, Kind};
use sessio_driver::{BytesStream, Runtime};
use sessio_testkit::{Connection, Server, pattern};
use sessio_tests::movable::Movable;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    s09_a_body_is_a_stream_of_bytes
    s09_f13_a_stream_ends_with_the_error_of_its_body
    s12_lines_and_events_are_streams
    p34_a_stream_is_a_body
    f29_f30_a_faulty_stream_never_looks_complete
    a_body_streams_from_one_server_to_another
}

async fn s09_a_body_is_a_stream_of_bytes<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for path in ["/bytes/40000", "/chunked/40000?chunk=999", "/bytes/0"] {
        let mut body = Vec::new();
        let mut pieces = session.get(server.url(path)).send().await.unwrap().bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.unwrap();
            assert!(!piece.is_empty());
            body.extend_from_slice(&piece);
        }
        assert!(body == pattern(if path.ends_with("/0") { 0 } else { 40_000 }), "{path}");
        assert!(pieces.next().await.is_none(), "the end stays the end");
        assert_eq!(pieces.response().body_state(), BodyState::Read);
    }
    assert_eq!(server.accepted(), 1);
    // Bytes read another way are not yielded again, and the reverse.
    let mut response = session.get(server.url("/bytes/1000")).send().await.unwrap();
    let n = response.read(&mut [0; 10]).await.unwrap();
    let mut pieces = response.bytes_stream();
    let piece = pieces.next().await.unwrap().unwrap();
    assert!(pattern(1000)[n..].starts_with(&piece));
    let rest = pieces.into_response().rest().await.unwrap();
    assert!(rest == pattern(1000)[n + piece.len()..]);
}

async fn s09_f13_a_stream_ends_with_the_error_of_its_body<R: Runtime>(world: &World<R>) {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhello";
    let server = Server::scripted(Connection::new().expect_request().send(cut).close());
    let mut pieces = world.session().get(server.url("/")).send().await.unwrap().bytes_stream();
    let mut body = Vec::new();
    let error = loop {
        match pieces.next().await.expect("never as if it were whole") {
            Ok(piece) => body.extend_from_slice(&piece),
            Err(error) => break error,
        }
    };
    assert_eq!((&*body, error.kind()), (&b"hello"[..], Kind::IncompleteBody));
    assert!(pieces.next().await.is_none());
}

async fn s12_lines_and_events_are_streams<R: Runtime>(world: &World<R>) {
    let script = || {
        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 50\r\n\r\n";
        let body = "data: one\n\ndata: two\n\ndata: thr";
        Connection::new().expect_request().send(format!("{head}{body}")).close()
    };
    let server = Server::scripted([script(), script()]);
    let session = world.session();
    let lines = session.get(server.url("/")).send().await.unwrap().lines();
    let lines: Vec<_> = lines.map(|line| line.map_err(|error| error.kind())).collect().await;
    let text = |text: &str| Ok(text.to_owned());
    let cut = || Err(Kind::IncompleteBody);
    assert_eq!(lines, [text("data: one"), text(""), text("data: two"), text(""), cut()]);
    let events = session.get(server.url("/")).send().await.unwrap().events();
    let events: Vec<_> =
        events.map(|event| event.map(|event| event.data).map_err(|error| error.kind())).collect().await;
    assert_eq!(events, [text("one"), text("two"), cut()]);
}

async fn p34_a_stream_is_a_body<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let large = pattern(60_000);
    for length in [Some(60_000), None] {
        // Empty pieces do not end the body.
        let pieces: Vec<_> = large.chunks(7001).flat_map(|piece| [piece.to_vec(), Vec::new()]).collect();
        let pieces = stream::iter(pieces.into_iter().map(Ok::<_, sessio::Error>));
        session.put(server.url("/status/200")).stream(pieces, length).send().await.unwrap();
        let sent = server.requests().pop().unwrap();
        assert!(sent.body == large);
        assert_eq!(sent.header("content-length"), length.map(|length| length.to_string()));
        assert_eq!(sent.header("transfer-encoding").is_some(), length.is_none());
    }
    // The stream cannot be replayed.
    let pieces = stream::once(Ok::<_, sessio::Error>("once"));
    let url = server.url("/redirect-to?url=/get&status_code=307");
    let error = session.post(url).stream(pieces, None).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotReplayable);
}

async fn f29_f30_a_faulty_stream_never_looks_complete<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for (length, end, kind) in [
        (None, Err("the disk is gone"), Kind::BodySource),
        (Some(100), Err("the disk is gone"), Kind::BodySource),
        (Some(6), Ok(""), Kind::BodyLength),
        (Some(5), Ok("!"), Kind::BodyLength),
    ] {
        let server = Server::scripted(Connection::new());
        let pieces = stream::iter([Ok("hello"), end]);
        let error = session.post(server.url("/x")).stream(pieces, length).send().await.unwrap_err();
        assert_eq!(error.kind(), kind);
        if kind == Kind::BodySource {
            assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the disk is gone");
        }
        server.wait_closed(0);
        assert_eq!(session.stats().idle, 0);
    }
}

async fn a_body_streams_from_one_server_to_another<R: Movable>(world: &World<R>) {
    let (near, far, session) = (Server::start(), Server::start(), world.session());
    let response = session.get(near.url("/chunked/60000?chunk=4099")).send().await.unwrap();
    let pieces: BytesStream<_> = response.bytes_stream();
    session.post(far.url("/status/200")).stream(pieces, None).send().await.unwrap();
    assert!(far.requests()[0].body == pattern(60_000));
    fn is_an_item<T>(_: &Option<Result<Bytes, T>>) {}
    is_an_item::<sessio::Error>(
        &session.get(near.url("/bytes/1")).send().await.unwrap().bytes_stream().next().await,
    );
}
