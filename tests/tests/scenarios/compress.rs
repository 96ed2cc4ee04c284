//! Request bodies that are compressed while they are sent.

use std::io::Read as _;

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use sessio::coding::ContentCoding;
use sessio::{Body, Kind};
use sessio_driver::Runtime;
use sessio_driver::multipart::{Form, Part};
use sessio_testkit::{Connection, Request, Server, pattern};
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    coded_bytes_have_their_coded_length
    sources_are_coded_while_they_are_sent
    a_coded_or_empty_body_is_not_coded_again
    r10_f32_a_coded_body_is_sent_again
    f29_f30_a_faulty_coded_source_never_looks_complete
    r12_a_redirect_that_drops_the_body_drops_its_coding
}

/// The decoded body of a request, by its Content-Encoding.
fn undone(request: &Request) -> Vec<u8> {
    let mut body = Vec::new();
    match &*request.header_all("content-encoding").concat() {
        "gzip" => MultiGzDecoder::new(&request.body[..]).read_to_end(&mut body).unwrap(),
        "deflate" => ZlibDecoder::new(&request.body[..]).read_to_end(&mut body).unwrap(),
        other => panic!("coded as {other:?}"),
    };
    body
}

async fn coded_bytes_have_their_coded_length<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let url = server.url("/status/200");
    for coding in [ContentCoding::Gzip, ContentCoding::Deflate] {
        for body in [b"x".to_vec(), pattern(60_000), vec![0; 200_000]] {
            // The order of the two calls does not matter.
            let request =
                session.post(&url).compress(coding).body(body.clone()).header("Content-Length", "5");
            assert_eq!(request.send().await.unwrap().status(), 200);
            let sent = server.requests().pop().unwrap();
            assert!(undone(&sent) == body);
            assert_eq!(sent.header_all("content-length"), [sent.body.len().to_string()]);
            assert_eq!(sent.header("transfer-encoding"), None);
        }
    }
    session.post(&url).form([("a", "b c")]).compress(ContentCoding::Gzip).send().await.unwrap();
    session.post(&url).json(&[1, 2]).compress(ContentCoding::Deflate).send().await.unwrap();
    let kind = "multipart/form-data; boundary=of-our-own";
    let parts = session.post(&url).multipart(Form::new().text("a", "b")).header("Content-Type", kind);
    parts.compress(ContentCoding::Gzip).send().await.unwrap();
    let requests = server.requests();
    let [.., form, json, parts] = &requests[..] else { panic!("requests are missing") };
    assert_eq!((undone(form), undone(json)), (b"a=b+c".to_vec(), b"[1, 2]".to_vec()));
    assert_eq!(form.header("content-type").as_deref(), Some("application/x-www-form-urlencoded"));
    assert_eq!(sessio::testing::multipart::read("of-our-own", &undone(parts)).unwrap()[0].content, b"b");
}

async fn sources_are_coded_while_they_are_sent<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let url = server.url("/status/200");
    let large = pattern(60_000);
    for (coding, size, length) in [
        (ContentCoding::Gzip, 1000, Some(60_000)),
        (ContentCoding::Gzip, 20_000, None),
        (ContentCoding::Deflate, 700, Some(60_000)),
        (ContentCoding::Deflate, 60_000, None),
    ] {
        let source = Pieces::of(large.chunks(size));
        let mut request = session.put(&url).source(source, length, false).compress(coding);
        if length.is_some() {
            request = request.header("Content-Length", "60000");
        }
        request.send().await.unwrap();
        let sent = server.requests().pop().unwrap();
        assert!(undone(&sent) == large, "{coding:?} {size}");
        assert_eq!(sent.header("content-length"), None);
        assert_eq!(sent.header("transfer-encoding").as_deref(), Some("chunked"));
    }
    let part = Part::source(Pieces::of(["in ", "pieces"]), None, false);
    let kind = "multipart/form-data; boundary=of-our-own";
    let parts = session.post(&url).multipart(Form::new().part("a", part)).header("Content-Type", kind);
    parts.compress(ContentCoding::Gzip).send().await.unwrap();
    let sent = server.requests().pop().unwrap();
    let parts = sessio::testing::multipart::read("of-our-own", &undone(&sent));
    assert_eq!(parts.unwrap()[0].content, b"in pieces");
    assert_eq!(server.accepted(), 1);
}

