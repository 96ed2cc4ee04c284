//! HTTP over a socket file, with all features of a session.

use std::io::{ErrorKind, Write as _};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::Duration;

use sessio::redirect::AllowedTargets;
use sessio::{Guard, Kind, Timeout, Timeouts};
use sessio_driver::{ConnectFailure, Endpoint, Runtime, Stream as _};
use sessio_testkit::{Connection, Server, UnixProxy};
use sessio_tests::redirect_chain::redirect;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    system:
    a_url_travels_over_a_socket_file
    bodies_of_any_size_go_both_ways
    v100_an_idle_socket_is_asked_itself
    f10_a_socket_closed_while_idle_is_not_used
    a_missing_file_is_named_by_the_error
    t03_time_limits_hold
    a_change_of_the_route_leaves_no_connection_behind
    fa10_a_redirect_from_a_stranger_reaches_no_socket
    fa10_a_guard_for_sockets_refuses_them
}

/// A path without a socket, which no other test uses.
fn no_door() -> PathBuf {
    let server = Server::start();
    UnixProxy::to(&server).path().to_owned()
}

async fn a_url_travels_over_a_socket_file<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let proxy = UnixProxy::to(&server);
    session.unix_socket("localhost", proxy.path()).unwrap();
    // Cookies, redirects and Host follow the URL.
    let response = session.get("http://localhost:8080/cookies/set/a/1").send().await.unwrap();
    assert_eq!(response.url().as_str(), "http://localhost:8080/cookies");
    assert!(response.text().await.unwrap().contains(r#""a": "1""#));
    let body = session.get("http://localhost:8080/redirect/3").send().await.unwrap().text().await.unwrap();
    assert!(body.contains("localhost:8080"), "{body}");
    assert!(server.requests().iter().all(|request| request.header_all("host") == ["localhost:8080"]));
    assert_eq!((server.requests().len(), proxy.passed()), (6, 1), "one connection carries them all");
    assert_eq!((session.stats().reused, session.stats().dialled), (5, 1));
    // Another host on the same socket is another origin.
    session.unix_socket("other.test", proxy.path()).unwrap();
    let away = redirect(&server, "http://other.test/anything", 302);
    let away = away.replace(&server.addr().to_string(), "localhost:8080");
    session.get(away).header("Authorization", "secret").send().await.unwrap().bytes().await.unwrap();
    let last = server.requests().pop().unwrap();
    assert_eq!((last.header("authorization"), last.header("cookie")), (None, None));
    assert_eq!(proxy.passed(), 2);
    // No name was resolved and no address connected to.
    assert_eq!(session.runtime().dialled(), []);
}

async fn bodies_of_any_size_go_both_ways<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let proxy = UnixProxy::to(&server);
    session.unix_socket("localhost", proxy.path()).unwrap();
    let body = vec![b'x'; 2_000_000];
    let sent = session.post("http://localhost/status/200").body(body).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    assert_eq!(server.requests()[0].body.len(), 2_000_000);
    for path in ["bytes", "chunked"] {
        let url = format!("http://localhost/{path}/2000000");
        let got = session.get(url).send().await.unwrap().bytes().await.unwrap();
        assert_eq!(got, sessio_testkit::pattern(2_000_000));
    }
    assert_eq!(proxy.passed(), 1);
}

async fn v100_an_idle_socket_is_asked_itself<R: Runtime>(world: &World<R>) {
    let path = no_door();
    let listener = UnixListener::bind(&path).unwrap();
    for speaks in [true, false] {
        let stream = world.runtime().connect_unix(&path, None).await.unwrap();
        let mut peer = listener.accept().unwrap().0;
        assert!(stream.is_idle_open() && stream.is_idle_open());
        if speaks {
            peer.write_all(b"x").unwrap();
        } else {
            drop(peer);
        }
        assert!(!stream.is_idle_open());
    }
    std::fs::remove_file(path).unwrap();
}

async fn f10_a_socket_closed_while_idle_is_not_used<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let server = Server::start();
    let proxy = UnixProxy::to(&server);
    session.unix_socket("localhost", proxy.path()).unwrap();
    for number in 1..=3 {
        // Even a POST is not affected.
        for reused in [false, true] {
            let response = session.post("http://localhost/post").body("x").send().await.unwrap();
            assert_eq!(sessio_tests::fetch::connection(&response), (number, reused));
            response.bytes().await.unwrap();
        }
        server.disconnect();
        proxy.wait_open(0);
    }
    assert_eq!(server.requests().len(), 6, "each was sent once");
}

async fn a_missing_file_is_named_by_the_error<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let path = no_door();
    session.unix_socket("localhost", &path).unwrap();
    let error = session.get("http://user:secret@localhost/").send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Connect);
    assert!(error.is_connect() && error.is_safe_to_repeat());
    let failure: &ConnectFailure = std::error::Error::source(&error).unwrap().downcast_ref().unwrap();
    let [attempt] = failure.attempts() else { panic!("{failure:?}") };
    assert_eq!(attempt.to, Endpoint::Unix(path.clone()));
    assert_eq!(attempt.error().unwrap().kind(), ErrorKind::NotFound);
    assert!(failure.to_string().contains(path.to_str().unwrap()), "{failure}");
    assert!(!format!("{error:?}").contains("secret"));
    assert_eq!((session.stats().in_use, server.accepted()), (0, 0));
    // An https URL fails the same way.
    let error = session.get("https://localhost/").send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Connect);
}

