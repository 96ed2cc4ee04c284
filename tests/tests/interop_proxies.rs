//! Against squid and microsocks: tunnels, forwarding, credentials, refusals, and a proxy that
//! intercepts TLS.
//!
//! It runs with `SESSIO_INTEROP=1`, after `tests/interop/install`.
#![forbid(unsafe_code)]
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::fs;

use sessio::{Kind, Proxy};
use sessio_driver::{Runtime, Session};
use sessio_tests::authority::Authority;
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::program::{Program, User, nginx, socks, squid};
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    programs:
    squid_forwards_and_tunnels
    squid_requires_basic_credentials
    squid_wants_a_proof
    squid_behind_tls
    squid_ends_tls_itself
    socks_by_name_and_by_address
}

/// Two servers, one with TLS, that echo requests; and their authority.
struct Place {
    plain: Program,
    secure: Program,
    authority: Authority,
}

const TELLS: &str =
    "location / { return 200 \"via $http_via; to $http_host; secret $http_proxy_authorization.\"; }";

impl Place {
    fn start() -> Self {
        let authority = Authority::ecdsa("an authority");
        let pem = authority.issue_ecdsa().pem();
        let server =
            format!("ssl_certificate {{folder}}/cert;\nssl_certificate_key {{folder}}/key;\n{TELLS}");
        let secure = nginx("ssl", &server, |folder| {
            fs::write(folder.join("cert"), &pem.certificate).unwrap();
            fs::write(folder.join("key"), &pem.key).unwrap();
        });
        Self { plain: nginx("", TELLS, |_| {}), secure, authority }
    }

    fn secure_url(&self) -> String {
        format!("https://localhost:{}/", self.secure.address().port())
    }

    fn session<R: Runtime>(&self, world: &World<R>, proxy: &str) -> Session<FaultyRuntime<R>> {
        let session = world.session();
        session
            .try_update(|settings| {
                settings.tls = settings.tls.clone().roots(self.authority.certificates());
                settings.proxies = Proxy::parse(proxy)?.into();
                Ok(())
            })
            .unwrap();
        session
    }
}

async fn text<R: Runtime>(session: &Session<R>, url: &str) -> String {
    let response = session.get(url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.text().await.unwrap()
}

async fn squid_forwards_and_tunnels<R: Runtime>(world: &World<R>) {
    let place = Place::start();
    let squid = squid(User::Any, &place.authority.issue_ecdsa().pem(), &place.authority.pem());
    let session = place.session(world, &format!("http://{}", squid.program.address()));
    for _ in 0..3 {
        let told = text(&session, &place.plain.url("/")).await;
        assert!(told.starts_with("via 1.1 "), "{told}");
        assert!(told.ends_with(&format!("; to {}; secret .", place.plain.address())), "{told}");
        // squid cannot see into the tunnel, so it adds nothing.
        let told = text(&session, &place.secure_url()).await;
        assert!(told.starts_with("via ; to localhost:"), "{told}");
    }
    assert_eq!((session.stats().dialled, session.stats().reused), (2, 4));
    let error = session.get("https://forbidden.test/").send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::ProxyRefused, "{error}");
    let refused = error.refused().unwrap();
    assert_eq!(refused.head.status, 403);
    assert!(String::from_utf8_lossy(&refused.body).contains("ERR_ACCESS_DENIED"));
    let plain = session.get("http://forbidden.test/").send().await.unwrap();
    assert_eq!(plain.status(), 403);
}

async fn squid_requires_basic_credentials<R: Runtime>(world: &World<R>) {
    let place = Place::start();
    let own = place.authority.issue_ecdsa().pem();
    let squid = squid(User::Basic("user", "p@ss"), &own, &place.authority.pem());
    let at = squid.program.address();
    let known = place.session(world, &format!("http://user:p%40ss@{at}"));
    assert!(text(&known, &place.plain.url("/")).await.ends_with("; secret ."));
    assert!(text(&known, &place.secure_url()).await.ends_with("; secret ."));
    // Credentials only after a challenge.
    let shy = place.session(world, &format!("http://{at}"));
    let proxy = Proxy::parse(&format!("http://user:p%40ss@{at}")).unwrap().wait_for_challenge();
    shy.update(|settings| settings.proxies = proxy.into());
    assert!(text(&shy, &place.secure_url()).await.starts_with("via ; "));
    assert!(text(&shy, &place.plain.url("/")).await.starts_with("via 1.1 "));
    for wrong in [format!("http://{at}"), format!("http://user:pass@{at}")] {
        let session = place.session(world, &wrong);
        let error = session.get(place.secure_url()).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::ProxyAuthentication, "{error}");
        assert_eq!(error.refused().unwrap().head.status, 407);
        assert!(!error.to_string().contains("user:"), "{error}");
        assert_eq!(session.get(place.plain.url("/")).send().await.unwrap().status(), 407);
    }
}

