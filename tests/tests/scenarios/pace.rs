//! Pace: how fast, and how many at a time, requests go to one host. The event of a wait advances the
//! clock of the scenario, so that no wait takes time.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use sessio::call::Event;
use sessio::pace::{AutoThrottle, CircuitBreaker, Pace, Reason};
use sessio::retry::{Jitter, RetryPolicy, Verdict};
use sessio::{Call, Kind, Mount, Observer, Result, Timeout};
use sessio_driver::{Response, Runtime, Session, Stream};
use sessio_testkit::{Connection, Otherwise, Script, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::redirect_chain::refusing_server;
use sessio_tests::scenarios;
use sessio_tests::world::World;

use crate::queue::all;

scenarios! {
    requests_keep_their_rate_and_redirects_count
    a_busy_server_holds_every_call_to_its_host_and_to_no_other
    a_hold_that_is_too_long_fails_at_once
    an_open_circuit_sends_nothing_and_then_one_request
    a_wait_that_does_not_fit_fails_at_once
    calls_wait_in_one_line_and_begin_in_their_order
    a_crowd_keeps_the_rate
    a_dropped_call_leaves_the_line_usable
    the_wait_has_the_limit_of_the_pool
    a_mount_has_a_pace_of_its_own
    retries_wait_for_the_pace_too
    a_throttle_waits_for_the_latency_of_the_server
    a_stale_connection_is_replaced_within_the_pace
}

type Waits = Arc<Mutex<Vec<Option<Duration>>>>;

/// A session with this pace on a runtime whose clock jumps over each wait that is known. Also the waits.
fn session<R: Runtime>(
    world: &World<R>,
    runtime: FaultyRuntime<R>,
    pace: impl Into<Option<Arc<Pace>>>,
) -> (Session<FaultyRuntime<R>>, Waits) {
    let clock = runtime.clock();
    let (session, waits) = (world.session_on(runtime), Waits::default());
    let log = Arc::clone(&waits);
    let jump = Observer::new(move |_: &Call, event: &Event<'_>| {
        let wait = match event {
            Event::Paced { wait, .. } => {
                log.lock().unwrap().push(*wait);
                *wait
            }
            Event::Waiting { attempt, .. } => match attempt.verdict {
                Verdict::Again { wait, .. } => Some(wait),
                Verdict::Stop(_) => None,
            },
            _ => None,
        };
        if let Some(wait) = wait {
            clock.pass(wait);
        }
    });
    let pace = pace.into();
    session.update(|settings| {
        // The reuse of a connection must not depend on the load of the machine.
        settings.limits.drain_time = Duration::from_secs(20);
        settings.pace = pace;
        settings.observer = settings.observer.clone().and(jump);
    });
    (session, waits)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The waits, in tens of seconds. Up to 8 s may have passed before, by the clock of the machine.
fn taken(waits: &Waits) -> Vec<Option<u64>> {
    let waits = std::mem::take(&mut *waits.lock().unwrap());
    waits.into_iter().map(|wait| wait.map(|wait| (wait.as_secs() + 8) / 10 * 10)).collect()
}

fn busy(fields: &str) -> String {
    format!("HTTP/1.1 503 Busy\r\n{fields}\r\nContent-Length: 4\r\n\r\nbusy")
}

async fn requests_keep_their_rate_and_redirects_count<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let mut pace = Pace::rate(1, seconds(100));
    pace.rate = pace.rate.map(|rate| rate.burst(2));
    let (session, waits) = session(world, world.runtime(), pace);
    let mut seen = Vec::new();
    for path in ["/get", "/get", "/get", "/redirect-to?url=/get", "/get"] {
        assert_eq!(fetch(session.get(server.url(path))).await.status, 200);
        seen.push(taken(&waits).len());
    }
    assert_eq!(seen, [0, 0, 1, 2, 1]);
    assert_eq!(server.requests().len(), 6);
    // Another host has a pace of its own.
    fetch(session.get(Server::start().url("/get"))).await;
    assert!(taken(&waits).is_empty());
}