async fn t03_time_limits_hold<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let server = Server::scripted([
        Connection::new().expect_request(),
        Connection::new().expect_request().send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"),
    ]);
    let proxy = UnixProxy::to(&server);
    session.unix_socket("localhost", proxy.path()).unwrap();
    let limited = |change: fn(&mut Timeouts)| {
        session.derive(|settings| {
            change(&mut settings.timeouts);
        })
    };
    let short = limited(|timeouts| timeouts.head = Some(Duration::from_millis(25)));
    let error = short.get("http://localhost/1").send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout(Timeout::Head));
    server.wait_closed(0);
    let short = limited(|timeouts| timeouts.read = Some(Duration::from_millis(25)));
    let response = short.get("http://localhost/2").send().await.unwrap();
    let error = response.bytes().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout(Timeout::Read));
    server.wait_closed(1);
}

async fn a_change_of_the_route_leaves_no_connection_behind<R: Runtime>(world: &World<R>) {
    let servers = [Server::start(), Server::start()];
    let proxies = servers.each_ref().map(UnixProxy::to);
    let session = world.session();
    for _ in 0..2 {
        for proxy in &proxies {
            session.unix_socket("localhost", proxy.path()).unwrap();
            session.get("http://localhost/get").send().await.unwrap().bytes().await.unwrap();
        }
        session.resolve("localhost", [servers[0].addr()]).unwrap();
        session.get("http://localhost/get").send().await.unwrap().bytes().await.unwrap();
    }
    assert_eq!(servers.each_ref().map(|server| server.requests().len()), [4, 2]);
    assert_eq!(proxies.each_ref().map(UnixProxy::passed), [1, 1]);
    assert_eq!(session.stats().dialled, 3);
}

async fn fa10_a_redirect_from_a_stranger_reaches_no_socket<R: Runtime>(world: &World<R>) {
    let (daemon, stranger, session) = (Server::start(), Server::start(), world.session());
    let proxy = UnixProxy::to(&daemon);
    session.unix_socket("localhost", proxy.path()).unwrap();
    // A connection to it is idle.
    session.get("http://localhost/get").send().await.unwrap().bytes().await.unwrap();
    let evil = redirect(&stranger, "http://localhost/containers", 307);
    for _ in 0..2 {
        let error = session.post(&evil).body("{}").send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::RedirectForbidden);
        assert!(error.to_string().contains("localhost is reached over a Unix socket"), "{error}");
        assert_eq!(error.response().unwrap().head.status, 307);
    }
    // The same on a later hop, after the caller itself has used the socket.
    let away = redirect(&daemon, &evil, 302).replace(&daemon.addr().to_string(), "localhost");
    assert_eq!(session.get(away).send().await.unwrap_err().kind(), Kind::RedirectForbidden);
    // The same from the server behind another socket.
    let other_proxy = UnixProxy::to(&stranger);
    session.unix_socket("other.test", other_proxy.path()).unwrap();
    let from_other = evil.replace(&stranger.addr().to_string(), "other.test");
    assert_eq!(session.get(&from_other).send().await.unwrap_err().kind(), Kind::RedirectForbidden);
    // A caller that follows the redirect by hand gets the same error.
    let mut response = session.get(&evil).redirects(None).send().await.unwrap();
    assert_eq!(response.next().unwrap().unwrap_err().kind(), Kind::RedirectForbidden);
    response.bytes().await.unwrap();
    assert_eq!(daemon.requests().len(), 2, "what the caller asked for");
    // The caller may allow it.
    let open = session.derive(|settings| settings.redirect_targets = AllowedTargets::any().and_routes());
    let response = open.get(&from_other).send().await.unwrap();
    assert_eq!(response.url().as_str(), "http://localhost/containers");
    response.bytes().await.unwrap();
    assert_eq!(daemon.requests().len(), 3);
}

async fn fa10_a_guard_for_sockets_refuses_them<R: Runtime>(world: &World<R>) {
    let (daemon, session) = (Server::start(), world.session());
    let proxy = UnixProxy::to(&daemon);
    session.unix_socket("app.test", proxy.path()).unwrap();
    let guarded = |guard: Guard| session.derive(|settings| settings.guard = guard);
    for guard in [Guard::off(), Guard::off().and_sockets(), Guard::public(), Guard::public().and_pins()] {
        guarded(guard).get("http://app.test/get").send().await.unwrap().bytes().await.unwrap();
    }
    // Connections that were opened without the guard are not used either.
    let closed = guarded(Guard::public().and_sockets());
    for scheme in ["http", "https"] {
        let error = closed.get(format!("{scheme}://app.test/get")).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::BlockedAddress);
        assert!(error.to_string().contains("a Unix socket"), "{error}");
    }
    assert_eq!(daemon.requests().len(), 4);
}
