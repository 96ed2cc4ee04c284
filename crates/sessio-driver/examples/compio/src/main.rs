//! A session on compio, a completion runtime: one thread, and operations that own their buffers, as
//! `io_uring` needs it.
//!
//! `cargo run --manifest-path crates/sessio-driver/examples/compio/Cargo.toml` runs the scenes of the
//! tour of tokio and smol. Then it runs four threads, with a session on each.
//!
//! Nothing here is `Send`: no stream, no timer, no future of the session.
#![forbid(unsafe_code)]

mod backend;
#[path = "../../../../sessio-tokio/examples/tour/print.rs"]
mod print;
#[path = "../../../../sessio-tokio/examples/tour/scenes.rs"]
mod scenes;
mod socket;
mod timer;

use std::time::Duration;

use backend::{Error, Kind, Session, Timeout};
use compio::runtime::Runtime;
use scenes::Done;
use sessio_testkit::{Connection, Server, pattern};

/// How many threads there are, and how many requests each sends.
const THREADS: usize = 4;
const REQUESTS: usize = 100;

fn main() -> Done {
    let runtime = Runtime::new()?;
    runtime.block_on(async {
        match std::env::args().nth(1) {
            Some(url) => return scenes::fetch(url).await,
            None => scenes::play().await?,
        }
        bodies_go_both_ways().await?;
        a_response_that_is_dropped_closes_its_connection().await?;
        a_time_limit_ends_an_operation().await
    })?;
    each_thread_has_a_session()?;
    println!("On {:?} all of it held, and on {THREADS} threads at once.", runtime.driver_type());
    Ok(())
}

/// More than one operation can hold goes up and down, and comes whole.
async fn bodies_go_both_ways() -> Done {
    let (server, session) = (Server::start(), Session::new());
    let body = pattern(1_000_000);
    session
        .put(server.url("/status/200"))
        .body(body.clone())
        .send()
        .await?
        .error_for_status()?
        .bytes()
        .await?;
    assert!(server.requests().pop().ok_or("a request")?.body == body);
    for path in ["/bytes/1000000", "/chunked/1000000?chunk=4099"] {
        assert!(session.get(server.url(path)).send().await?.bytes().await? == body, "{path}");
    }
    assert_eq!((server.accepted(), session.stats().idle), (1, 1));
    Ok(())
}

/// The kernel gives the buffer of a read back, and the server sees the end.
async fn a_response_that_is_dropped_closes_its_connection() -> Done {
    let (server, session) = (Server::start(), Session::new());
    let mut response = session.get(server.url("/bytes/10000000")).send().await?;
    assert!(response.chunk().await?.is_some());
    drop(response);
    assert_eq!((session.stats().in_use, session.stats().idle), (0, 0));
    assert_eq!(session.get(server.url("/get")).send().await?.status(), 200);
    Ok(())
}

/// A read that is under way is given up at its deadline.
async fn a_time_limit_ends_an_operation() -> Done {
    let (server, session) = (Server::scripted(Connection::new().expect_request().stall()), Session::new());
    let request = session.get(server.url("/")).timeout(Duration::from_millis(50));
    let error = request.send().await.err().ok_or("an error")?;
    assert_eq!(error.kind(), Kind::Timeout(Timeout::Total));
    Ok(())
}

/// Each thread has a runtime, a session and connections of its own, and shares none of them.
fn each_thread_has_a_session() -> Done {
    let server = Server::start();
    std::thread::scope(|scope| {
        let threads = (0..THREADS).map(|_| scope.spawn(|| visit(&server))).collect::<Vec<_>>();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread has panicked")?)
    })
    .map_err(|error| error.to_string())?;
    assert_eq!(server.accepted(), THREADS, "one connection for each thread");
    assert_eq!(server.requests().len(), THREADS * REQUESTS);
    Ok(())
}

fn visit(server: &Server) -> Result<(), String> {
    let runtime = Runtime::new().map_err(|error| error.to_string())?;
    let visited: Result<(), Error> = runtime.block_on(async {
        let session = Session::new();
        for number in 0..REQUESTS {
            let response =
                session.get(server.url("/anything")).param("number", number.to_string()).send().await?;
            assert!(response.error_for_status()?.text().await?.contains("\"number\""));
        }
        Ok(())
    });
    visited.map_err(|error| error.to_string())
}
