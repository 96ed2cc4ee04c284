//! The response as a `http::Response` with a `http_body::Body`.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use http_body::Body as _;
use http_body_util::BodyExt as _;
use sessio::http::{self, Version};
use sessio::{Error, Kind};
use sessio_driver::{ResponseBody, Runtime};
use sessio_testkit::{Connection, Server, pattern};
use sessio_tests::movable::Movable;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    bodies_of_every_framing_have_their_frames_and_size_hints
    trailers_are_the_last_frame
    the_converted_head_is_that_of_the_response
    f13_a_truncated_body_is_an_error_on_each_poll
    f25_a_body_that_is_dropped_closes_its_connection
}

mod waiting {
    use super::{f24_a_frame_that_is_dropped_loses_nothing, scenarios};

    scenarios! { waiting: f24_a_frame_that_is_dropped_loses_nothing }
}

async fn bodies_of_every_framing_have_their_frames_and_size_hints<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for (path, hint, is_kept) in [
        ("/bytes/100000", Some(100_000), true),
        ("/bytes/0", Some(0), true),
        ("/chunked/100000?chunk=777", None, true),
        ("/chunked/0", None, true),
        ("/close/100000", None, false),
    ] {
        let response = session.get(server.url(path)).send().await.unwrap();
        let mut body = http::Response::from(response).into_body();
        let expected = pattern(path.split(['/', '?']).nth(2).unwrap().parse().unwrap());
        // The length of a chunked body is known once all of it was received.
        if path != "/chunked/0" {
            assert_eq!(body.size_hint().exact(), hint, "{path}");
        }
        assert_eq!(body.is_end_stream(), hint == Some(0), "{path}");
        let mut seen = Vec::new();
        while let Some(frame) = body.frame().await {
            let bytes = frame.unwrap().into_data().unwrap();
            assert!(!bytes.is_empty(), "a frame of nothing");
            seen.extend_from_slice(&bytes);
            if hint.is_some() {
                assert_eq!(body.size_hint().exact(), Some((expected.len() - seen.len()) as u64), "{path}");
            }
        }
        assert!(seen == expected, "{path}: {} bytes", seen.len());
        assert!(body.is_end_stream() && body.frame().await.is_none(), "{path}");
        assert_eq!(body.size_hint().exact(), Some(0));
        assert_eq!(session.stats().idle, usize::from(is_kept), "{path}");
        if !is_kept {
            server.wait_open(0);
        }
    }
    assert_eq!(server.accepted(), 1);
}

async fn trailers_are_the_last_frame<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for count in [0, 1, 50_000] {
        let url = server.url(&format!("/chunked/{count}?trailers=1"));
        let mut body = ResponseBody::from(session.get(url).send().await.unwrap());
        let (mut seen, mut trailers) = (0, None);
        while let Some(frame) = body.frame().await {
            assert!(trailers.is_none(), "nothing comes behind the trailers");
            match frame.unwrap().into_data() {
                Ok(bytes) => seen += bytes.len(),
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
            assert_eq!(body.is_end_stream(), trailers.is_some(), "before the trailers nothing ends");
        }
        assert_eq!((seen, trailers.unwrap()["x-body-size"].to_str().unwrap()), (count, &*count.to_string()));
        assert_eq!(session.stats().idle, 1);
    }
    let collected = session.get(server.url("/chunked/100?trailers=1")).send().await.unwrap();
    let collected = ResponseBody::from(collected).collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap().len(), 2);
    assert_eq!(collected.to_bytes(), pattern(100));
}