async fn a_busy_server_holds_every_call_to_its_host_and_to_no_other<R: Runtime>(world: &World<R>) {
    for status in ["429 Too Many Requests", "503 Busy"] {
        let busy = format!("HTTP/1.1 {status}\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n");
        let script = Connection::new().expect_request().send(busy).expect_request().ok("fine");
        let server = Server::scripted(script.routes());
        let other = Server::start();
        let (session, waits) = session(world, world.runtime(), Pace::new());
        assert!(fetch(session.get(server.url("/"))).await.status >= 429);
        fetch(session.get(other.url("/get"))).await;
        assert!(taken(&waits).is_empty());
        let response = fetch(session.get(server.url("/"))).await;
        assert_eq!((response.status, response.connection), (200, (1, true)));
        assert_eq!(taken(&waits), [Some(30)]);
        fetch(session.get(server.url("/get"))).await;
        assert!(taken(&waits).is_empty());
    }
}

async fn a_hold_that_is_too_long_fails_at_once<R: Runtime>(world: &World<R>) {
    let script = Connection::new().expect_request().send(busy("Retry-After: 9999999999"));
    let server = Server::scripted(Script::new().connection(script).otherwise(Otherwise::Routes));
    let runtime = world.runtime();
    let (session, waits) = session(world, runtime.clone(), Pace::new());
    fetch(session.get(server.url("/get"))).await;
    let error = session.get(server.url("/get")).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Paced);
    let refusal = error.pace_refusal().unwrap();
    assert_eq!(refusal.reason, Reason::HoldTooLong);
    assert!(refusal.wait.unwrap() > seconds(3590) && refusal.wait.unwrap() <= seconds(3600), "{refusal}");
    assert!(error.is_safe_to_repeat() && error.to_string().contains(server.url("/").trim_end_matches('/')));
    // The longest hold is an hour. The last minute of it is waited for.
    runtime.pass(seconds(3550));
    fetch(session.get(server.url("/get"))).await;
    assert_eq!(taken(&waits).len(), 1);
}

async fn an_open_circuit_sends_nothing_and_then_one_request<R: Runtime>(world: &World<R>) {
    let gone = refusing_server();
    let (address, url) = (gone.addr(), gone.url("/get"));
    let mut breaker = CircuitBreaker::default();
    breaker.failures = 2;
    let mut pace = Pace::new();
    pace.breaker = Some(breaker);
    let runtime = world.runtime();
    let (session, waits) = session(world, runtime.clone(), pace);
    for (kind, dialled) in [(Kind::Connect, 1), (Kind::Connect, 2), (Kind::CircuitOpen, 2)] {
        let error = session.get(&url).send().await.unwrap_err();
        assert_eq!((error.kind(), runtime.dialled().len()), (kind, dialled));
        assert_eq!(error.pace_refusal().is_some(), kind == Kind::CircuitOpen);
    }
    runtime.pass(seconds(31));
    // The one that tries fails, so that the circuit is open for another 30 s.
    for (kind, dialled) in [(Kind::Connect, 3), (Kind::CircuitOpen, 3)] {
        let error = session.get(&url).send().await.unwrap_err();
        assert_eq!((error.kind(), runtime.dialled().len()), (kind, dialled));
    }
    drop(gone);
    let server = Server::listen(address).unwrap();
    runtime.pass(seconds(31));
    fetch(session.get(&url)).await;
    fetch(session.get(&url)).await;
    assert_eq!((server.requests().len(), taken(&waits).len()), (2, 0));
}

async fn a_wait_that_does_not_fit_fails_at_once<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let (session, waits) = session(world, world.runtime(), Pace::rate(1, seconds(1000)));
    fetch(session.get(server.url("/get")).timeout(seconds(500))).await;
    let error = session.get(server.url("/get")).timeout(seconds(500)).send().await.unwrap_err();
    assert_eq!((error.kind(), error.pace_refusal().unwrap().reason), (Kind::Paced, Reason::DeadlineTooNear));
    assert!(error.pace_refusal().unwrap().wait.unwrap() > seconds(900));
    let stats = session.stats();
    assert_eq!((stats.waiting, stats.in_use, taken(&waits).len(), server.requests().len()), (0, 0, 0, 1));
    fetch(session.get(server.url("/get"))).await;
    assert_eq!(taken(&waits), [Some(1000)]);
}

/// A request in the queue. This works on a blocking runtime too, because nothing has been awaited
/// yet.
fn waiting<R: Runtime>(
    session: &Session<FaultyRuntime<R>>,
    url: String,
) -> Pin<Box<impl Future<Output = Result<Response<FaultyRuntime<R>>>> + use<R>>> {
    let before = session.stats().waiting;
    let mut sent = Box::pin(session.get(url).send());
    assert!(is_waiting(&mut sent));
    assert_eq!(session.stats().waiting, before + 1);
    sent
}

