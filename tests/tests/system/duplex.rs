//! Large bodies in both directions at once.

use std::time::{Duration, Instant};

use sessio::tls::Tls;
use sessio_driver::{Runtime, Session};
use sessio_testkit::{Connection, Server};
use sessio_tests::authority::Authority;
use sessio_tests::backend::{Backend, BlockingThread, TokioCurrentThread};
use sessio_tests::coat::Dress;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! { system:
    fm3_an_echo_is_whole_in_clear_and_behind_tls
}

const PIECE: usize = 64 * 1024;

/// A server that gives back what it gets, a piece at a time.
fn echo(length: usize, is_secure: bool) -> (Server, Tls) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    let mut script = Connection::new().read_head().send(head);
    for _ in 0..length / PIECE {
        script = script.read(PIECE).send(vec![b'e'; PIECE]);
    }
    let root = Authority::root("root");
    let server = match is_secure {
        true => Server::dressed_scripted(Dress::of(&root.issue(|_| {})).wardrobe(), script),
        false => Server::scripted(script),
    };
    server.record_bytes(false);
    (server, Tls::default().roots(root.certificates()))
}

async fn exchange<R: Runtime>(session: &Session<R>, length: usize, is_secure: bool) {
    let (server, tls) = echo(length, is_secure);
    let set = session.update(|settings| {
        settings.tls = tls;
        Ok::<(), sessio::Error>(())
    });
    set.unwrap();
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
        // Unobserved: whether the request or the head of the response is whole first is up to the network.
        exchange(&Session::on(world.rig()), 64 * PIECE, is_secure).await;
    }
}

/// How long 30 MB each way take, in clear and behind TLS.
fn time<B: Backend>() -> [Duration; 2]
where
    B::Runtime: Runtime,
{
    [false, true].map(|is_secure| {
        let began = Instant::now();
        B::run(async move {
            exchange(&Session::on(<B::Runtime>::default()), 480 * PIECE, is_secure).await;
        });
        began.elapsed()
    })
}

/// With one direction at a time, in slices of 10 ms, it took forty times as long.
#[test]
fn fm3_plain_sockets_keep_up_with_tokio() {
    let (plain, tokio) = (time::<BlockingThread>(), time::<TokioCurrentThread>());
    println!("30 MB each way, in clear and behind TLS: plain sockets {plain:?}, tokio {tokio:?}");
    for (plain, tokio) in plain.into_iter().zip(tokio) {
        assert!(plain < tokio * 5 + Duration::from_millis(500), "{plain:?} {tokio:?}");
    }
}
