//! `localhost` and the names below it are this machine, whatever a resolver returns (RFC 6761
//! section 6.3).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sessio::proxy::Proxies;
use sessio::{Guard, Kind, Proxy, Resolver};
use sessio_driver::Runtime;
use sessio_testkit::Server;
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    fc2_localhost_is_this_machine_without_a_resolver
    fc2_routes_and_pins_precede_the_rule_for_localhost
    fc2_a_guard_refuses_localhost_whatever_a_resolver_returns
    fc2_a_proxy_at_localhost_is_on_this_machine
}

async fn fc2_localhost_is_this_machine_without_a_resolver<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let port = server.addr().port();
    let session = world.session();
    let asked = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&asked);
    session.set_resolver(Resolver::from_fn(move |_, _| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(vec![([192, 0, 2, 1], 9).into()])
    }));
    for name in ["localhost", "LOCALHOST", "localhost.", "app.localhost", "a.b.localhost."] {
        fetch(session.get(format!("http://{name}:{port}/get"))).await;
    }
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    let dialled = session.runtime().dialled();
    assert!(dialled.iter().all(|to| to.ip().is_loopback() && to.port() == port), "{dialled:?}");
    assert!(dialled.contains(&server.addr()));
    // No resolver was asked, so the resolver does not separate the connections.
    let before = session.stats().dialled;
    session.set_resolver(Resolver::default());
    fetch(session.get(format!("http://localhost:{port}/get"))).await;
    assert_eq!(session.stats().dialled, before);
}

async fn fc2_routes_and_pins_precede_the_rule_for_localhost<R: Runtime>(world: &World<R>) {
    let server = Server::start_on([127, 0, 0, 2]);
    let session = world.session();
    session.resolve("app.localhost", [server.addr()]).unwrap();
    fetch(session.get("http://app.localhost/get")).await;
    assert_eq!(session.runtime().dialled(), [server.addr()]);
    assert_eq!(server.requests().len(), 1);
}

async fn fc2_a_guard_refuses_localhost_whatever_a_resolver_returns<R: Runtime>(world: &World<R>) {
    let session = world.session();
    session.update(|settings| {
        settings.guard = Guard::public();
        settings.resolver = Resolver::from_fn(|_, _| Ok(vec![([1, 1, 1, 1], 80).into()]));
    });
    for name in ["localhost", "x.localhost", "localhost."] {
        let error = session.get(format!("http://{name}/")).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::BlockedAddress, "{name}");
    }
    assert_eq!(session.runtime().dialled(), []);
}

async fn fc2_a_proxy_at_localhost_is_on_this_machine<R: Runtime>(world: &World<R>) {
    let proxy = Server::start();
    let session = world.session();
    let through = Proxy::parse(&format!("http://localhost:{}", proxy.addr().port())).unwrap();
    session.update(|settings| {
        settings.proxies = Proxies::from(through);
        settings.resolver = Resolver::from_fn(|_, _| Ok(vec![]));
    });
    fetch(session.get("http://a.test/get")).await;
    assert_eq!(proxy.requests()[0].target(), "http://a.test/get");
}
