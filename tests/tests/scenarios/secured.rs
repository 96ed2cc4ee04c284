//! TLS: negotiated parameters, client certificates, and reuse of connections and sessions.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use rustls::version::{TLS12, TLS13};
use sessio::call::Event;
use sessio::tls::{Identity, KeyFormat, Pin, Tls, Version};
use sessio::{Blame, Kind, Observer, Stage};
use sessio_driver::{Runtime, Session};
use sessio_testkit::Server;
use sessio_tests::authority::{Authority, Issued};
use sessio_tests::redirect_chain::{redirect, redirect_chain};
use sessio_tests::scenarios;
use sessio_tests::server_tls::ServerTls;
use sessio_tests::world::World;

scenarios! { sealed:
    s07_both_versions_of_tls_are_used_and_reported
    f06_without_a_version_or_protocol_in_common
    d09_a_client_sends_its_certificate_on_request
    d09_a_refused_client_certificate_is_its_own_error
    m22_a_request_differs_from_its_session_this_once
    v83_v98_a_connection_without_verification_is_for_such_requests_alone
    v84_b43_connections_are_of_one_setting
    v86_tickets_are_for_the_same_origin_and_settings
    m22_https_only_refuses_before_a_byte_and_on_the_way
    f06_certificates_hold_by_the_clock_of_the_runtime
    r12_redirects_lead_in_and_out_of_tls
    d08_settings_that_cannot_be_used_are_the_callers_fault
    f01_bodies_larger_than_all_buffers_go_up_and_down
}

mod waiting {
    use super::{f01_bodies_go_up_and_down_byte_by_byte, scenarios};

    scenarios! {
        waiting:
        f01_bodies_go_up_and_down_byte_by_byte
    }
}

static ROOT: LazyLock<Authority> = LazyLock::new(|| Authority::root("root"));
static SERVER: LazyLock<Issued> = LazyLock::new(|| ROOT.issue(|_| {}));

fn trusting() -> Tls {
    Tls::default().roots(ROOT.certificates())
}

fn set<R: Runtime>(session: &Session<R>, tls: Tls) {
    session.update(|settings| settings.tls = tls);
}

/// The result of each handshake: version, cipher, protocol, and whether the session was resumed.
type Agreed = Arc<Mutex<Vec<(String, String, Option<Vec<u8>>, bool)>>>;

fn listen(agreed: &Agreed) -> Observer {
    let agreed = Arc::clone(agreed);
    Observer::new(move |_, event| {
        if let Event::Secured { secured, .. } = event {
            let (version, cipher) = (secured.version.to_owned(), secured.cipher.to_owned());
            assert_eq!(secured.certificate, Some(&*SERVER.chain[0]));
            agreed.lock().unwrap().push((version, cipher, secured.alpn.map(Into::into), secured.resumed));
        }
    })
}

async fn s07_both_versions_of_tls_are_used_and_reported<R: Runtime>(world: &World<R>) {
    for (spoken, version) in [(&TLS12, "TLSv1.2"), (&TLS13, "TLSv1.3")] {
        let (server, session) = (ServerTls::with_versions(&SERVER, &[spoken]).serve(), world.session());
        set(&session, trusting());
        let agreed = Agreed::default();
        for _ in 0..2 {
            let request = session.get(server.url("/get")).observe(listen(&agreed));
            assert!(request.send().await.unwrap().text().await.unwrap().contains("\"url\""));
        }
        let agreed = agreed.lock().unwrap();
        let [(told, cipher, alpn, false)] = &agreed[..] else { panic!("{agreed:?}") };
        assert_eq!((told.as_str(), alpn.as_deref()), (version, Some(&b"http/1.1"[..])));
        assert!(cipher.starts_with("TLS_") && !cipher.contains("TLS13"), "{cipher}");
        assert_eq!((server.accepted(), server.requests().len()), (1, 2));
    }
}

