//! Retries: which requests are sent again, how long the call waits between attempts, and that no
//! wait exceeds its deadline. Each wait advances the clock of the scenario, so that it takes no
//! real time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sessio::call::Event;
use sessio::retry::{AttemptEnd, Budget, Jitter, RetryPolicy, Verdict};
use sessio::{Call, Kind, Mount, Observer};
use sessio_driver::{Runtime, Session};
use sessio_testkit::{Connection, Otherwise, Script, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::redirect_chain::refusing_server;
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    a_busy_server_is_asked_again_after_its_retry_after
    a_wait_that_does_not_fit_returns_the_response
    a_refused_connection_is_tried_until_it_opens
    a_lost_connection_is_replaced_by_another_attempt
    a_post_is_never_doubled_wherever_its_connection_ends
    an_upload_starts_over_after_the_wait
    a_key_makes_a_post_repeatable_and_stays_the_same
    a_dead_host_gets_no_more_than_its_budget
    the_policy_of_a_mount_applies_within_its_pattern
}

/// The default policy, with the same waits in each run: 0.5, 1 and 2 s.
fn web() -> RetryPolicy {
    let mut policy = RetryPolicy::web();
    policy.backoff.jitter = Jitter::None;
    policy
}

/// A session with this policy on a runtime whose clock jumps over each wait. Also the waits.
fn session<R: Runtime>(
    world: &World<R>,
    runtime: FaultyRuntime<R>,
    policy: RetryPolicy,
) -> (Session<FaultyRuntime<R>>, Arc<Mutex<Vec<Duration>>>) {
    let clock = runtime.clock();
    let (session, waits) = (world.session_on(runtime), Arc::<Mutex<Vec<Duration>>>::default());
    let log = Arc::clone(&waits);
    let jump = Observer::new(move |_: &Call, event: &Event<'_>| {
        if let Event::Waiting { attempt, .. } = event
            && let Verdict::Again { wait, .. } = attempt.verdict
        {
            log.lock().unwrap().push(wait);
            clock.pass(wait);
        }
    });
    session.update(|settings| {
        // The reuse of a connection must not depend on the load of the machine.
        settings.limits.drain_time = Duration::from_secs(20);
        settings.retry = policy.into();
        settings.observer = settings.observer.clone().and(jump);
    });
    (session, waits)
}

fn busy(fields: &str) -> String {
    format!("HTTP/1.1 503 Busy\r\n{fields}\r\nContent-Length: 4\r\n\r\nbusy")
}

async fn a_busy_server_is_asked_again_after_its_retry_after<R: Runtime>(world: &World<R>) {
    let date = "Retry-After: Wed, 21 Oct 2015 07:28:09 GMT\r\nDate: Wed, 21 Oct 2015 07:28:00 GMT";
    for (fields, seconds) in [("Retry-After: 3", 3), (date, 9), ("Retry-After: 0", 0)] {
        let script = Connection::new().expect_request().send(busy(fields)).expect_request().ok("fine");
        let server = Server::scripted(script.routes());
        let (session, waits) = session(world, world.runtime(), web());
        let response = session.get(server.url("/")).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), sessio_tests::fetch::connection(&response)),
            (200, (1, true))
        );
        let wait = Duration::from_secs(seconds);
        assert_eq!(*waits.lock().unwrap(), [wait]);
        let [first, last] = response.attempts() else { panic!("{:?}", response.attempts()) };
        assert_eq!(first.to_string(), format!("status 503: again after {wait:?}, as Retry-After asks"));
        assert_eq!(last.to_string(), "status 200: not again, the status is no error");
        assert_eq!(response.history()[0].head.status, 503);
        assert_eq!(response.text().await.unwrap(), "fine");
    }
}

