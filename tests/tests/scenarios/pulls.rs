//! The pull rule: all received bytes are read, however many stages of a connection hold parts of
//! them.

use std::sync::LazyLock;

use sessio::Auth;
use sessio::coding::ContentCoding;
use sessio::tls::Tls;
use sessio_driver::{Digest, Response, Runtime, Session};
use sessio_testkit::{Connection, Server, pattern};
use sessio_tests::authority::{Authority, Issued};
use sessio_tests::coded::{CODINGS, coded, text};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::folder::Folder;
use sessio_tests::scenarios;
use sessio_tests::server_tls::ServerTls;
use sessio_tests::way::Way;
use sessio_tests::world::World;

/// Large bodies: dropping each of these calls at twenty points would take minutes.
mod large {
    use super::{
        fm2_the_rest_of_a_followed_response_is_drained, fn1_a_coded_body_over_tls_is_read_by_every_method,
        fn1_a_coded_body_over_tls_is_read_through_every_proxy, scenarios,
    };

    scenarios! { waiting:
        fn1_a_coded_body_over_tls_is_read_through_every_proxy
        fn1_a_coded_body_over_tls_is_read_by_every_method
        fm2_the_rest_of_a_followed_response_is_drained
    }
    scenarios! { @on blocking: BlockingThread =>
        fn1_a_coded_body_over_tls_is_read_through_every_proxy
        fn1_a_coded_body_over_tls_is_read_by_every_method
        fm2_the_rest_of_a_followed_response_is_drained
    }
}

scenarios! { sealed:
    fm1_heads_that_come_together_are_read
    fn1_interim_heads_and_trailers_over_tls
    fn1_a_coded_upload_over_tls
    fn1_a_download_over_tls_is_resumed
}

static ROOT: LazyLock<Authority> = LazyLock::new(|| Authority::root("root"));
static SERVER: LazyLock<Issued> = LazyLock::new(|| ROOT.issue(|_| {}));

/// A session that trusts the server and reaches it this way.
fn session<R: Runtime>(world: &World<R>, way: Way, server: &Server) -> Session<FaultyRuntime<R>> {
    let session = world.session();
    session
        .try_update(|settings| {
            settings.tls = Tls::default().roots(ROOT.certificates());
            if let Some(proxy) = way.proxy(server)? {
                settings.proxies.set("all", proxy)?;
            }
            Ok(())
        })
        .unwrap();
    session
}

/// A server on this way that plays this script.
fn serve(way: Way, script: Connection) -> Server {
    Server::adapted_scripted(way.adapters(ServerTls::new(&SERVER)), script)
}

/// A response with this body: by its length, or in chunks of 1,000 bytes.
fn response(fields: &str, body: &[u8], is_chunked: bool) -> Vec<u8> {
    let mut response = format!("HTTP/1.1 200 OK\r\n{fields}").into_bytes();
    if !is_chunked {
        response.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        return [response, body.to_vec()].concat();
    }
    response.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
    for chunk in body.chunks(1000) {
        response.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        response.extend_from_slice(chunk);
        response.extend_from_slice(b"\r\n");
    }
    response.extend_from_slice(b"0\r\n\r\n");
    response
}

async fn fn1_a_coded_body_over_tls_is_read_through_every_proxy<R: Runtime>(world: &World<R>) {
    let body = text(300_000);
    for way in Way::ALL {
        for coding in CODINGS {
            let is_chunked = (coding == "gzip") == (way == Way::Https);
            let fields = format!("Content-Encoding: {coding}\r\n");
            let sent = response(&fields, &coded(coding, &body), is_chunked);
            let server = serve(way, Connection::new().expect_request().send(sent).routes());
            let session = session(world, way, &server);
            let get = session.get(server.url("/")).header("Accept-Encoding", "gzip, br, zstd");
            let bytes = get.send().await.unwrap().bytes().await.unwrap();
            assert!(bytes == body, "{way:?} {coding}");
            // The body was complete, so the connection is reused.
            let next = session.get(server.url("/get")).send().await.unwrap();
            assert_eq!(sessio_tests::fetch::connection(&next), (1, true), "{way:?} {coding}");
            next.bytes().await.unwrap();
        }
    }
}

async fn fn1_a_coded_body_over_tls_is_read_by_every_method<R: Runtime>(world: &World<R>) {
    let body = text(300_000);
    let sent = response("Content-Encoding: gzip\r\n", &coded("gzip", &body), false);
    let get = async || {
        let server = serve(Way::Direct, Connection::new().expect_request().send(&sent));
        let response = session(world, Way::Direct, &server).get(server.url("/")).send().await.unwrap();
        (server, response)
    };
    let (_server, response) = get().await;
    assert!(response.text().await.unwrap().as_bytes() == body);

    let (_server, mut response) = get().await;
    let mut read = Vec::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        read.extend_from_slice(&chunk);
    }
    assert!(read == body);

    let (_server, mut response) = get().await;
    assert!(pieces(&mut response, 700).await == body);

    let (_server, mut response) = get().await;
    let mut read = Vec::new();
    while response.read_with(|bytes| read.extend_from_slice(bytes)).await.unwrap() {}
    assert!(read == body);

    let (_server, response) = get().await;
    let (mut lines, mut count) = (response.lines(), 0);
    while lines.next().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, body.split(|byte| *byte == b'\n').count());

    let (_server, response) = get().await;
    let folder = Folder::new();
    response.save(folder.file("page")).await.unwrap();
    assert!(std::fs::read(folder.file("page")).unwrap() == body);
}

