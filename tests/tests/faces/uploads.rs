//! A `http_body::Body` as the body of a request.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame};
use http_body_util::{BodyExt as _, Empty, Full, StreamBody};
use sessio::http::{self, HeaderMap};
use sessio::{Bytes, Kind};
use sessio_driver::Runtime;
use sessio_testkit::{Connection, Server, pattern};
use sessio_tests::movable::Movable;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    p34_p39_a_known_length_is_declared_and_another_goes_in_chunks
    p40_an_empty_body_is_sent_as_no_body
    f29_a_body_that_fails_never_looks_complete
    f30_a_body_of_another_length_than_its_hint_is_an_error
    trailers_are_sent_or_refused_and_never_lost
    a_body_makes_the_round_trip
    requests_of_the_crate_http_are_merged_with_the_session
}

/// Frames, one for each poll after a wait, and a claimed length.
struct Frames {
    left: std::vec::IntoIter<Result<Frame<Bytes>, &'static str>>,
    claimed: Option<u64>,
    has_waited: bool,
}

impl Frames {
    fn of(frames: impl IntoIterator<Item = Result<Frame<Bytes>, &'static str>>) -> Self {
        let left = frames.into_iter().collect::<Vec<_>>().into_iter();
        Self { left, claimed: None, has_waited: false }
    }

    fn claiming(mut self, length: u64) -> Self {
        self.claimed = Some(length);
        self
    }
}

fn data(bytes: impl AsRef<[u8]>) -> Result<Frame<Bytes>, &'static str> {
    Ok(Frame::data(Bytes::copy_from_slice(bytes.as_ref())))
}

impl Body for Frames {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        self.has_waited = !self.has_waited;
        if self.has_waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.left.next())
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.claimed.map_or_else(Default::default, http_body::SizeHint::with_exact)
    }
}

async fn p34_p39_a_known_length_is_declared_and_another_goes_in_chunks<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let large = pattern(300_000);
    let url = server.url("/status/200");
    let sent = || server.requests().pop().unwrap();

    session.put(&url).http_body(Full::new(Bytes::from(large.clone()))).send().await.unwrap();
    assert!(sent().body == large);
    assert_eq!(
        (sent().header("content-length").as_deref(), sent().header("transfer-encoding")),
        (Some("300000"), None)
    );

    let pieces = || large.chunks(7_001).map(data).chain([data("")]).chain([data("end")]);
    let expected = [&large[..], b"end"].concat();
    for body in [Frames::of(pieces()), Frames::of(pieces()).claiming(300_003)] {
        let claimed = body.claimed.map(|length| length.to_string());
        session.put(&url).http_body(body).send().await.unwrap();
        assert!(sent().body == expected);
        assert_eq!(sent().header("transfer-encoding").is_some(), claimed.is_none());
        assert_eq!(sent().header("content-length"), claimed);
    }
    assert_eq!(server.accepted(), 1);
}

async fn p40_an_empty_body_is_sent_as_no_body<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for (method, length) in [("GET", None), ("POST", Some("0"))] {
        for _ in 0..2 {
            let empty = session.request(method, server.url("/status/200")).http_body(Empty::<Bytes>::new());
            empty.send().await.unwrap();
            let sent = server.requests().pop().unwrap();
            assert_eq!(sent.header("content-length").as_deref(), length);
            assert_eq!(sent.header("transfer-encoding"), None);
        }
    }
}

async fn f29_a_body_that_fails_never_looks_complete<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for claimed in [None, Some(100_000)] {
        let server = Server::scripted(Connection::new());
        let mut body = Frames::of([data(pattern(50_000)), Err("the disk is gone")]);
        body.claimed = claimed;
        let error = session.post(server.url("/x")).http_body(body).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::BodySource);
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the disk is gone");
        let recording = server.wait_closed(0);
        assert!(recording.requests().is_empty() && !recording.received.ends_with(b"0\r\n\r\n"));
    }
}

async fn f30_a_body_of_another_length_than_its_hint_is_an_error<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for claimed in [4, 6] {
        let server = Server::scripted(Connection::new());
        let body = Frames::of([data("hello")]).claiming(claimed);
        let error = session.post(server.url("/x")).http_body(body).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::BodyLength, "{claimed}");
        assert!(server.wait_closed(0).requests().is_empty(), "{claimed}");
    }
}

