//! A response that starts while the request is still being sent (RFC 9110 section 7.5; rows Q07,
//! Q08, B50).

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use sessio::{Kind, Stage};
use sessio_driver::{Runtime, Source};
use sessio_testkit::{Connection, Server};
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::source::Endless;
use sessio_tests::world::World;

scenarios! {
    q07_a_2xx_response_lets_the_upload_continue
    q07_a_refusal_or_a_close_ends_the_upload_at_once
    q07_the_end_of_a_2xx_response_ends_the_upload
    f29_a_source_that_fails_during_the_response_fails_the_response
    q08_a_response_is_complete_after_the_peer_has_stopped_reading
    a_dropped_response_ends_the_upload
}

/// A body whose chunks are supplied while it is being sent.
#[derive(Clone, Default)]
struct Talk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    said: VecDeque<Result<Vec<u8>, ()>>,
    is_over: bool,
    waker: Option<Waker>,
}

impl Talk {
    fn say(&self, what: &str) {
        self.tell(|state| state.said.push_back(Ok(what.into())));
    }

    fn break_off(&self) {
        self.tell(|state| state.said.push_back(Err(())));
    }

    fn end(&self) {
        self.tell(|state| state.is_over = true);
    }

    fn tell(&self, act: impl FnOnce(&mut State)) {
        let mut state = self.0.lock().unwrap();
        act(&mut state);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// Whether the source was dropped.
    fn is_unheard(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl Source for Talk {
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock().unwrap();
        match state.said.pop_front() {
            Some(Ok(bytes)) => {
                room[..bytes.len()].copy_from_slice(&bytes);
                Poll::Ready(Ok(bytes.len()))
            }
            Some(Err(())) => Poll::Ready(Err(io::Error::other("the line is dead"))),
            None if state.is_over => Poll::Ready(Ok(0)),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

const ECHO: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const REFUSAL: &str = "HTTP/1.1 413 X\r\nContent-Length: 9\r\n\r\ntoo large";

async fn q07_a_2xx_response_lets_the_upload_continue<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let mut echo = Connection::new().read_head().send(ECHO);
    for word in ["one", "two", "six"] {
        // The server echoes the chunk itself.
        let chunk = format!("3\r\n{word}\r\n");
        echo = echo.read(chunk.len()).send(chunk);
    }
    let server = Server::scripted(echo.read(5).send("0\r\n\r\n").routes());
    let talk = Talk::default();
    let mut response =
        session.post(server.url("/echo")).source(talk.clone(), None, false).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(!talk.is_unheard());
    for word in ["one", "two", "six"] {
        talk.say(word);
        assert_eq!(response.chunk().await.unwrap().unwrap(), word);
    }
    talk.end();
    assert_eq!(response.chunk().await.unwrap(), None);
    assert!(talk.is_unheard());
    assert_eq!(server.requests()[0].text(), "onetwosix");
    // Request and response are complete, so the connection can carry another request.
    fetch(session.get(server.url("/get"))).await;
    assert_eq!(server.accepted(), 1);
}

async fn q07_a_refusal_or_a_close_ends_the_upload_at_once<R: Runtime>(world: &World<R>) {
    for head in ["413 X", "301 X\r\nX: y", "500 X", "200 OK\r\nConnection: close"] {
        let session = world.session();
        let head = format!("HTTP/1.1 {head}\r\nContent-Length: 9\r\n\r\n");
        let server =
            Server::scripted(Connection::new().read_head().send(head).gate("read").send("too large"));
        let talk = Talk::default();
        let response = session.post(server.url("/x")).source(talk.clone(), None, false).send().await.unwrap();
        assert!(talk.is_unheard(), "the source is dropped with the upload");
        server.open_gate("read");
        assert_eq!(response.text().await.unwrap(), "too large");
        let recording = server.wait_closed(0);
        assert!(recording.received.ends_with(b"\r\n\r\n") && !recording.received.ends_with(b"0\r\n\r\n"));
        assert_eq!(session.stats().idle, 0);
    }
}

async fn q07_the_end_of_a_2xx_response_ends_the_upload<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let step = Connection::new().read_head().send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    let server = Server::scripted([step.gate("rest").send("ok"), Connection::new().routes()]);
    server.record_bytes(false);
    let response = session.post(server.url("/x")).source(Endless, None, false).send().await.unwrap();
    server.open_gate("rest");
    assert_eq!(response.text().await.unwrap(), "ok");
    server.wait_closed(0);
    assert_eq!(session.stats().idle, 0, "half a request has gone out on it");
    fetch(session.get(server.url("/get"))).await;
    assert_eq!(server.accepted(), 2);
}

async fn f29_a_source_that_fails_during_the_response_fails_the_response<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let server = Server::scripted(Connection::new().read_head().send(ECHO));
    let talk = Talk::default();
    let mut response = session.post(server.url("/x")).source(talk.clone(), None, false).send().await.unwrap();
    talk.say("one");
    talk.break_off();
    let error = response.chunk().await.unwrap_err();
    assert_eq!((error.kind(), error.progress().unwrap().stage), (Kind::BodySource, Stage::Body));
    assert!(response.chunk().await.is_err(), "and it stays an error");
    let recording = server.wait_closed(0);
    assert!(recording.received.ends_with(b"3\r\none\r\n"), "{}", recording.received_text());
    assert!(talk.is_unheard());
}

async fn q08_a_response_is_complete_after_the_peer_has_stopped_reading<R: Runtime>(world: &World<R>) {
    let session = world.session();
    // The last bytes and the reset after them arrive during the upload.
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    let server =
        Server::scripted(Connection::new().read_head().send(head).gate("go").send("too large").reset());
    server.record_bytes(false);
    let response = session.post(server.url("/x")).source(Endless, None, false).send().await.unwrap();
    server.open_gate("go");
    server.wait_closed(0);
    assert_eq!(response.text().await.unwrap(), "too large");
    // The same for a refusal, with any number of bytes in flight.
    let server = Server::scripted(Connection::new().read_head().send(REFUSAL).reset());
    server.record_bytes(false);
    let response = session.post(server.url("/x")).source(Endless, None, false).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.text().await.unwrap()), (413, "too large".into()));
    assert_eq!(session.stats().idle, 0);
}

async fn a_dropped_response_ends_the_upload<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let server = Server::scripted(Connection::new().read_head().send(ECHO));
    let talk = Talk::default();
    let response = session.post(server.url("/x")).source(talk.clone(), None, false).send().await.unwrap();
    drop(response);
    assert!(talk.is_unheard());
    assert!(server.wait_closed(0).requests().is_empty());
}
