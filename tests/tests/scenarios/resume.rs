//! Downloads that continue where they stopped (RFC 9110 section 14).

use std::fs;
use std::sync::{Arc, Mutex};

use sessio::Kind;
use sessio_driver::{Runtime, Session};
use sessio_testkit::{Connection, Server, pattern};
use sessio_tests::folder::Folder;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    f13_a_download_goes_on_where_it_stopped
    a_download_of_a_changed_resource_restarts
    a_download_without_a_strong_validator_restarts
    a_416_for_a_complete_file_completes_the_download
    fb6_a_part_that_does_not_fit_restarts_the_download_at_once
    fb6_a_restarted_download_that_fails_loses_nothing
    fn8_progress_is_counted_from_the_length_of_the_partial_file
    fn8_a_part_can_be_discarded_and_a_download_restarted
    fa11_a_planted_partial_file_is_not_used
    bytes_of_truncated_responses_are_kept
    q30_a_206_without_a_range_in_the_request_is_refused
    a_refused_download_leaves_the_partial_file
    ranges_go_along_with_redirects_and_codings_stay
}

const SIZE: usize = 1000;
const TAG: &str = "ETag: \"v1\"\r\n";

/// A connection that sends this response and closes.
fn send(head: &str, body: &[u8]) -> Connection {
    let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    Connection::new().expect_request().send([head.as_bytes(), body].concat())
}

fn serve(answers: impl IntoIterator<Item = Connection>) -> Server {
    Server::scripted(answers.into_iter().map(Connection::close).collect::<Vec<_>>())
}

