//! Limits on connections, the queue for them, and the time for which they are kept (rows F25 and
//! F40).

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use sessio::pool::Policy;
use sessio::{Kind, Resolver, Result, Stage, Timeout};
use sessio_driver::{Response, Runtime, Session};
use sessio_testkit::{Connection, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    f40_the_queue_of_a_host_is_first_come_first_served
    f40_the_queue_over_all_hosts_is_first_come_first_served
    f40_many_calls_share_few_connections
    f40_the_wait_has_a_limit_of_its_own
    f25_a_call_that_leaves_the_queue_leaves_nothing_behind
    f25_a_granted_place_that_is_not_taken_goes_to_the_next_call
    f25_a_call_that_is_dropped_while_connecting_frees_its_place
    idle_connections_are_kept_for_the_idle_timeout
    fn14_an_expired_connection_stays_open_until_the_next_use_of_the_pool
    the_number_of_idle_connections_is_limited
    close_idle_closes_idle_connections_alone
}

fn session<R: Runtime>(world: &World<R>, change: impl FnOnce(&mut Policy)) -> Session<FaultyRuntime<R>> {
    let mut policy = Policy::default();
    change(&mut policy);
    world.session_with_pool(world.runtime(), policy)
}

/// A request whose response has begun, and continues when the gate of that name is opened. It holds
/// its connection until then.
async fn held<R: Runtime>(
    session: &Session<FaultyRuntime<R>>,
    server: &Server,
    gate: &str,
) -> Response<FaultyRuntime<R>> {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    let path = format!("/{gate}");
    server.script_path(&path, Connection::new().expect_request().send(half).gate(gate).send("world"));
    session.get(server.url(&path)).send().await.unwrap()
}

async fn finish<R: Runtime>(server: &Server, gate: &str, response: Response<FaultyRuntime<R>>) {
    server.open_gate(gate);
    assert_eq!(response.bytes().await.unwrap(), "helloworld");
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

async fn f40_the_queue_of_a_host_is_first_come_first_served<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), session(world, |policy| policy.max_per_host = Some(1)));
    let first = held(&session, &server, "first").await;
    let [second, mut third, mut fourth] =
        ["2", "3", "4"].map(|name| waiting(&session, server.url(&format!("/anything/{name}"))));
    assert_eq!((session.stats().in_use, session.stats().waiting), (1, 3));
    finish(&server, "first", first).await;
    // The second call has the connection before it is even polled. Polling the others does not
    // overtake it.
    assert_eq!(session.stats().waiting, 2);
    assert!(is_waiting(&mut fourth) && is_waiting(&mut third));
    second.await.unwrap().bytes().await.unwrap();
    assert!(is_waiting(&mut fourth));
    third.await.unwrap().bytes().await.unwrap();
    fourth.await.unwrap().bytes().await.unwrap();
    let paths: Vec<_> = server.connection(0).requests().iter().map(|it| it.target().to_owned()).collect();
    assert_eq!(paths, ["/first", "/anything/2", "/anything/3", "/anything/4"]);
    let stats = session.stats();
    assert_eq!((stats.dialled, stats.reused, stats.idle, stats.in_use, stats.waiting), (1, 3, 1, 0, 0));
}

async fn f40_the_queue_over_all_hosts_is_first_come_first_served<R: Runtime>(world: &World<R>) {
    let (a, b) = (Server::start(), Server::start());
    let session = session(world, |policy| policy.max_total = Some(1));
    let first = held(&session, &a, "first").await;
    let other = waiting(&session, b.url("/get"));
    let mut same = waiting(&session, a.url("/get"));
    finish(&a, "first", first).await;
    // It could use the returned connection, but the other call came first.
    assert!(is_waiting(&mut same));
    a.wait_open(0);
    other.await.unwrap().bytes().await.unwrap();
    same.await.unwrap().bytes().await.unwrap();
    b.wait_open(0);
    assert_eq!((a.accepted(), b.accepted(), session.stats().open()), (2, 1, 1));
    // An idle connection is closed for a call that needs another one.
    session.get(b.url("/get")).send().await.unwrap().bytes().await.unwrap();
    a.wait_open(0);
    assert_eq!((b.accepted(), session.stats().open()), (2, 1));
}

/// Polls each future when it was woken, and only then, so a lost wakeup hangs.
pub(crate) async fn all<F: Future>(futures: Vec<Pin<Box<F>>>) -> Vec<F::Output> {
    struct Bell {
        rings: AtomicBool,
        outer: Waker,
    }
    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.rings.store(true, Ordering::SeqCst);
            self.outer.wake_by_ref();
        }
    }
    let outer = std::future::poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
    let bell = || Arc::new(Bell { rings: AtomicBool::new(true), outer: outer.clone() });
    let mut left: Vec<_> = futures.into_iter().map(|future| (future, bell())).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|_| {
        left.retain_mut(|(future, bell)| {
            if !bell.rings.swap(false, Ordering::SeqCst) {
                return true;
            }
            match future.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(bell)))) {
                Poll::Ready(value) => done.push(value),
                Poll::Pending => return true,
            }
            false
        });
        if left.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done
}