async fn the_converted_head_is_that_of_the_response<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let head =
        "HTTP/1.0 404 No\r\nX-A: 1\r\nx-b: 2\r\nX-A: 3\r\nSet-Cookie: c=1\r\nContent-Length: 2\r\n\r\nno";
    let server = Server::scripted(Connection::new().expect_request().send(head));
    let response = session.get(server.url("/x")).send().await.unwrap();
    let response = http::Response::from(response);
    assert_eq!((response.status().as_u16(), response.version()), (404, Version::HTTP_10));
    let lines: Vec<_> = response.headers().get_all("x-a").iter().collect();
    assert_eq!(lines, ["1", "3"]);
    assert_eq!(response.body().response().url().as_str(), server.url("/x"));
    assert_eq!(session.cookies(|jar| jar.len()), 1);
    let text = response.into_body().into_response().text().await.unwrap();
    assert_eq!(text, "no");
}

const COUNTED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello, you";
const CHUNKED: &str =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\n, you\r\n0\r\nX: y\r\n\r\n";

async fn f13_a_truncated_body_is_an_error_on_each_poll<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for whole in [COUNTED, CHUNKED] {
        let body_at = whole.find("\r\n\r\n").unwrap() + 4;
        for cut in body_at..whole.len() {
            let server = Server::scripted(Connection::new().expect_request().send(&whole[..cut]).close());
            let mut body = ResponseBody::from(session.get(server.url("/")).send().await.unwrap());
            let mut seen = Vec::new();
            let error = loop {
                match body.frame().await {
                    Some(Ok(frame)) => seen.extend_from_slice(&frame.into_data().unwrap()),
                    Some(Err(error)) => break error,
                    None => panic!("{:?} is taken for whole", &whole[..cut]),
                }
                assert!(!body.is_end_stream());
            };
            assert_eq!(error.kind(), Kind::IncompleteBody, "{cut}: {error}");
            assert!(b"hello, you".starts_with(&seen[..]));
            for _ in 0..2 {
                let again = body.frame().await;
                assert!(matches!(again, Some(Err(_))) && !body.is_end_stream(), "it stays an error");
            }
        }
    }
    assert_eq!(session.stats().idle, 0);
}

async fn f24_a_frame_that_is_dropped_loses_nothing<R: Runtime>(world: &World<R>) {
    let runtime = world.runtime().dripping();
    let session = sessio_driver::Session::with_runtime(runtime);
    let server = Server::scripted(Connection::new().expect_request().send(CHUNKED));
    let mut body = ResponseBody::from(session.get(server.url("/")).send().await.unwrap());
    let (mut seen, mut polls, mut trailers) = (Vec::new(), 0, None);
    loop {
        // One poll for each future; the next poll is of a new future.
        let polled = {
            let mut frame = pin!(body.frame());
            poll_fn(|cx| Poll::Ready(frame.as_mut().poll(cx))).await
        };
        polls += 1;
        match polled {
            Poll::Ready(Some(frame)) => match frame.unwrap().into_data() {
                Ok(bytes) => seen.extend_from_slice(&bytes),
                Err(frame) => trailers = frame.into_trailers().ok(),
            },
            Poll::Ready(None) => break,
            Poll::Pending => woken().await,
        }
    }
    assert_eq!((seen, trailers.unwrap().len()), (b"hello, you".to_vec(), 1));
    assert!(polls > 20, "{polls}");
}

/// Is pending once, so that other tasks run.
async fn woken() {
    let mut has_waited = false;
    poll_fn(|cx| {
        if has_waited {
            return Poll::Ready(());
        }
        has_waited = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn f25_a_body_that_is_dropped_closes_its_connection<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for path in ["/bytes/3000000", "/chunked/3000000?trailers=1"] {
        let mut body = ResponseBody::from(session.get(server.url(path)).send().await.unwrap());
        body.frame().await.unwrap().unwrap();
        assert_eq!((session.stats().in_use, session.stats().idle), (1, 0));
        drop(body);
        server.wait_open(0);
        assert_eq!((session.stats().in_use, session.stats().idle), (0, 0));
    }
}

#[allow(dead_code, reason = "what is handed to a server or a task must travel")]
fn bodies_travel<R: Movable>(body: ResponseBody<R>) {
    fn travels<T: http_body::Body<Data = sessio::Bytes, Error = Error> + Send + Unpin + 'static>(_: T) {}
    travels(body);
}
