//! Routes of a session: pinned addresses, and its own resolver.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use sessio::{Kind, Resolver, Timeout};
use sessio_driver::Runtime;
use sessio_testkit::Server;
use sessio_tests::fetch::fetch;
use sessio_tests::redirect_chain::redirect;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    a_pin_leads_a_name_elsewhere_and_changes_nothing_else
    a_pin_is_changed_at_once_and_leaves_no_connection_behind
    a_pin_can_be_for_one_port_for_a_literal_or_for_no_address
    a_pin_belongs_to_its_settings
    a_resolver_is_asked_once_for_each_new_connection
    a_resolver_is_never_asked_for_literals_and_pins
    a_resolvers_connections_are_its_own
    a_resolver_may_wait
    f04_each_fault_of_a_resolver_is_an_error
}

/// The names that a resolver was asked for, and a resolver that maps all of them to one address.
fn noting(to: SocketAddr) -> (Arc<Mutex<Vec<String>>>, Resolver) {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let notes = Arc::clone(&asked);
    let resolver = Resolver::from_fn(move |host, port| {
        notes.lock().unwrap().push(format!("{host}:{port}"));
        Ok(vec![to])
    });
    (asked, resolver)
}

async fn a_pin_leads_a_name_elsewhere_and_changes_nothing_else<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session.resolve("Site.Test", [server.addr()]).unwrap();
    let response = session.get("http://site.test:81/cookies/set/a/1").send().await.unwrap();
    assert_eq!(response.url().as_str(), "http://site.test:81/cookies");
    assert!(response.text().await.unwrap().contains(r#""a": "1""#));
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.header_all("host") == ["site.test:81"]));
    assert_eq!((requests.len(), server.accepted()), (2, 1));
    assert_eq!(
        session.cookies(|jar| jar.iter().map(|cookie| cookie.domain().to_owned()).collect::<Vec<_>>()),
        ["site.test"]
    );
    // The address itself is another origin, with its own connections and without the cookie.
    session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
    assert_eq!((server.accepted(), server.requests()[2].header("cookie")), (2, None));
    // A redirect to a pinned host uses the pin.
    let away = redirect(&server, "http://site.test:81/anything/end", 302);
    session.get(away).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(server.accepted(), 2);
}

async fn a_pin_is_changed_at_once_and_leaves_no_connection_behind<R: Runtime>(world: &World<R>) {
    let servers = [Server::start(), Server::start(), Server::start()];
    let session = world.session_on(world.runtime().name("site.test", [servers[2].addr()]));
    let ask = || async { fetch(session.get("http://site.test/get")).await.connection };
    session.resolve("site.test", [servers[0].addr()]).unwrap();
    assert_eq!((ask().await, ask().await), ((1, false), (1, true)));
    session.resolve("site.test", [servers[1].addr()]).unwrap();
    assert_eq!(ask().await, (2, false));
    assert!(session.unresolve("SITE.test") && !session.unresolve("site.test"));
    assert_eq!((ask().await, ask().await), ((3, false), (3, true)));
    // A request over the first route finds that connection again.
    session.resolve("site.test", [servers[0].addr()]).unwrap();
    assert_eq!(ask().await, (1, true));
    assert_eq!(servers.each_ref().map(|server| server.requests().len()), [3, 1, 2]);
    // Closing the connections of a URL closes them on every route.
    session.close_idle_to(&"http://site.test/".parse().unwrap());
    assert_eq!(session.stats().idle, 0);
    servers.iter().for_each(|server| server.wait_open(0));
}

async fn a_pin_can_be_for_one_port_for_a_literal_or_for_no_address<R: Runtime>(world: &World<R>) {
    let servers = [Server::start(), Server::start()];
    let session = world.session();
    let status = |url: String| {
        let request = session.get(url);
        async {
            let response = request.send().await.map_err(|error| error.kind())?;
            let status = response.status().as_u16();
            response.bytes().await.map(|_| status).map_err(|error| error.kind())
        }
    };
    session.resolve("site.test", [servers[0].addr()]).unwrap();
    session.resolve("site.test:8080", [servers[1].addr()]).unwrap();
    assert_eq!(status("http://site.test/status/201".into()).await, Ok(201));
    assert_eq!(status("http://site.test:8080/status/202".into()).await, Ok(202));
    assert_eq!(servers.each_ref().map(Server::accepted), [1, 1]);
    // An address without a port gets that of the URL.
    session.resolve("third.test", ["127.0.0.1:0".parse().unwrap()]).unwrap();
    assert_eq!(status(servers[0].url_at("third.test", "/status/203")).await, Ok(203));
    session.resolve("[2001:db8::1]", [servers[1].addr()]).unwrap();
    assert_eq!(status("http://[2001:DB8::1]/status/204".into()).await, Ok(204));
    session.resolve("127.0.0.1", []).unwrap();
    assert_eq!(status(servers[0].url("/get")).await, Err(Kind::Resolve));
    assert_eq!(session.resolve("a b", []).unwrap_err().kind(), Kind::InvalidUrl);
}

