//! A slow reader or writer delays only its own exchange, and the memory in use is bounded.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use sessio_driver::{Runtime, Source};
use sessio_testkit::{Connection, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::movable::Movable;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    a_slow_reader_holds_back_the_response
    a_slow_peer_holds_back_the_source
}

/// More bytes than all buffers of one direction hold.
const MOST: usize = 160 * 1024;

async fn a_slow_reader_holds_back_the_response<R: Runtime>(world: &World<R>) {
    let runtime = world.runtime();
    let session = world.session_on(runtime.clone());
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n";
    let server =
        Server::scripted(Connection::new().expect_request().send(head).send(vec![b'x'; 1 << 20]).forever());
    server.record_bytes(false);
    let mut response = session.get(server.url("/")).send().await.unwrap();
    let mut seen = 0;
    for _ in 0..50 {
        seen += response.chunk().await.unwrap().unwrap().len();
        let ahead = runtime.moved() - seen;
        assert!(ahead < MOST, "{ahead} bytes are held for a reader that is slow");
    }
}

/// An endless body that counts at each poll how many of its bytes are buffered.
struct Measured<R>(FaultyRuntime<R>, AtomicUsize, Arc<AtomicUsize>);

impl<R: Movable> Source for Measured<R> {
    fn poll_fill(&mut self, _: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let given = self.1.load(Ordering::Relaxed);
        let held = given.saturating_sub(self.0.moved());
        self.2.fetch_max(held, Ordering::Relaxed);
        room.fill(b'x');
        self.1.store(given + room.len(), Ordering::Relaxed);
        Poll::Ready(Ok(room.len()))
    }
}

async fn a_slow_peer_holds_back_the_source<R: Movable>(world: &World<R>) {
    for length in [None, Some(1 << 40)] {
        let runtime = world.runtime();
        let session = world.session_on(runtime.clone());
        let refusal = "HTTP/1.1 413 X\r\nContent-Length: 9\r\n\r\ntoo large";
        let server = Server::scripted(Connection::new().read_head().read(10_000_000).send(refusal).stall());
        server.record_bytes(false);
        let held = Arc::default();
        let source = Measured(runtime.clone(), AtomicUsize::new(0), Arc::clone(&held));
        let response = session.post(server.url("/")).source(source, length, false).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "too large");
        let held = held.load(Ordering::Relaxed);
        assert!(runtime.moved() > 10_000_000 && held < MOST, "{held} bytes are held for a peer that is slow");
    }
}
