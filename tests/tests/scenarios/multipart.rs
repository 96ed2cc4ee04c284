//! Multipart forms: in memory, streamed, sent again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use serde_json::{Value, json};
use sessio::testing::multipart::{Read, disposition, read};
use sessio::{Kind, Stage};
use sessio_driver::multipart::{Form, Part};
use sessio_driver::{Runtime, Source};
use sessio_testkit::{Connection, Request, Server, pattern};
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    p46_p50_a_form_in_memory_is_read_as_fields_and_files
    p49_parts_are_streamed_with_the_exact_length
    p34_a_part_without_a_length_is_sent_in_chunks
    p49_nothing_of_a_large_part_is_held
    p43_b28_the_boundary_is_completed_or_the_callers_own
    p50_no_two_forms_have_the_same_boundary
    an_invalid_part_is_an_error_before_a_byte_is_sent
    f29_a_part_that_fails_never_looks_complete
    f30_a_part_that_is_shorter_or_longer_than_declared_is_named
    r13_a_form_is_sent_again_if_all_of_its_parts_can_be
    b07_a_form_is_not_sent_again_if_one_of_its_parts_cannot_be
    q07_a_response_before_the_end_of_the_form_is_delivered
}

const REFUSAL: &str = "HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\ntoo large";

/// The parts of a form in a request, parsed by the grammar.
fn parts(request: &Request) -> Vec<Read> {
    let kind = request.header("content-type").unwrap();
    let boundary = kind.split_once("boundary=").unwrap().1.trim_matches('"');
    read(boundary, &request.body).unwrap_or_else(|| panic!("{}", request.body.escape_ascii()))
}

fn field(name: &str, content: impl AsRef<[u8]>) -> Read {
    Read { lines: vec![disposition(name, None)], content: content.as_ref().to_vec() }
}

async fn p46_p50_a_form_in_memory_is_read_as_fields_and_files<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let form = Form::new()
        .fields([("tag", "1"), ("tag", "2")])
        .text("gr\u{fc}\u{df}e", "\u{2603}\r\n--")
        .part("file", Part::text("a,b").file_name("t.csv").content_type("text/csv").header("X-Rows", "1"))
        .part("empty", Part::bytes("").file_name(""));
    let response = session.post(server.url("/post")).multipart(form).send().await.unwrap();
    let told: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(told["form"], json!({"tag": ["1", "2"], "gr\u{fc}\u{df}e": "\u{2603}\r\n--"}));
    assert_eq!(told["files"], json!({"file": "a,b", "empty": ""}));
    let sent = &server.requests()[0];
    assert_eq!(sent.header_all("content-length"), [sent.body.len().to_string()]);
    let lines = &parts(sent)[3].lines;
    let lines: Vec<_> = lines.iter().map(|line| String::from_utf8_lossy(line)).collect();
    let disposition = "Content-Disposition: form-data; name=\"file\"; filename=\"t.csv\"";
    assert_eq!(lines, [disposition, "Content-Type: text/csv", "X-Rows: 1"]);
}

async fn p49_parts_are_streamed_with_the_exact_length<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let large = pattern(300_000);
    for size in [997, 300_000] {
        let pieces = Pieces::of(large.chunks(size));
        let form = Form::new()
            .text("first", "1")
            .part("large", Part::source(pieces, Some(300_000), false).file_name("a \"b\".bin"))
            .part("none", Part::source(Pieces::of([""; 0]), Some(0), false))
            .part("small", Part::source(Pieces::of(["he", "llo"]), Some(5), true))
            .part("kept", Part::bytes(large.clone()));
        session.post(server.url("/status/200")).multipart(form).send().await.unwrap();
        let sent = server.requests().pop().unwrap();
        assert_eq!(sent.header_all("content-length"), [sent.body.len().to_string()]);
        assert_eq!(sent.header("transfer-encoding"), None);
        let named = Read { lines: vec![disposition("large", Some("a \"b\".bin"))], content: large.clone() };
        let expected =
            [field("first", "1"), named, field("none", ""), field("small", "hello"), field("kept", &large)];
        assert!(parts(&sent) == expected, "{size}");
    }
    assert_eq!(server.accepted(), 1);
}

