//! Files as request bodies. Each backend has its own file type.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use sessio::Kind;
use sessio_testkit::{Server, pattern};
use sessio_tests::folder::Folder;

/// The size of the file, and the offset of a file that is already open.
const SIZE: usize = 300_000;
const START: usize = 123_456;

/// A server that redirects, so it receives the body twice.
fn server() -> (Server, String) {
    let server = Server::start();
    let url = server.url("/redirect-to?url=/status/200&status_code=307");
    (server, url)
}

fn folder() -> Folder {
    let folder = Folder::new();
    fs::write(folder.file("data"), pattern(SIZE)).unwrap();
    folder
}

/// Rule U-17: a file that grows once it is part of a request is sent with its earlier length.
fn grow(folder: &Folder) {
    fs::OpenOptions::new().append(true).open(folder.file("data")).unwrap().write_all(b"later").unwrap();
}

/// The complete file twice, then twice from its offset, then with a content coding.
fn check(server: &Server) {
    let sent = server.requests();
    let [whole, whole_again, rest, rest_again, coded, coded_again] = &sent[..] else {
        panic!("{} requests", sent.len())
    };
    for (request, start) in [(whole, 0), (whole_again, 0), (rest, START), (rest_again, START)] {
        assert!(request.body == pattern(SIZE)[start..], "from {start}");
        assert_eq!(request.header_all("content-length"), [(SIZE - start).to_string()]);
        assert_eq!((request.header("transfer-encoding"), request.header("content-type")), (None, None));
    }
    assert_eq!(coded.header("content-length"), None);
    assert!(coded.body == coded_again.body, "however the file was read, it is coded to the same");
    let mut undone = Vec::new();
    flate2::read::GzDecoder::new(&coded.body[..]).read_to_end(&mut undone).unwrap();
    assert!(undone == [&pattern(SIZE)[..], b"later"].concat());
}

/// The error of a file that does not exist names it.
fn missing(folder: &Folder, error: sessio::Error) {
    assert_eq!((error.kind(), error.io_kind()), (Kind::File, Some(std::io::ErrorKind::NotFound)));
    let path = folder.file("missing").display().to_string();
    assert!(error.to_string().contains(&format!("cannot open {path}: ")), "{error}");
}

#[test]
fn p34_p35_u17_files_on_plain_sockets() {
    use sessio_blocking::coding::ContentCoding;
    use sessio_blocking::{Session, upload};
    let (folder, (server, url), session) = (folder(), server(), Session::new());
    let whole = upload::open(folder.file("data")).unwrap();
    assert_eq!((whole.length(), whole.is_replayable()), (Some(SIZE as u64), true));
    let mut rest = fs::File::open(folder.file("data")).unwrap();
    rest.read_exact(&mut [0; START]).unwrap();
    let rest = upload::file(rest).unwrap();
    grow(&folder);
    session.put(&url).feed(whole).send().unwrap().error_for_status().unwrap();
    session.put(&url).feed(rest).send().unwrap().error_for_status().unwrap();
    let coded =
        session.put(&url).feed(upload::open(folder.file("data")).unwrap()).compress(ContentCoding::Gzip);
    coded.send().unwrap().error_for_status().unwrap();
    check(&server);
    missing(&folder, upload::open(folder.file("missing")).unwrap_err());
}

#[tokio::test]
async fn p34_p35_u17_files_of_tokio() {
    use sessio_tokio::coding::ContentCoding;
    use sessio_tokio::{Session, upload};
    use tokio::io::AsyncReadExt as _;
    let (folder, (server, url), session) = (folder(), server(), Session::new());
    let whole = upload::open(folder.file("data")).await.unwrap();
    let mut rest = tokio::fs::File::open(folder.file("data")).await.unwrap();
    rest.read_exact(&mut [0; START]).await.unwrap();
    let rest = upload::file(rest).await.unwrap();
    grow(&folder);
    session.put(&url).feed(whole).send().await.unwrap().error_for_status().unwrap();
    session.put(&url).feed(rest).send().await.unwrap().error_for_status().unwrap();
    let coded = fs::File::open(folder.file("data")).unwrap();
    let coded = upload::file(tokio::fs::File::from_std(coded)).await.unwrap();
    session.put(&url).feed(coded).compress(ContentCoding::Gzip).send().await.unwrap();
    check(&server);
    missing(&folder, upload::open(folder.file("missing")).await.unwrap_err());
}