/// A complete response, of which only `comes` bytes are sent.
fn whole(fields: &str, comes: usize) -> Connection {
    send(&format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {SIZE}\r\n\r\n"), &pattern(SIZE)[..comes])
}

/// A partial response.
fn part(fields: &str, first: usize, end: usize) -> Connection {
    let head = format!(
        "HTTP/1.1 206 Partial Content\r\n{fields}Content-Range: bytes {first}-{}/{SIZE}\r\nContent-Length: {}\r\n\r\n",
        end - 1,
        end - first
    );
    send(&head, &pattern(SIZE)[first..end])
}

/// One attempt and its outcome.
async fn resume<R: Runtime>(session: &Session<R>, server: &Server, folder: &Folder) -> Result<u64, Kind> {
    resume_at(session, &server.url("/page"), folder).await
}

async fn resume_at<R: Runtime>(session: &Session<R>, url: &str, folder: &Folder) -> Result<u64, Kind> {
    session.get(url).resume(folder.file("page")).await.map_err(|error| error.kind())
}

/// The range headers of the last request.
fn asked(server: &Server) -> (Option<String>, Option<String>) {
    let request = server.requests().pop().unwrap();
    assert_eq!(request.header("accept-encoding").as_deref(), Some("identity"));
    (request.header("range"), request.header("if-range"))
}

fn held(folder: &Folder) -> usize {
    fs::read(folder.file(".page.part")).map_or(0, |part| {
        assert!(part == pattern(SIZE)[..part.len()]);
        part.len()
    })
}

fn check(folder: &Folder) {
    assert!(fs::read(folder.file("page")).unwrap() == pattern(SIZE));
    assert_eq!(folder.names(), ["page"], "nothing else is left");
}

async fn f13_a_download_goes_on_where_it_stopped<R: Runtime>(world: &World<R>) {
    const DAY: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    let dated = format!("Last-Modified: {DAY}\r\nDate: Mon, 07 Nov 1994 08:49:37 GMT\r\n");
    for (fields, validator) in [(TAG, "\"v1\""), (&*dated, DAY)] {
        let (session, folder) = (world.session(), Folder::new());
        let server = serve([whole(fields, 400), part(fields, 400, 1000).cut_every(97), whole(fields, SIZE)]);
        fs::write(folder.file("page"), "old").unwrap();
        assert_eq!(resume(&session, &server, &folder).await, Err(Kind::IncompleteBody));
        assert_eq!(asked(&server), (None, None));
        assert_eq!(fs::read(folder.file("page")).unwrap(), b"old");
        assert_eq!((held(&folder), folder.names().len()), (400, 3));
        // Another process would have another session.
        let session = world.session();
        assert_eq!(resume(&session, &server, &folder).await, Ok(1000));
        assert_eq!(asked(&server), (Some("bytes=400-".into()), Some(validator.into())));
        check(&folder);
        // A complete file is requested from the start.
        assert_eq!(resume(&session, &server, &folder).await, Ok(1000));
        assert_eq!(asked(&server), (None, None));
        check(&folder);
    }
}

async fn a_download_of_a_changed_resource_restarts<R: Runtime>(world: &World<R>) {
    let (session, folder) = (world.session(), Folder::new());
    let other = "ETag: \"v2\"\r\n";
    let server = serve([whole(TAG, 400), whole(other, 300), part(other, 300, 1000)]);
    assert_eq!(resume(&session, &server, &folder).await, Err(Kind::IncompleteBody));
    assert_eq!(resume(&session, &server, &folder).await, Err(Kind::IncompleteBody));
    assert_eq!(asked(&server).0.as_deref(), Some("bytes=400-"));
    assert_eq!(held(&folder), 300);
    assert_eq!(resume(&session, &server, &folder).await, Ok(1000));
    assert_eq!(asked(&server), (Some("bytes=300-".into()), Some("\"v2\"".into())));
    check(&folder);
}

async fn a_download_without_a_strong_validator_restarts<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for fields in ["", "ETag: W/\"v1\"\r\n", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"] {
        let (server, folder) = (serve([whole(fields, 400), whole(fields, SIZE)]), Folder::new());
        assert_eq!(resume(&session, &server, &folder).await, Err(Kind::IncompleteBody));
        assert_eq!(resume(&session, &server, &folder).await, Ok(1000));
        assert_eq!(asked(&server), (None, None), "{fields}");
        check(&folder);
    }
    // The same tag of another resource proves nothing, and neither does an incomplete note.
    let server = serve([whole(TAG, 400), whole(TAG, 500), whole(TAG, SIZE)]);
    let folder = Folder::new();
    assert_eq!(resume(&session, &server, &folder).await, Err(Kind::IncompleteBody));
    assert_eq!(resume_at(&session, &server.url("/page?2"), &folder).await, Err(Kind::IncompleteBody));
    assert_eq!(asked(&server), (None, None));
    let note = fs::read(folder.file(".page.part-of")).unwrap();
    fs::write(folder.file(".page.part-of"), &note[..note.len() - 2]).unwrap();
    assert_eq!(resume_at(&session, &server.url("/page?2"), &folder).await, Ok(1000));
    assert_eq!(asked(&server), (None, None));
    check(&folder);
}

async fn a_416_for_a_complete_file_completes_the_download<R: Runtime>(world: &World<R>) {
    let (session, folder) = (world.session(), Folder::new());
    let chunk = format!("HTTP/1.1 200 OK\r\n{TAG}Transfer-Encoding: chunked\r\n\r\n3e8\r\n");
    let server = serve([send(&chunk, &pattern(SIZE)), refused("Content-Range: bytes */1000\r\n")]);
    assert_eq!(resume(&session, &server, &folder).await, Err(Kind::IncompleteBody));
    assert_eq!(resume(&session, &server, &folder).await, Ok(1000));
    assert_eq!(asked(&server).0.as_deref(), Some("bytes=1000-"));
    check(&folder);
    // Without a partial file it is a normal refusal.
    let server = serve([refused("Content-Range: bytes */0\r\n")]);
    assert_eq!(resume(&session, &server, &Folder::new()).await, Err(Kind::Status));
}

fn refused(fields: &str) -> Connection {
    send(&format!("HTTP/1.1 416 Range Not Satisfiable\r\n{fields}Content-Length: 2\r\n\r\n"), b"no")
}

