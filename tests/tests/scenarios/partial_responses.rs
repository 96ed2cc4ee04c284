//! Resumed downloads: chunks of one byte, cuts at any point, coded bodies, several at the same
//! time.

use std::fs;
use std::io;

use ::smol::channel;
use ::smol::future::zip;
use sessio::Kind;
use sessio_driver::{Runtime, Session};
use sessio_testkit::{Connection, Server, pattern};
use sessio_tests::coded::{CODINGS, coded, text};
use sessio_tests::folder::Folder;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    fm_a_download_in_chunks_of_one_byte_goes_on_wherever_it_was_cut
    fm_a_coded_download_goes_on_with_its_coded_bytes
    fm_downloads_at_the_same_time_each_go_on
}

mod waiting {
    use super::{
        fm_a_part_that_another_download_has_begun_is_refused,
        fm_a_part_that_another_download_holds_is_refused, scenarios,
    };

    scenarios! {
        waiting:
        fm_a_part_that_another_download_holds_is_refused
        fm_a_part_that_another_download_has_begun_is_refused
    }
}

const TAG: &str = "ETag: \"v1\"\r\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length,
    /// Chunks of at most this size.
    Chunks(usize),
}

/// A response with the bytes from `first` on. The connection ends before byte `end`.
fn part(fields: &str, whole: &[u8], first: usize, end: usize, framing: Framing) -> Vec<u8> {
    let length = whole.len();
    let mut said = match first {
        0 => format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{TAG}{fields}"),
        _ => format!(
            "HTTP/1.1 206 Partial Content\r\nConnection: close\r\n{TAG}{fields}Content-Range: bytes {first}-{}/{length}\r\n",
            length - 1
        ),
    }
    .into_bytes();
    let body = &whole[first..end];
    match framing {
        Framing::Length => {
            said.extend_from_slice(format!("Content-Length: {}\r\n\r\n", length - first).as_bytes());
            said.extend_from_slice(body);
        }
        Framing::Chunks(size) => {
            said.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
            for chunk in body.chunks(size) {
                said.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                said.extend_from_slice(chunk);
                said.extend_from_slice(b"\r\n");
            }
            if end == length {
                said.extend_from_slice(b"0\r\n\r\n");
            }
        }
    }
    said
}

fn send(said: &[u8], piece: usize) -> Connection {
    Connection::new().expect_request().send(said).cut_every(piece)
}

async fn resume<R: Runtime>(
    session: &Session<R>,
    url: &str,
    folder: &Folder,
    name: &str,
) -> Result<u64, Kind> {
    session.get(url).resume(folder.file(name)).await.map_err(|error| error.kind())
}

fn ranges(server: &Server) -> Vec<Option<String>> {
    server.requests().iter().map(|request| request.header("range")).collect()
}

fn check(folder: &Folder, names: &[&str], body: &[u8]) {
    for name in names {
        assert!(fs::read(folder.file(name)).unwrap() == body, "{name}");
    }
    assert_eq!(folder.names(), names, "nothing else is left");
}

async fn fm_a_download_in_chunks_of_one_byte_goes_on_wherever_it_was_cut<R: Runtime>(world: &World<R>) {
    let body = pattern(200);
    for (piece, cuts) in [(1, [1, 2]), (4, [100, 199]), (7, [150, 200]), (100_000, [1, 199])] {
        let (session, folder) = (world.session(), Folder::new());
        let tiny = Framing::Chunks(1);
        let mut firsts = [0, cuts[0], cuts[1]].into_iter().zip([cuts[0], cuts[1], 200]).collect::<Vec<_>>();
        if cuts[1] == 200 {
            firsts.pop();
        }
        let scripts = firsts.iter().map(|&(first, end)| {
            let mut said = part("", &body, first, end, tiny);
            // Cut within the line of the next chunk size, or of the last chunk.
            said.truncate(said.len() - if end == 200 { 0 } else { 1 });
            send(&said, piece).close()
        });
        let server = Server::scripted(scripts.collect::<Vec<_>>());
        let url = server.url("/page");
        let last = firsts.pop().unwrap();
        for (_, end) in firsts {
            assert_eq!(resume(&session, &url, &folder, "page").await, Err(Kind::IncompleteBody));
            assert!(fs::read(folder.file(".page.part")).unwrap() == body[..end], "{piece} {end}");
        }
        assert_eq!(resume(&session, &url, &folder, "page").await, Ok(200), "{piece}");
        assert_eq!(ranges(&server).pop().unwrap(), Some(format!("bytes={}-", last.0)), "{piece}");
        check(&folder, &["page"], &body);
    }
    // All chunks were received, but not the end of the body.
    let (session, folder) = (world.session(), Folder::new());
    let whole = part("", &body, 0, 200, Framing::Chunks(1));
    let none =
        "HTTP/1.1 416 X\r\nConnection: close\r\nContent-Range: bytes */200\r\nContent-Length: 0\r\n\r\n";
    let server = Server::scripted([
        send(&whole[..whole.len() - 3], 1).close(),
        Connection::new().expect_request().send(none).close(),
    ]);
    assert_eq!(resume(&session, &server.url("/page"), &folder, "page").await, Err(Kind::IncompleteBody));
    assert_eq!(resume(&session, &server.url("/page"), &folder, "page").await, Ok(200));
    check(&folder, &["page"], &body);
}

