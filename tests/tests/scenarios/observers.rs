//! Observers receive every response of a call, and cannot harm it.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use sessio::call::Event;
use sessio::{Call, Observer};
use sessio_driver::{Runtime, Session};
use sessio_testkit::{Connection, Server};
use sessio_tests::movable::Movable;
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    s18_r26_observers_of_session_and_request_see_each_response
    s18_an_observer_that_panics_at_any_point_leaves_the_session_usable
    law_7_an_observer_may_use_the_session
}

mod byte_by_byte {
    use super::{s18_an_observer_that_panics_while_a_connection_is_given_back, scenarios};

    scenarios! {
        waiting:
        s18_an_observer_that_panics_while_a_connection_is_given_back
    }
}

/// Records the hop and the status of each response.
fn statuses(seen: &Arc<Mutex<Vec<(u32, u16)>>>) -> Observer {
    let seen = Arc::clone(seen);
    Observer::new(move |call: &Call, event: &Event<'_>| {
        if let Event::Head(head) = event {
            seen.lock().unwrap().push((call.hop(), head.status.as_u16()));
        }
    })
}

async fn s18_r26_observers_of_session_and_request_see_each_response<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let (by_session, by_request) = (Arc::default(), Arc::default());
    session.update(|settings| settings.observer = settings.observer.clone().and(statuses(&by_session)));
    let url = server.url("/redirect/2");
    session.get(&url).observe(statuses(&by_request)).send().await.unwrap().bytes().await.unwrap();
    let hops = [(0, 302), (1, 302), (2, 200)];
    assert_eq!((&by_session.lock().unwrap()[..], &by_request.lock().unwrap()[..]), (&hops[..], &hops[..]));
    // An observer of a request applies to that request only.
    session.get(server.url("/status/404")).send().await.unwrap().bytes().await.unwrap();
    assert_eq!((by_session.lock().unwrap().len(), by_request.lock().unwrap().len()), (4, 3));
    // A prepared request keeps its observer.
    let mut prepared = session.get(server.url("/get")).prepare().unwrap();
    prepared.observe(statuses(&by_request));
    session.execute(prepared).await.unwrap().bytes().await.unwrap();
    assert_eq!((by_session.lock().unwrap().len(), by_request.lock().unwrap().len()), (5, 4));
}

/// No lock is held during an event: an observer may use jar, settings and pool.
async fn law_7_an_observer_may_use_the_session<R: Movable>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let (observed, cookies) = (session.clone(), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&cookies);
    let observer = Observer::new(move |_, _| {
        let _ = (observed.stats(), observed.settings());
        seen.lock().unwrap().push(observed.cookies(|jar| jar.len()));
    });
    let answer = session.get(server.url("/redirect/3?cookies=1")).observe(observer).send().await.unwrap();
    answer.bytes().await.unwrap();
    let mut cookies = cookies.lock().unwrap();
    cookies.dedup();
    assert_eq!(*cookies, [0, 1, 2, 3]);
}

/// The output of a future, unless it panics.
async fn unharmed<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Ready(done)) => Poll::Ready(Some(done)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_) => Poll::Ready(None),
    })
    .await
}

/// An observer that panics at event number `after`.
fn panicking(after: usize) -> Observer {
    Observer::per_call(move |_| {
        let mut left = after;
        move |_: &Call, _: &Event<'_>| {
            if left == 0 {
                resume_unwind(Box::new("an observer's own mistake"));
            }
            left -= 1;
        }
    })
}

async fn s18_an_observer_that_panics_at_any_point_leaves_the_session_usable<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    // Responses without a body are complete with their heads, for any cut by the network.
    let script = || {
        for (path, status, more) in [
            ("/a", 307, "Location: /b\r\n"),
            ("/b", 302, "Location: /c\r\nSet-Cookie: a=1\r\n"),
            ("/c", 200, ""),
        ] {
            let head = format!("HTTP/1.1 {status} X\r\n{more}Content-Length: 0\r\n\r\n");
            server.script_path(path, Connection::new().expect_request().send(head));
        }
        server.url("/a")
    };
    panics_at_any_point(&world.session(), script).await;
}

async fn s18_an_observer_that_panics_while_a_connection_is_given_back<R: Runtime>(world: &World<R>) {
    // In single bytes, the last byte of a redirect comes after the decision to follow it.
    let server = Server::start();
    let url = || server.url("/redirect-to?status_code=307&url=/cookies/set/a/1");
    panics_at_any_point(&world.session_on(world.runtime().dripping()), url).await;
}

async fn panics_at_any_point<R: Runtime>(session: &Session<R>, url: impl Fn() -> String) {
    let mut points = 0;
    loop {
        let request = session.put(url());
        let request = request.source(Pieces::of(["one", "two"]), None, true).observe(panicking(points));
        let body = unharmed(async { request.send().await?.bytes().await }).await;
        // Neither a connection nor a lease is lost, and no lock is held.
        assert_eq!(session.stats().in_use, 0, "after {points} events");
        session.cookies(|jar| jar.len());
        if let Some(body) = body {
            body.unwrap();
            break;
        }
        points += 1;
    }
    assert!(points > 12, "{points} points");
    session.put(url()).send().await.unwrap().bytes().await.unwrap();
}