async fn a_wait_that_does_not_fit_returns_the_response<R: Runtime>(world: &World<R>) {
    for (fields, limit, why) in [
        ("Retry-After: 9999999999", None, "Retry-After asks for more than the policy allows"),
        ("Retry-After: 61", None, "Retry-After asks for more than the policy allows"),
        ("Retry-After: 40", Some(40), "the wait does not fit into the time limit of the call"),
    ] {
        let server = Server::scripted(Connection::new().expect_request().send(busy(fields)).routes());
        let (session, waits) = session(world, world.runtime(), web());
        let request = session.get(server.url("/")).timeout(limit.map(Duration::from_secs));
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 503);
        assert_eq!(response.attempts()[0].to_string(), format!("status 503: not again, {why}"));
        let asked = fields.split_once(": ").unwrap().1.parse().unwrap();
        assert_eq!(response.retry_after(), Some(Duration::from_secs(asked)));
        assert_eq!(response.text().await.unwrap(), "busy");
        assert!(waits.lock().unwrap().is_empty());
    }
}

async fn a_refused_connection_is_tried_until_it_opens<R: Runtime>(world: &World<R>) {
    let gone = refusing_server();
    let (address, url) = (gone.addr(), gone.url("/post"));
    let later = Arc::new(Mutex::new((Some(gone), 0, None)));
    let (session, waits) = session(world, world.runtime(), web());
    let shared = Arc::clone(&later);
    let open = Observer::new(move |_: &Call, event: &Event<'_>| {
        if let Event::Waiting { .. } = event {
            let (gone, count, server) = &mut *shared.lock().unwrap();
            *count += 1;
            if *count == 2 {
                drop(gone.take());
                *server = Some(Server::listen(address).unwrap());
            }
        }
    });
    // Nothing is sent to a host that refuses, so a POST is repeated too.
    let response = session.post(url).body("order").observe(open).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert!(response.text().await.unwrap().contains("order"));
    assert_eq!(*waits.lock().unwrap(), [500, 1000].map(Duration::from_millis));
    let requests = later.lock().unwrap().2.as_ref().unwrap().requests();
    assert_eq!(requests.len(), 1);
}

async fn a_lost_connection_is_replaced_by_another_attempt<R: Runtime>(world: &World<R>) {
    let lost = || Connection::new().expect_request();
    for end in [lost().close(), lost().reset(), lost().send("HTTP/1.1 200 OK\r\nCont").close()] {
        let server = Server::scripted(Script::new().connection(end).otherwise(Otherwise::Routes));
        let (session, waits) = session(world, world.runtime(), web());
        let response = session.get(server.url("/get")).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.connection().is_reused()), (200, false));
        assert!(matches!(response.attempts()[0].end, AttemptEnd::Failed(_)), "{:?}", response.attempts());
        assert!(response.history().is_empty());
        response.bytes().await.unwrap();
        assert_eq!(*waits.lock().unwrap(), [Duration::from_millis(500)]);
    }
}

/// The connection fails at each byte of an exchange, in both directions.
async fn a_post_is_never_doubled_wherever_its_connection_ends<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let runtime = world.runtime();
    let (first, _) = session(world, runtime.clone(), web());
    let path = |at: usize| format!("/anything/{at:05}");
    fetch(first.post(server.url(&path(99_999))).body("order")).await;
    let total = runtime.moved();
    let (mut done, mut lost) = (0, 0);
    for at in 0..total {
        let runtime = world.runtime().failing(at, std::io::ErrorKind::ConnectionReset);
        let (session, waits) = session(world, runtime, web());
        // The call does not wait for a response that a server with half a request cannot send.
        session.update(|settings| settings.limits.drain_time = Duration::ZERO);
        let sent = session.post(server.url(&path(at))).body("order").send().await;
        let waits = waits.lock().unwrap().len();
        match sent {
            Ok(response) => {
                assert_eq!(response.status().as_u16(), 200);
                done += 1;
                // The body may fail: the caller has the response.
                drop(response.bytes().await);
            }
            Err(error) => {
                assert!(error.progress().unwrap().bytes_sent > 0, "{at}: {error}");
                assert!(!error.is_safe_to_repeat() && waits == 0, "{at}: {error}");
                lost += 1;
            }
        }
    }
    // The request is sent again if no byte of it was sent, and never after that.
    assert!(done > 0 && lost > 100, "{done} {lost}");
    server.disconnect();
    server.wait_open(0);
    let mut targets: Vec<_> = server.requests().iter().map(|request| request.target().to_owned()).collect();
    targets.sort();
    let count = targets.len();
    targets.dedup();
    assert_eq!(targets.len(), count, "one request was sent twice");
}