/// Unusable responses to a request for the bytes after 400.
fn unfit() -> Vec<Connection> {
    let partial =
        |fields: &str, body: &[u8]| send(&format!("HTTP/1.1 206 Partial Content\r\n{fields}\r\n"), body);
    let parts = "--x\r\nContent-Range: bytes 400-999/1000\r\n\r\n";
    let too_much = format!(
        "HTTP/1.1 206 Partial Content\r\n{TAG}Content-Range: bytes 400-499/1000\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let chunks =
        [&b"32\r\n"[..], &pattern(SIZE)[400..450], b"\r\n33\r\n", &[b'?'; 51], b"\r\n0\r\n\r\n"].concat();
    vec![
        part(TAG, 0, 1000),
        part(TAG, 399, 1000),
        part(TAG, 401, 1000),
        part("ETag: \"v2\"\r\n", 400, 1000),
        part("ETag: W/\"v1\"\r\n", 400, 1000),
        partial(TAG, &pattern(SIZE)[400..]),
        partial("Content-Range: bytes 400-999/*\r\n", &pattern(SIZE)[400..]),
        partial("Content-Range: bytes 400-1000/1000\r\n", b""),
        partial("Content-Range: bytes 400-999/1000\r\nContent-Length: 3\r\n", b"abc"),
        partial("Content-Type: multipart/byteranges; boundary=x\r\n", parts.as_bytes()),
        send(&too_much, &chunks).cut_every(60),
        refused(""),
        refused("Content-Range: bytes */399\r\n"),
        refused("ETag: \"v2\"\r\nContent-Range: bytes */400\r\n"),
    ]
}

async fn fb6_a_part_that_does_not_fit_restarts_the_download_at_once<R: Runtime>(world: &World<R>) {
    for (at, answer) in unfit().into_iter().enumerate() {
        let (session, folder) = (world.session(), Folder::new());
        let server = serve([whole(TAG, 400), answer, whole(TAG, SIZE)]);
        assert_eq!(resume(&session, &server, &folder).await, Err(Kind::IncompleteBody));
        assert_eq!(resume(&session, &server, &folder).await, Ok(1000), "{at}");
        let requests = server.requests();
        let ranges: Vec<_> = requests.iter().map(|request| request.header("range")).collect();
        assert_eq!(ranges, [None, Some("bytes=400-".into()), None], "{at}");
        assert_eq!(asked(&server), (None, None));
        check(&folder);
    }
}

async fn fb6_a_restarted_download_that_fails_loses_nothing<R: Runtime>(world: &World<R>) {
    let (session, folder) = (world.session(), Folder::new());
    let busy = send("HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n", b"no");
    let odd = send("HTTP/1.1 204 No Content\r\n\r\n", b"");
    let unfit = unfit();
    let count = unfit.len();
    let mut answers = vec![whole(TAG, 400)];
    // It is requested again once, and not forever.
    for answer in unfit {
        answers.extend([answer.clone(), busy.clone(), answer.clone(), answer]);
    }
    let server = serve([answers, vec![odd, part(TAG, 400, 1000)]].concat());
    assert_eq!(resume(&session, &server, &folder).await, Err(Kind::IncompleteBody));
    for at in 0..count {
        assert_eq!(resume(&session, &server, &folder).await, Err(Kind::Status), "{at}");
        let again = resume(&session, &server, &folder).await;
        assert!(matches!(again, Err(Kind::BadRange | Kind::Status)), "{at} {again:?}");
        assert_eq!((asked(&server).0, held(&folder)), (None, 400), "{at}");
    }
    // This failure does not concern ranges.
    assert_eq!(resume(&session, &server, &folder).await, Err(Kind::BadRange));
    assert_eq!(resume(&session, &server, &folder).await, Ok(1000));
    assert_eq!(asked(&server).0.as_deref(), Some("bytes=400-"));
    check(&folder);
}

async fn fn8_progress_is_counted_from_the_length_of_the_partial_file<R: Runtime>(world: &World<R>) {
    let (session, folder) = (world.session(), Folder::new());
    let server = serve([
        whole(TAG, 400),
        part(TAG, 400, 600).cut_every(150),
        part(TAG, 0, 1000),
        whole(TAG, 700),
        part(TAG, 700, 1000).cut_every(150),
    ]);
    // The least that the first callback may report, the last report, and the outcome.
    for (first, last, outcome) in [
        (1, 400, Err(Kind::IncompleteBody)),
        (401, 600, Err(Kind::IncompleteBody)),
        (1, 700, Err(Kind::IncompleteBody)),
        (701, 1000, Ok(1000)),
    ] {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = {
            let told = Arc::clone(&told);
            move |transfer: sessio::BodyProgress| told.lock().unwrap().push((transfer.bytes, transfer.total))
        };
        let request = session.get(server.url("/page")).on_download_progress(tell);
        let done = request.resume(folder.file("page")).await.map_err(|error| error.kind());
        assert_eq!(done, outcome);
        let told = told.lock().unwrap();
        assert!(told.iter().all(|one| one.1 == Some(1000)), "{told:?}");
        assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0) && told[0].0 >= first, "{told:?}");
        assert_eq!(told.last().unwrap().0, last);
    }
    check(&folder);
    // The progress of a range of the caller is that of the range alone.
    let server = serve([part(TAG, 400, 600)]);
    let told = Arc::new(Mutex::new((0, None)));
    let tell = {
        let told = Arc::clone(&told);
        move |transfer: sessio::BodyProgress| *told.lock().unwrap() = (transfer.bytes, transfer.total)
    };
    let request =
        session.get(server.url("/page")).header("Range", "bytes=400-599").on_download_progress(tell);
    request.send().await.unwrap().bytes().await.unwrap();
    assert_eq!(*told.lock().unwrap(), (200, Some(200)));
}