async fn p34_a_part_without_a_length_is_sent_in_chunks<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let form = Form::new()
        .part("unknown", Part::source(Pieces::of(["a", "b", "c"]), None, false))
        .part("known", Part::source(Pieces::of(["12345"]), Some(5), false));
    session.post(server.url("/status/200")).multipart(form).send().await.unwrap();
    let sent = &server.requests()[0];
    assert_eq!(sent.header_all("transfer-encoding"), ["chunked"]);
    assert_eq!(sent.header("content-length"), None);
    assert_eq!(parts(sent), [field("unknown", "abc"), field("known", "12345")]);
}

/// A source of so many bytes. It records the bytes given and the largest piece asked for.
struct Counted {
    left: u64,
    given: Arc<AtomicU64>,
    largest: Arc<AtomicUsize>,
}

impl Source for Counted {
    fn poll_fill(&mut self, _: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        self.largest.fetch_max(room.len(), Ordering::Relaxed);
        let n = room.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        room[..n].fill(b'x');
        self.left -= n as u64;
        self.given.fetch_add(n as u64, Ordering::Relaxed);
        Poll::Ready(Ok(n))
    }
}

/// The server reads only the head, so the bytes taken from the source are those in the sockets.
async fn p49_nothing_of_a_large_part_is_held<R: Runtime>(world: &World<R>) {
    const SIZE: u64 = 1 << 40;
    let session = world.session();
    let server = Server::scripted(Connection::new().read_head().send(REFUSAL).stall());
    let (given, largest) = (Arc::<AtomicU64>::default(), Arc::<AtomicUsize>::default());
    let source = Counted { left: SIZE, given: Arc::clone(&given), largest: Arc::clone(&largest) };
    let form = Form::new().part("large", Part::source(source, Some(SIZE), false));
    let response = session.post(server.url("/x")).multipart(form).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.text().await.unwrap()), (413, "too large".into()));
    assert!(given.load(Ordering::Relaxed) < 64 << 20, "{given:?}");
    assert!(largest.load(Ordering::Relaxed) <= 64 << 10, "{largest:?}");
    // Two delimiters, one of them with two more dashes, the head of the part, and the line ends.
    let length = SIZE + 2 * 36 + 2 + (disposition("large", None).len() + 4) as u64 + 2;
    assert!(server.connection(0).received_text().contains(&format!("Content-Length: {length}")));
}

async fn p43_b28_the_boundary_is_completed_or_the_callers_own<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let form = |is_streamed: bool| match is_streamed {
        false => Form::new().text("a", "1"),
        true => Form::new().part("a", Part::source(Pieces::of(["1"]), Some(1), false)),
    };
    for is_streamed in [false, true] {
        for (kind, start) in [
            (None, "multipart/form-data; boundary="),
            (Some("multipart/form-data"), "multipart/form-data; boundary="),
            (Some("multipart/form-data; boundary=mine"), "multipart/form-data; boundary=mine"),
        ] {
            let mut request = session.post(server.url("/status/200")).multipart(form(is_streamed));
            if let Some(kind) = kind {
                request = request.header("Content-Type", kind);
            }
            request.send().await.unwrap();
            let sent = server.requests().pop().unwrap();
            let [kind] = &sent.header_all("content-type")[..] else { panic!("{sent:?}") };
            assert!(kind.starts_with(start), "{kind}");
            assert_eq!(parts(&sent), [field("a", "1")]);
            assert_eq!(sent.header_all("content-length"), [sent.body.len().to_string()]);
        }
    }
}

async fn p50_no_two_forms_have_the_same_boundary<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for _ in 0..3 {
        session.post(server.url("/status/200")).multipart(Form::new()).send().await.unwrap();
    }
    let mut kinds: Vec<_> =
        server.requests().iter().map(|sent| sent.header("content-type").unwrap()).collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds.len(), 3);
}

async fn an_invalid_part_is_an_error_before_a_byte_is_sent<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let part = || Part::source(Pieces::of(["x"]), Some(1), false);
    for form in [
        Form::new().text("a\0", ""),
        Form::new().part("a", part().file_name("b\0")),
        Form::new().part("a", part().content_type("text/plain\r\nX: y")),
        Form::new().part("a", part().header("X", "a\nb")),
        Form::new().part("a", part().header("X\r", "a")),
        Form::new().part("a", part().header("Content-Type", "a/b")),
    ] {
        let error = session.post(server.url("/post")).multipart(form).send().await.unwrap_err();
        assert_eq!((error.kind(), error.progress()), (Kind::InvalidHeader, None));
    }
    let form = Form::new().part("a", Part::source(Pieces::of(["x"]), Some(u64::MAX), false));
    let error = session.post(server.url("/post")).multipart(form).send().await.unwrap_err();
    assert_eq!((error.kind(), error.progress()), (Kind::InvalidBody, None));
    assert_eq!(server.accepted(), 0);
}

