//! TLS in records of one byte, from the handshake to close_notify.

use std::sync::LazyLock;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use sessio::tls::Tls;
use sessio::{Auth, Kind};
use sessio_driver::{Digest, Runtime, Session};
use sessio_testkit::{Connection, Otherwise, Script, Server, pattern};
use sessio_tests::authority::{Authority, Issued};
use sessio_tests::coded::{CODINGS, coded, text};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::folder::Folder;
use sessio_tests::scenarios;
use sessio_tests::server_tls::{Ending, KEY_UPDATE, ServerTls};
use sessio_tests::source::Endless;
use sessio_tests::way::Way;
use sessio_tests::world::World;

/// Dropping each of these calls at twenty points would take minutes.
mod long {
    use super::{
        fm_one_byte_records_are_drained, fm_one_byte_records_carry_every_coding,
        fm_one_byte_records_carry_interim_heads_and_trailers, fm_one_byte_records_carry_lines_and_events,
        fm_one_byte_records_end_in_every_way, fm_one_byte_records_of_an_idle_connection,
        fm_one_byte_records_refuse_an_upload, fm_one_byte_records_within_one_byte_records, scenarios,
    };

    scenarios! { waiting:
        fm_one_byte_records_carry_every_coding
        fm_one_byte_records_carry_interim_heads_and_trailers
        fm_one_byte_records_carry_lines_and_events
        fm_one_byte_records_refuse_an_upload
        fm_one_byte_records_are_drained
        fm_one_byte_records_end_in_every_way
        fm_one_byte_records_of_an_idle_connection
        fm_one_byte_records_within_one_byte_records
    }
    scenarios! { @on blocking: BlockingThread =>
        fm_one_byte_records_carry_every_coding
        fm_one_byte_records_carry_interim_heads_and_trailers
        fm_one_byte_records_carry_lines_and_events
        fm_one_byte_records_refuse_an_upload
        fm_one_byte_records_are_drained
        fm_one_byte_records_end_in_every_way
        fm_one_byte_records_of_an_idle_connection
        fm_one_byte_records_within_one_byte_records
    }
}

scenarios! { sealed: fm_one_byte_records_resume_a_download }

static ROOT: LazyLock<Authority> = LazyLock::new(|| Authority::root("root"));
static SERVER: LazyLock<Issued> = LazyLock::new(|| ROOT.issue(|_| {}));

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

fn serve(tls: ServerTls, script: impl Into<Script>) -> Server {
    Server::adapted_scripted(tls.records_of(1).adapters(), script)
}

fn with_version(version: &'static SupportedProtocolVersion) -> ServerTls {
    ServerTls::with_versions(&SERVER, &[version])
}

/// A session that trusts the server.
fn session<R: Runtime>(world: &World<R>) -> Session<FaultyRuntime<R>> {
    let session = world.session();
    session.update(|settings| settings.tls = Tls::default().roots(ROOT.certificates()));
    session
}

/// A response in chunks of 100 bytes, without the end of the body.
fn chunked(fields: &str, body: &[u8]) -> Vec<u8> {
    let mut said = format!("HTTP/1.1 200 OK\r\n{fields}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for chunk in body.chunks(100) {
        said.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        said.extend_from_slice(chunk);
        said.extend_from_slice(b"\r\n");
    }
    said
}

async fn fm_one_byte_records_carry_every_coding<R: Runtime>(world: &World<R>) {
    let body = text(800);
    for version in VERSIONS {
        let mut script = Connection::new();
        for coding in CODINGS {
            let coded = coded(coding, &body);
            let fields = format!("Content-Encoding: {coding}\r\n");
            let by_length = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {}\r\n\r\n", coded.len());
            script = script.expect_request().send([by_length.as_bytes(), &coded].concat());
            script = script.expect_request().send([chunked(&fields, &coded), b"0\r\n\r\n".to_vec()].concat());
        }
        let server = serve(with_version(version), script);
        let session = session(world);
        for number in 0..2 * CODINGS.len() {
            let get = session.get(server.url("/")).header("Accept-Encoding", "gzip, br, zstd");
            let response = get.send().await.unwrap();
            assert_eq!(sessio_tests::fetch::connection(&response), (1, number > 0), "{version:?} {number}");
            assert!(response.bytes().await.unwrap() == body, "{version:?} {number}");
        }
    }
}

