//! Credentials of a session with a base URL belong to the origin of that URL.

use sessio::netrc::Netrc;
use sessio::{Auth, Environment, Url};
use sessio_driver::{Runtime, Session};
use sessio_testkit::{Request, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::redirect_chain::redirect;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    fa9_the_sessions_credentials_stay_with_the_base_url
    fa9_a_requests_own_credentials_are_sent_to_its_host
    fa9_a_redirect_back_to_the_base_url_restores_no_credentials
    fa9_the_other_host_has_its_own_login
    fa9_settings_may_allow_credentials_beyond_the_base_url
}

const SECRETS: [&str; 4] = ["authorization", "cookie", "x-api-key", "x-listed"];

/// A session whose base URL is that server, with a secret in every place.
fn at_home<R: Runtime>(world: &World<R>, home: &Server) -> Session<FaultyRuntime<R>> {
    at_home_on(world, world.runtime(), home)
}

fn at_home_on<R: Runtime>(
    world: &World<R>,
    runtime: FaultyRuntime<R>,
    home: &Server,
) -> Session<FaultyRuntime<R>> {
    let session = world.session_on(runtime);
    session
        .try_update(|settings| {
            settings.base_url = Some(Url::parse(&home.url("/anything/"))?);
            settings.auth = Auth::basic("user", "secret");
            settings.headers.insert("Cookie", "by-hand=secret")?;
            settings.headers.insert("X-Api-Key", "secret")?;
            settings.headers.mark_sensitive("X-Api-Key");
            settings.headers.insert("X-Listed", "secret")?;
            settings.sensitive_headers = ["x-listed".into()].into();
            settings.headers.insert("X-Plain", "plain")?;
            Ok(())
        })
        .unwrap();
    session
}

fn seen(request: &Request) -> Vec<&'static str> {
    SECRETS.into_iter().filter(|name| request.header(name).is_some()).collect()
}

async fn fa9_the_sessions_credentials_stay_with_the_base_url<R: Runtime>(world: &World<R>) {
    let (home, other) = (Server::start(), Server::start());
    let session = at_home(world, &home);
    let at_other = ["//", "http://"].map(|before| format!("{before}{}/get", other.addr()));
    for _ in 0..2 {
        for address in &at_other {
            fetch(session.get(address)).await;
        }
        for address in ["x".to_owned(), "/get".to_owned(), format!("//{}/get", home.addr()), home.url("/get")]
        {
            fetch(session.get(address)).await;
        }
    }
    assert_eq!((home.requests().len(), other.requests().len()), (8, 4));
    for request in home.requests() {
        assert_eq!(seen(&request), SECRETS);
    }
    for request in other.requests() {
        assert_eq!(seen(&request), [""; 0]);
        assert_eq!(request.header("x-plain").as_deref(), Some("plain"));
    }
    // The prepared request gives the reason.
    let prepared = session.prepare(sessio::Request::get(&at_other[0])).unwrap();
    let left: Vec<_> =
        prepared.options.overrides.iter().filter(|left| left.other_origin).map(|left| &*left.name).collect();
    assert_eq!(left, ["Cookie", "X-Api-Key", "X-Listed", "auth"]);
}

async fn fa9_a_requests_own_credentials_are_sent_to_its_host<R: Runtime>(world: &World<R>) {
    let (home, other) = (Server::start(), Server::start());
    let session = at_home(world, &home);
    let ask = || session.get(other.url("/get"));
    fetch(ask().bearer_auth("own").header("X-API-KEY", "own").append_header("x-listed", "own")).await;
    fetch(ask().header("Authorization", "own").cookie("own", "1")).await;
    fetch(session.get(other.url("/get").replace("://", "://own:own@"))).await;
    let requests = other.requests();
    assert_eq!(requests[0].header_all("authorization"), ["Bearer own"]);
    assert_eq!(requests[0].header_all("x-api-key"), ["own"]);
    assert_eq!(requests[0].header_all("x-listed"), ["own"]);
    assert_eq!(requests[1].header_all("authorization"), ["own"]);
    assert_eq!(requests[1].header_all("cookie"), ["own=1"]);
    assert_eq!(requests[2].header_all("authorization"), ["Basic b3duOm93bg=="]);
}

async fn fa9_a_redirect_back_to_the_base_url_restores_no_credentials<R: Runtime>(world: &World<R>) {
    let (home, other) = (Server::start(), Server::start());
    let session = at_home(world, &home);
    fetch(session.get(redirect(&other, home.url("/get"), 302))).await;
    assert_eq!(seen(&home.requests()[0]), [""; 0]);
    // A redirect to another origin drops them, as always.
    fetch(session.get(redirect(&home, other.url("/get"), 302))).await;
    assert_eq!(seen(&home.requests()[1]), SECRETS);
    assert_eq!(seen(&other.requests()[1]), [""; 0]);
}

async fn fa9_the_other_host_has_its_own_login<R: Runtime>(world: &World<R>) {
    let (home, other) = (Server::start(), Server::start_on([127, 0, 0, 2]));
    let netrc = Netrc::parse(b"machine 127.0.0.2 login other password own");
    let runtime = world.runtime().environment(Environment::empty().with_netrc(netrc));
    let session = at_home_on(world, runtime, &home);
    fetch(session.get(other.url("/get"))).await;
    assert_eq!(other.requests()[0].header_all("authorization"), ["Basic b3RoZXI6b3du"]);
    fetch(session.get(other.url("/get")).without_auth()).await;
    assert_eq!(other.requests()[1].header("authorization"), None);
}

async fn fa9_settings_may_allow_credentials_beyond_the_base_url<R: Runtime>(world: &World<R>) {
    let (home, other) = (Server::start(), Server::start());
    let session = at_home(world, &home);
    let open = session.derive(|settings| settings.credentials_beyond_base_url = true);
    fetch(open.get(other.url("/get"))).await;
    assert_eq!(seen(&other.requests()[0]), SECRETS);
    // Without a base URL the session has no origin.
    let homeless = session.derive(|settings| settings.base_url = None);
    fetch(homeless.get(other.url("/get"))).await;
    assert_eq!(seen(&other.requests()[1]), SECRETS);
}
