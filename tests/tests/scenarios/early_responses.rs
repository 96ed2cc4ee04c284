//! Long responses during the upload, and uploads with HEAD (RFC 9110 sections 7.5, 9.3.2).

use sessio_driver::{Runtime, Session};
use sessio_testkit::{Connection, Otherwise, Script, Server, pattern};
use sessio_tests::coded::{coded, text};
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::source::{Endless, Pieces};
use sessio_tests::world::World;

scenarios! {
    fm_a_long_refusal_during_an_upload_is_read_to_its_end
    fm_a_long_refusal_is_read_although_the_server_reads_on
    fm_the_rest_of_a_long_refusal_is_no_next_response
    fm_head_with_an_upload_has_no_body_and_keeps_its_connection
    fm_a_response_to_head_comes_before_the_end_of_its_upload
}

/// More than the sockets hold in one direction, in bytes.
const UPLOAD: usize = 8 << 20;

/// The body of the upload.
#[derive(Clone, Copy, Debug)]
enum Upload {
    Bytes,
    Declared,
    Chunked,
}

const UPLOADS: [Upload; 3] = [Upload::Bytes, Upload::Declared, Upload::Chunked];

impl Upload {
    fn request<R: Runtime>(
        self,
        session: &Session<R>,
        method: &str,
        url: &str,
    ) -> sessio_driver::RequestBuilder<R> {
        let request = session.request(method, url);
        match self {
            Self::Bytes => request.body(vec![b'x'; UPLOAD]),
            Self::Declared => request.source(Endless, Some(UPLOAD as u64), false),
            Self::Chunked => request.source(Endless, None, false),
        }
    }
}

/// A refusal with a body, in one of four forms.
fn refusal(form: usize, body: &[u8]) -> Vec<u8> {
    let by_length = |fields: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 413 Too Large\r\n{fields}Content-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    };
    let chunked = |fields: &str, body: &[u8], size: usize| {
        let head = format!("HTTP/1.1 413 Too Large\r\n{fields}Transfer-Encoding: chunked\r\n\r\n");
        let mut said = head.into_bytes();
        for chunk in body.chunks(size) {
            said.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            said.extend_from_slice(chunk);
            said.extend_from_slice(b"\r\n");
        }
        [said, b"0\r\n\r\n".to_vec()].concat()
    };
    match form {
        0 => by_length("", body),
        1 => chunked("", body, 1000),
        2 => by_length("Content-Encoding: gzip\r\n", &coded("gzip", body)),
        _ => chunked("Content-Encoding: gzip\r\n", &coded("gzip", body), 7),
    }
}

async fn fm_a_long_refusal_during_an_upload_is_read_to_its_end<R: Runtime>(world: &World<R>) {
    let body = text(100_000);
    for (form, upload) in (0..4).zip(UPLOADS.into_iter().cycle()) {
        let session = world.session();
        // The server reads the head of the request and a part of its body, then stops reading.
        let read = [0, 50_000][form % 2];
        let script = Connection::new().read_head().read(read).send(refusal(form, &body)).stall();
        let server = Server::scripted(script);
        server.record_bytes(false);
        let response = upload.request(&session, "POST", &server.url("/x")).send().await.unwrap();
        assert_eq!(response.status(), 413);
        assert!(response.bytes().await.unwrap() == body, "{form} {upload:?}");
        assert_eq!(session.stats().idle, 0, "half a request has gone out on it");
        server.release();
    }
}

async fn fm_a_long_refusal_is_read_although_the_server_reads_on<R: Runtime>(world: &World<R>) {
    let body = text(100_000);
    for (form, upload) in (0..4).zip(UPLOADS.into_iter().cycle().skip(1)) {
        let session = world.session();
        let said = refusal(form, &body);
        let (begun, rest) = said.split_at(said.len() / 2);
        let server = Server::scripted(Connection::new().read_head().send(begun).gate("more").send(rest));
        server.record_bytes(false);
        let mut response = upload.request(&session, "PUT", &server.url("/x")).send().await.unwrap();
        let mut read = Vec::new();
        let mut room = vec![0; 3000];
        while let n @ 1.. = response.read(&mut room).await.unwrap() {
            read.extend_from_slice(&room[..n]);
            server.open_gate("more");
        }
        assert!(read == body, "{form} {upload:?}");
        assert!(server.wait_closed(0).requests().is_empty(), "the upload has ended before its end");
    }
}

async fn fm_the_rest_of_a_long_refusal_is_no_next_response<R: Runtime>(world: &World<R>) {
    let body = text(100_000);
    for (form, upload) in (0..4).zip(UPLOADS.into_iter().cycle().skip(2)) {
        let session = world.session();
        let first = Connection::new().read_head().send(refusal(form, &body)).stall();
        let server = Server::scripted(Script::new().connection(first).otherwise(Otherwise::Routes));
        server.record_bytes(false);
        let mut response = upload.request(&session, "POST", &server.url("/x")).send().await.unwrap();
        assert!(!response.chunk().await.unwrap().unwrap().is_empty());
        drop(response);
        let next = fetch(session.get(server.url("/get"))).await;
        assert_eq!((next.status, next.connection), (200, (2, false)), "{form} {upload:?}");
        server.release();
    }
}

async fn fm_head_with_an_upload_has_no_body_and_keeps_its_connection<R: Runtime>(world: &World<R>) {
    let body = pattern(70_000);
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 100000\r\n\r\n",
        "HTTP/1.1 413 Too Large\r\nContent-Length: 100000\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    ] {
        let session = world.session();
        let script = Connection::new().expect_request().send(head).expect_request().send(head).routes();
        let server = Server::scripted(script);
        let request = || session.head(server.url("/x"));
        let response = request().body(body.clone()).send().await.unwrap();
        assert_eq!(response.bytes().await.unwrap(), "", "{head}");
        let source = Pieces::of(body.chunks(30_000));
        let response = request().source(source, None, false).send().await.unwrap();
        assert_eq!(sessio_tests::fetch::connection(&response), (1, true), "{head}");
        assert_eq!(response.bytes().await.unwrap(), "", "{head}");
        assert_eq!(fetch(session.get(server.url("/get"))).await.connection, (1, true), "{head}");
        let sent = server.requests();
        assert!(sent[..2].iter().all(|one| one.method() == "HEAD" && one.body == body), "{head}");
    }
}

async fn fm_a_response_to_head_comes_before_the_end_of_its_upload<R: Runtime>(world: &World<R>) {
    for head in [
        "HTTP/1.1 413 Too Large\r\nContent-Length: 100000\r\n\r\n",
        "HTTP/1.1 413 Too Large\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    ] {
        for upload in UPLOADS {
            let session = world.session();
            let first = Connection::new().read_head().send(head).stall();
            let server = Server::scripted(Script::new().connection(first).otherwise(Otherwise::Routes));
            server.record_bytes(false);
            let response = upload.request(&session, "HEAD", &server.url("/x")).send().await.unwrap();
            assert_eq!(response.headers().contains("content-length"), head.contains("-Length"));
            assert_eq!(response.bytes().await.unwrap(), "", "{head}");
            // Bytes that the server sends later do not concern the next request.
            let next = fetch(session.get(server.url("/get"))).await;
            assert_eq!((next.status, next.connection), (200, (2, false)), "{head} {upload:?}");
            server.release();
        }
    }
}
