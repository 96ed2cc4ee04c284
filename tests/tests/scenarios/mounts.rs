//! Mounts: options and credentials for the URLs of a pattern, on each hop of a call.

use std::time::Duration;

use sessio::pool::HostPolicy;
use sessio::{Change, Kind, Mount, Stage, Timeout};
use sessio_driver::{Runtime, Session};
use sessio_testkit::{Connection, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::redirect_chain::redirect;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    s15_the_longest_mount_applies_and_the_request_overrides_it
    s15_a_mounts_credentials_stay_within_its_pattern
    s15_the_time_limit_of_a_mount_applies_to_a_redirect_into_it
    s15_a_relative_address_is_mounted_where_it_leads
    s15_a_mount_limits_the_connections_to_its_hosts
    s15_the_pool_limits_of_a_mount_apply_to_a_redirect_into_it
}

/// Adds mounts to the session's settings.
fn mount<R: Runtime>(session: &Session<FaultyRuntime<R>>, mounts: impl IntoIterator<Item = (String, Mount)>) {
    session
        .update(|settings| mounts.into_iter().try_for_each(|(url, mount)| settings.mounts.add(&url, mount)))
        .unwrap();
}

async fn s15_the_longest_mount_applies_and_the_request_overrides_it<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let named = |name: &str| Mount::new().header("X-Mount", name).param("by", name);
    mount(
        &session,
        [
            (server.url("/anything/v2"), named("short")),
            (server.url("/anything/v2/long/"), named("long")),
            (server.url("/"), named("root")),
        ],
    );
    for (path, name) in [
        ("/anything/v20", "root"),
        ("/anything/v2", "short"),
        ("/anything/v2/long", "short"),
        ("/anything/v2/long/x", "long"),
    ] {
        fetch(session.get(server.url(path))).await;
        let request = server.requests().pop().unwrap();
        assert_eq!(request.header("x-mount").as_deref(), Some(name), "{path}");
        assert_eq!(request.target(), format!("{path}?by={name}"));
    }
    fetch(session.get(server.url("/anything/v2")).header("X-Mount", "own").param("by", "own")).await;
    let request = server.requests().pop().unwrap();
    assert_eq!(request.header("x-mount").as_deref(), Some("own"));
    assert_eq!(request.target(), "/anything/v2?by=own");
}

async fn s15_a_mounts_credentials_stay_within_its_pattern<R: Runtime>(world: &World<R>) {
    let (home, other, session) = (Server::start(), Server::start(), world.session());
    let api = Mount::new().bearer_auth("secret").cookie("id", "secret").header("X-Plain", "plain");
    mount(&session, [(home.url("/anything/api/"), api)]);
    let seen = |server: &Server| {
        let request = server.requests().pop().unwrap();
        ["authorization", "cookie", "x-plain"].map(|name| request.header(name).is_some())
    };
    fetch(session.get(home.url("/anything/api/x"))).await;
    assert_eq!(seen(&home), [true; 3]);
    for outside in [home.url("/anything/x"), other.url("/anything/api/x")] {
        fetch(session.get(outside)).await;
    }
    assert_eq!((seen(&home), seen(&other)), ([false; 3], [false; 3]));
    // A redirect from elsewhere into the pattern uses the mount's options, without its credentials.
    let into = fetch(session.get(redirect(&other, home.url("/anything/api/x"), 307))).await;
    assert_eq!(into.status, 200);
    assert_eq!(seen(&home), [false, false, true]);
}

async fn s15_the_time_limit_of_a_mount_applies_to_a_redirect_into_it<R: Runtime>(world: &World<R>) {
    let (server, slow, session) = (Server::start(), Server::start(), world.session());
    slow.script_path("/slow", Connection::new().expect_request().stall());
    let mut quick = Mount::new();
    quick.changes.timeouts.head = Change::Set(Duration::from_millis(50));
    mount(&session, [(slow.url("/slow"), quick)]);
    let error = session.get(redirect(&server, slow.url("/slow"), 302)).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout(Timeout::Head));
    assert_eq!((error.progress().unwrap().stage, error.history().len()), (Stage::Head, 1));
}

async fn s15_a_relative_address_is_mounted_where_it_leads<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session
        .try_update(|settings| {
            settings.base_url = Some(server.url("/anything/v2/").parse()?);
            settings.mounts.add(&server.url("/anything/v2/"), Mount::new().header("X-Mount", "in"))?;
            Ok(())
        })
        .unwrap();
    let mut seen = Vec::new();
    for address in ["x", "../v1/x", "../v2/y", "."] {
        fetch(session.get(address)).await;
        seen.push(server.requests().pop().unwrap().header("x-mount").is_some());
    }
    assert_eq!(seen, [true, false, true, true]);
}

async fn s15_a_mount_limits_the_connections_to_its_hosts<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let mut one = Mount::new().pool(HostPolicy::new().max_connections(1));
    one.changes.timeouts.pool = Change::Set(Duration::from_millis(50));
    mount(&session, [(server.url("/bytes/"), one)]);
    let first = session.get(server.url("/bytes/1000000")).send().await.unwrap();
    let error = session.get(server.url("/bytes/1")).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout(Timeout::Pool));
    // Outside the mount the limits are those of the pool, and the connections are others.
    fetch(session.get(server.url("/get"))).await;
    assert_eq!(first.bytes().await.unwrap().len(), 1_000_000);
    assert_eq!(server.accepted(), 2);
    for path in ["/bytes/1", "/get", "/bytes/2"] {
        fetch(session.get(server.url(path))).await;
    }
    assert_eq!((server.accepted(), session.stats().idle), (2, 2));
}

async fn s15_the_pool_limits_of_a_mount_apply_to_a_redirect_into_it<R: Runtime>(world: &World<R>) {
    let (server, other, session) = (Server::start(), Server::start(), world.session());
    mount(&session, [(server.url("/anything/"), Mount::new().pool(HostPolicy::new().max_idle(0)))]);
    for round in 1..=3 {
        let response = fetch(session.get(redirect(&other, server.url("/anything/x"), 302))).await;
        assert_eq!(response.status, 200);
        // The connection to the mounted host is not kept, the other one is.
        assert_eq!((server.accepted(), other.accepted(), session.stats().idle), (round, 1, 1));
    }
}