async fn a_pin_belongs_to_its_settings<R: Runtime>(world: &World<R>) {
    let servers = [Server::start(), Server::start()];
    let session = world.session();
    session.resolve("site.test", [servers[0].addr()]).unwrap();
    let variant = session.try_derive(|s| Ok(s.routes.pin("site.test", [servers[1].addr()])?)).unwrap();
    let prepared = session.prepare(sessio::Request::get("http://site.test/get")).unwrap();
    session.unresolve("site.test");
    // A prepared request keeps its route.
    assert_eq!(sessio_tests::fetch::connection(&session.execute(prepared).await.unwrap()), (1, false));
    assert_eq!(fetch(variant.get("http://site.test/get")).await.connection, (2, false));
    assert_eq!(servers.each_ref().map(Server::accepted), [1, 1]);
    assert!(session.settings().routes.is_empty());
}

async fn a_resolver_is_asked_once_for_each_new_connection<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let (asked, resolver) = noting(server.addr());
    session.set_resolver(resolver);
    for _ in 0..3 {
        session.get("http://B\u{fc}cher.test/get").send().await.unwrap().bytes().await.unwrap();
    }
    session.get("http://b.test:81/redirect/1").send().await.unwrap().bytes().await.unwrap();
    assert_eq!(*asked.lock().unwrap(), ["xn--bcher-kva.test:80", "b.test:81"]);
    session.close_idle();
    session
        .get("http://b.test:81/get")
        .header("Connection", "close")
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    session.get("http://b.test:81/get").send().await.unwrap().bytes().await.unwrap();
    assert_eq!(asked.lock().unwrap()[2..], ["b.test:81", "b.test:81"]);
    assert_eq!(server.accepted(), 4);
}

async fn a_resolver_is_never_asked_for_literals_and_pins<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let (asked, resolver) = noting("127.0.0.1:1".parse().unwrap());
    session.set_resolver(resolver);
    session.resolve("site.test", [server.addr()]).unwrap();
    session.get("http://site.test/get").send().await.unwrap().bytes().await.unwrap();
    for literal in ["127.0.0.1", "0x7f.1", "2130706433"] {
        session.get(server.url_at(literal, "/get")).send().await.unwrap().bytes().await.unwrap();
    }
    assert!(asked.lock().unwrap().is_empty());
    assert_eq!(server.accepted(), 2, "three spellings of one host");
}

async fn a_resolvers_connections_are_its_own<R: Runtime>(world: &World<R>) {
    let (server, other) = (Server::start(), Server::start());
    let session = world.session_on(world.runtime().name("site.test", [other.addr()]));
    let (_, resolver) = noting(server.addr());
    let (_, guard) = noting(server.addr());
    let ask = || async { fetch(session.get("http://site.test/get")).await.connection };
    session.set_resolver(resolver.clone());
    assert_eq!((ask().await, ask().await), ((1, false), (1, true)));
    // A new resolver does not use these connections: it might have refused their address.
    session.set_resolver(guard);
    assert_eq!(ask().await, (2, false));
    session.set_resolver(resolver);
    assert_eq!(ask().await, (1, true));
    session.set_resolver(Resolver::default());
    assert_eq!(ask().await, (3, false));
    assert_eq!((server.accepted(), other.accepted()), (2, 1));
}

async fn a_resolver_may_wait<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let to = server.addr();
    session.set_resolver(Resolver::new(move |host: String, port: u16| async move {
        let mut has_waited = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut has_waited, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        assert_eq!((&*host, port), ("site.test", 80));
        Ok(vec![to])
    }));
    assert_eq!(fetch(session.get("http://site.test/get")).await.status, 200);
}

async fn f04_each_fault_of_a_resolver_is_an_error<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let ask = async |resolver: Resolver| {
        session.set_resolver(resolver);
        let error = session.get("http://user:secret@site.test/get").send().await.unwrap_err();
        assert!(error.is_connect() && error.is_safe_to_repeat(), "{error}");
        assert!(!format!("{error:?}").contains("secret"));
        error
    };
    let empty = ask(Resolver::from_fn(|_, _| Ok(vec![]))).await;
    assert_eq!(empty.kind(), Kind::Resolve);
    let failed = ask(Resolver::from_fn(|_, _| Err(io::Error::other("not on my watch")))).await;
    assert_eq!(failed.kind(), Kind::Resolve);
    assert_eq!(std::error::Error::source(&failed).unwrap().to_string(), "not on my watch");
    session.update(|settings| settings.timeouts.resolve = Some(Duration::from_millis(25)));
    let slow = ask(Resolver::new(|_: String, _: u16| std::future::pending())).await;
    assert_eq!(slow.kind(), Kind::Timeout(Timeout::Resolve));

    // A panic of a resolver reaches the caller, and the session stays usable.
    session.set_resolver(Resolver::from_fn(|_, _| std::panic::resume_unwind(Box::new("in the resolver"))));
    {
        let mut sent = pin!(session.get("http://site.test/get").send());
        let is_caught = poll_fn(|cx| {
            Poll::Ready(catch_unwind(AssertUnwindSafe(|| sent.as_mut().poll(cx).is_ready())).is_err())
        });
        assert!(is_caught.await);
    }
    assert_eq!((session.stats().in_use, session.stats().dialled), (0, 0));
    session.set_resolver(noting(server.addr()).1);
    assert_eq!(fetch(session.get("http://site.test/get")).await.status, 200);
}