fn is_waiting(sent: &mut Pin<Box<impl Future>>) -> bool {
    sent.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
}

fn narrow(concurrency: u32) -> Pace {
    let mut pace = Pace::new();
    pace.concurrency = Some(concurrency);
    pace
}

async fn calls_wait_in_one_line_and_begin_in_their_order<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let (session, waits) = session(world, world.runtime(), narrow(1));
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    server.script_path("/held", Connection::new().expect_request().send(half).gate("end").send("world"));
    let first = session.get(server.url("/held")).send().await.unwrap();
    let [second, mut third, mut fourth] =
        ["2", "3", "4"].map(|name| waiting(&session, server.url(&format!("/anything/{name}"))));
    // The limit of the pool and that of the pace are one line.
    fetch(session.get(Server::start().url("/get"))).await;
    server.open_gate("end");
    first.bytes().await.unwrap();
    assert!(is_waiting(&mut fourth) && is_waiting(&mut third));
    second.await.unwrap().bytes().await.unwrap();
    assert!(is_waiting(&mut fourth));
    third.await.unwrap().bytes().await.unwrap();
    fourth.await.unwrap().bytes().await.unwrap();
    assert_eq!(taken(&waits), [None, None, None]);
    let paths: Vec<_> = server.requests().iter().map(|it| it.target().to_owned()).skip(1).collect();
    assert_eq!(paths, ["/anything/2", "/anything/3", "/anything/4"]);
    assert_eq!((session.stats().waiting, session.stats().in_use), (0, 0));
}

/// Polls all futures each time.
async fn join<F: Future>(mut left: Vec<Pin<Box<F>>>) -> Vec<F::Output> {
    let mut done = Vec::new();
    std::future::poll_fn(|cx| {
        left.retain_mut(|future| match future.as_mut().poll(cx) {
            Poll::Ready(value) => {
                done.push(value);
                false
            }
            Poll::Pending => true,
        });
        if left.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done
}

/// Each waiting call is polled when it was woken, and only then: a lost wakeup hangs.
async fn a_crowd_keeps_the_rate<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let runtime = world.runtime();
    let session = world.session_on(runtime.clone());
    session.update(|settings| {
        // Whether a call waits depends on the load of the machine.
        settings.observer = Observer::default();
        let mut pace = Pace::rate(1, Duration::from_millis(4));
        pace.concurrency = Some(3);
        settings.pace = pace.into();
    });
    let begin = runtime.now().mono;
    let ask = |number: usize| {
        let request = session.get(server.url(&format!("/bytes/{}", 100 * number)));
        Box::pin(async move { request.send().await.unwrap().bytes().await.unwrap().len() })
    };
    let asked = (0..20).map(ask).collect();
    // The timers of a blocking runtime wake its thread, and no future.
    let mut lengths = match <FaultyRuntime<R> as Runtime>::Stream::BLOCKS {
        true => join(asked).await,
        false => all(asked).await,
    };
    lengths.sort_unstable();
    assert_eq!(lengths, (0..20).map(|number| 100 * number).collect::<Vec<_>>());
    assert!(runtime.now().mono - begin >= Duration::from_millis(19 * 4));
    assert!(server.accepted() <= 3, "{}", server.accepted());
    assert_eq!((session.stats().waiting, session.stats().in_use), (0, 0));
}

async fn a_dropped_call_leaves_the_line_usable<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let (session, _) = session(world, world.runtime(), narrow(1));
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    server.script_path("/held", Connection::new().expect_request().send(half).gate("end").send("world"));
    let held = session.get(server.url("/held")).send().await.unwrap();
    let [second, third, fourth] =
        ["2", "3", "4"].map(|name| waiting(&session, server.url(&format!("/anything/{name}"))));
    // The first in the line, one within it, and the call that has the place.
    drop(second);
    drop(third);
    assert_eq!(session.stats().waiting, 1);
    server.open_gate("end");
    drop(held);
    fourth.await.unwrap().bytes().await.unwrap();
    assert_eq!((session.stats().waiting, session.stats().in_use), (0, 0));
    // A place that was granted, and not taken.
    server.script_path("/again", Connection::new().expect_request().send(half).gate("again").send("world"));
    let held = session.get(server.url("/again")).send().await.unwrap();
    let fifth = waiting(&session, server.url("/anything/5"));
    server.open_gate("again");
    held.bytes().await.unwrap();
    drop(fifth);
    fetch(session.get(server.url("/get"))).await;
}

