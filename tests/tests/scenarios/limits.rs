//! Time limits: each fires for its own phase, and its error has the progress of the exchange. No
//! test waits for anything but its limit.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use sessio::{Kind, Stage, Timeout, Timeouts};
use sessio_driver::{Response, Runtime, Session, Sleep as _};
use sessio_testkit::{Connection, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::polls::polled;
use sessio_tests::redirect_chain::redirect;
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    t02_a_name_that_is_never_resolved
    t02_f03_an_address_that_never_answers
    t02_f03_an_address_that_never_answers_leaves_time_for_the_next
    f16_f31_a_peer_or_a_source_that_stalls
    t03_a_head_that_never_comes
    q27_bytes_that_trickle_in_do_not_extend_the_head
    t03_b39_a_body_that_stops_coming
    q28_a_body_that_keeps_coming_meets_the_total_limit_alone
    f23_t05_the_total_limit_is_over_all_hops
    f38_limits_beyond_time_are_no_limits
    t01_a_callers_own_time_counts_for_the_total_alone
    fa1_a_peer_with_endless_bytes_meets_the_total_limit
}

/// Not on the blocking backend, where no other task waits for a turn.
mod turns {
    use super::{fa1_a_peer_with_endless_bytes_lets_other_tasks_run, scenarios};

    scenarios! { waiting: fa1_a_peer_with_endless_bytes_lets_other_tasks_run }
}

/// Long enough for a busy machine to send the first bytes within it.
const SHORT: Duration = Duration::from_millis(60);
const HOUR: Duration = Duration::from_secs(3600);

fn limited<R: Runtime>(
    world: &World<R>,
    runtime: FaultyRuntime<R>,
    change: impl FnOnce(&mut Timeouts),
) -> Session<FaultyRuntime<R>> {
    let session = world.session_on(runtime);
    session.update(|settings| {
        change(&mut settings.timeouts);
    });
    session
}

fn check(error: &sessio::Error, timeout: Timeout, stage: Stage) {
    assert_eq!(error.kind(), Kind::Timeout(timeout), "{error}");
    assert!(error.is_timeout());
    assert_eq!(error.progress().unwrap().stage, stage, "{error}");
}

async fn t02_a_name_that_is_never_resolved<R: Runtime>(world: &World<R>) {
    for (total, which) in [(None, Timeout::Resolve), (Some(SHORT), Timeout::Total)] {
        let session = limited(world, world.runtime().name("slow.test", []), |timeouts| {
            timeouts.resolve = Some(SHORT * if total.is_some() { 100 } else { 1 });
            timeouts.total = total;
        });
        let error = session.get("http://slow.test/").send().await.unwrap_err();
        check(&error, which, Stage::Connect);
        assert!(error.is_safe_to_repeat());
        assert_eq!(session.runtime().dialled(), []);
        assert_eq!((session.stats().in_use, session.stats().idle), (0, 0));
    }
}

async fn t02_f03_an_address_that_never_answers<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let session =
        limited(world, world.runtime().silent(server.addr()), |timeouts| timeouts.connect = Some(SHORT));
    let error = session.get(server.url("/")).send().await.unwrap_err();
    check(&error, Timeout::Connect, Stage::Connect);
    assert!(error.is_connect() && error.is_safe_to_repeat());
    assert_eq!(session.stats().in_use, 0);
}

async fn t02_f03_an_address_that_never_answers_leaves_time_for_the_next<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let walls = ["127.0.0.8:9".parse().unwrap(), "127.0.0.9:9".parse().unwrap()];
    let runtime = world.runtime().silent(walls[0]).silent(walls[1]);
    let runtime = runtime.name("many.test", [walls[0], walls[1], server.addr()]);
    let session = limited(world, runtime, |timeouts| timeouts.connect = Some(HOUR));
    let mut sent = pin!(session.get("http://many.test/get").send());
    let answer = poll_fn(|cx| {
        let sent = sent.as_mut().poll(cx);
        let runtime = session.runtime();
        // Each attempt to connect to a silent address takes a third of the time.
        if sent.is_pending() && runtime.dialling() == runtime.dialled().len() && runtime.dialling() < 3 {
            runtime.pass(HOUR / 3);
            cx.waker().wake_by_ref();
        }
        sent
    });
    assert_eq!(answer.await.unwrap().status(), 200);
    assert_eq!(session.runtime().dialled(), [walls[0], walls[1], server.addr()]);
}