async fn f40_many_calls_share_few_connections<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), session(world, |policy| policy.max_per_host = Some(2)));
    let ask = |number: usize| {
        let request = session.get(server.url(&format!("/bytes/{}", 1000 * number)));
        Box::pin(async move { request.send().await.unwrap().bytes().await.unwrap().len() })
    };
    let mut lengths = all((0..40).map(ask).collect()).await;
    lengths.sort_unstable();
    assert_eq!(lengths, (0..40).map(|number| 1000 * number).collect::<Vec<_>>());
    let stats = session.stats();
    assert!(stats.dialled <= 2 && server.accepted() <= 2, "{stats:?}");
    assert_eq!((stats.in_use, stats.waiting), (0, 0));
    assert_eq!(stats.dialled + stats.reused, 40);
}

async fn f40_the_wait_has_a_limit_of_its_own<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), session(world, |policy| policy.max_per_host = Some(1)));
    let first = held(&session, &server, "first").await;
    for which in [Timeout::Pool, Timeout::Total] {
        let limited = session.derive(|settings| {
            let limit = Some(Duration::from_millis(25));
            match which {
                Timeout::Pool => settings.timeouts.pool = limit,
                _ => settings.timeouts.total = limit,
            }
        });
        let error = limited.get(server.url("/get")).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Timeout(which));
        assert!(error.is_timeout() && error.is_safe_to_repeat());
        assert_eq!(error.progress().unwrap().stage, Stage::Connect);
        assert_eq!((session.stats().waiting, session.stats().in_use), (0, 1));
    }
    finish(&server, "first", first).await;
    session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
    assert_eq!((server.accepted(), session.stats().reused), (1, 1));
}

async fn f25_a_call_that_leaves_the_queue_leaves_nothing_behind<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), session(world, |policy| policy.max_per_host = Some(1)));
    let first = held(&session, &server, "first").await;
    let second = waiting(&session, server.url("/anything/2"));
    let third = waiting(&session, server.url("/anything/3"));
    drop(second);
    assert_eq!(session.stats().waiting, 1);
    finish(&server, "first", first).await;
    third.await.unwrap().bytes().await.unwrap();
    assert_eq!((session.stats().in_use, session.stats().waiting), (0, 0));
    assert!(server.requests().iter().all(|request| request.target() != "/anything/2"));
}

async fn f25_a_granted_place_that_is_not_taken_goes_to_the_next_call<R: Runtime>(world: &World<R>) {
    for breaks in [false, true] {
        let (server, session) = (Server::start(), session(world, |policy| policy.max_per_host = Some(1)));
        let first = held(&session, &server, "first").await;
        let second = waiting(&session, server.url("/anything/2"));
        let third = waiting(&session, server.url("/anything/3"));
        // The first call frees a connection, or only the right to open one.
        if breaks {
            drop(first);
        } else {
            finish(&server, "first", first).await;
        }
        assert_eq!(session.stats().waiting, 1, "the second's turn has come");
        drop(second);
        assert_eq!((session.stats().waiting, session.stats().in_use), (0, 1));
        third.await.unwrap().bytes().await.unwrap();
        assert_eq!((session.stats().in_use, session.stats().idle), (0, 1));
        server.open_gate("first");
        server.wait_open(1);
        assert!(server.requests().iter().all(|request| request.target() != "/anything/2"));
    }
}

async fn f25_a_call_that_is_dropped_while_connecting_frees_its_place<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), session(world, |policy| policy.max_per_host = Some(1)));
    let (to, has_asked) = (server.addr(), AtomicBool::new(false));
    session.set_resolver(Resolver::new(move |_: String, _: u16| {
        let is_first = !has_asked.swap(true, Ordering::SeqCst);
        async move { if is_first { std::future::pending().await } else { Ok(vec![to]) } }
    }));
    let mut stuck = Box::pin(session.get("http://site.test/get").send());
    assert!(is_waiting(&mut stuck));
    assert_eq!((session.stats().in_use, session.stats().waiting), (1, 0));
    let next = waiting(&session, "http://site.test/get".into());
    drop(stuck);
    assert_eq!(next.await.unwrap().status(), 200);
    assert_eq!((session.stats().in_use, session.stats().dialled), (0, 1));
}