async fn f29_a_part_that_fails_never_looks_complete<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for (length, is_last) in [(Some(2000), true), (Some(2000), false), (None, true), (None, false)] {
        let server = Server::scripted(Connection::new());
        let source = Pieces::of([pattern(1000), pattern(500)]).then_fail();
        let mut form = Form::new().text("a", "1").part("bro\"ken", Part::source(source, length, false));
        if !is_last {
            form = form.text("b", "2");
        }
        let error = session.post(server.url("/x")).multipart(form).send().await.unwrap_err();
        assert_eq!((error.kind(), error.progress().unwrap().stage), (Kind::BodySource, Stage::Send));
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the disk is gone");
        assert!(error.to_string().contains(r#"the part "bro\"ken""#), "{error}");
        let recording = server.wait_closed(0);
        assert!(recording.requests().is_empty(), "the server has a whole request");
    }
    assert_eq!(session.stats().idle, 0);
}

async fn f30_a_part_that_is_shorter_or_longer_than_declared_is_named<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for (pieces, says) in [
        (Pieces::of(["hell"]), "shorter"),
        (Pieces::of([""; 0]), "shorter"),
        (Pieces::of(["hello!"]), "longer"),
        (Pieces::of(["hello", "!"]), "longer"),
    ] {
        let server = Server::scripted(Connection::new());
        let form = Form::new().part("wrong", Part::source(pieces, Some(5), false)).text("right", "1");
        let error = session.post(server.url("/x")).multipart(form).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::BodyLength);
        assert!(error.to_string().contains(&format!("the part \"wrong\" is {says}")), "{error}");
        let recording = server.wait_closed(0);
        assert!(recording.requests().is_empty(), "the server has a whole request");
        assert!(!recording.received_text().contains('!'), "an excess byte has left");
    }
    assert_eq!(session.stats().idle, 0);
}

async fn r13_a_form_is_sent_again_if_all_of_its_parts_can_be<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let url = |status: u16| server.url(&format!("/redirect-to?url=/anything&status_code={status}"));
    let form = || {
        Form::new()
            .text("a", "1")
            .part("b", Part::source(Pieces::of([pattern(1000), pattern(200_000)]), None, true))
            .part("c", Part::source(Pieces::of(["hel", "lo"]), Some(5), true))
    };
    for status in [307, 308] {
        let before = server.requests().len();
        let response = session.post(url(status)).multipart(form()).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.history().len()), (200, 1));
        // After the complete body the connection is kept.
        response.bytes().await.unwrap();
        let sent = &server.requests()[before..];
        assert_eq!(sent[0].header("content-type"), sent[1].header("content-type"));
        assert!(sent[0].body == sent[1].body && sent[0].body.len() > 201_000);
        assert_eq!(parts(&sent[1]).len(), 3);
    }
    // Parts in memory can always be sent again. A redirect that drops the body drops the headers
    // that describe it.
    let form = || Form::new().text("a", "1");
    session.post(url(307)).multipart(form()).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(parts(&server.requests().pop().unwrap()), [field("a", "1")]);
    session.post(url(303)).multipart(form()).send().await.unwrap();
    let last = server.requests().pop().unwrap();
    assert_eq!((last.body.len(), last.header("content-type")), (0, None));
}

async fn b07_a_form_is_not_sent_again_if_one_of_its_parts_cannot_be<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for status in [307, 308] {
        let server = Server::start();
        let form = Form::new()
            .text("a", "1")
            .part("b", Part::source(Pieces::of(["2"]), Some(1), true))
            .part("c", Part::source(Pieces::of(["3"]), Some(1), false));
        let url = server.url(&format!("/redirect-to?url=/anything&status_code={status}"));
        let error = session.post(url).multipart(form).send().await.unwrap_err();
        assert_eq!((error.kind(), server.requests().len()), (Kind::NotReplayable, 1));
    }
}

async fn q07_a_response_before_the_end_of_the_form_is_delivered<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let server = Server::scripted(Connection::new().read_head().send(REFUSAL).stall());
    let source = Pieces::of([pattern(1000)]).then_stall();
    let form = Form::new().part("a", Part::source(source, Some(1 << 40), false));
    let response = session.post(server.url("/x")).multipart(form).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.text().await.unwrap()), (413, "too large".into()));
    assert_eq!(session.stats().idle, 0);
}