async fn f16_f31_a_peer_or_a_source_that_stalls<R: Runtime>(world: &World<R>) {
    let session = limited(world, world.runtime(), |timeouts| timeouts.send = Some(SHORT));
    let server = Server::scripted(Connection::new().read_head().stall());
    let error = session.post(server.url("/x")).body(vec![b'x'; 32 << 20]).send().await.unwrap_err();
    check(&error, Timeout::Send, Stage::Send);
    let progress = error.progress().unwrap();
    assert!(progress.bytes_sent > 0 && progress.bytes_received == 0);
    let server = Server::scripted(Connection::new());
    let source = Pieces::of(["one"]).then_stall();
    let error = session.post(server.url("/x")).source(source, None, false).send().await.unwrap_err();
    check(&error, Timeout::Send, Stage::Send);
    assert!(!server.wait_closed(0).received.ends_with(b"0\r\n\r\n"));
}

async fn t03_a_head_that_never_comes<R: Runtime>(world: &World<R>) {
    let session = limited(world, world.runtime(), |timeouts| timeouts.head = Some(SHORT));
    let server = Server::scripted(Connection::new().expect_request());
    let error = session.post(server.url("/x")).body("abc").send().await.unwrap_err();
    check(&error, Timeout::Head, Stage::Head);
    let recording = server.wait_closed(0);
    let progress = error.progress().unwrap();
    assert_eq!((progress.bytes_sent, progress.bytes_received), (recording.received.len() as u64, 0));
    assert!(!error.is_safe_to_repeat());
}

async fn q27_bytes_that_trickle_in_do_not_extend_the_head<R: Runtime>(world: &World<R>) {
    let session = limited(world, world.runtime(), |timeouts| {
        timeouts.head = Some(SHORT * 2);
        timeouts.read = Some(SHORT * 100);
    });
    for trickle in ["X: y\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let first = if trickle.starts_with('X') { "HTTP/1.1 200 OK\r\n" } else { "" };
        let step = Connection::new().expect_request().send(first).send(trickle).times(1000);
        let server = Server::scripted(step.pace(Duration::from_millis(3)));
        let began = world.runtime().mono();
        let error = session.get(server.url("/x")).send().await.unwrap_err();
        // A hundred interim responses have a limit of their own.
        check(&error, Timeout::Head, Stage::Head);
        assert!(error.progress().unwrap().bytes_received > 0);
        assert!(world.runtime().mono() - began >= SHORT * 2);
    }
}

async fn t03_b39_a_body_that_stops_coming<R: Runtime>(world: &World<R>) {
    let session = limited(world, world.runtime(), |timeouts| timeouts.read = Some(SHORT));
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    let server = Server::scripted(Connection::new().expect_request().send(head));
    let mut response = session.get(server.url("/x")).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "hello");
    let error = response.chunk().await.unwrap_err();
    check(&error, Timeout::Read, Stage::Body);
    server.wait_closed(0);
    assert_eq!(session.stats().in_use + session.stats().idle, 0);
}

async fn q28_a_body_that_keeps_coming_meets_the_total_limit_alone<R: Runtime>(world: &World<R>) {
    let session = limited(world, world.runtime(), |timeouts| {
        timeouts.read = Some(SHORT * 40);
        timeouts.total = Some(SHORT * 4);
    });
    let step = Connection::new().expect_request().send("HTTP/1.1 200 OK\r\n\r\n").send("x").forever();
    let server = Server::scripted(step.pace(Duration::from_millis(3)));
    let response = session.get(server.url("/x")).send().await.unwrap();
    let error = response.bytes().await.unwrap_err();
    check(&error, Timeout::Total, Stage::Body);
}

async fn f23_t05_the_total_limit_is_over_all_hops<R: Runtime>(world: &World<R>) {
    // Every hop alone is fast enough.
    let session = limited(world, world.runtime(), |timeouts| {
        timeouts.head = Some(SHORT * 40);
        timeouts.total = Some(SHORT * 4);
    });
    let server = Server::start();
    for hop in 0..30 {
        let answer = format!("HTTP/1.1 302 X\r\nLocation: /{}\r\nContent-Length: 0\r\n\r\n", hop + 1);
        let step = Connection::new().expect_request().send("HTTP/1.1 100 X\r\n\r\n").pace(SHORT / 2);
        server.script_path(&format!("/{hop}"), step.send(answer));
    }
    let error = session.get(server.url("/0")).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout(Timeout::Total), "{error}");
    assert!((1..30).contains(&error.progress().unwrap().hop), "{error}");
    // The request's own limit replaces that of the session.
    let url = redirect(&server, "/get", 302);
    assert_eq!(fetch(session.get(url).timeout(None)).await.status, 200);
}