async fn fm_one_byte_records_carry_interim_heads_and_trailers<R: Runtime>(world: &World<R>) {
    let body = text(600);
    for version in VERSIONS {
        let hint = format!("HTTP/1.1 103 Early Hints\r\nLink: {}\r\n\r\n", "x".repeat(300));
        let field = format!("X-Long: {}\r\nContent-Encoding: gzip\r\n", "y".repeat(300));
        let said = chunked(&field, &coded("gzip", &body));
        let said = [hint.as_bytes(), hint.as_bytes(), &said, b"0\r\nX-Sum: 600\r\n\r\n"].concat();
        let server = serve(with_version(version), Connection::new().expect_request().send(said).routes());
        let session = session(world);
        let mut response = session.get(server.url("/")).send().await.unwrap();
        assert_eq!(response.headers().get("x-long").unwrap().len(), 300, "{version:?}");
        let (mut read, mut room) = (Vec::new(), [0; 700]);
        while let n @ 1.. = response.read(&mut room).await.unwrap() {
            read.extend_from_slice(&room[..n]);
        }
        assert!(read == body, "{version:?}");
        assert_eq!(response.trailers().get("x-sum"), Some("600"), "{version:?}");
        drop(response);
        let next = session.post(server.url("/post")).body("up").send().await.unwrap();
        assert_eq!(sessio_tests::fetch::connection(&next), (1, true), "{version:?}");
        assert!(next.text().await.unwrap().contains("\"up\""));
    }
}

async fn fm_one_byte_records_carry_lines_and_events<R: Runtime>(world: &World<R>) {
    let (lines, events) = ("one\r\n\r\ntwo\n".repeat(15), "id: 7\r\ndata: one\ndata: two\n\n".repeat(15));
    for version in VERSIONS {
        let said = |kind: &str, body: &str| {
            [chunked(&format!("Content-Type: {kind}\r\n"), body.as_bytes()), b"0\r\n\r\n".to_vec()].concat()
        };
        let script = Connection::new().expect_request().send(said("text/plain", &lines));
        let script = script.expect_request().send(said("text/event-stream", &events));
        let server = serve(with_version(version), script);
        let session = session(world);
        let mut read = session.get(server.url("/")).send().await.unwrap().lines();
        let mut count = 0;
        while let Some(line) = read.next().await.unwrap() {
            assert_eq!(line, ["one", "", "two"][count % 3], "{version:?}");
            count += 1;
        }
        assert_eq!(count, 45, "{version:?}");
        drop(read);
        let mut read = session.get(server.url("/")).send().await.unwrap().events();
        let mut count = 0;
        while let Some(event) = read.next().await.unwrap() {
            assert_eq!((&*event.data, &*event.id), ("one\ntwo", "7"), "{version:?}");
            count += 1;
        }
        assert_eq!(count, 15, "{version:?}");
    }
}

async fn fm_one_byte_records_resume_a_download<R: Runtime>(world: &World<R>) {
    const SIZE: usize = 150;
    let body = pattern(SIZE);
    for version in VERSIONS {
        let folder = Folder::new();
        let part = |first: usize, end: usize| {
            let status = if first == 0 { "200 OK" } else { "206 Partial Content" };
            let head = format!(
                "HTTP/1.1 {status}\r\nConnection: close\r\nETag: \"v\"\r\nContent-Range: bytes {first}-{}/{SIZE}\r\nContent-Length: {}\r\n\r\n",
                SIZE - 1,
                SIZE - first
            );
            Connection::new().expect_request().send([head.as_bytes(), &body[first..end]].concat()).close()
        };
        let server = serve(with_version(version), [part(0, 50), part(50, 149), part(149, SIZE)]);
        let session = session(world);
        for _ in 0..2 {
            session.get(server.url("/")).resume(folder.file("page")).await.unwrap_err();
        }
        session.get(server.url("/")).resume(folder.file("page")).await.unwrap();
        assert!(std::fs::read(folder.file("page")).unwrap() == body, "{version:?}");
        assert_eq!(server.requests()[2].header("range").as_deref(), Some("bytes=149-"), "{version:?}");
    }
}

async fn fm_one_byte_records_refuse_an_upload<R: Runtime>(world: &World<R>) {
    let body = text(800);
    for version in VERSIONS {
        let head = "HTTP/1.1 413 X\r\nContent-Length: 800\r\n\r\n";
        let script = Connection::new().read_head().send([head.as_bytes(), &body].concat()).stall();
        let server =
            serve(with_version(version), Script::new().connection(script).otherwise(Otherwise::Routes));
        server.record_bytes(false);
        let session = session(world);
        let upload = session.put(server.url("/")).source(Endless, None, false).send().await.unwrap();
        assert_eq!(upload.status(), 413, "{version:?}");
        assert!(upload.bytes().await.unwrap() == body, "{version:?}");
        let next = session.get(server.url("/get")).send().await.unwrap();
        assert_eq!(sessio_tests::fetch::connection(&next), (2, false), "{version:?}");
        next.bytes().await.unwrap();
        server.release();
    }
}

