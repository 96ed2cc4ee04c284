//! Guards: addresses that a session must not connect to, and targets that redirects must not have.

use std::sync::atomic::{AtomicUsize, Ordering};

use sessio::proxy::Proxies;
use sessio::redirect::AllowedTargets;
use sessio::{Error, Guard, Kind, Proxy, Resolver};
use sessio_driver::{Runtime, Session};
use sessio_testkit::Server;
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::redirect_chain::redirect;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    a_guard_checks_each_address_over_redirects_and_dns_rebinding
    a_guard_refuses_known_addresses_behind_a_proxy
    fa10_a_redirect_from_another_host_does_not_use_pins
    v61_redirects_are_followed_to_allowed_targets_alone
}

fn guarded<R: Runtime>(world: &World<R>, guard: Guard) -> Session<FaultyRuntime<R>> {
    let session = world.session();
    session.update(|settings| settings.guard = guard);
    session
}

async fn failure<R: Runtime>(session: &Session<R>, url: &str) -> Error {
    session.get(url).send().await.map(drop).unwrap_err()
}

async fn a_guard_checks_each_address_over_redirects_and_dns_rebinding<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let session = guarded(world, Guard::public());
    let error = failure(&session, &server.url("/get")).await;
    assert_eq!(error.kind(), Kind::BlockedAddress);
    assert!(error.to_string().contains("127.0.0.1: loopback"), "{error}");
    assert!(error.is_safe_to_repeat());
    // By a name, by a redirect, and by a name that resolves to another address the second time.
    let addr = server.addr();
    session.resolve("door.test", [addr]).unwrap();
    let inwards = redirect(&server, server.url("/get"), 302).replace(&addr.to_string(), "door.test");
    assert_eq!(failure(&session, &inwards).await.kind(), Kind::BlockedAddress);
    assert_eq!(server.requests().len(), 1, "the door, and not what is behind it");
    let asked = AtomicUsize::new(0);
    session.set_resolver(Resolver::from_fn(move |_, _| {
        let is_first = asked.fetch_add(1, Ordering::Relaxed) == 0;
        Ok(vec![if is_first { ([10, 0, 0, 1], 80).into() } else { addr }])
    }));
    for _ in 0..2 {
        assert_eq!(failure(&session, "http://rebound.test/").await.kind(), Kind::BlockedAddress);
    }
    // The guard allows a pinned address, since the session chose it, unless the guard covers pins.
    fetch(session.get("http://door.test/get")).await;
    session.update(|settings| settings.guard = Guard::public().and_pins());
    assert_eq!(failure(&session, "http://door.test/get").await.kind(), Kind::BlockedAddress);
    // No connection that was opened without the guard is used with it.
    session.update(|settings| settings.guard = Guard::off());
    fetch(session.get(server.url("/get"))).await;
    session.update(|settings| settings.guard = Guard::public());
    assert_eq!(failure(&session, &server.url("/get")).await.kind(), Kind::BlockedAddress);
}

async fn a_guard_refuses_known_addresses_behind_a_proxy<R: Runtime>(world: &World<R>) {
    let proxy = Server::start();
    let session = guarded(world, Guard::public());
    let through = Proxy::parse(&proxy.url("")).unwrap();
    session.update(|settings| settings.proxies = Proxies::from(through));
    fetch(session.get("http://a.test/get")).await;
    for inside in ["http://127.0.0.1/", "http://[::1]/", "http://localhost/", "http://169.254.169.254/x"] {
        assert_eq!(failure(&session, inside).await.kind(), Kind::BlockedAddress, "{inside}");
    }
    // A proxy that receives addresses receives no blocked one.
    let socks = proxy.url("").replace("http", "socks5");
    session.update(|settings| settings.proxies.set("all", socks)).unwrap();
    session.set_resolver(Resolver::from_fn(|_, _| Ok(vec![([192, 168, 0, 1], 80).into()])));
    assert_eq!(failure(&session, "http://a.test/").await.kind(), Kind::BlockedAddress);
    assert_eq!(proxy.requests().len(), 1);
}

async fn fa10_a_redirect_from_another_host_does_not_use_pins<R: Runtime>(world: &World<R>) {
    let (door, inside) = (Server::start(), Server::start());
    let session = guarded(world, Guard::public());
    for (name, server) in [("door.test", &door), ("same.test", &door), ("inside.test", &inside)] {
        session.resolve(name, [server.addr()]).unwrap();
    }
    let from_door = |to: &str| redirect(&door, to, 302).replace(&door.addr().to_string(), "door.test");
    // The caller may request that host, and one pinned host may redirect to another at the same
    // address.
    fetch(session.get("http://inside.test/get")).await;
    fetch(session.get(from_door("http://same.test/get"))).await;
    fetch(session.get(from_door("http://door.test:8080/get"))).await;
    // There is an idle connection to the forbidden host. It is not used.
    for _ in 0..2 {
        let error = failure(&session, &from_door("http://inside.test/get")).await;
        assert_eq!(error.kind(), Kind::BlockedAddress);
        assert!(error.to_string().contains("127.0.0.1: loopback"), "{error}");
    }
    assert_eq!(inside.requests().len(), 1);
    session.update(|settings| settings.redirect_targets = AllowedTargets::any().and_routes());
    fetch(session.get(from_door("http://inside.test/get"))).await;
    // Without a guard a pinned name is like any other.
    let open = guarded(world, Guard::off());
    open.resolve("inside.test", [inside.addr()]).unwrap();
    fetch(open.get(redirect(&door, "http://inside.test/get", 302))).await;
    assert_eq!(inside.requests().len(), 3);
}

async fn v61_redirects_are_followed_to_allowed_targets_alone<R: Runtime>(world: &World<R>) {
    let (server, other) = (Server::start(), Server::start());
    let session = world.session();
    let allow = |targets: AllowedTargets| session.update(|s| s.redirect_targets = targets);
    let away = redirect(&server, other.url("/get"), 302);
    fetch(session.get(away.as_str())).await;
    for targets in [
        AllowedTargets::any().ports([server.addr().port()]),
        AllowedTargets::any().hosts(["a.test"]),
        AllowedTargets::any().schemes(["https"]),
    ] {
        allow(targets);
        let error = failure(&session, &away).await;
        assert_eq!(error.kind(), Kind::RedirectForbidden);
        assert_eq!(error.response().unwrap().head.status, 302);
    }
    assert_eq!(other.requests().len(), 1);
    allow(AllowedTargets::any().hosts(["127.0.0.1"]).ports([other.addr().port()]).schemes(["http"]));
    fetch(session.get(away.as_str())).await;
    assert_eq!(other.requests().len(), 2);
}