async fn squid_wants_a_proof<R: Runtime>(world: &World<R>) {
    let place = Place::start();
    let own = place.authority.issue_ecdsa().pem();
    // Each nonce is used three times, so it is stale now and then.
    let squid = squid(User::Digest("user", "p@ss", 3), &own, &place.authority.pem());
    let url = format!("http://{}", squid.program.address());
    let proxy = || Proxy::parse(&url).unwrap();
    let session = place.session(world, &url);
    for proxy in [
        proxy().digest_auth("user", "p@ss").unwrap(),
        proxy().basic_auth("user", "p@ss").unwrap().wait_for_challenge(),
        // It sends the password first, and then a proof.
        proxy().basic_auth("user", "p@ss").unwrap(),
    ] {
        session.update(|settings| settings.proxies = proxy.into());
        let mut challenged = 0;
        for round in 0..8 {
            let response = session.get(place.plain.url(&format!("/{round}?a=b%20c"))).send().await.unwrap();
            assert_eq!(response.status(), 200, "{round}");
            challenged += response.history().len();
            assert!(response.text().await.unwrap().starts_with("via 1.1 "));
            // A tunnel of its own.
            session.close_idle();
            assert!(text(&session, &place.secure_url()).await.starts_with("via ; to localhost:"));
        }
        assert!((1..=8).contains(&challenged), "{challenged}");
    }
    for proxy in [proxy(), proxy().digest_auth("user", "pass").unwrap()] {
        session.update(|settings| settings.proxies = proxy.into());
        let error = session.get(place.secure_url()).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::ProxyAuthentication, "{error}");
        assert_eq!(error.refused().unwrap().head.status, 407);
        assert_eq!(session.get(place.plain.url("/")).send().await.unwrap().status(), 407);
    }
}

async fn squid_behind_tls<R: Runtime>(world: &World<R>) {
    let place = Place::start();
    let own = place.authority.issue_ecdsa().pem();
    let squid = squid(User::Basic("user", "pass"), &own, &place.authority.pem());
    let session = place.session(world, &format!("https://user:pass@localhost:{}", squid.https.port()));
    // TLS in TLS, and clear text in TLS.
    for _ in 0..3 {
        assert!(text(&session, &place.secure_url()).await.starts_with("via ; to localhost:"));
        assert!(text(&session, &place.plain.url("/")).await.starts_with("via 1.1 "));
    }
    assert_eq!(session.stats().dialled, 2);
    let stranger = session.derive(|settings| {
        settings.tls = settings.tls.clone().roots(Authority::root("nobody").certificates())
    });
    let error = stranger.get(place.plain.url("/")).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::CertificateUnknownRoot, "{error}");
}

async fn squid_ends_tls_itself<R: Runtime>(world: &World<R>) {
    let place = Place::start();
    let maker = Authority::ecdsa("a maker of certificates");
    let squid = squid(User::Any, &place.authority.issue_ecdsa().pem(), &maker.pem());
    let session = place.session(world, &format!("http://{}", squid.bump));
    let error = session.get(place.secure_url()).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::CertificateUnknownRoot, "{error}");
    // A client that trusts the proxy can use it. The proxy trusts only its own authority, so it
    // rejects the server.
    let trusting =
        session.derive(|settings| settings.tls = settings.tls.clone().add_roots(maker.certificates()));
    let told = trusting.get(place.secure_url()).send().await.unwrap();
    assert_eq!(told.status(), 503);
}

async fn socks_by_name_and_by_address<R: Runtime>(world: &World<R>) {
    let place = Place::start();
    let open = socks(None);
    let closed = socks(Some(("user", "pass")));
    for scheme in ["socks5", "socks5h"] {
        let session = place.session(world, &format!("{scheme}://{}", open.address()));
        assert!(text(&session, &place.secure_url()).await.starts_with("via ; to localhost:"));
        assert!(text(&session, &place.plain.url("/")).await.starts_with("via ; to 127.0.0.1:"));
        let session = place.session(world, &format!("{scheme}://user:pass@{}", closed.address()));
        for _ in 0..3 {
            assert!(text(&session, &place.secure_url()).await.starts_with("via ; to localhost:"));
        }
        // `localhost` is [::1] and 127.0.0.1 here (FC2). A proxy that receives addresses cannot
        // reach the first.
        let dialled = if scheme == "socks5" { 2 } else { 1 };
        assert_eq!(session.stats().dialled, dialled, "{scheme}");
        for wrong in
            [format!("{scheme}://{}", closed.address()), format!("{scheme}://a:b@{}", closed.address())]
        {
            let error = place.session(world, &wrong).get(place.secure_url()).send().await.unwrap_err();
            assert_eq!(error.kind(), Kind::ProxyAuthentication, "{error}");
        }
        let nowhere = place.session(world, &format!("{scheme}://{}", open.address()));
        let error = nowhere.get("http://127.0.0.1:1/").send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::ProxyRefused, "{error}");
    }
}