async fn f06_without_a_version_or_protocol_in_common<R: Runtime>(world: &World<R>) {
    for (spoken, tls) in [
        (&TLS12, trusting().min_version(Version::Tls13)),
        (&TLS13, trusting().max_version(Version::Tls12)),
        (&TLS13, trusting().alpn(["h2"])),
    ] {
        let (server, session) = (ServerTls::with_versions(&SERVER, &[spoken]).serve(), world.session());
        let error = session.get(server.url("/get")).tls(tls).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::TlsMismatch, "{error}");
        assert_eq!(error.progress().unwrap().stage, Stage::Tls);
        // A client that offers no protocol needs none in common.
        let tls = trusting().alpn([] as [&str; 0]);
        assert_eq!(session.get(server.url("/get")).tls(tls).send().await.unwrap().status(), 200);
    }
}

async fn d09_a_client_sends_its_certificate_on_request<R: Runtime>(world: &World<R>) {
    static CLIENTS: LazyLock<Authority> = LazyLock::new(|| Authority::root("clients"));
    static CLIENT: LazyLock<Issued> = LazyLock::new(|| CLIENTS.below("staff", |_| {}).issue(|_| {}));
    let (server, session) = (ServerTls::with_client_auth(&SERVER, &CLIENTS).serve(), world.session());
    set(&session, trusting().identity(CLIENT.identity()));
    let response = session.get(server.url("/get")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap();
    // A certificate of the request, and a server that does not ask for one.
    set(&session, trusting());
    let request = session.get(server.url("/get")).identity(CLIENT.identity());
    assert_eq!(request.send().await.unwrap().status(), 200);
}

async fn d09_a_refused_client_certificate_is_its_own_error<R: Runtime>(world: &World<R>) {
    static CLIENTS: LazyLock<Authority> = LazyLock::new(|| Authority::root("clients"));
    let stranger = ROOT.issue(|_| {}).identity();
    for (version, identity) in [
        (Version::Tls12, None),
        (Version::Tls13, None),
        (Version::Tls12, Some(stranger.clone())),
        (Version::Tls13, Some(stranger)),
    ] {
        let (server, session) = (ServerTls::with_client_auth(&SERVER, &CLIENTS).serve(), world.session());
        set(&session, trusting().max_version(version).identity(identity));
        let error = session.get(server.url("/get")).send().await.unwrap_err();
        // In TLS 1.3 the client is finished before the server has checked its certificate. The
        // request is sent by then.
        assert_eq!(error.kind(), Kind::ClientCertificate, "{error}");
        assert!(error.to_string().contains("alert "), "{error}");
        assert!(server.requests().is_empty());
    }
}

async fn m22_a_request_differs_from_its_session_this_once<R: Runtime>(world: &World<R>) {
    let (server, session) = (ServerTls::new(&Issued::by_itself(|_| {})).serve(), world.session());
    let get = || session.get(server.url("/get"));
    assert_eq!(get().send().await.unwrap_err().kind(), Kind::CertificateSelfSigned);
    let response = get().danger_accept_invalid_certs(true).send().await.unwrap();
    response.bytes().await.unwrap();
    assert_eq!(get().send().await.unwrap_err().kind(), Kind::CertificateSelfSigned);
    // The reverse.
    set(&session, Tls::default().danger_accept_invalid_certs(true));
    assert_eq!(get().send().await.unwrap().status(), 200);
    let error = get().danger_accept_invalid_certs(false).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::CertificateSelfSigned);
    // Only the check of the name is disabled, so the certificate is still refused.
    let error = get().tls(Tls::default().danger_accept_invalid_hostnames(true)).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::CertificateSelfSigned);
}

async fn v83_v98_a_connection_without_verification_is_for_such_requests_alone<R: Runtime>(world: &World<R>) {
    let server = ServerTls::new(&Authority::root("stranger").issue(|_| {})).serve();
    let session = world.session();
    let tls = trusting();
    set(&session, tls.clone());
    let blind = || session.get(server.url("/get")).tls(tls.clone().danger_accept_invalid_certs(true));
    blind().send().await.unwrap().bytes().await.unwrap();
    for refused in 1..=20 {
        let error = session.get(server.url("/get")).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::CertificateUnknownRoot);
        // A failed handshake leaves nothing in the pool.
        let stats = session.stats();
        assert_eq!((stats.idle, stats.in_use, stats.dialled), (1, 0, 1 + refused));
    }
    let response = blind().send().await.unwrap();
    assert_eq!(sessio_tests::fetch::connection(&response), (1, true));
    response.bytes().await.unwrap();
}