async fn fn8_a_part_can_be_discarded_and_a_download_restarted<R: Runtime>(world: &World<R>) {
    let (session, folder) = (world.session(), Folder::new());
    let server = serve([
        whole(TAG, 400),
        whole(TAG, 300),
        part(TAG, 300, 500),
        send("HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n", b"no"),
        whole(TAG, SIZE),
        whole(TAG, 100),
        whole(TAG, SIZE),
    ]);
    let restart = || async {
        let request = session.get(server.url("/page"));
        request.restart(folder.file("page")).await.map_err(|error| error.kind())
    };
    assert_eq!(resume(&session, &server, &folder).await, Err(Kind::IncompleteBody));
    assert_eq!(restart().await, Err(Kind::IncompleteBody));
    assert_eq!((asked(&server).0, held(&folder)), (None, 300));
    assert_eq!(resume(&session, &server, &folder).await, Err(Kind::IncompleteBody));
    assert_eq!((asked(&server).0.as_deref(), held(&folder)), (Some("bytes=300-"), 500));
    assert_eq!(restart().await, Err(Kind::Status));
    assert_eq!(held(&folder), 500, "a refusal takes nothing");
    assert_eq!(restart().await, Ok(1000));
    check(&folder);
    assert!(!session.discard(folder.file("page")).unwrap());
    assert_eq!(resume(&session, &server, &folder).await, Err(Kind::IncompleteBody));
    assert!(session.discard(folder.file("page")).unwrap());
    check(&folder);
    assert_eq!(resume(&session, &server, &folder).await, Ok(1000));
    assert_eq!(asked(&server).0, None);
    check(&folder);
}

async fn fa11_a_planted_partial_file_is_not_used<R: Runtime>(world: &World<R>) {
    let (session, folder) = (world.session(), Folder::new());
    let server = serve([whole(TAG, 400), whole(TAG, SIZE), whole(TAG, SIZE)]);
    assert_eq!(resume(&session, &server, &folder).await, Err(Kind::IncompleteBody));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Another user may have written to it.
        fs::set_permissions(folder.file(".page.part"), fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(resume(&session, &server, &folder).await, Ok(1000));
        assert_eq!(asked(&server).0, None);
        check(&folder);
        for name in [".page.part", ".page.part-of"] {
            let made = std::process::Command::new("mkfifo").arg(folder.file(name)).status().unwrap();
            assert!(made.success());
        }
        assert_eq!(resume(&session, &server, &folder).await, Ok(1000));
        check(&folder);
    }
}

