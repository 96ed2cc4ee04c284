//! Against the TLS of nginx and of openssl: versions, client certificates, resumption, refusals.
//!
//! It runs with `SESSIO_INTEROP=1`, after `tests/interop/install`.
#![forbid(unsafe_code)]
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::fs;

use sessio::Kind;
use sessio_driver::{Runtime, Session};
use sessio_testkit::pattern;
use sessio_tests::authority::{Authority, Issued};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::program::{Program, nginx, openssl};
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    programs:
    nginx_over_both_versions
    nginx_asks_for_a_certificate
    nginx_resumes
    nginx_and_large_bodies
    nginx_without_tls_on_this_port
    openssl_has_no_version_or_cipher_in_common
    openssl_over_each_suite_alone
}

const LARGE: usize = 3_000_000;

/// nginx with TLS, its authority, and the authority of client certificates.
struct Place {
    nginx: Program,
    client: Issued,
    authority: Authority,
}

fn start(server: &str) -> Place {
    let authority = Authority::ecdsa("an authority");
    let (pem, client) = (authority.issue_ecdsa().pem(), authority.issue(|_| {}));
    let server = format!(
        "ssl_certificate {{folder}}/cert;\nssl_certificate_key {{folder}}/key;\n\
         location = / {{ return 200 \"$ssl_protocol $ssl_session_reused $ssl_client_verify\"; }}\n\
         location = /once {{ keepalive_timeout 0; return 200 \"$ssl_session_reused\"; }}\n\
         location /store/ {{ alias {{folder}}/store/; dav_methods PUT; client_max_body_size 0; }}\n{server}"
    );
    let nginx = nginx("ssl", &server, |folder| {
        fs::create_dir(folder.join("store")).unwrap();
        fs::write(folder.join("cert"), &pem.certificate).unwrap();
        fs::write(folder.join("key"), &pem.key).unwrap();
        fs::write(folder.join("root"), authority.pem().certificate).unwrap();
    });
    Place { nginx, client, authority }
}

impl Place {
    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.nginx.address().port())
    }

    fn session<R: Runtime>(&self, world: &World<R>) -> Session<FaultyRuntime<R>> {
        trusting(world, &self.authority)
    }
}

fn trusting<R: Runtime>(world: &World<R>, authority: &Authority) -> Session<FaultyRuntime<R>> {
    let session = world.session();
    session.update(|settings| settings.tls = settings.tls.clone().roots(authority.certificates()));
    session
}

async fn text<R: Runtime>(session: &Session<R>, url: String) -> String {
    let response = session.get(url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.text().await.unwrap()
}

async fn nginx_over_both_versions<R: Runtime>(world: &World<R>) {
    for version in ["TLSv1.2", "TLSv1.3"] {
        let place = start(&format!("ssl_protocols {version};"));
        let session = place.session(world);
        for _ in 0..3 {
            assert_eq!(text(&session, place.url("/")).await, format!("{version} . NONE"));
        }
        assert_eq!(session.stats().dialled, 1);
        // A server without a trusted certificate receives no request.
        let error = world.session().get(place.url("/")).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::CertificateUnknownRoot);
        session.resolve("other.test", [place.nginx.address()]).unwrap();
        let error = session.get(place.url("/").replace("localhost", "other.test")).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::CertificateWrongHost, "{error}");
    }
}

async fn nginx_asks_for_a_certificate<R: Runtime>(world: &World<R>) {
    for version in ["TLSv1.2", "TLSv1.3"] {
        let server = format!(
            "ssl_protocols {version};\nssl_verify_client on;\nssl_client_certificate {{folder}}/root;"
        );
        let place = start(&server);
        let session = place.session(world);
        let refused = session.get(place.url("/")).send().await.unwrap();
        assert_eq!(refused.status(), 400);
        assert!(refused.text().await.unwrap().contains("No required SSL certificate was sent"));
        let known =
            session.derive(|settings| settings.tls = settings.tls.clone().identity(place.client.identity()));
        assert_eq!(text(&known, place.url("/")).await, format!("{version} . SUCCESS"));
        // Connections with the certificate are not used without it.
        assert_eq!(session.get(place.url("/")).send().await.unwrap().status(), 400);
    }
}

async fn nginx_resumes<R: Runtime>(world: &World<R>) {
    for version in ["TLSv1.2", "TLSv1.3"] {
        let place = start(&format!("ssl_protocols {version};\nssl_session_cache builtin;"));
        let session = place.session(world);
        assert_eq!(text(&session, place.url("/once")).await, ".");
        assert_eq!(text(&session, place.url("/once")).await, "r", "{version}");
        let without = session.derive(|settings| settings.tls = settings.tls.clone().tickets(false));
        assert_eq!(text(&without, place.url("/once")).await, ".");
        assert_eq!(text(&without, place.url("/once")).await, ".");
        assert_eq!(session.stats().reused, 0);
    }
}

async fn nginx_and_large_bodies<R: Runtime>(world: &World<R>) {
    let place = start("");
    let (session, noise) = (place.session(world), pattern(LARGE));
    let pieces = || Pieces::of(noise.chunks(70_000));
    for (name, request) in [
        ("bytes", session.put(place.url("/store/bytes")).body(noise.clone())),
        ("length", session.put(place.url("/store/length")).source(pieces(), Some(LARGE as u64), true)),
        ("chunks", session.put(place.url("/store/chunks")).source(pieces(), None, true)),
    ] {
        assert_eq!(request.send().await.unwrap().status(), 201, "{name}");
        let back = session.get(place.url(&format!("/store/{name}"))).send().await.unwrap();
        assert!(back.bytes().await.unwrap() == noise, "{name}");
        assert!(fs::read(place.nginx.folder().file(format!("store/{name}"))).unwrap() == noise);
    }
}

async fn nginx_without_tls_on_this_port<R: Runtime>(world: &World<R>) {
    let plain = nginx("", "", |_| {});
    let session = trusting(world, &Authority::root("nobody"));
    let error = session.get(plain.url("/").replace("http:", "https:")).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotTls, "{error}");
    // In the other direction nginx itself reports it.
    let place = start("");
    let response = session.get(place.url("/").replace("https:", "http:")).send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert!(response.text().await.unwrap().contains("plain HTTP request was sent to HTTPS port"));
}

async fn openssl_has_no_version_or_cipher_in_common<R: Runtime>(world: &World<R>) {
    let authority = Authority::ecdsa("an authority");
    let pem = authority.issue_ecdsa().pem();
    for options in [
        &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"][..],
        &["-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256"],
        &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"],
    ] {
        let server = openssl(&pem, options);
        let url = format!("https://localhost:{}/", server.address().port());
        let error = trusting(world, &authority).get(url).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::TlsMismatch, "{options:?}: {error}");
    }
}

async fn openssl_over_each_suite_alone<R: Runtime>(world: &World<R>) {
    let authority = Authority::ecdsa("an authority");
    let pem = authority.issue_ecdsa().pem();
    for (version, option, suite) in [
        ("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"),
        ("-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"),
        ("-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"),
        ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"),
        ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"),
        ("-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"),
    ] {
        let server = openssl(&pem, &[version, option, suite]);
        let url = format!("https://localhost:{}/", server.address().port());
        let page = text(&trusting(world, &authority), url).await;
        assert!(page.contains(suite), "{suite}: {page}");
    }
}