async fn trailers_are_sent_or_refused_and_never_lost<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let trailers = |name| {
        let name = http::HeaderName::from_static(name);
        HeaderMap::from_iter([(name, http::HeaderValue::from_static("x"))])
    };
    let body = Frames::of([data("hello"), Ok(Frame::trailers(trailers("etag")))]);
    session.post(server.url("/status/200")).http_body(body).send().await.unwrap();
    let sent = server.requests().pop().unwrap();
    assert_eq!((sent.text(), sent.trailers), ("hello".to_owned(), vec![(b"etag".to_vec(), b"x".to_vec())]));
    // An empty map of trailers is like none.
    let body = Frames::of([data("hello"), Ok(Frame::trailers(HeaderMap::new()))]);
    session.post(server.url("/status/200")).http_body(body).send().await.unwrap();
    let sent = server.requests().pop().unwrap();
    assert_eq!((sent.text(), sent.trailers.len()), ("hello".to_owned(), 0));
    // Some fields are not allowed in trailers, and a body with a length cannot have trailers.
    for (name, claimed) in [("content-length", None), ("authorization", None), ("etag", Some(5))] {
        let server = Server::scripted(Connection::new());
        let mut body = Frames::of([data("hello"), Ok(Frame::trailers(trailers(name)))]);
        body.claimed = claimed;
        let error = session.post(server.url("/x")).http_body(body).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidHeader, "{name}: {error}");
        let recording = server.wait_closed(0);
        assert_eq!(recording.requests().len(), usize::from(claimed.is_some()));
    }
}

async fn a_body_makes_the_round_trip<R: Movable>(world: &World<R>) {
    let (near, far, session) = (Server::start(), Server::start(), world.session());
    for (path, length) in [("/bytes/1000000", Some("1000000")), ("/chunked/1000000?chunk=4099", None)] {
        let response = http::Response::from(session.get(near.url(path)).send().await.unwrap());
        let onward = http::Request::post(far.url("/status/200")).body(response.into_body()).unwrap();
        let answer = session.send_http(onward).await.unwrap();
        assert_eq!(answer.status(), 200);
        let sent = far.requests().pop().unwrap();
        assert!(sent.body == pattern(1_000_000), "{path}: {} bytes", sent.body.len());
        assert_eq!(sent.header("content-length").as_deref(), length);
    }
    // A source that is cut short on one side is an incomplete request on the other.
    let cut = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    let near = Server::scripted(Connection::new().expect_request().send(cut).close());
    let far = Server::scripted(Connection::new());
    let response = http::Response::from(session.get(near.url("/")).send().await.unwrap());
    let onward = http::Request::post(far.url("/")).body(response.into_body()).unwrap();
    let error = session.send_http(onward).await.unwrap_err();
    assert_eq!(error.kind(), Kind::BodySource);
    let cause = std::error::Error::source(&error).unwrap().downcast_ref::<std::io::Error>().unwrap();
    let cause = cause.get_ref().unwrap().downcast_ref::<sessio::Error>().unwrap();
    assert_eq!(cause.kind(), Kind::IncompleteBody);
    assert!(far.wait_closed(0).requests().is_empty());
}

async fn requests_of_the_crate_http_are_merged_with_the_session<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session
        .update(|settings| {
            settings.base_url = Some(server.url("/").parse().unwrap());
            settings.headers.insert("x-test", "true")?;
            settings.headers.insert("x-both", "session")
        })
        .unwrap();
    session.get("/cookies/set/a/1").redirects(None).send().await.unwrap();
    let frames = streamed(["he", "llo"]);
    let request = http::Request::put("/redirect-to?status_code=307&url=/anything")
        .header("x-both", "one")
        .header("x-both", "two")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let answer = session.send_http(request).await.unwrap();
    assert_eq!(answer.body().response().history().len(), 1);
    let told = answer.into_body().collect().await.unwrap().to_bytes();
    let told = String::from_utf8_lossy(&told);
    for sent in ["\"a\": \"1\"", "\"x-test\": \"true\"", "\"x-both\": \"one,two\"", "\"method\": \"PUT\""] {
        assert!(told.contains(sent), "{sent} is missing in {told}");
    }
    // A body that cannot be replayed cannot follow a redirect.
    let request = http::Request::put("/redirect-to?status_code=307&url=/anything").body(frames).unwrap();
    let error = session.send_http(request).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotReplayable);
}

/// A body made of a stream, as most are.
fn streamed(
    pieces: [&'static str; 2],
) -> StreamBody<impl ::smol::stream::Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + 'static> {
    let frames = pieces.map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
    StreamBody::new(::smol::stream::iter(frames))
}
