//! Settings of a session can be read and changed at any time. A change for one request applies to
//! that request only.

use std::time::Duration;

use sessio::{Auth, Kind};
use sessio_driver::Runtime;
use sessio_testkit::Server;
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    s12_settings_are_read_and_changed_at_any_time
    s12_updates_return_the_value_of_the_closure
    s12_a_change_that_fails_or_panics_changes_nothing
    s13_a_new_session_sends_four_headers_and_adding_one_keeps_them
    s12_variants_share_jar_and_connections_and_not_settings
    m26_methods_are_upper_cased_and_base_urls_are_joined
    v42_an_invalid_request_fails_before_a_byte_is_sent
}

async fn s12_settings_are_read_and_changed_at_any_time<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    assert_eq!(session.settings().max_redirects, 30);
    let request = session.get(server.url("/redirect/2"));
    session.update(|settings| {
        settings.max_redirects = 1;
        settings.auth = Auth::bearer("abc");
        settings.cookies = false;
    });
    // The request was built before the change, and is merged when it is sent.
    let error = request.send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::TooManyRedirects);
    assert!(server.requests()[0].header("authorization").is_some());
    // The redirect over the limit may have a body in flight.
    session.close_idle();
    session.get(server.url("/cookies/set/a/1")).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(session.cookies(|jar| jar.len()), 0);
    assert_eq!(session.clone().settings().max_redirects, 1, "a clone is the same session");
}

async fn s12_a_change_that_fails_or_panics_changes_nothing<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let before = session.settings();
    let failed = session.try_update(|settings| {
        settings.max_redirects = 0;
        settings.headers.insert("no token", "x")?;
        Ok(())
    });
    assert_eq!(failed.unwrap_err().kind(), Kind::InvalidHeader);
    let failed: sessio::Result<()> = session.try_update(|settings| {
        settings.max_redirects = 0;
        std::fs::read("/no/such/file")?;
        Ok(())
    });
    assert_eq!(failed.unwrap_err().kind(), Kind::File);
    let failed = session.try_derive(|settings| Ok(settings.headers.insert("no token", "x")?));
    assert_eq!(failed.unwrap_err().kind(), Kind::InvalidHeader);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        session.update(|settings| {
            settings.headers.clear();
            std::panic::resume_unwind(Box::new("in the middle"));
        });
    }));
    assert!(panicked.is_err());
    let after = session.settings();
    assert_eq!((after.max_redirects, &after.headers), (before.max_redirects, &before.headers));
    session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
}

async fn s12_updates_return_the_value_of_the_closure<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let before = session.update(|settings| std::mem::replace(&mut settings.max_redirects, 7));
    assert_eq!((before, session.settings().max_redirects), (30, 7));
    let count = session.try_update(|settings| {
        settings.headers.insert("x-test", "1")?;
        Ok(settings.headers.len())
    });
    assert_eq!(count.unwrap(), session.settings().headers.len());
    // An error that the closure returns does not undo its other changes.
    let refused = session.update(|settings| {
        settings.max_redirects = 8;
        settings.headers.insert("no token", "x")
    });
    assert_eq!((refused.unwrap_err().kind(), session.settings().max_redirects), (Kind::InvalidHeader, 8));
    fetch(session.get(server.url("/get"))).await;
    assert_eq!(server.requests()[0].header("x-test").as_deref(), Some("1"));
}

async fn s13_a_new_session_sends_four_headers_and_adding_one_keeps_them<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session.update(|settings| settings.headers.insert("x-test", "1")).unwrap();
    session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
    let sent = &server.requests()[0];
    // Rule P-27: Host first.
    let names = ["Host", "User-Agent", "Accept-Encoding", "Accept", "Connection", "x-test"];
    assert_eq!(sent.header_names(), names);
    assert_eq!(sent.header("accept").as_deref(), Some("*/*"));
    assert_eq!(sent.header("connection").as_deref(), Some("keep-alive"));
    assert!(sent.header("user-agent").unwrap().starts_with("sessio/"));
    // Only codings that can be decoded are accepted.
    let known = session.settings().codings.names().collect::<Vec<_>>().join(", ");
    assert_eq!(sent.header("accept-encoding"), Some(known));
}