async fn fm_one_byte_records_are_drained<R: Runtime>(world: &World<R>) {
    for version in VERSIONS {
        for (status, fields) in [
            (302, "Location: /get\r\n"),
            (401, "WWW-Authenticate: Digest realm=\"r\", qop=\"auth\", nonce=\"n\"\r\n"),
        ] {
            let head = format!("HTTP/1.1 {status} X\r\n{fields}Content-Length: 800\r\n\r\n");
            let said = [head.as_bytes(), &text(800)].concat();
            let server = serve(with_version(version), Connection::new().expect_request().send(said).routes());
            let session = session(world);
            let auth = Auth::flow(Digest::new("user", "secret"));
            let response = session.get(server.url("/anything")).auth(auth).send().await.unwrap();
            assert_eq!(
                (response.status().as_u16(), sessio_tests::fetch::connection(&response)),
                (200, (1, true)),
                "{version:?} {status}"
            );
            response.bytes().await.unwrap();
        }
    }
}

async fn fm_one_byte_records_end_in_every_way<R: Runtime>(world: &World<R>) {
    let until_close = "HTTP/1.1 200 OK\r\n\r\nwhole";
    for version in VERSIONS {
        for ending in [Ending::CloseNotify, Ending::Silence, Ending::Alert] {
            let ends = |said: &str| Connection::new().expect_request().send(said).close();
            let cut = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nwhole";
            let stale = Connection::new().expect_request().ok("first").expect_request().close();
            let script = Script::new().connection(ends(until_close)).connection(ends(cut)).connection(stale);
            let tls = with_version(version).ending(ending);
            let server = serve(tls, script.otherwise(Otherwise::Routes));
            let session = session(world);
            let get = async |path: &str| session.get(server.url(path)).send().await?.text().await;
            let what = format!("{version:?} {ending:?}");
            match get("/").await {
                Ok(text) => assert_eq!((text.as_str(), ending), ("whole", Ending::CloseNotify), "{what}"),
                Err(error) => assert!(ending != Ending::CloseNotify, "{what}: {error}"),
            }
            let error = get("/").await.unwrap_err();
            assert!(ending == Ending::Alert || error.kind() == Kind::IncompleteBody, "{what}: {error}");
            assert_eq!(get("/").await.unwrap(), "first", "{what}");
            assert!(get("/get").await.unwrap().contains("\"url\""), "{what}: it goes out again");
            assert_eq!(server.accepted(), 4, "{what}");
        }
    }
}

async fn fm_one_byte_records_of_an_idle_connection<R: Runtime>(world: &World<R>) {
    let late = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    // A KeyUpdate alone is no data.
    for (said, connection) in [(KEY_UPDATE, (1, true)), (late, (2, false))] {
        let script = Connection::new().expect_request().ok("first").gate("idle").send(said).routes();
        let script = Script::new().connection(script).otherwise(Otherwise::Routes);
        let server = serve(with_version(&TLS13), script);
        let session = session(world);
        session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
        server.open_gate("idle");
        server.wait_steps(0, 5);
        let next = session.post(server.url("/post")).send().await.unwrap();
        assert_eq!(sessio_tests::fetch::connection(&next), connection, "{said:?}");
        next.bytes().await.unwrap();
    }
}

/// Each encrypted byte of the server is also a record of the proxy.
async fn fm_one_byte_records_within_one_byte_records<R: Runtime>(world: &World<R>) {
    let body = text(300);
    for version in VERSIONS {
        let said = chunked("Content-Encoding: gzip\r\n", &coded("gzip", &body));
        let said = [b"HTTP/1.1 103 Early Hints\r\n\r\n", &said[..], b"0\r\nX-Sum: 300\r\n\r\n"].concat();
        let script = Connection::new().expect_request().send(said).expect_request().ok("next");
        let adapters = Way::Https.adapters_with_records(with_version(version), 1);
        let server = Server::adapted_scripted(adapters, script);
        let session = session(world);
        session
            .try_update(|settings| {
                if let Some(proxy) = Way::Https.proxy(&server)? {
                    settings.proxies.set("all", proxy)?;
                }
                Ok(())
            })
            .unwrap();
        let mut response = session.post(server.url("/")).body("up").send().await.unwrap();
        let mut read = Vec::new();
        while response.read_with(|bytes| read.extend_from_slice(bytes)).await.unwrap() {}
        assert!(read == body, "{version:?}");
        assert_eq!(response.trailers().get("x-sum"), Some("300"), "{version:?}");
        drop(response);
        let next = session.get(server.url("/")).send().await.unwrap();
        assert_eq!(sessio_tests::fetch::connection(&next), (1, true), "{version:?}");
        assert_eq!(next.text().await.unwrap(), "next");
    }
}
