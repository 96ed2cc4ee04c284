//! Files as parts of forms. Each backend has its own file type.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use sessio_testkit::{Server, pattern};
use sessio_tests::folder::Folder;

/// The size of the files, and the offset of files that are already open.
const SIZE: usize = 300_000;
const START: usize = 123_456;

/// A server that received the same form twice, because of a redirect.
struct Sent(Server);

impl Sent {
    fn to() -> (Self, String) {
        let server = Server::start();
        let url = server.url("/redirect-to?url=/status/200&status_code=307");
        (Self(server), url)
    }

    /// The form has the complete file under its name, then the same file from its offset.
    fn check(self) {
        let sent = self.0.requests();
        let [first, second] = &sent[..] else { panic!("{} requests", sent.len()) };
        assert!(first.body == second.body && first.header("content-length").is_some());
        let kind = first.header("content-type").unwrap();
        let parts =
            sessio::testing::multipart::read(kind.split_once("boundary=").unwrap().1, &first.body).unwrap();
        let heads: Vec<_> =
            parts.iter().map(|part| String::from_utf8(part.lines.join(&b'\n')).unwrap()).collect();
        let whole = "Content-Disposition: form-data; name=\"whole\"; filename=\"a%22b \u{e9}.bin\"";
        assert_eq!(heads, [whole, "Content-Disposition: form-data; name=\"rest\""]);
        assert!(parts[0].content == pattern(SIZE));
        assert!(parts[1].content == pattern(SIZE)[START..]);
    }
}

fn folder() -> Folder {
    let folder = Folder::new();
    fs::write(folder.file(NAME), pattern(SIZE)).unwrap();
    folder
}

const NAME: &str = "a\"b \u{e9}.bin";

/// Rule U-17: a file that grows once it is part of a form is sent with its earlier length.
fn grow(folder: &Folder) {
    fs::OpenOptions::new().append(true).open(folder.file(NAME)).unwrap().write_all(b"later").unwrap();
}

#[test]
fn u17_files_on_plain_sockets() {
    use sessio_blocking::{Session, multipart};
    let (folder, (sent, url)) = (folder(), Sent::to());
    let mut rest = fs::File::open(folder.file(NAME)).unwrap();
    rest.read_exact(&mut [0; START]).unwrap();
    let form = multipart::Form::new()
        .part("whole", multipart::open(folder.file(NAME)).unwrap())
        .part("rest", multipart::file(rest).unwrap());
    grow(&folder);
    Session::new().post(url).multipart(form).send().unwrap().error_for_status().unwrap();
    sent.check();
    assert!(multipart::open(folder.file("missing")).is_err());
}

#[tokio::test]
async fn u17_files_of_tokio() {
    use sessio_tokio::{Session, multipart};
    use tokio::io::AsyncReadExt as _;
    let (folder, (sent, url)) = (folder(), Sent::to());
    let mut rest = tokio::fs::File::open(folder.file(NAME)).await.unwrap();
    rest.read_exact(&mut [0; START]).await.unwrap();
    let form = multipart::Form::new()
        .part("whole", multipart::open(folder.file(NAME)).await.unwrap())
        .part("rest", multipart::file(rest).await.unwrap());
    grow(&folder);
    Session::new().post(url).multipart(form).send().await.unwrap().error_for_status().unwrap();
    sent.check();
    assert!(multipart::open(folder.file("missing")).await.is_err());
}

#[test]
fn u17_files_of_smol() {
    use ::smol::io::AsyncReadExt as _;
    use sessio_smol::{Session, multipart};
    ::smol::block_on(async {
        let (folder, (sent, url)) = (folder(), Sent::to());
        let mut rest = ::smol::fs::File::open(folder.file(NAME)).await.unwrap();
        rest.read_exact(&mut [0; START]).await.unwrap();
        let form = multipart::Form::new()
            .part("whole", multipart::open(folder.file(NAME)).await.unwrap())
            .part("rest", multipart::file(rest).await.unwrap());
        grow(&folder);
        Session::new().post(url).multipart(form).send().await.unwrap().error_for_status().unwrap();
        sent.check();
        assert!(multipart::open(folder.file("missing")).await.is_err());
    });
}

#[test]
fn u17_a_file_behind_its_end_is_empty_and_one_that_shrinks_is_an_error() {
    use sessio_blocking::{Kind, Session, multipart};
    let (folder, server) = (folder(), Server::start());
    let mut behind = fs::File::open(folder.file(NAME)).unwrap();
    behind.seek(SeekFrom::Start(1 << 40)).unwrap();
    let part = multipart::file(behind).unwrap();
    assert_eq!(part.length(), Some(0));
    let form = multipart::Form::new().part("behind", part);
    Session::new().post(server.url("/status/200")).multipart(form).send().unwrap();
    assert!(server.requests()[0].text().contains("name=\"behind\"\r\n\r\n\r\n--"));

    let form = multipart::Form::new().part("shrinks", multipart::open(folder.file(NAME)).unwrap());
    fs::OpenOptions::new().write(true).open(folder.file(NAME)).unwrap().set_len(10).unwrap();
    let error = Session::new().post(server.url("/status/200")).multipart(form).send().unwrap_err();
    assert_eq!(error.kind(), Kind::BodyLength);
    assert!(error.to_string().contains("\"shrinks\" is shorter"), "{error}");
}

/// A pipe has no length and cannot be rewound.
#[cfg(unix)]
#[test]
fn u17_a_pipe_goes_in_chunks_and_once() {
    use sessio_blocking::{Kind, Session, multipart};
    let server = Server::start();
    for (path, kind) in
        [("/status/200", None), ("/redirect-to?url=/get&status_code=307", Some(Kind::NotReplayable))]
    {
        let (theirs, mut ours) = std::io::pipe().unwrap();
        ours.write_all(b"from a pipe").unwrap();
        drop(ours);
        let part = multipart::file(fs::File::from(std::os::fd::OwnedFd::from(theirs))).unwrap();
        assert_eq!(part.length(), None);
        let form = multipart::Form::new().part("pipe", part);
        let result = Session::new().post(server.url(path)).multipart(form).send();
        assert_eq!(result.err().map(|error| error.kind()), kind);
        let sent = server.requests().pop().unwrap();
        assert_eq!(sent.header("transfer-encoding").as_deref(), Some("chunked"));
        assert!(sent.text().contains("\r\n\r\nfrom a pipe\r\n--"));
    }
}