async fn s12_variants_share_jar_and_connections_and_not_settings<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let variant = session
        .try_derive(|settings| {
            settings.timeouts.total = Some(Duration::from_secs(50));
            settings.headers.insert("x-variant", "1")?;
            Ok(())
        })
        .unwrap();
    session.get(server.url("/cookies/set/a/1")).send().await.unwrap().bytes().await.unwrap();
    let response = variant.get(server.url("/cookies")).send().await.unwrap();
    assert_eq!(response.options().timeouts.total, Some(Duration::from_secs(50)));
    response.bytes().await.unwrap();
    session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
    let requests = server.requests();
    assert_eq!(requests[2].header("cookie").as_deref(), Some("a=1"));
    assert_eq!(requests[2].header("x-variant").as_deref(), Some("1"));
    assert_eq!(requests[3].header("x-variant"), None);
    assert_eq!(server.accepted(), 1);
    // The connections live as long as either session.
    drop(session);
    variant.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(server.accepted(), 1);
    drop(variant);
    server.wait_open(0);
}

async fn m26_methods_are_upper_cased_and_base_urls_are_joined<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session.update(|settings| settings.base_url = Some(server.url("/anything/api/").parse().unwrap()));
    session.request("patch", "users?a=1").send().await.unwrap().bytes().await.unwrap();
    session.get("/anything/top").send().await.unwrap().bytes().await.unwrap();
    session.get(server.url("/anything/whole")).send().await.unwrap().bytes().await.unwrap();
    let lines: Vec<_> = server.requests().into_iter().map(|request| request.request_line).collect();
    let expected: [&[u8]; 3] = [
        b"PATCH /anything/api/users?a=1 HTTP/1.1",
        b"GET /anything/top HTTP/1.1",
        b"GET /anything/whole HTTP/1.1",
    ];
    assert_eq!(lines, expected);
}

async fn v42_an_invalid_request_fails_before_a_byte_is_sent<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let url = server.url("/get");
    let port = server.addr().port();
    let cases = [
        (session.request("GET / HTTP/1.1\r\nX:", &url), Kind::InvalidMethod),
        (session.get(&url).header("a b", "x"), Kind::InvalidHeader),
        (session.get(&url).header("a", "x\r\nb: c"), Kind::InvalidHeader),
        (session.get(&url).header("Host", "a/b"), Kind::InvalidHeader),
        (session.get(&url).append_header("Host", "a").append_header("Host", "b"), Kind::InvalidHeader),
        (session.get(&url).cookie("a", "b;c"), Kind::InvalidCookie),
        (session.get(&url).header("Content-Length", "3"), Kind::InvalidHeader),
        (session.post(&url).header("Transfer-Encoding", "gzip").body("hello"), Kind::InvalidHeader),
        (session.get(&url).timeout(Duration::ZERO), Kind::InvalidTimeout),
        (session.get("/relative"), Kind::MissingScheme),
        (session.get(format!("ftp://127.0.0.1:{port}/")), Kind::UnsupportedScheme),
        (session.get(format!("http://127.0.0.1%2F:{port}/")), Kind::InvalidUrl),
        (session.get(format!("http://127.0.0.1\\@a:{port}/")), Kind::InvalidUrl),
    ];
    for (request, kind) in cases {
        let shown = format!("{request:?}");
        let error = request.send().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{shown}");
        assert!(error.is_builder() && error.progress().is_none(), "{error:?}");
    }
    assert_eq!(server.accepted(), 0);
    assert_eq!(fetch(session.get(&url)).await.status, 200, "nothing of it stays");
}