/// The body, read in pieces of at most this size.
async fn pieces<R: Runtime>(response: &mut Response<R>, size: usize) -> Vec<u8> {
    let (mut read, mut room) = (Vec::new(), vec![0; size]);
    loop {
        match response.read(&mut room).await.unwrap() {
            0 => return read,
            n => read.extend_from_slice(&room[..n]),
        }
    }
}

async fn fm1_heads_that_come_together_are_read<R: Runtime>(world: &World<R>) {
    for way in Way::ALL {
        // In one write and one record: more than the initial space for a response.
        for (interim, own, body) in [(5_000, 4_000, 10), (7_900, 8_000, 0), (4_000, 8_100, 9_000)] {
            let hint = format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n", "x".repeat(interim));
            let field = format!("X-Long: {}\r\n", "y".repeat(own));
            let sent = [hint.into_bytes(), response(&field, &pattern(body), false)].concat();
            let server = serve(way, Connection::new().expect_request().send(sent).routes());
            let session = session(world, way, &server);
            let response = session.get(server.url("/")).send().await.unwrap();
            assert_eq!(response.headers().get("x-long").unwrap().len(), own, "{way:?}");
            assert!(response.bytes().await.unwrap() == pattern(body), "{way:?} {interim} {own} {body}");
            session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
            assert_eq!(session.stats().dialled, 1, "{way:?}");
        }
    }
}

async fn fm2_the_rest_of_a_followed_response_is_drained<R: Runtime>(world: &World<R>) {
    for way in Way::ALL {
        for (length, is_chunked) in [(8 << 10, false), (20_000, true), (40_000, false), (64 << 10, false)] {
            for status in [302, 401] {
                let fields = match status {
                    302 => "Location: /get\r\n",
                    _ => "WWW-Authenticate: Digest realm=\"r\", qop=\"auth\", nonce=\"n\"\r\n",
                };
                let sent = response(fields, &pattern(length), is_chunked);
                let sent = [format!("HTTP/1.1 {status} X").as_bytes(), &sent[15..]].concat();
                let server = serve(way, Connection::new().expect_request().send(sent).routes());
                let session = session(world, way, &server);
                let auth = Auth::flow(Digest::new("user", "secret"));
                let response = session.get(server.url("/anything")).auth(auth).send().await.unwrap();
                assert_eq!(response.status(), 200);
                assert_eq!(response.history()[0].head.status, status);
                let what = format!("{way:?} {status} {length} {is_chunked}");
                assert_eq!(
                    sessio_tests::fetch::connection(&response),
                    (1, true),
                    "the connection is kept: {what}"
                );
                response.bytes().await.unwrap();
            }
        }
    }
}

async fn fn1_interim_heads_and_trailers_over_tls<R: Runtime>(world: &World<R>) {
    for way in Way::ALL {
        let body = text(20_000);
        let fields = "Content-Encoding: gzip\r\nTrailer: X-Sum\r\n";
        let mut sent = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(3);
        sent.extend_from_slice(&response(fields, &coded("gzip", &body), true));
        sent.truncate(sent.len() - 2);
        sent.extend_from_slice(b"X-Sum: 20000\r\n\r\n");
        let server = serve(way, Connection::new().expect_request().send(sent).routes());
        let session = session(world, way, &server);
        let mut response = session.get(server.url("/")).send().await.unwrap();
        assert!(pieces(&mut response, 5_000).await == body, "{way:?}");
        assert_eq!(response.trailers().get("x-sum"), Some("20000"), "{way:?}");
        assert_eq!(
            sessio_tests::fetch::connection(&session.get(server.url("/get")).send().await.unwrap()),
            (1, true)
        );
    }
}

async fn fn1_a_coded_upload_over_tls<R: Runtime>(world: &World<R>) {
    for way in Way::ALL {
        let server = Server::adapted(way.adapters(ServerTls::new(&SERVER)));
        let session = session(world, way, &server);
        let body = text(60_000);
        let post = session.post(server.url("/status/200")).compress(ContentCoding::Gzip).body(body.clone());
        assert_eq!(post.send().await.unwrap().status(), 200, "{way:?}");
        let sent = server.requests().pop().unwrap();
        assert!(sent.body == coded("gzip", &body) || undone(&sent.body) == body, "{way:?}");
        assert_eq!(sent.header("content-encoding").as_deref(), Some("gzip"));
    }
}

fn undone(coded: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(coded), &mut body).unwrap();
    body
}

async fn fn1_a_download_over_tls_is_resumed<R: Runtime>(world: &World<R>) {
    const SIZE: usize = 30_000;
    for way in Way::ALL {
        let (folder, body) = (Folder::new(), pattern(SIZE));
        let head =
            format!("HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \"v\"\r\nContent-Length: {SIZE}\r\n\r\n");
        let first = [head.as_bytes(), &body[..17_000]].concat();
        let head = format!(
            "HTTP/1.1 206 Partial Content\r\nConnection: close\r\nETag: \"v\"\r\nContent-Range: bytes 17000-{}/{SIZE}\r\nContent-Length: {}\r\n\r\n",
            SIZE - 1,
            SIZE - 17_000
        );
        let rest = [head.as_bytes(), &body[17_000..]].concat();
        let scripts = [first, rest].map(|sent| Connection::new().expect_request().send(sent).close());
        let server = Server::adapted_scripted(way.adapters(ServerTls::new(&SERVER)), scripts);
        let session = session(world, way, &server);
        session.get(server.url("/")).resume(folder.file("page")).await.unwrap_err();
        session.get(server.url("/")).resume(folder.file("page")).await.unwrap();
        assert!(std::fs::read(folder.file("page")).unwrap() == body, "{way:?}");
        assert_eq!(server.requests()[1].header("range").as_deref(), Some("bytes=17000-"), "{way:?}");
    }
}