async fn fm_a_coded_download_goes_on_with_its_coded_bytes<R: Runtime>(world: &World<R>) {
    for coding in CODINGS {
        for framing in [Framing::Length, Framing::Chunks(1), Framing::Chunks(70)] {
            let (session, folder) = (world.session(), Folder::new());
            // A server that codes a resource by itself: its ranges are of the coded bytes.
            let body = coded(coding, &text(400));
            let fields = format!("Content-Encoding: {coding}\r\n");
            let (first, second) = (body.len() / 3, body.len() / 2);
            let server = Server::scripted(
                [(0, first), (first, second), (second, body.len())]
                    .map(|(from, end)| send(&part(&fields, &body, from, end, framing), 50).close()),
            );
            let url = server.url("/page");
            for _ in 0..2 {
                assert_eq!(resume(&session, &url, &folder, "page").await, Err(Kind::IncompleteBody));
            }
            let what = format!("{coding} {framing:?}");
            assert_eq!(resume(&session, &url, &folder, "page").await, Ok(body.len() as u64), "{what}");
            let asked = [None, Some(format!("bytes={first}-")), Some(format!("bytes={second}-"))];
            assert_eq!(ranges(&server), asked, "{what}");
            let requests = server.requests();
            assert!(requests.iter().all(|one| one.header("accept-encoding").as_deref() == Some("identity")));
            check(&folder, &["page"], &body);
        }
    }
}

async fn fm_downloads_at_the_same_time_each_go_on<R: Runtime>(world: &World<R>) {
    let body = pattern(5000);
    let (session, folder) = (world.session(), Folder::new());
    // They differ only in the sizes of their pieces, so the first one depends on the network.
    let serve = |piece| {
        let say = |first, end| send(&part("", &body, first, end, Framing::Chunks(1)), piece).close();
        Server::scripted([say(0, 1700), say(1700, 1701), say(1701, 5000)])
    };
    let (one, other) = (serve(700), serve(300));
    for outcome in [Err(Kind::IncompleteBody), Err(Kind::IncompleteBody), Ok(5000)] {
        let (of_one, of_other) = (one.url("/page"), other.url("/page"));
        let both =
            zip(resume(&session, &of_one, &folder, "one"), resume(&session, &of_other, &folder, "other"));
        assert_eq!(both.await, (outcome, outcome));
    }
    for server in [&one, &other] {
        assert_eq!(ranges(server), [None, Some("bytes=1700-".into()), Some("bytes=1701-".into())]);
    }
    check(&folder, &["one", "other"], &body);
}

async fn fm_a_part_that_another_download_holds_is_refused<R: Runtime>(world: &World<R>) {
    let body = pattern(1000);
    let (session, folder) = (world.session(), Folder::new());
    let say = |first, end| send(&part("", &body, first, end, Framing::Length), 90);
    let server = Server::scripted([say(0, 400).close(), say(400, 1000).close()]);
    let url = server.url("/page");
    assert_eq!(resume(&session, &url, &folder, "page").await, Err(Kind::IncompleteBody));
    let busy = async {
        for restarts in [false, true] {
            let request = session.get(&url);
            let path = folder.file("page");
            let done = if restarts { request.restart(path).await } else { request.resume(path).await };
            assert_eq!(done.unwrap_err().io_kind(), Some(io::ErrorKind::ResourceBusy));
        }
        assert_eq!(
            session.discard(folder.file("page")).unwrap_err().io_kind(),
            Some(io::ErrorKind::ResourceBusy)
        );
    };
    // The first download has claimed the partial file before it waits.
    let (first, ()) = zip(resume(&session, &url, &folder, "page"), busy).await;
    assert_eq!(first, Ok(1000));
    assert_eq!(ranges(&server), [None, Some("bytes=400-".into())], "the others have asked for nothing");
    check(&folder, &["page"], &body);
}

async fn fm_a_part_that_another_download_has_begun_is_refused<R: Runtime>(world: &World<R>) {
    let body = pattern(1000);
    let (session, folder) = (world.session(), Folder::new());
    let said = part("", &body, 0, 1000, Framing::Chunks(1));
    let (begun, rest) = said.split_at(said.len() / 2);
    let slow = Server::scripted(Connection::new().expect_request().send(begun).gate("go").send(rest).close());
    let fast = Server::scripted(send(&said, 100).close());
    let (tell, told) = channel::bounded(1);
    let first = session
        .get(slow.url("/page"))
        .on_download_progress(move |_| {
            let _ = tell.try_send(());
        })
        .resume(folder.file("page"));
    let busy = async {
        // Half of the first body was received. No partial file existed when the second download
        // looked.
        let second = session.get(fast.url("/page")).resume(folder.file("page"));
        told.recv().await.unwrap();
        assert_eq!(second.await.unwrap_err().io_kind(), Some(io::ErrorKind::ResourceBusy));
        slow.open_gate("go");
    };
    let (first, ()) = zip(first, busy).await;
    assert_eq!(first.unwrap(), 1000);
    check(&folder, &["page"], &body);
}
