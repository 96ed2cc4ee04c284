//! Large bodies in both directions at once.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use sessio::tls::Tls;
use sessio_blocking::Blocking;
use sessio_driver::{Runtime, Session, Source};
use sessio_testkit::{Connection, Server};
use sessio_tests::authority::Authority;
use sessio_tests::backend::{Backend, BlockingThread, TokioCurrentThread};
use sessio_tests::scenarios;
use sessio_tests::server_tls::ServerTls;
use sessio_tests::world::World;
use sessio_tokio::Tokio;

scenarios! { system:
    fm3_an_echo_is_whole_in_clear_and_behind_tls
    fm3_a_source_that_another_thread_feeds_ends_the_wait_for_the_response
}

const PIECE: usize = 64 * 1024;

/// A server that echoes, one piece at a time.
fn echo(length: usize, is_secure: bool) -> (Server, Tls) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    let mut script = Connection::new().read_head().send(head);
    for _ in 0..length / PIECE {
        script = script.read(PIECE).send(vec![b'e'; PIECE]);
    }
    let root = Authority::root("root");
    let server = match is_secure {
        true => Server::adapted_scripted(ServerTls::new(&root.issue(|_| {})).adapters(), script),
        false => Server::scripted(script),
    };
    server.record_bytes(false);
    (server, Tls::default().roots(root.certificates()))
}

async fn exchange<R: Runtime>(session: &Session<R>, length: usize, is_secure: bool) {
    let (server, tls) = echo(length, is_secure);
    session.update(|settings| settings.tls = tls);
    let mut response = session.post(server.url("/echo")).body(vec![b'x'; length]).send().await.unwrap();
    let mut seen = 0;
    while let Some(chunk) = response.chunk().await.unwrap() {
        assert!(chunk.iter().all(|byte| *byte == b'e'));
        seen += chunk.len();
    }
    assert_eq!(seen, length);
}

async fn fm3_an_echo_is_whole_in_clear_and_behind_tls<R: Runtime>(world: &World<R>) {
    for is_secure in [false, true] {
        // Without an observer: the network decides whether the request or the head of the response
        // is complete first.
        exchange(&Session::with_runtime(world.runtime()), 64 * PIECE, is_secure).await;
    }
}

/// A body that another thread supplies. An empty piece is its end.
#[derive(Clone, Default)]
struct Fed(Arc<Mutex<(VecDeque<&'static str>, Option<Waker>)>>);

impl Fed {
    fn feed(&self, piece: &'static str) {
        let mut state = self.0.lock().unwrap();
        state.0.push_back(piece);
        let waker = state.1.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Source for Fed {
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock().unwrap();
        let Some(piece) = state.0.pop_front() else {
            state.1 = Some(cx.waker().clone());
            return Poll::Pending;
        };
        room[..piece.len()].copy_from_slice(piece.as_bytes());
        Poll::Ready(Ok(piece.len()))
    }
}

async fn fm3_a_source_that_another_thread_feeds_ends_the_wait_for_the_response<R: Runtime>(world: &World<R>) {
    let server = Arc::new(Server::scripted(Connection::new().expect_request().ok("all")));
    let fed = Fed::default();
    let feeder = std::thread::spawn({
        let (server, fed) = (Arc::clone(&server), fed.clone());
        move || {
            let mut seen = 0;
            for piece in ["one", "two", "six", ""] {
                // Continues once the client waits, because it has then sent everything it had.
                seen = server.wait_received(0, seen + 1).received.len();
                fed.feed(piece);
            }
        }
    });
    let session = world.session();
    session.update(|settings| settings.timeouts.total = Some(Duration::from_secs(30)));
    let response = session.post(server.url("/")).source(fed, None, false).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "all");
    feeder.join().unwrap();
    assert_eq!(server.requests()[0].text(), "onetwosix");
}

/// The time for 30 MB in each direction, in clear text and over TLS.
async fn time<R: Runtime>(session: Session<R>) -> [Duration; 2] {
    let mut took = [Duration::ZERO; 2];
    for (is_secure, took) in [false, true].into_iter().zip(&mut took) {
        let began = Instant::now();
        exchange(&session, 480 * PIECE, is_secure).await;
        *took = began.elapsed();
    }
    took
}

/// With one direction at a time, in slices of 10 ms, it took forty times as long.
#[test]
fn fm3_plain_sockets_keep_up_with_tokio() {
    let took = Arc::<Mutex<Vec<_>>>::default();
    let (plain, tokio) = (Arc::clone(&took), Arc::clone(&took));
    BlockingThread::run(async move {
        let times = time(Session::<Blocking>::new()).await;
        plain.lock().unwrap().push(times);
    });
    TokioCurrentThread::run(async move {
        let times = time(Session::<Tokio>::new()).await;
        tokio.lock().unwrap().push(times);
    });
    let [plain, tokio] = took.lock().unwrap()[..] else { panic!("both were run") };
    println!("30 MB each way, in clear and behind TLS: plain sockets {plain:?}, tokio {tokio:?}");
    for (plain, tokio) in plain.into_iter().zip(tokio) {
        assert!(plain < tokio * 5 + Duration::from_millis(500), "{plain:?} {tokio:?}");
    }
}