async fn f38_limits_beyond_time_are_no_limits<R: Runtime>(world: &World<R>) {
    let session = limited(world, world.runtime(), |timeouts| {
        for limit in [
            &mut timeouts.pool,
            &mut timeouts.resolve,
            &mut timeouts.connect,
            &mut timeouts.send,
            &mut timeouts.head,
            &mut timeouts.read,
            &mut timeouts.total,
        ] {
            *limit = Some(Duration::MAX);
        }
    });
    let server = Server::start();
    let response = session.get(server.url("/redirect/2")).send().await.unwrap();
    assert!(!response.bytes().await.unwrap().is_empty());
}

async fn t01_a_callers_own_time_counts_for_the_total_alone<R: Runtime>(world: &World<R>) {
    let session = limited(world, world.runtime(), |timeouts| timeouts.read = Some(SHORT * 4));
    let server = Server::start();
    let mut response = session.get(server.url("/bytes/500000")).send().await.unwrap();
    let mut seen = response.chunk().await.unwrap().unwrap().len();
    // This time the caller reads slowly.
    let mut timer = world.runtime().sleep_until(world.runtime().mono() + SHORT * 8);
    poll_fn(|cx| timer.poll_elapsed(cx)).await;
    while let Some(chunk) = response.chunk().await.unwrap() {
        seen += chunk.len();
    }
    assert_eq!(seen, 500_000);
}

/// The way to read an endless body.
#[derive(Clone, Copy, Debug)]
enum Way {
    Bytes,
    Chunks,
    Copy,
    Lines,
    Events,
}

const WAYS: [Way; 5] = [Way::Bytes, Way::Chunks, Way::Copy, Way::Lines, Way::Events];

async fn read<R: Runtime>(mut response: Response<R>, way: Way) -> Result<(), sessio::Error> {
    match way {
        Way::Bytes => response.bytes().await.map(drop),
        Way::Chunks => {
            while response.chunk().await?.is_some() {}
            Ok(())
        }
        Way::Copy => {
            let copied = response.copy_with(|_, bytes| Poll::Ready(Ok(bytes.len()))).await;
            copied.map(drop).map_err(|error| error.downcast::<sessio::Error>().unwrap())
        }
        Way::Lines => {
            let mut lines = response.lines();
            while lines.next().await?.is_some() {}
            Ok(())
        }
        Way::Events => response.events().next().await.map(drop),
    }
}

/// An endless response of line ends: a stream of events without an event.
fn endless() -> Server {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    Server::scripted(Connection::new().expect_request().send(head).stall())
}

async fn fa1_a_peer_with_endless_bytes_meets_the_total_limit<R: Runtime>(world: &World<R>) {
    // Each read takes a hundredth of the limit.
    const READS: usize = 100;
    let limit = Duration::from_secs(100);
    for way in WAYS {
        let server = endless();
        let each = limit / u32::try_from(READS).unwrap();
        let session =
            limited(world, world.runtime().flooding(b'\n', each), |timeouts| timeouts.total = Some(limit));
        let response = session.get(server.url("/")).send().await.unwrap();
        let error = read(response, way).await.unwrap_err();
        check(&error, Timeout::Total, Stage::Body);
        let reads = session.runtime().flooded();
        assert!(reads <= 2 * READS, "{way:?}: {reads} reads, and time was up after {READS}");
    }
}

async fn fa1_a_peer_with_endless_bytes_lets_other_tasks_run<R: Runtime>(world: &World<R>) {
    for way in WAYS {
        let server = endless();
        let session = world.session_on(world.runtime().flooding(b'\n', Duration::ZERO));
        let response = session.get(server.url("/")).send().await.unwrap();
        // The future returns to the executor each time, and can be dropped.
        assert!(polled(5, read(response, way)).await.is_none(), "{way:?}");
        let reads = session.runtime().flooded();
        assert!((1..1000).contains(&reads), "{way:?}: {reads} reads");
    }
}
