//! The timings of an exchange, the address of the server, and the original head of the response.

use std::time::Duration;

use sessio::Timings;
use sessio_driver::Runtime;
use sessio_testkit::{Connection, Server};
use sessio_tests::redirect_chain::redirect_chain;
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    s04_an_exchange_has_the_time_of_each_stage
    s04_a_body_counts_for_the_end_alone
    s04_r24_the_history_has_the_timings_of_each_hop
    s04_a_request_that_is_still_going_out_is_not_sent
    d18_a_head_is_returned_as_it_was_received
}

const HOUR: Duration = Duration::from_secs(3600);

/// The timings in the order in which they occur.
fn course(timings: &Timings) -> [Option<Duration>; 6] {
    let Timings { resolve, connect, sent, first_byte, head, end, .. } = *timings;
    [resolve, connect, sent, first_byte, head, end]
}

async fn s04_an_exchange_has_the_time_of_each_stage<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let session = world.session_on(world.runtime().name("named.test", [server.addr()]));
    for host in ["127.0.0.1", "named.test"] {
        for is_reused in [false, true] {
            let url = format!("http://{host}:{}/bytes/100", server.addr().port());
            let mut response = session.get(url).send().await.unwrap();
            while response.chunk().await.unwrap().is_some() {}
            let timings = response.timings();
            let known = course(&timings).map(|one| one.is_some());
            assert_eq!(known, [!is_reused, !is_reused, true, true, true, true], "{timings:?}");
            assert_eq!(timings.secure, None);
            let course: Vec<_> = course(&timings).into_iter().flatten().collect();
            assert!(course.is_sorted(), "{timings:?}");
            assert_eq!(timings.head, Some(response.elapsed()));
            assert_eq!(
                (response.remote_address(), response.connection().is_reused()),
                (Some(server.addr()), is_reused)
            );
        }
    }
}

async fn s04_a_body_counts_for_the_end_alone<R: Runtime>(world: &World<R>) {
    let server = Server::scripted(
        Connection::new()
            .expect_request()
            .send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
            .gate("rest")
            .send("rest"),
    );
    let runtime = world.runtime();
    let session = world.session_on(runtime.clone());
    let mut response = session.get(server.url("/")).send().await.unwrap();
    assert_eq!(response.timings().end, None);
    runtime.pass(HOUR);
    server.open_gate("rest");
    while response.chunk().await.unwrap().is_some() {}
    let timings = response.timings();
    assert!(timings.end.unwrap() >= HOUR && timings.head.unwrap() < HOUR, "{timings:?}");
}

async fn s04_r24_the_history_has_the_timings_of_each_hop<R: Runtime>(world: &World<R>) {
    let (one, two, session) = (Server::start(), Server::start(), world.session());
    let mut response = session.get(redirect_chain(&[&one, &two], 302)).send().await.unwrap();
    while response.chunk().await.unwrap().is_some() {}
    let [hop] = response.history() else { panic!() };
    assert_eq!((hop.remote, response.remote_address()), (Some(one.addr()), Some(two.addr())));
    assert!(course(&hop.timings)[..5].iter().all(Option::is_some), "{:?}", hop.timings);
    assert!(course(&response.timings()).iter().all(Option::is_some));
    assert_eq!(hop.timings.head, Some(hop.elapsed));
    assert!(hop.head.headers.contains("location") && hop.sent.contains("host"), "heads are whole");
}

async fn s04_a_request_that_is_still_going_out_is_not_sent<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let refusal = "HTTP/1.1 413 X\r\nContent-Length: 9\r\n\r\ntoo large";
    let server = Server::scripted(Connection::new().read_head().send(refusal));
    let source = Pieces::of(["one"]).then_stall();
    let mut response = session.post(server.url("/")).source(source, None, false).send().await.unwrap();
    while response.chunk().await.unwrap().is_some() {}
    let timings = response.timings();
    assert_eq!((timings.sent, timings.end.is_some()), (None, true), "{timings:?}");
}

async fn d18_a_head_is_returned_as_it_was_received<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let fields = "x-LOWER: 1\r\nX-A: one\r\nSet-Cookie: a=1\r\nx-a:  two  \r\nContent-Length: 0\r\nZ: \r\n";
    let server =
        Server::scripted(Connection::new().expect_request().send(format!("HTTP/1.1 200 OK\r\n{fields}\r\n")));
    let response = session.get(server.url("/")).send().await.unwrap();
    let written: Vec<_> = response
        .headers()
        .iter()
        .map(|field| (field.name, String::from_utf8_lossy(field.value).into_owned()))
        .collect();
    let expected = [
        ("x-LOWER", "1"),
        ("X-A", "one"),
        ("Set-Cookie", "a=1"),
        ("x-a", "two"),
        ("Content-Length", "0"),
        ("Z", ""),
    ];
    assert_eq!(written, expected.map(|(name, value)| (name, value.to_owned())));
}