async fn the_wait_has_the_limit_of_the_pool<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let runtime = world.runtime();
    let (session, _) = session(world, runtime.clone(), narrow(1));
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    server.script_path("/held", Connection::new().expect_request().send(half).gate("end").send("world"));
    let held = session.get(server.url("/held")).send().await.unwrap();
    session.update(|settings| settings.timeouts.pool = Some(Duration::from_millis(3)));
    let error = session.get(server.url("/get")).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout(Timeout::Pool));
    assert_eq!(session.stats().waiting, 0);
    session.update(|settings| settings.timeouts.pool = None);
    server.open_gate("end");
    assert_eq!(held.bytes().await.unwrap(), "helloworld");
    fetch(session.get(server.url("/get"))).await;
}

async fn a_mount_has_a_pace_of_its_own<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let (session, waits) = session(world, world.runtime(), Pace::rate(1, seconds(100)));
    session
        .try_update(|settings| {
            settings.mounts.add(&server.url("/anything/free"), Mount::new().pace(None))?;
            settings
                .mounts
                .add(&server.url("/anything/slow"), Mount::new().pace(Pace::rate(1, seconds(1000))))?;
            settings.mounts.add(&server.url("/anything/same"), Mount::new().header("X-Same", "1"))
        })
        .unwrap();
    let mut seen = Vec::new();
    for path in ["free", "free", "slow", "other", "slow", "same", "free"] {
        fetch(session.get(server.url(&format!("/anything/{path}")))).await;
        seen.extend(taken(&waits).into_iter().map(|wait| (path, wait)));
    }
    // The wait of `slow` is longer than that of `other` and `same`.
    assert_eq!(seen, [("slow", Some(1000))]);
    fetch(session.get(server.url("/anything/other"))).await;
    assert_eq!(taken(&waits), [Some(100)]);
}

async fn retries_wait_for_the_pace_too<R: Runtime>(world: &World<R>) {
    let script = Connection::new()
        .expect_request()
        .send(busy("Retry-After: 30"))
        .expect_request()
        .send(busy("Retry-After: 30"))
        .expect_request()
        .ok("fine");
    let server = Server::scripted(script.routes());
    let (session, waits) = session(world, world.runtime(), Pace::rate(1, seconds(50)));
    let mut policy = RetryPolicy::web();
    policy.backoff.jitter = Jitter::None;
    session.update(|settings| settings.retry = policy.into());
    let response = session.get(server.url("/")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.attempts().len()), (200, 3));
    response.bytes().await.unwrap();
    // The wait of the retry counts for the rate.
    assert_eq!(taken(&waits), [Some(20), Some(20)]);
}

async fn a_throttle_waits_for_the_latency_of_the_server<R: Runtime>(world: &World<R>) {
    // The connection does not outlive the waits.
    let sent = |status| {
        let response = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        Connection::new().expect_request().send(response)
    };
    let script = Script::new().connection(sent("200 OK")).connection(sent("500 Oops"));
    let script = script.otherwise(Otherwise::Routes);
    let server = Server::scripted(script);
    let mut throttle = AutoThrottle::default();
    (throttle.start, throttle.max) = (seconds(400), seconds(1000));
    let mut pace = Pace::auto();
    pace.throttle = Some(throttle);
    let (session, waits) = session(world, world.runtime(), pace);
    session.update(|settings| settings.timeouts.total = None);
    for _ in 0..2 {
        drop(session.get(server.url("/get")).send().await.unwrap().bytes().await);
    }
    // Half the way to the latency, which is almost nothing. After the error it stays.
    assert_eq!(taken(&waits), [Some(200)]);
    fetch(session.get(server.url("/get"))).await;
    assert_eq!(taken(&waits), [Some(200)]);
}

/// A connection that the server has closed costs a new one, and no other request of the rate.
async fn a_stale_connection_is_replaced_within_the_pace<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let mut pace = Pace::rate(2, seconds(200));
    pace.rate = pace.rate.map(|rate| rate.burst(2));
    let (session, waits) = session(world, world.runtime(), pace);
    fetch(session.get(server.url("/get"))).await;
    server.disconnect();
    server.wait_open(0);
    assert_eq!(fetch(session.get(server.url("/get"))).await.connection, (2, false));
    assert!(taken(&waits).is_empty());
    fetch(session.get(server.url("/get"))).await;
    assert_eq!(taken(&waits), [Some(100)]);
}
