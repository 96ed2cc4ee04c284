//! Sockets: their local addresses, and their state before they are connected.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use sessio::happy_eyeballs::Outcome;
use sessio::{Error, KeepAlive, Kind, Timeout};
use sessio_driver::{ConnectFailure, Endpoint, Runtime, Session};
use sessio_testkit::Server;
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::redirect_chain::refusing_server;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    connections_come_from_the_local_address
    an_ipv4_address_never_leads_to_an_ipv6_peer
    each_way_to_open_a_socket_has_connections_of_its_own
    f03_the_connect_limit_reports_the_error_of_each_address
}

const HOUR: Duration = Duration::from_secs(3600);

fn from<R: Runtime>(
    session: &Session<FaultyRuntime<R>>,
    local: impl Into<IpAddr>,
) -> Session<FaultyRuntime<R>> {
    let local = local.into();
    session.derive(|settings| settings.tcp.local_address = Some(local))
}

fn failure(error: &Error) -> &ConnectFailure {
    std::error::Error::source(error).unwrap().downcast_ref().unwrap()
}

async fn connections_come_from_the_local_address<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let origin = async |session: &Session<FaultyRuntime<R>>| {
        session.get(server.url("/ip")).send().await.unwrap().text().await.unwrap()
    };
    assert!(origin(&session).await.contains("127.0.0.1"));
    // Linux has all of 127/8 without configuration.
    #[cfg(target_os = "linux")]
    {
        assert!(origin(&from(&session, [127, 0, 0, 3])).await.contains("127.0.0.3"));
        assert!(origin(&from(&session, [127, 0, 0, 4])).await.contains("127.0.0.4"));
        assert!(origin(&from(&session, [127, 0, 0, 3])).await.contains("127.0.0.3"));
        let peers = server.connections().into_iter().map(|recording| recording.peer.ip().to_string());
        assert_eq!(peers.collect::<Vec<_>>(), ["127.0.0.1", "127.0.0.3", "127.0.0.4"]);
    }
    // TEST-NET-1 belongs to no machine.
    let error = from(&session, [192, 0, 2, 1]).get(server.url("/ip")).send().await.unwrap_err();
    assert_eq!((error.kind(), error.is_safe_to_repeat()), (Kind::Connect, true));
    assert_eq!(failure(&error).attempts()[0].error().unwrap().kind(), ErrorKind::AddrNotAvailable);
}

async fn an_ipv4_address_never_leads_to_an_ipv6_peer<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let six = "[::1]:9".parse().unwrap();
    let session =
        world.session_on(world.runtime().name("both.test", [six, server.addr()]).name("six.test", [six]));
    let four = from(&session, [127, 0, 0, 1]);
    assert_eq!(fetch(four.get("http://both.test/get")).await.status, 200);
    for url in ["http://six.test/", "http://[::1]:9/"] {
        let error = four.get(url).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Connect, "{error}");
        assert_eq!(failure(&error).attempts()[0].to, Endpoint::Tcp(six));
        assert!(failure(&error).to_string().contains("family"), "{:?}", failure(&error));
    }
    assert_eq!(session.runtime().dialled(), [server.addr()]);
    assert_eq!(session.stats().in_use, 0);
}

async fn each_way_to_open_a_socket_has_connections_of_its_own<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let mut variants = vec![session.clone()];
    let minute = KeepAlive::after(Duration::from_secs(60));
    for keep in [minute, minute.every(Duration::from_secs(5), 3)] {
        let variant = session.derive(|settings| settings.tcp.keep_alive = Some(keep));
        variants.push(variant);
    }
    let slow = session.derive(|settings| settings.tcp.nodelay = false);
    variants.push(slow);
    for reused in [false, true] {
        for (session, number) in variants.iter().zip(1..) {
            let response = session.get(server.url("/get")).send().await.unwrap();
            assert_eq!(sessio_tests::fetch::connection(&response), (number, reused));
            response.bytes().await.unwrap();
        }
    }
    assert_eq!(server.accepted(), 4);
}

async fn f03_the_connect_limit_reports_the_error_of_each_address<R: Runtime>(world: &World<R>) {
    let (dead, hole) = (refusing_server().addr(), "127.0.0.8:9".parse().unwrap());
    for which in [Timeout::Connect, Timeout::Total] {
        let session = world.session_on(world.runtime().silent(hole).name("many.test", [dead, hole]));
        session.update(|settings| {
            let limit = Some(HOUR);
            match which {
                Timeout::Total => settings.timeouts.total = limit,
                _ => settings.timeouts.connect = limit,
            }
        });
        let mut sent = pin!(session.get("http://many.test/").send());
        let outcome = poll_fn(|cx| {
            let sent = sent.as_mut().poll(cx);
            let runtime = session.runtime();
            // One address has refused, the other never responds.
            if sent.is_pending() && (runtime.dialled().len(), runtime.dialling()) == (2, 1) {
                runtime.pass(HOUR);
                cx.waker().wake_by_ref();
            }
            sent
        });
        let error = outcome.await.unwrap_err();
        assert_eq!(error.kind(), Kind::Timeout(which));
        let [refused, silent] = failure(&error).attempts() else { panic!("{error:?}") };
        assert_eq!((&refused.to, &silent.to), (&Endpoint::Tcp(dead), &Endpoint::Tcp(hole)));
        assert_eq!(refused.error().unwrap().kind(), ErrorKind::ConnectionRefused);
        assert!(matches!(silent.outcome, Outcome::Open), "{silent:?}");
        assert!(failure(&error).to_string().ends_with("127.0.0.8:9: no answer yet"));
        assert_eq!((session.runtime().dialling(), session.stats().in_use), (0, 0));
    }
}
