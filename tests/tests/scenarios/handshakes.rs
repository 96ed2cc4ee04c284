//! Failures of TLS other than certificates: ends, alerts, and peers that speak another protocol.

use std::sync::LazyLock;
use std::time::Duration;

use sessio::tls::Tls;
use sessio::{Kind, Stage, Timeout};
use sessio_driver::{Runtime, Session};
use sessio_testkit::{Connection, Otherwise, Script, Server};
use sessio_tests::authority::{Authority, Issued};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::scenarios;
use sessio_tests::server_tls::{Ending, KEY_UPDATE, ServerTls};
use sessio_tests::way::Way;
use sessio_tests::world::World;

scenarios! { sealed:
    q16_a_body_to_the_end_of_the_connection_needs_close_notify
    q17_a_body_with_a_length_needs_no_close_notify
    f11_a_connection_that_ended_while_idle_is_replaced
    f07_a_response_in_clear_text_is_no_tls
    f08_a_connection_that_ends_within_the_handshake
    f06_alerts_have_their_names
    v97_a_violation_of_tls_ends_the_connection_at_once
    q16_a_closed_connection_sends_close_notify
    f06_a_server_receives_the_alert_for_its_refused_certificate
    fm4_a_connection_that_ends_with_an_alert_is_stale
    fm6_an_unsupported_alpn_protocol_is_an_error_before_a_byte_is_sent
    fa13_a_record_without_data_keeps_an_idle_connection
}

mod together {
    use super::{fa13_data_on_an_idle_connection_closes_it, scenarios};

    scenarios! {
        together:
        fa13_data_on_an_idle_connection_closes_it
    }
}

mod waiting {
    use super::{f08_a_silent_server_meets_the_connect_limit, scenarios};

    scenarios! {
        waiting:
        f08_a_silent_server_meets_the_connect_limit
    }
}

static ROOT: LazyLock<Authority> = LazyLock::new(|| Authority::root("root"));
static SERVER: LazyLock<Issued> = LazyLock::new(|| ROOT.issue(|_| {}));

fn session<R: Runtime>(world: &World<R>) -> Session<FaultyRuntime<R>> {
    let session = world.session();
    session.update(|settings| settings.tls = Tls::default().roots(ROOT.certificates()));
    session
}

/// A server of one connection, with or without a close_notify.
fn server(says_goodbye: bool, connection: Connection) -> Server {
    let tls = ServerTls::new(&SERVER);
    let tls = if says_goodbye { tls } else { tls.without_close_notify() };
    Server::adapted_scripted(tls.adapters(), connection)
}

async fn q16_a_body_to_the_end_of_the_connection_needs_close_notify<R: Runtime>(world: &World<R>) {
    let until_close = || Connection::new().expect_request().send("HTTP/1.1 200 OK\r\n\r\nall of it").close();
    let whole = server(true, until_close());
    let response = session(world).get(whole.url("/")).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "all of it");

    let cut = server(false, until_close());
    let error = session(world).get(cut.url("/")).send().await.unwrap().text().await.unwrap_err();
    assert_eq!(error.kind(), Kind::IncompleteBody);
    assert!(error.to_string().contains("close_notify"), "{error}");
    // An end within a body with a length, or within a head, is a truncation, as without TLS.
    for (said, kind) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal", Kind::IncompleteBody),
        ("HTTP/1.1 200 OK\r\nContent-Le", Kind::IncompleteHead),
        ("", Kind::ClosedBeforeResponse),
    ] {
        for says_goodbye in [true, false] {
            let server = server(says_goodbye, Connection::new().expect_request().send(said).close());
            let error = match session(world).get(server.url("/")).send().await {
                Ok(response) => response.text().await.unwrap_err(),
                Err(error) => error,
            };
            assert_eq!(error.kind(), kind, "{said:?} {says_goodbye}: {error}");
        }
    }
}