async fn v84_b43_connections_are_of_one_setting<R: Runtime>(world: &World<R>) {
    let (server, session) = (ServerTls::new(&SERVER).serve(), world.session());
    let number = async |tls: &Tls| {
        let response = session.get(server.url("/get")).tls(tls.clone()).send().await.unwrap();
        let number = sessio_tests::fetch::connection(&response);
        response.bytes().await.unwrap();
        number
    };
    let tls = trusting();
    let others = [
        tls.clone().pins([SERVER.pin()]),
        tls.clone().pins([SERVER.pin(), Pin::from_sha256([0; 32])]),
        tls.clone().identity(SERVER.identity()),
        tls.clone().min_version(Version::Tls13),
        tls.clone().sni(false),
        tls.clone().tickets(false),
        tls.clone().alpn([] as [&str; 0]),
        tls.clone().add_roots(SERVER.certificates()),
        tls.clone().danger_accept_invalid_certs(true),
        tls.clone().danger_accept_invalid_hostnames(true),
    ];
    assert_eq!(number(&tls).await, (1, false));
    assert_eq!(number(&trusting()).await, (1, true), "equal settings share, whoever read them");
    for (other, at) in others.iter().zip(2..) {
        assert_eq!(number(other).await, (at, false), "{other:?}");
        assert_eq!(number(&tls).await, (1, true));
        assert_eq!(number(other).await, (at, true));
    }
}

async fn v86_tickets_are_for_the_same_origin_and_settings<R: Runtime>(world: &World<R>) {
    for version in [Version::Tls12, Version::Tls13] {
        let server = ServerTls::new(&SERVER).serve();
        let (session, other) = (world.session(), world.session());
        let is_resumed = async |session: &Session<_>, url: String, tls: &Tls| {
            let agreed = Agreed::default();
            let request = session.get(url).tls(tls.clone()).observe(listen(&agreed));
            request.send().await.unwrap().bytes().await.unwrap();
            session.close_idle();
            let agreed = agreed.lock().unwrap();
            let [(.., resumed)] = agreed[..] else { panic!("{agreed:?}") };
            resumed
        };
        let url = || server.url("/get");
        let tls = trusting().max_version(version);
        assert!(!is_resumed(&session, url(), &tls).await);
        assert!(is_resumed(&session, url(), &tls).await, "{version:?}");
        // Other roots, identities or checks, another origin, and another session do not resume.
        assert!(!is_resumed(&session, url(), &tls.clone().add_roots(SERVER.certificates())).await);
        assert!(!is_resumed(&session, url(), &tls.clone().identity(SERVER.identity())).await);
        assert!(!is_resumed(&session, url(), &tls.clone().danger_accept_invalid_certs(true)).await);
        assert!(!is_resumed(&session, server.url_at("localhost", "/get"), &tls).await);
        assert!(!is_resumed(&other, url(), &tls).await);
        assert!(is_resumed(&session, url(), &tls).await, "they are not forgotten for that");
        let none = tls.clone().tickets(false);
        assert!(!is_resumed(&session, url(), &none).await && !is_resumed(&session, url(), &none).await);
    }
}

async fn m22_https_only_refuses_before_a_byte_and_on_the_way<R: Runtime>(world: &World<R>) {
    let (plain, secure, session) = (Server::start(), ServerTls::new(&SERVER).serve(), world.session());
    set(&session, trusting().https_only(true));
    let error = session.get(plain.url("/get")).send().await.unwrap_err();
    assert_eq!((error.kind(), error.kind().blame(), plain.accepted()), (Kind::HttpsOnly, Blame::Caller, 0));
    let url = redirect(&secure, plain.url("/get"), 302);
    let error = session.get(url).send().await.unwrap_err();
    assert_eq!((error.kind(), plain.accepted()), (Kind::HttpsOnly, 0));
    assert_eq!(error.response().unwrap().head.status, 302);
    session.get(secure.url("/get")).send().await.unwrap().bytes().await.unwrap();
}