async fn idle_connections_are_kept_for_the_idle_timeout<R: Runtime>(world: &World<R>) {
    let seconds = Duration::from_secs;
    let server = Server::start();
    let ask =
        async |session: &Session<FaultyRuntime<R>>| fetch(session.get(server.url("/get"))).await.connection;
    let idle = session(world, |policy| policy.idle_timeout = seconds(10));
    assert_eq!(ask(&idle).await, (1, false));
    for _ in 0..3 {
        idle.runtime().pass(seconds(9));
        assert_eq!(ask(&idle).await, (1, true), "each use counts anew");
    }
    idle.runtime().pass(seconds(10));
    assert_eq!(ask(&idle).await, (2, false));
    server.wait_closed(0);

    let before = server.accepted();
    let lived = session(world, |policy| policy.max_lifetime = Some(seconds(10)));
    assert_eq!(ask(&lived).await, (1, false));
    lived.runtime().pass(seconds(6));
    assert_eq!(ask(&lived).await, (1, true));
    lived.runtime().pass(seconds(4));
    assert_eq!(ask(&lived).await, (2, false), "however lively");
    server.wait_closed(before);
    // A connection in use is not closed.
    let response = held(&lived, &server, "late").await;
    lived.runtime().pass(seconds(60));
    finish(&server, "late", response).await;
    assert_eq!((lived.stats().idle, lived.stats().in_use), (0, 0));
}

async fn fn14_an_expired_connection_stays_open_until_the_next_use_of_the_pool<R: Runtime>(world: &World<R>) {
    let seconds = Duration::from_secs;
    let server = Server::start();
    let session = session(world, |policy| policy.idle_timeout = seconds(10));
    assert_eq!(session.next_expiry(), None);
    let before = session.runtime().mono();
    fetch(session.get(server.url("/get"))).await;
    let due = session.next_expiry().unwrap();
    assert!(due >= before + seconds(10) && due <= session.runtime().mono() + seconds(10));
    session.runtime().pass(seconds(9));
    session.close_expired();
    assert_eq!((session.stats().idle, session.next_expiry()), (1, Some(due)));
    session.runtime().pass(seconds(1));
    assert_eq!((session.stats().idle, server.open_connections()), (1, 1));
    session.close_expired();
    assert_eq!((session.stats().idle, session.next_expiry()), (0, None));
    server.wait_closed(0);
}

async fn the_number_of_idle_connections_is_limited<R: Runtime>(world: &World<R>) {
    // The setting, whether both responses are of one server, and the idle connections left on the
    // first and the other server.
    type Limit = (fn(&mut Policy), bool, [usize; 2]);
    let limits: [Limit; 5] = [
        (|_| (), true, [2, 0]),
        (|policy| policy.max_idle_per_host = 1, true, [1, 0]),
        (|policy| policy.max_idle_per_host = 1, false, [1, 1]),
        (|policy| policy.max_idle = 1, false, [0, 1]),
        (|policy| policy.max_idle = 0, true, [0, 0]),
    ];
    for (limit, is_same, left) in limits {
        let (a, b) = (Server::start(), Server::start());
        let session = session(world, limit);
        let (one, other) = (&a, if is_same { &a } else { &b });
        let responses = [held(&session, one, "x").await, held(&session, other, "y").await];
        assert_eq!((session.stats().in_use, session.stats().idle), (2, 0));
        let [first, second] = responses;
        finish(one, "x", first).await;
        finish(other, "y", second).await;
        assert_eq!((session.stats().idle, session.stats().in_use), (left[0] + left[1], 0));
        a.wait_open(left[0]);
        b.wait_open(left[1]);
        // The connection that was returned last is kept.
        if left != [0, 0] {
            let response = session.get(other.url("/get")).send().await.unwrap();
            assert_eq!(sessio_tests::fetch::connection(&response), (2, true));
        }
    }
}

async fn close_idle_closes_idle_connections_alone<R: Runtime>(world: &World<R>) {
    let (a, b, session) = (Server::start(), Server::start(), world.session());
    let busy = held(&session, &a, "busy").await;
    for server in [&a, &b] {
        session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
    }
    assert_eq!((session.stats().idle, session.stats().in_use), (2, 1));
    session.close_idle_to(&a.url("/whatever").parse().unwrap());
    a.wait_open(1);
    assert_eq!((session.stats().idle, b.open_connections()), (1, 1));
    session.close_idle();
    b.wait_open(0);
    // A connection in use is returned as usual.
    finish(&a, "busy", busy).await;
    assert_eq!((session.stats().idle, session.stats().in_use), (1, 0));
    assert_eq!(fetch(session.get(a.url("/get"))).await.connection, (1, true));
}