async fn q16_a_closed_connection_sends_close_notify<R: Runtime>(world: &World<R>) {
    let answer = |fields: &str| {
        let said = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{fields}\r\nhi");
        Connection::new().expect_request().send(said).read_to_end()
    };
    for version in rustls::ALL_VERSIONS {
        let tls = ServerTls::with_versions(&SERVER, &[version]);
        let closing_alerts = tls.closing_alerts();
        let server = Server::adapted_scripted(
            tls.adapters(),
            [answer("Connection: close\r\n"), answer(""), answer("")],
        );
        let session = session(world);
        let get = || async { session.get(server.url("/")).send().await.unwrap().text().await.unwrap() };
        let parted = |number: usize| {
            server.wait_closed(number);
            assert_eq!(closing_alerts.so_far(), vec!["close_notify"; number + 1], "{version:?}");
        };
        get().await;
        parted(0);
        get().await;
        session.close_idle();
        parted(1);
        get().await;
        drop(session);
        parted(2);
    }
    // A body that was cut off is not reported as complete.
    let tls = ServerTls::new(&SERVER);
    let closing_alerts = tls.closing_alerts();
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    let server =
        Server::adapted_scripted(tls.adapters(), Connection::new().expect_request().send(half).read_to_end());
    drop(session(world).get(server.url("/")).send().await.unwrap());
    server.wait_closed(0);
    assert!(closing_alerts.so_far().is_empty());
}

async fn f06_a_server_receives_the_alert_for_its_refused_certificate<R: Runtime>(world: &World<R>) {
    let stranger = Authority::root("stranger").issue(|_| {});
    for version in rustls::ALL_VERSIONS {
        let tls = ServerTls::with_versions(&stranger, &[version]);
        let closing_alerts = tls.closing_alerts();
        let server = Server::adapted_scripted(tls.adapters(), Connection::new().read_to_end());
        let error = session(world).get(server.url("/")).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::CertificateUnknownRoot);
        server.wait_closed(0);
        // rustls receives the failure as an error of the verifier, so the alert is not specific.
        assert_eq!(closing_alerts.so_far(), ["CertificateUnknown"], "{version:?}");
    }
}

async fn q17_a_body_with_a_length_needs_no_close_notify<R: Runtime>(world: &World<R>) {
    for said in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n",
    ] {
        let server = server(false, Connection::new().expect_request().send(said).close());
        let response = session(world).get(server.url("/")).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "whole");
    }
}

async fn f11_a_connection_that_ended_while_idle_is_replaced<R: Runtime>(world: &World<R>) {
    for says_goodbye in [true, false] {
        // The server closes as soon as it has received the next request, so no check before can see
        // it.
        let first = Connection::new().expect_request().ok("first").expect_request().close();
        let tls = ServerTls::new(&SERVER);
        let tls = if says_goodbye { tls } else { tls.without_close_notify() };
        let script = Script::new().connection(first).otherwise(Otherwise::Routes);
        let server = Server::adapted_scripted(tls.adapters(), script);
        let session = session(world);
        session.get(server.url("/first")).send().await.unwrap().bytes().await.unwrap();
        let response = session.get(server.url("/get")).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), sessio_tests::fetch::connection(&response)),
            (200, (2, false))
        );
        response.bytes().await.unwrap();
    }
}

async fn f07_a_response_in_clear_text_is_no_tls<R: Runtime>(world: &World<R>) {
    let answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    for said in [answer, "220 mail.test ESMTP\r\n", "<html>", "\0\0\0\0"] {
        let server = Server::scripted(Connection::new().read(1).send(said).read_to_end());
        let url = server.url("/").replace("http:", "https:");
        let error = session(world).get(url).header("Authorization", "secret").send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::NotTls, "{error}");
        assert!(error.to_string().contains("http://"), "{error}");
        assert_eq!(error.progress().unwrap().stage, Stage::Tls);
    }
    // TLS where HTTP was expected.
    let server = Server::scripted(Connection::new().expect_request().send(ALERT).close());
    let error = session(world).get(server.url("/")).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotHttp);
}