async fn f06_certificates_hold_by_the_clock_of_the_runtime<R: Runtime>(world: &World<R>) {
    static AGING: LazyLock<Issued> =
        LazyLock::new(|| ROOT.issue(|params| params.not_after = rcgen::date_time_ymd(2080, 1, 1)));
    let (server, runtime) = (ServerTls::new(&AGING).serve(), world.runtime());
    let session = world.session_on(runtime.clone());
    set(&session, trusting().tickets(false));
    session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
    session.close_idle();
    runtime.pass(Duration::from_secs(80 * 365 * 24 * 3600));
    let error = session.get(server.url("/get")).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::CertificateExpired, "{error}");
    assert!(error.to_string().contains("days ago"), "{error}");
}

async fn r12_redirects_lead_in_and_out_of_tls<R: Runtime>(world: &World<R>) {
    let (plain, secure, session) = (Server::start(), ServerTls::new(&SERVER).serve(), world.session());
    set(&session, trusting());
    let url = redirect_chain(&[&plain, &secure, &plain, &secure], 302);
    let response = session.get(url).basic_auth("user", "secret").send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.history().len()), (200, 3));
    response.bytes().await.unwrap();
    assert!(plain.requests()[0].header("authorization").is_some());
    // Scheme and port differ on each hop, so no hop is the origin of the credentials.
    assert!(secure.requests().iter().all(|request| request.header("authorization").is_none()));
    // A Secure cookie.
    let set = secure.url("/response-headers?Set-Cookie=only%3D1%3B%20Secure%3B%20Path%3D%2F");
    session.get(set).send().await.unwrap().bytes().await.unwrap();
    let cookies = session.get(secure.url("/cookies")).send().await.unwrap().text().await.unwrap();
    assert!(cookies.contains("\"only\": \"1\""), "{cookies}");
}

async fn d08_settings_that_cannot_be_used_are_the_callers_fault<R: Runtime>(world: &World<R>) {
    let (server, session) = (ServerTls::new(&SERVER).serve(), world.session());
    let other = ROOT.issue(|_| {});
    let unfit = Identity::from_der(&SERVER.chain, KeyFormat::Pkcs8, &other.key).unwrap();
    let no_key = Identity::from_der(&SERVER.chain, KeyFormat::Pkcs8, b"not a key").unwrap();
    let no_root = sessio::tls::Certificates::from_der([b"no certificate"]).unwrap();
    for tls in [
        trusting().identity(unfit),
        trusting().identity(no_key),
        trusting().min_version(Version::Tls13).max_version(Version::Tls12),
        Tls::default().roots(no_root.clone()),
        Tls::default().add_roots(no_root),
        Tls::default().add_revocation_lists(ROOT.revoke(&[], 2100)),
    ] {
        let error = session.get(server.url("/get")).tls(tls).send().await.unwrap_err();
        assert_eq!((error.kind(), error.kind().blame()), (Kind::InvalidTls, Blame::Caller), "{error}");
        assert!(error.is_safe_to_repeat());
        assert!(!format!("{error:?}").contains("not a key"));
    }
    assert_eq!((server.accepted(), session.runtime().dialled()), (0, vec![]));
}

async fn f01_bodies_go_up_and_down_byte_by_byte<R: Runtime>(world: &World<R>) {
    for version in [Version::Tls12, Version::Tls13] {
        let server = ServerTls::new(&SERVER).serve();
        let session = world.session_on(world.runtime().dripping());
        set(&session, trusting().max_version(version));
        let text = "up and down ".repeat(20);
        let echo = session.post(server.url("/post")).body(text.clone()).send().await.unwrap();
        assert!(echo.text().await.unwrap().contains(&text), "{version:?}");
    }
}

async fn f01_bodies_larger_than_all_buffers_go_up_and_down<R: Runtime>(world: &World<R>) {
    for version in [Version::Tls12, Version::Tls13] {
        let (server, session) = (ServerTls::new(&SERVER).serve(), world.session());
        set(&session, trusting().max_version(version));
        let echo = session.post(server.url("/post")).body(vec![b'x'; 300_000]).send().await.unwrap();
        assert!(echo.bytes().await.unwrap().len() > 300_000);
        let bytes = session.get(server.url("/chunked/300000?chunk=1000")).send().await.unwrap();
        let bytes = bytes.bytes().await.unwrap();
        assert!(bytes.iter().enumerate().all(|(at, byte)| usize::from(*byte) == at % 251));
        assert_eq!((bytes.len(), server.accepted()), (300_000, 1));
    }
}