async fn bytes_of_truncated_responses_are_kept<R: Runtime>(world: &World<R>) {
    let (session, folder) = (world.session(), Folder::new());
    let head = |end| format!("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {end}-999/1000\r\n");
    let chunked = format!("{}Transfer-Encoding: chunked\r\n\r\n", head(600));
    let chunk = [&b"64\r\n"[..], &pattern(SIZE)[600..700], b"\r\n0\r\n\r\n"].concat();
    let server = serve([
        whole(TAG, 400),
        part("", 400, 600),
        send(&chunked, &chunk),
        send(&format!("{}Content-Length: 300\r\n\r\n", head(700)), &pattern(SIZE)[700..800]),
        part(TAG, 800, 1000),
    ]);
    for (asks, brings) in [(None, 400), (Some(400), 600), (Some(600), 700), (Some(700), 800)] {
        assert_eq!(resume(&session, &server, &folder).await, Err(Kind::IncompleteBody), "{brings}");
        assert_eq!(asked(&server).0, asks.map(|asks: usize| format!("bytes={asks}-")));
        assert_eq!(held(&folder), brings);
    }
    assert_eq!(resume(&session, &server, &folder).await, Ok(1000));
    check(&folder);
}

async fn q30_a_206_without_a_range_in_the_request_is_refused<R: Runtime>(world: &World<R>) {
    let (session, folder) = (world.session(), Folder::new());
    let server = serve([part(TAG, 0, 1000), whole(TAG, SIZE)]);
    assert_eq!(resume(&session, &server, &folder).await, Err(Kind::BadRange));
    assert!(folder.names().is_empty());
    // A range of the caller is not sent: the complete resource is wanted.
    let request = session.get(server.url("/page")).header("Range", "bytes=5-").header("If-Range", "\"v1\"");
    assert_eq!(request.resume(folder.file("page")).await.unwrap(), 1000);
    assert_eq!(asked(&server), (None, None));
    check(&folder);
}

async fn a_refused_download_leaves_the_partial_file<R: Runtime>(world: &World<R>) {
    let (session, folder) = (world.session(), Folder::new());
    let status = |line: &str| send(&format!("HTTP/1.1 {line}\r\nContent-Length: 2\r\n\r\n"), b"no");
    let server = serve([
        whole(TAG, 400),
        status("404 Not Found"),
        status("412 Precondition Failed"),
        status("503 Busy"),
        Connection::new().expect_request(),
        part(TAG, 400, 1000),
    ]);
    assert_eq!(resume(&session, &server, &folder).await, Err(Kind::IncompleteBody));
    for kind in [Kind::Status, Kind::Status, Kind::Status, Kind::ClosedBeforeResponse] {
        assert_eq!(resume(&session, &server, &folder).await, Err(kind));
        assert_eq!(held(&folder), 400);
    }
    // Nothing is sent for a senseless request.
    let before = server.requests().len();
    let error = session.post(server.url("/page")).resume(folder.file("page")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidMethod);
    let error = session.get(server.url("/page")).resume(folder.file("missing/page")).await;
    assert_eq!(server.requests().len(), before);
    assert_eq!(resume(&session, &server, &folder).await, Ok(1000));
    check(&folder);
    drop(error);
}

async fn ranges_go_along_with_redirects_and_codings_stay<R: Runtime>(world: &World<R>) {
    let (session, folder, far) = (
        world.session(),
        Folder::new(),
        serve(vec![
            whole(&format!("{TAG}Content-Encoding: gzip\r\n"), 400),
            part(&format!("{TAG}Content-Encoding: gzip\r\n"), 400, 1000),
        ]),
    );
    let redirect = send(
        &format!("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", far.url("/far")),
        b"",
    );
    let near = serve([redirect.clone(), redirect]);
    assert_eq!(resume(&session, &near, &folder).await, Err(Kind::IncompleteBody));
    assert_eq!(resume(&session, &near, &folder).await, Ok(1000));
    for server in [&near, &far] {
        assert_eq!(asked(server), (Some("bytes=400-".into()), Some("\"v1\"".into())));
    }
    check(&folder);
}