async fn f08_a_connection_that_ends_within_the_handshake<R: Runtime>(world: &World<R>) {
    // The start of a handshake record without its contents.
    let begins = [22, 3, 3, 0, 100, 2];
    for connection in [
        Connection::new().read(1).close(),
        Connection::new().read(50).reset(),
        Connection::new().read(1).send(begins).close(),
        Connection::new().read(1).send(&begins[..3]).reset(),
    ] {
        let server = Server::scripted(connection);
        let url = server.url("/").replace("http:", "https:");
        // No byte of the request was sent. The session still does not retry: it cannot expect
        // success.
        let error = session(world).post(url).body("x").send().await.unwrap_err();
        assert_eq!((error.kind(), server.accepted()), (Kind::TlsClosed, 1), "{error}");
        let at = error.progress().unwrap();
        assert_eq!((at.stage, at.bytes_sent, at.reused), (Stage::Tls, 0, false));
        assert!(error.is_safe_to_repeat());
    }
}

async fn f08_a_silent_server_meets_the_connect_limit<R: Runtime>(world: &World<R>) {
    let server = Server::scripted(Connection::new().read(1).stall());
    let url = server.url("/").replace("http:", "https:");
    let session = session(world);
    session.update(|settings| settings.timeouts.connect = Some(Duration::from_millis(50)));
    let error = session.get(url).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout(Timeout::Connect));
    assert_eq!(error.progress().unwrap().stage, Stage::Tls);
    server.release();
}

/// A fatal alert: handshake_failure.
const ALERT: &[u8] = &[21, 3, 3, 0, 2, 2, 40];

async fn f06_alerts_have_their_names<R: Runtime>(world: &World<R>) {
    for (number, name, kind) in [
        (40, "handshake_failure", Kind::TlsMismatch),
        (70, "protocol_version", Kind::TlsMismatch),
        (80, "internal_error", Kind::TlsAlert),
        (112, "unrecognised_name", Kind::TlsAlert),
        (48, "unknown_ca", Kind::ClientCertificate),
    ] {
        let alert = [&ALERT[..6], &[number]].concat();
        let server = Server::scripted(Connection::new().read(1).send(alert).read_to_end());
        let url = server.url("/").replace("http:", "https:");
        let error = session(world).get(url).send().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(&format!("alert {name}")), "{error}");
    }
}

/// Rows V96, V97: there is no endless loop without progress, and no buffer that grows with the
/// input.
async fn v97_a_violation_of_tls_ends_the_connection_at_once<R: Runtime>(world: &World<R>) {
    let record = |content: &[u8]| {
        let len = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[22, 3, 3, len[0], len[1]], content].concat()
    };
    for (what, said) in [
        ("a certificate without an end", record(&[&[11, 0xff, 0xff, 0xff][..], &[0; 2000]].concat())),
        ("a message that nobody knows", record(&[99, 0, 0, 0])),
        ("a certificate before anything else", record(&[11, 0, 0, 3, 0, 0, 0])),
        ("a record that is too long", [&[22, 3, 3, 0xff, 0xff][..], &[0; 100]].concat()),
        ("an empty record", record(&[])),
    ] {
        let server = Server::scripted(Connection::new().read(1).send(said).forever().read_to_end());
        let url = server.url("/").replace("http:", "https:");
        let error = session(world).get(url).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::TlsBroken, "{what}: {error}");
    }
}

async fn fm4_a_connection_that_ends_with_an_alert_is_stale<R: Runtime>(world: &World<R>) {
    for way in [Way::Direct, Way::Https] {
        for ending in [Ending::Alert, Ending::Silence, Ending::CloseNotify] {
            for (method, is_sent_again) in [("GET", true), ("POST", false)] {
                let ends = Connection::new().expect_request().ok("first").expect_request().close();
                let script = Script::new().connection(ends).otherwise(Otherwise::Routes);
                let tls = ServerTls::new(&SERVER).ending(ending);
                let server = Server::adapted_scripted(way.adapters(tls), script);
                let session = session(world);
                go(&session, way, &server);
                let url = server.url("/anything");
                session.get(&url).send().await.unwrap().bytes().await.unwrap();
                match session.request(method, &url).send().await {
                    Ok(response) => {
                        assert!(is_sent_again, "{way:?} {ending:?}: a POST is not sent again");
                        assert_eq!(
                            sessio_tests::fetch::connection(&response),
                            (2, false),
                            "{way:?} {ending:?}"
                        );
                        response.bytes().await.unwrap();
                    }
                    Err(error) => {
                        assert!(!is_sent_again, "{way:?} {ending:?}: {error} {error:?}");
                        assert_eq!(error.kind(), Kind::ClosedBeforeResponse, "{way:?} {ending:?}");
                        if ending == Ending::Alert {
                            let source = std::error::Error::source(&error).unwrap().to_string();
                            assert!(source.contains("alert"), "{source}");
                        }
                    }
                }
            }
        }
    }
}