async fn an_upload_starts_over_after_the_wait<R: Runtime>(world: &World<R>) {
    for replayable in [true, false] {
        let script =
            Connection::new().expect_request().send(busy("Retry-After: 1")).expect_request().ok("fine");
        let server = Server::scripted(script.routes());
        let (session, _) = session(world, world.runtime(), web());
        let source = Pieces::of(["one", "two"]);
        let response = session.put(server.url("/")).source(source, None, replayable).send().await.unwrap();
        if replayable {
            assert_eq!((response.status().as_u16(), response.attempts().len()), (200, 2));
            response.bytes().await.unwrap();
            let bodies: Vec<_> = server.requests().iter().map(|request| request.text()).collect();
            assert_eq!(bodies, ["onetwo", "onetwo"]);
        } else {
            assert_eq!(response.status().as_u16(), 503);
            let said = response.attempts()[0].to_string();
            assert_eq!(said, "status 503: not again, the body cannot be sent again");
            response.bytes().await.unwrap();
        }
    }
}

async fn a_key_makes_a_post_repeatable_and_stays_the_same<R: Runtime>(world: &World<R>) {
    for by_policy in [false, true] {
        let script = Connection::new().expect_request().send(busy("Retry-After: 1")).expect_request().close();
        let server = Server::scripted(Script::new().connection(script).otherwise(Otherwise::Routes));
        let mut policy = web();
        policy.draws_key = by_policy;
        let (session, _) = session(world, world.runtime(), policy);
        let request = session.post(server.url("/post")).body("order");
        let request = if by_policy { request } else { request.idempotency_key() };
        assert_eq!(fetch(request).await.status, 200);
        let requests = server.requests();
        let keys: Vec<_> =
            requests.iter().map(|request| request.header("idempotency-key").unwrap()).collect();
        assert_eq!((keys.len(), keys[0].len()), (3, 38), "{keys:?}");
        assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
        // The next call has a key of its own.
        fetch(session.post(server.url("/post")).body("order").idempotency_key()).await;
        assert_ne!(server.requests()[3].header("idempotency-key").as_ref(), Some(&keys[0]));
    }
}

async fn a_dead_host_gets_no_more_than_its_budget<R: Runtime>(world: &World<R>) {
    let gone = refusing_server();
    let runtime = world.runtime();
    let mut policy = web();
    // `forget_after` is a day: the jumps of the scenario's clock do not reset the budget.
    let mut budget = Budget::percent(20);
    (budget.reserve, budget.forget_after) = (0, Duration::from_secs(86_400));
    policy.budget = Some(budget);
    let (session, waits) = session(world, runtime.clone(), policy);
    let mut spent = 0;
    for _ in 0..100 {
        let error = session.get(gone.url("/")).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Connect);
        let last = error.attempts().last().unwrap().to_string();
        spent += usize::from(last.ends_with("the budget of retries to this origin is spent"));
    }
    assert_eq!((runtime.dialled().len(), waits.lock().unwrap().len()), (120, 20));
    assert!(spent >= 90, "{spent}");
}

async fn the_policy_of_a_mount_applies_within_its_pattern<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    for path in ["/anything/out", "/anything/in", "/anything/in", "/anything/in", "/anything/in"] {
        let busy = busy("Retry-After: 1\r\nConnection: close");
        server.script_path(path, Connection::new().expect_request().send(busy).close());
    }
    let mut policy = web();
    policy.max_attempts = 2;
    let (session, waits) = session(world, world.runtime(), policy.clone());
    policy.max_attempts = 3;
    session
        .try_update(|settings| {
            settings.retry = None;
            settings.mounts.add(&server.url("/anything/in"), Mount::new().retry(policy))
        })
        .unwrap();
    let attempts = async |path: &str| {
        let response = session.get(server.url(path)).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 503);
        let count = response.attempts().len();
        response.bytes().await.unwrap();
        count
    };
    assert_eq!((attempts("/anything/out").await, attempts("/anything/in").await), (0, 3));
    let response = session.get(server.url("/anything/in")).retry(None).send().await.unwrap();
    assert!(response.attempts().is_empty());
    response.bytes().await.unwrap();
    assert_eq!(waits.lock().unwrap().len(), 2);
}
