//! Resolution of a name, and the choice of an address.

use std::io::ErrorKind;

use sessio::Kind;
use sessio::tls::TlsConnector;
use sessio_driver::{ConnectFailure, Endpoint, Runtime, Session};
use sessio_testkit::Server;
use sessio_tests::fetch::fetch;
use sessio_tests::redirect_chain::refusing_server;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    f02_addresses_are_tried_in_order
    f02_the_error_has_the_error_of_each_address
    f02_f03_a_silent_address_is_overtaken_and_dropped
    f04_a_name_without_an_address
    v19_https_without_tls_is_refused_before_a_byte
    r16_names_are_origins_whatever_their_address
}

async fn f02_addresses_are_tried_in_order<R: Runtime>(world: &World<R>) {
    let (dead, server) = (refusing_server(), Server::start());
    let session = world.session_on(world.runtime().name("many.test", [dead.addr(), server.addr()]));
    for _ in 0..2 {
        let response = session.get("http://many.test/get").send().await.unwrap();
        assert!(!response.bytes().await.unwrap().is_empty());
    }
    assert_eq!(session.runtime().dialled(), [dead.addr(), server.addr()], "the second request dials nobody");
    assert_eq!(server.requests()[0].header_all("host"), ["many.test"]);
}

async fn f02_the_error_has_the_error_of_each_address<R: Runtime>(world: &World<R>) {
    let (one, two) = (refusing_server(), refusing_server());
    let session = world.session_on(world.runtime().name("many.test", [one.addr(), two.addr()]));
    let error = session.get("http://many.test/get").send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Connect);
    assert!(error.is_connect() && error.is_safe_to_repeat());
    let failure = std::error::Error::source(&error).unwrap().downcast_ref::<ConnectFailure>().unwrap();
    let told = failure.attempts().iter().map(|attempt| (attempt.to.clone(), attempt.error().unwrap().kind()));
    let refused = [one.addr(), two.addr()].map(|to| (Endpoint::Tcp(to), ErrorKind::ConnectionRefused));
    assert_eq!(told.collect::<Vec<_>>(), refused);
    assert!(failure.to_string().contains(&two.addr().to_string()));
    assert_eq!((session.stats().in_use, session.stats().dialled), (0, 0));
}

async fn f02_f03_a_silent_address_is_overtaken_and_dropped<R: Runtime>(world: &World<R>) {
    let (server, hole) = (Server::start(), "127.0.0.8:9".parse().unwrap());
    let runtime = world.runtime().silent(hole).name("many.test", [hole, server.addr()]);
    let session = world.session_on(runtime);
    // A blocking runtime gives the first address half of the time.
    let limit = sessio::happy_eyeballs::DELAY * 8;
    session.update(|s| s.timeouts.connect = Some(limit));
    assert_eq!(fetch(session.get("http://many.test/get")).await.status, 200);
    assert_eq!(session.runtime().dialled(), [hole, server.addr()]);
    assert_eq!((session.runtime().dialling(), server.accepted()), (0, 1));
}

async fn f04_a_name_without_an_address<R: Runtime>(world: &World<R>) {
    let error = world.session().get("http://no-such-name.invalid/").send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Resolve, "{error}");
    assert!(error.is_safe_to_repeat());
}

async fn v19_https_without_tls_is_refused_before_a_byte<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    without_tls(&session);
    let url = server.url("/").replace("http:", "https:");
    let error = session.get(&url).header("Authorization", "secret").send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::UnsupportedScheme);
    assert!(error.is_safe_to_repeat());
    assert_eq!((server.accepted(), session.runtime().dialled()), (0, vec![]));
    // The same for a redirect to that URL.
    let error =
        session.get(sessio_tests::redirect_chain::redirect(&server, url, 302)).send().await.unwrap_err();
    assert_eq!((error.kind(), server.accepted()), (Kind::UnsupportedScheme, 1));
}

async fn r16_names_are_origins_whatever_their_address<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let runtime = world.runtime().name("a.test", [server.addr()]).name("b.test", [server.addr()]);
    let session = world.session_on(runtime.name("sub.a.test", [server.addr()]));
    for (location, keeps) in [
        ("http://b.test/anything/1", false),
        ("http://sub.a.test/anything/2", false),
        ("http://A.TEST:80/anything/3", true),
    ] {
        let url = sessio_tests::redirect_chain::redirect(&server, location, 302);
        let url = url.replace(&server.addr().to_string(), "a.test");
        session.get(url).header("Authorization", "secret").send().await.unwrap().bytes().await.unwrap();
        let sent = server.requests().into_iter().find(|request| location.ends_with(request.target()));
        assert_eq!(sent.unwrap().header("authorization").is_some(), keeps, "{location}");
    }
    assert_eq!(server.accepted(), 3, "each name has connections of its own");
}

fn without_tls<R: Runtime>(session: &Session<R>) {
    session.update(|settings| settings.tls_connector = TlsConnector::default());
}