async fn fm6_an_unsupported_alpn_protocol_is_an_error_before_a_byte_is_sent<R: Runtime>(world: &World<R>) {
    for protocol in ["h2", "acme-tls/1"] {
        let tls = ServerTls::new(&SERVER)
            .with(|config| config.alpn_protocols = vec![protocol.into(), "http/1.1".into()]);
        let (server, session) = (tls.serve(), session(world));
        let tls = |offered: &[&str]| Tls::default().roots(ROOT.certificates()).alpn(offered);
        let get = session.get(server.url("/get")).tls(tls(&[protocol, "http/1.1"]));
        let error = get.basic_auth("user", "secret").send().await.unwrap_err();
        assert_eq!((error.kind(), error.progress().unwrap().stage), (Kind::TlsProtocol, Stage::Tls));
        assert!(
            error.to_string().contains(protocol) && error.is_tls() && error.is_safe_to_repeat(),
            "{error}"
        );
        assert!(server.requests().is_empty(), "nothing of the request was sent");
        let response = session.get(server.url("/get")).tls(tls(&["http/1.1"])).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.bytes().await.unwrap();
    }
}

/// Configures the session to reach the server this way.
fn go<R: Runtime>(session: &Session<FaultyRuntime<R>>, way: Way, server: &Server) {
    if let Some(proxy) = way.proxy(server).unwrap() {
        session.update(|settings| settings.proxies.set("all", proxy)).unwrap();
    }
}

/// A session that trusts the server.
fn looking<R: Runtime>(world: &World<R>) -> Session<FaultyRuntime<R>> {
    let session = world.session_on(world.runtime());
    session.update(|settings| settings.tls = Tls::default().roots(ROOT.certificates()));
    session
}

/// A server that sends these bytes while its connection is idle.
fn speaking(way: Way, late: &str) -> Server {
    let script = Connection::new().expect_request().ok("first").gate("idle").send(late).routes();
    Server::adapted_scripted(
        way.adapters(ServerTls::new(&SERVER)),
        Script::new().connection(script).otherwise(Otherwise::Routes),
    )
}

/// The connection of the request after those bytes.
async fn next_after<R: Runtime>(
    session: &Session<FaultyRuntime<R>>,
    server: &Server,
    way: Way,
) -> (u64, bool) {
    go(session, way, server);
    let post = async || {
        let response = session.post(server.url("/anything")).send().await.unwrap();
        let connection = sessio_tests::fetch::connection(&response);
        response.bytes().await.unwrap();
        connection
    };
    assert_eq!(post().await, (1, false));
    server.open_gate("idle");
    server.wait_steps(0, 5);
    post().await
}

async fn fa13_a_record_without_data_keeps_an_idle_connection<R: Runtime>(world: &World<R>) {
    for way in [Way::Direct, Way::Http, Way::Https] {
        let server = speaking(way, KEY_UPDATE);
        assert_eq!(next_after(&looking(world), &server, way).await, (1, true), "{way:?}");
    }
}

async fn fa13_data_on_an_idle_connection_closes_it<R: Runtime>(world: &World<R>) {
    for way in [Way::Direct, Way::Http, Way::Https] {
        let server = speaking(way, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(next_after(&looking(world), &server, way).await, (2, false), "{way:?}");
    }
}
