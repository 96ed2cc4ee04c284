//! The servers that receive the client's certificate. It is a credential of the origin that the
//! request was made for.

use std::sync::LazyLock;

use sessio::tls::Tls;
use sessio::{Kind, Url};
use sessio_driver::{Runtime, Session};
use sessio_testkit::Server;
use sessio_tests::authority::{Authority, Issued};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::redirect_chain::{redirect, redirect_chain};
use sessio_tests::scenarios;
use sessio_tests::server_tls::ServerTls;
use sessio_tests::world::World;

scenarios! { sealed:
    fa7_a_redirect_to_another_origin_leaves_the_client_certificate_behind
    fa7_a_client_certificate_does_not_return_on_a_later_hop
    fa7_a_requests_own_certificate_is_for_its_origin
    fa9_the_sessions_client_certificate_is_the_base_urls
}

static ROOT: LazyLock<Authority> = LazyLock::new(|| Authority::root("root"));
static SERVER: LazyLock<Issued> = LazyLock::new(|| ROOT.issue(|_| {}));
static CLIENTS: LazyLock<Authority> = LazyLock::new(|| Authority::root("clients"));
static CLIENT: LazyLock<Issued> = LazyLock::new(|| CLIENTS.issue(|_| {}));

/// A server that requires a client certificate.
fn strict() -> Server {
    ServerTls::with_client_auth(&SERVER, &CLIENTS).serve()
}

fn session<R: Runtime>(world: &World<R>, tls: Tls) -> Session<FaultyRuntime<R>> {
    let session = world.session();
    session.update(|settings| settings.tls = tls);
    session
}

fn trusting() -> Tls {
    Tls::default().roots(ROOT.certificates())
}

async fn refused<R: Runtime>(session: &Session<FaultyRuntime<R>>, url: &str) {
    let error = session.get(url).send().await.map(drop).unwrap_err();
    assert_eq!(error.kind(), Kind::ClientCertificate, "{error}");
}

async fn fa7_a_redirect_to_another_origin_leaves_the_client_certificate_behind<R: Runtime>(world: &World<R>) {
    let (a, b) = (strict(), strict());
    let session = session(world, trusting().identity(CLIENT.identity()));
    // Both servers accept the client, and a redirect within the origin changes nothing.
    fetch(session.get(b.url("/get"))).await;
    fetch(session.get(redirect_chain(&[&a, &a], 302))).await;
    refused(&session, &redirect_chain(&[&a, &b], 302)).await;
    assert_eq!(b.requests().len(), 1);
    // A redirect that the caller follows has no client certificate either.
    let mut response = session.get(redirect(&a, b.url("/get"), 302)).redirects(None).send().await.unwrap();
    let next = response.next().unwrap().unwrap();
    response.bytes().await.unwrap();
    assert!(next.options.routing.tls.options().identity.is_none());
    let error = session.execute(next).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), Kind::ClientCertificate);
}

async fn fa7_a_client_certificate_does_not_return_on_a_later_hop<R: Runtime>(world: &World<R>) {
    let (a, b) = (strict(), ServerTls::new(&SERVER).serve());
    let session = session(world, trusting().identity(CLIENT.identity()));
    // An idle connection that was opened with the certificate is not used without it.
    fetch(session.get(a.url("/get"))).await;
    refused(&session, &redirect_chain(&[&a, &b, &a], 302)).await;
    assert_eq!((a.requests().len(), b.requests().len()), (2, 1));
}

async fn fa7_a_requests_own_certificate_is_for_its_origin<R: Runtime>(world: &World<R>) {
    let (a, b) = (strict(), strict());
    let session = session(world, trusting());
    fetch(session.get(redirect_chain(&[&a, &a], 302)).identity(CLIENT.identity())).await;
    let error =
        session.get(redirect_chain(&[&a, &b], 302)).identity(CLIENT.identity()).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::ClientCertificate);
    assert!(b.requests().is_empty());
}

async fn fa9_the_sessions_client_certificate_is_the_base_urls<R: Runtime>(world: &World<R>) {
    let (home, other) = (strict(), strict());
    let session = session(world, trusting().identity(CLIENT.identity()));
    let base = Url::parse(&home.url("/")).unwrap();
    session.update(|settings| settings.base_url = Some(base));
    fetch(session.get("/get")).await;
    refused(&session, &other.url("/get")).await;
    fetch(session.get(other.url("/get")).identity(CLIENT.identity())).await;
    assert_eq!((home.requests().len(), other.requests().len()), (1, 1));
}
