//! Sessions from a builder, and pools whose policy changes while they are used.

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use sessio::cookie::{Format, Keep};
use sessio::pool::Policy;
use sessio::{Jar, Mount, Url};
use sessio_driver::{Runtime, SessionBuilder};
use sessio_testkit::{Connection, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::movable::Movable;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    fn10_a_builder_sets_what_every_request_has
    fn10_a_builder_starts_with_cookies
    the_policy_of_a_pool_changes_while_it_is_used
}

fn builder<R: Runtime>(world: &World<R>) -> SessionBuilder<FaultyRuntime<R>> {
    SessionBuilder::new(world.runtime()).update(|settings| world.carrier().set_up(settings))
}

async fn fn10_a_builder_sets_what_every_request_has<R: Movable>(world: &World<R>) {
    let server = Server::start();
    let session = builder(world)
        .base_url(server.url("/anything/"))
        .user_agent("test/1")
        .header("x-tag", "a")
        .append_header("x-tag", "b")
        .remove_header("Accept")
        .query([("lang", "en")])
        .param("page", 2)
        .basic_auth("user", "pass")
        .timeout(Duration::from_secs(60))
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(20))
        .redirects(3)
        .body_limit(1_000_000)
        .mount(&server.url("/anything/mounted"), Mount::new().header("x-mount", "1"))
        .build()
        .unwrap();
    fetch(session.get("plain")).await;
    fetch(session.get("mounted")).await;
    let requests = server.requests();
    assert_eq!(requests[0].target(), "/anything/plain?lang=en&page=2");
    assert_eq!(requests[0].header_all("x-tag"), ["a", "b"]);
    assert_eq!(requests[0].header_all("user-agent"), ["test/1"]);
    assert_eq!(requests[0].header_all("authorization"), ["Basic dXNlcjpwYXNz"]);
    assert!(requests[0].header_all("accept").is_empty() && requests[0].header_all("x-mount").is_empty());
    assert_eq!(requests[1].header_all("x-mount"), ["1"]);
    let settings = session.settings();
    let seconds = |limit: Option<Duration>| limit.map(|limit| limit.as_secs());
    let timeouts = settings.timeouts;
    assert_eq!(
        [timeouts.total, timeouts.connect, timeouts.read].map(seconds),
        [Some(60), Some(10), Some(20)]
    );
    assert_eq!((settings.max_redirects, settings.limits.body_bytes), (3, Some(1_000_000)));
}

async fn fn10_a_builder_starts_with_cookies<R: Movable>(world: &World<R>) {
    let server = Server::start();
    let url = Url::parse(&server.url("/")).unwrap();
    let path = std::env::temp_dir().join(format!("sessio-built-{}-{:p}", std::process::id(), world));
    let earlier = builder(world).base_url(url.clone()).set_cookie("saved", "1").build().unwrap();
    earlier.save_cookies(&path, Format::CookiesTxt, Keep::All).unwrap();

    let mut jar = Jar::new();
    jar.extract(&url, [&b"jar=2"[..]], sessio::UnixTime(0));
    let session =
        builder(world).set_cookie("set", "3").cookie_file(&path).jar(jar).base_url(url).build().unwrap();
    std::fs::remove_file(&path).unwrap();
    fetch(session.get("get")).await;
    let sent = server.requests()[0].header_all("cookie").join("; ");
    let mut sent: Vec<_> = sent.split("; ").collect();
    sent.sort_unstable();
    assert_eq!(sent, ["jar=2", "saved=1", "set=3"]);
}

async fn the_policy_of_a_pool_changes_while_it_is_used<R: Movable>(world: &World<R>) {
    let (server, session) =
        (Server::start(), builder(world).pool(Policy::new().max_per_host(1)).build().unwrap());
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
    server.script_path("/held", Connection::new().expect_request().send(half).gate("held").send("world"));
    let held = session.get(server.url("/held")).send().await.unwrap();
    {
        let mut second = pin!(session.get(server.url("/get")).send());
        assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!((session.stats().in_use, session.stats().waiting), (1, 1));
        session.set_pool_policy(session.pool_policy().max_per_host(2));
        assert_eq!((session.stats().in_use, session.stats().waiting), (2, 0));
        assert!(!second.await.unwrap().bytes().await.unwrap().is_empty());
    }
    server.open_gate("held");
    assert_eq!(held.bytes().await.unwrap(), "helloworld");
    let idle = session.stats().idle;
    assert!(idle > 0);
    session.set_pool_policy(Policy::new().max_idle(0));
    assert_eq!((session.stats().open(), session.pool_policy()), (0, Policy::new().max_idle(0)));
}