#[test]
fn p34_p35_u17_files_of_smol() {
    use ::smol::io::AsyncReadExt as _;
    use sessio_smol::coding::ContentCoding;
    use sessio_smol::{Session, upload};
    ::smol::block_on(async {
        let (folder, (server, url), session) = (folder(), server(), Session::new());
        let whole = upload::open(folder.file("data")).await.unwrap();
        let mut rest = ::smol::fs::File::open(folder.file("data")).await.unwrap();
        rest.read_exact(&mut [0; START]).await.unwrap();
        let rest = upload::file(rest).await.unwrap();
        grow(&folder);
        session.put(&url).feed(whole).send().await.unwrap().error_for_status().unwrap();
        session.put(&url).feed(rest).send().await.unwrap().error_for_status().unwrap();
        let coded = fs::File::open(folder.file("data")).unwrap();
        let coded = upload::file(::smol::fs::File::from(coded)).await.unwrap();
        session.put(&url).feed(coded).compress(ContentCoding::Gzip).send().await.unwrap();
        check(&server);
        missing(&folder, upload::open(folder.file("missing")).await.unwrap_err());
    });
}

#[test]
fn b18_an_empty_file_has_a_length_and_one_that_shrinks_is_an_error() {
    use sessio_blocking::{Kind, Session, upload};
    let (folder, server) = (folder(), Server::start());
    let mut behind = fs::File::open(folder.file("data")).unwrap();
    behind.seek(SeekFrom::Start(1 << 40)).unwrap();
    fs::write(folder.file("empty"), "").unwrap();
    for feed in [upload::file(behind).unwrap(), upload::open(folder.file("empty")).unwrap()] {
        assert_eq!(feed.length(), Some(0));
        Session::new().put(server.url("/status/200")).feed(feed).send().unwrap();
        let sent = server.requests().pop().unwrap();
        assert_eq!(sent.header_all("content-length"), ["0"]);
        assert_eq!(sent.header("transfer-encoding"), None);
    }
    let feed = upload::open(folder.file("data")).unwrap();
    fs::OpenOptions::new().write(true).open(folder.file("data")).unwrap().set_len(10).unwrap();
    let error = Session::new().put(server.url("/status/200")).feed(feed).send().unwrap_err();
    assert_eq!(error.kind(), Kind::BodyLength);
    assert_eq!(server.requests().len(), 2, "the part is never taken for the whole");
}

/// A pipe has no length and cannot be rewound.
#[cfg(unix)]
#[test]
fn p35_a_pipe_goes_in_chunks_and_once() {
    use sessio_blocking::{Kind, Session, upload};
    let server = Server::start();
    for (path, kind) in
        [("/status/200", None), ("/redirect-to?url=/get&status_code=307", Some(Kind::NotReplayable))]
    {
        let (theirs, mut ours) = std::io::pipe().unwrap();
        ours.write_all(b"from a pipe").unwrap();
        drop(ours);
        let feed = upload::file(fs::File::from(std::os::fd::OwnedFd::from(theirs))).unwrap();
        assert_eq!((feed.length(), feed.is_replayable()), (None, false));
        let sent = Session::new().put(server.url(path)).feed(feed).send();
        assert_eq!(sent.err().map(|error| error.kind()), kind);
        let request = server.requests().pop().unwrap();
        assert_eq!(
            (request.text(), request.header("transfer-encoding")),
            ("from a pipe".into(), Some("chunked".into()))
        );
    }
}

#[test]
fn a_blocking_session_has_iterators_typed_forms_and_resume() {
    use sessio_blocking::{Kind, Session};
    let (server, session, folder) = (Server::start(), Session::new(), Folder::new());
    let body = session.get(server.url("/chunked/100000?chunk=999")).send().unwrap().chunks();
    assert!(body.flat_map(Result::unwrap).eq(pattern(100_000)));
    let request = session.post(server.url("/post")).query_from(&[("a", [1, 2])]).form_from(&[("b", true)]);
    request.send().unwrap();
    let sent = server.requests().pop().unwrap();
    assert_eq!((sent.target(), &*sent.body), ("/post?a=1&a=2", &b"b=true"[..]));
    let refused = session.get(server.url("/get")).query_from("text").send().unwrap_err();
    assert_eq!(refused.kind(), Kind::InvalidQuery);
    assert_eq!(session.get(server.url("/bytes/100")).resume(folder.file("page")).unwrap(), 100);
    assert_eq!(fs::read(folder.file("page")).unwrap(), pattern(100));
}
