//! Cookies that the caller sets and reads without a clock.

use sessio::cookie::{NewCookie, UnixTime};
use sessio::{Kind, Request};
use sessio_driver::{Runtime, Session};
use sessio_testkit::Server;
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::movable::Movable;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    c01_a_cookie_without_a_host_belongs_to_the_first
    c01_a_cookie_belongs_to_the_host_of_the_base_url
    c01_a_cookie_that_no_response_could_set_is_refused
    c01_the_youngest_valid_cookie_is_read
}

/// The cookies that a request to this address would send.
fn sent<R: Runtime>(session: &Session<FaultyRuntime<R>>, address: &str) -> Option<String> {
    let call = session.prepare(Request::get(address)).unwrap();
    call.request.headers().get("Cookie").map(str::to_owned)
}

async fn c01_a_cookie_without_a_host_belongs_to_the_first<R: Movable>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session.set_cookie("sid", "31d4").unwrap();
    assert_eq!(session.cookie("sid").as_deref(), Some("31d4"));
    assert_eq!(session.cookie("other"), None);
    for _ in 0..2 {
        fetch(session.get(server.url("/get"))).await;
    }
    assert!(server.requests().iter().all(|request| request.header("cookie").as_deref() == Some("sid=31d4")));
    assert_eq!(sent(&session, "http://other.test/"), None);
    // Setting the cookie again makes it unscoped again, so it can be sent to another host.
    session.set_cookie("sid", "new").unwrap();
    assert_eq!(session.cookie("sid").as_deref(), Some("new"));
    assert_eq!(sent(&session, "http://other.test/").as_deref(), Some("sid=new"));
    assert_eq!(sent(&session, "http://third.test/"), None);
}

async fn c01_a_cookie_belongs_to_the_host_of_the_base_url<R: Movable>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session.update(|settings| settings.base_url = Some("http://home.test/api/".parse().unwrap()));
    session.set_cookie("sid", "31d4").unwrap();
    fetch(session.get(server.url("/get"))).await;
    assert_eq!(server.requests()[0].header("cookie"), None);
    assert_eq!(sent(&session, "http://away.test/"), None);
    assert_eq!(sent(&session, "users").as_deref(), Some("sid=31d4"));
}

async fn c01_a_cookie_that_no_response_could_set_is_refused<R: Movable>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for (name, value) in [("a;b", "1"), ("a", "1;2"), ("a", "1\r\n2"), ("", "")] {
        assert_eq!(session.set_cookie(name, value).unwrap_err().kind(), Kind::InvalidCookie, "{name:?}");
    }
    let wide = NewCookie::new("a", "1").unwrap().domain("co.uk");
    assert_eq!(session.insert_cookie(wide).unwrap_err().kind(), Kind::InvalidCookie);
    assert_eq!(session.cookies(|jar| jar.len()), 0);
    fetch(session.get(server.url("/get"))).await;
    assert_eq!(server.requests()[0].header("cookie"), None);
}

async fn c01_the_youngest_valid_cookie_is_read<R: Movable>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let cookie = |value: &str, host: &str| NewCookie::new("a", value).unwrap().host(host);
    session.insert_cookie(cookie("old", "one.test")).unwrap();
    let minute = std::time::Duration::from_secs(60);
    session.insert_cookie(cookie("young", "two.test").max_age(minute)).unwrap();
    assert_eq!(session.cookie("a").as_deref(), Some("young"));
    // An expired cookie deletes the stored one.
    session.insert_cookie(cookie("gone", "two.test").expires(UnixTime(1))).unwrap();
    assert_eq!(session.cookie("a").as_deref(), Some("old"));
    let url = server.url("/cookies/set/a/served");
    fetch(session.get(&url)).await;
    assert_eq!(session.cookie("a").as_deref(), Some("served"));
}