async fn a_coded_or_empty_body_is_not_coded_again<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let url = server.url("/status/200");
    for own in ["gzip", "identity", "br"] {
        for _ in 0..2 {
            let request = session.post(&url).header("content-encoding", own).compress(ContentCoding::Gzip);
            request.body("as it is").send().await.unwrap();
            let sent = server.requests().pop().unwrap();
            assert_eq!(
                (sent.text(), sent.header_all("content-encoding")),
                ("as it is".into(), vec![own.into()])
            );
        }
    }
    for (method, body, length) in
        [("GET", Body::empty(), None), ("POST", Body::empty(), Some("0")), ("POST", "".into(), Some("0"))]
    {
        session.request(method, &url).body(body).compress(ContentCoding::Gzip).send().await.unwrap();
        let sent = server.requests().pop().unwrap();
        assert_eq!(sent.header("content-encoding"), None);
        assert_eq!(sent.header("content-length").as_deref(), length);
    }
}

async fn r10_f32_a_coded_body_is_sent_again<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let body = pattern(30_000);
    let again = |line: &str| format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n");
    for is_source in [false, true] {
        let server = Server::scripted(
            Connection::new()
                .expect_request()
                .send(again("307 Again\r\nLocation: /there"))
                .expect_request()
                .ok("there"),
        );
        let request = session.post(server.url("/")).compress(ContentCoding::Gzip);
        let request = match is_source {
            false => request.body(body.clone()),
            true => request.source(Pieces::of(body.chunks(999)), Some(30_000), true),
        };
        assert_eq!(request.send().await.unwrap().text().await.unwrap(), "there");
        let requests = server.requests();
        let [first, second] = &requests[..] else { panic!("{} requests", requests.len()) };
        assert!(undone(first) == body && first.body == second.body);
        assert_eq!(second.header("content-encoding").as_deref(), Some("gzip"));
    }
    // A body that cannot be replayed without a coding cannot be replayed with one.
    let server =
        Server::scripted(Connection::new().expect_request().send(again("307 Again\r\nLocation: /x")));
    let request = session.post(server.url("/")).source(Pieces::of(["once"]), None, false);
    let error = request.compress(ContentCoding::Gzip).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotReplayable);
}

async fn f29_f30_a_faulty_coded_source_never_looks_complete<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for (source, length, kind) in [
        (Pieces::of(["hello"]), Some(6), Kind::BodyLength),
        (Pieces::of(["hello", "!"]), Some(5), Kind::BodyLength),
        (Pieces::of([pattern(100_000)]), Some(99_999), Kind::BodyLength),
        (Pieces::of([""; 0]), Some(1), Kind::BodyLength),
        (Pieces::of([pattern(30_000)]).then_fail(), None, Kind::BodySource),
    ] {
        let server = Server::scripted(Connection::new());
        let request =
            session.post(server.url("/x")).source(source, length, false).compress(ContentCoding::Gzip);
        assert_eq!(request.send().await.unwrap_err().kind(), kind, "{length:?}");
        let recording = server.wait_closed(0);
        assert!(recording.requests().is_empty() && !recording.received.ends_with(b"0\r\n\r\n"));
    }
    assert_eq!(session.stats().idle, 0);
}

async fn r12_a_redirect_that_drops_the_body_drops_its_coding<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let url = server.url("/redirect-to?url=/get&status_code=303");
    session.post(url).body("hello").compress(ContentCoding::Gzip).send().await.unwrap();
    let sent = server.requests();
    assert_eq!(undone(&sent[0]), b"hello");
    assert_eq!((sent[1].header("content-encoding"), sent[1].body.len()), (None, 0));
}
