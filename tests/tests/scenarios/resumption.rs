//! Resumed TLS sessions: every kind of exchange, and certificates that change meanwhile.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use sessio::call::Event;
use sessio::tls::Tls;
use sessio::{Kind, Observer};
use sessio_driver::{RequestBuilder, Response, Runtime, Session};
use sessio_testkit::{Connection, Otherwise, Script, Server, pattern};
use sessio_tests::authority::{Authority, Issued};
use sessio_tests::coded::{coded, text};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::renewal::Renewal;
use sessio_tests::scenarios;
use sessio_tests::server_tls::Ending;
use sessio_tests::source::Endless;
use sessio_tests::world::World;

scenarios! { sealed:
    fm_a_resumed_session_carries_bodies_both_ways
    fm_a_resumed_session_ends_in_every_way
    fm_a_resumed_session_goes_stale
    fm_a_resumed_session_is_dropped
    fm_a_handshake_that_is_refused_costs_no_more_than_its_ticket
    fm_a_changed_certificate_is_verified_where_it_is_shown
    fm_a_pin_holds_for_a_certificate_that_changes
    fm_a_resumed_session_does_not_outlive_its_certificate
}

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

static ROOT: LazyLock<Authority> = LazyLock::new(|| Authority::root("root"));
/// Two trusted certificates, and one that is not.
static OLD: LazyLock<Issued> = LazyLock::new(|| ROOT.issue(|_| {}));
static NEW: LazyLock<Issued> = LazyLock::new(|| ROOT.issue(|_| {}));
static STRANGER: LazyLock<Issued> = LazyLock::new(|| Authority::root("stranger").issue(|_| {}));

fn renewal() -> Renewal {
    Renewal::new(&[&OLD, &NEW, &STRANGER])
}

fn trusting() -> Tls {
    Tls::default().roots(ROOT.certificates())
}

fn session<R: Runtime>(world: &World<R>, tls: Tls) -> Session<FaultyRuntime<R>> {
    let session = world.session();
    session.update(|settings| settings.tls = tls);
    session
}

/// The handshakes with a server: whether the session was resumed, and the certificate that the
/// client saw.
#[derive(Clone, Default)]
struct Handshakes(Arc<Mutex<Vec<(bool, &'static str)>>>);

impl Handshakes {
    fn observer(&self) -> Observer {
        let handshakes = self.clone();
        Observer::new(move |_, event| {
            if let Event::Secured { secured, .. } = event {
                let is = |issued: &Issued| secured.certificate == Some(&*issued.chain[0]);
                let certificates = [("old", &OLD), ("new", &NEW), ("stranger", &STRANGER)];
                // A proxy has its own certificate.
                if let Some((name, _)) = certificates.iter().find(|(_, issued)| is(issued)) {
                    handshakes.0.lock().unwrap().push((secured.resumed, name));
                }
            }
        })
    }

    fn take(&self) -> Vec<(bool, &'static str)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

const RESUMED: [(bool, &str); 1] = [(true, "old")];

/// A server whose first connection sends a ticket. `next` are the connections after it.
fn serve(version: &'static SupportedProtocolVersion, ending: Ending, next: &[Connection]) -> Server {
    let first = Connection::new().expect_request().ok("first");
    let script = next.iter().cloned().fold(Script::new().connection(first), Script::connection);
    let tls = renewal().server_tls(&OLD, version).ending(ending);
    Server::adapted_scripted(tls.adapters(), script.otherwise(Otherwise::Routes))
}

/// A session with a ticket of the server, and without a connection to it.
async fn ticketed<R: Runtime>(world: &World<R>, server: &Server) -> Session<FaultyRuntime<R>> {
    let (session, handshakes) = (session(world, trusting()), Handshakes::default());
    let first = session.get(server.url("/first")).observe(handshakes.observer());
    assert_eq!(first.send().await.unwrap().text().await.unwrap(), "first");
    assert_eq!(handshakes.take(), [(false, "old")]);
    session.close_idle();
    session
}

/// Sends a request over a connection whose session is resumed.
async fn resumed<R: Runtime>(
    request: RequestBuilder<FaultyRuntime<R>>,
) -> sessio::Result<Response<FaultyRuntime<R>>> {
    let handshakes = Handshakes::default();
    let done = request.observe(handshakes.observer()).send().await;
    assert_eq!(handshakes.take(), RESUMED);
    done
}

async fn fm_a_resumed_session_carries_bodies_both_ways<R: Runtime>(world: &World<R>) {
    let body = text(40_000);
    let coded = coded("gzip", &body);
    let mut said = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n".to_vec();
    said.extend_from_slice(b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n");
    for chunk in coded.chunks(900) {
        said.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        said.extend_from_slice(chunk);
        said.extend_from_slice(b"\r\n");
    }
    said.extend_from_slice(b"0\r\nX-Sum: 40000\r\n\r\n");
    let refusal = [b"HTTP/1.1 413 X\r\nContent-Length: 40000\r\n\r\n", &body[..]].concat();
    let redirect = [b"HTTP/1.1 302 X\r\nLocation: /get\r\nContent-Length: 40000\r\n\r\n", &body[..]].concat();
    for version in VERSIONS {
        // A download. The connection stays usable.
        let server =
            serve(version, Ending::CloseNotify, &[Connection::new().expect_request().send(&said).routes()]);
        let session = ticketed(world, &server).await;
        let mut response = resumed(session.get(server.url("/"))).await.unwrap();
        let mut read = Vec::new();
        while let Some(chunk) = response.chunk().await.unwrap() {
            read.extend_from_slice(&chunk);
        }
        assert!(read == body, "{version:?}");
        assert_eq!(response.trailers().get("x-sum"), Some("40000"));
        drop(response);
        // An upload on the same connection.
        let upload = session.post(server.url("/status/200")).body(body.clone()).send().await.unwrap();
        assert_eq!(sessio_tests::fetch::connection(&upload), (2, true), "{version:?}");
        assert!(server.requests().pop().unwrap().body == body);

        // A long refusal during the upload.
        let refuses = Connection::new().read_head().send(&refusal).stall();
        let server = serve(version, Ending::CloseNotify, &[refuses]);
        server.record_bytes(false);
        let session = ticketed(world, &server).await;
        let upload = session.put(server.url("/")).source(Endless, None, false);
        assert!(resumed(upload).await.unwrap().bytes().await.unwrap() == body, "{version:?}");
        server.release();

        // A long redirect whose body is drained.
        let server = serve(
            version,
            Ending::CloseNotify,
            &[Connection::new().expect_request().send(&redirect).routes()],
        );
        let session = ticketed(world, &server).await;
        let followed = resumed(session.get(server.url("/"))).await.unwrap();
        assert_eq!(
            (followed.status().as_u16(), sessio_tests::fetch::connection(&followed)),
            (200, (2, true)),
            "{version:?}"
        );
    }
}

async fn fm_a_resumed_session_ends_in_every_way<R: Runtime>(world: &World<R>) {
    let whole = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nwhole";
    let until_close = "HTTP/1.1 200 OK\r\n\r\nwhole";
    for version in VERSIONS {
        for ending in [Ending::CloseNotify, Ending::Silence, Ending::Alert] {
            for (said, outcome) in [
                (whole, None),
                (until_close, (ending != Ending::CloseNotify).then_some(Kind::IncompleteBody)),
                (&whole[..whole.len() - 1], Some(Kind::IncompleteBody)),
                (&whole[..20], Some(Kind::IncompleteHead)),
                ("", Some(Kind::ClosedBeforeResponse)),
            ] {
                // A new connection cannot be stale, so an end before any byte is an error.
                let server = serve(version, ending, &[Connection::new().expect_request().send(said).close()]);
                let session = ticketed(world, &server).await;
                let done = match resumed(session.get(server.url("/"))).await {
                    Ok(response) => response.text().await,
                    Err(error) => Err(error),
                };
                let what = format!("{version:?} {ending:?} {said:?}");
                match (done, outcome) {
                    (Ok(body), None) => assert_eq!(body, "whole", "{what}"),
                    (Err(error), Some(Kind::IncompleteBody | Kind::IncompleteHead))
                        if ending == Ending::Alert =>
                    {
                        assert!(error.kind() != Kind::Io, "{what}: {error}");
                    }
                    (Err(error), Some(_)) if ending == Ending::Alert => {
                        assert!(error.to_string().contains("alert"), "{what}: {error}");
                    }
                    (Err(error), Some(kind)) => assert_eq!(error.kind(), kind, "{what}"),
                    (done, outcome) => panic!("{what}: {done:?} is not {outcome:?}"),
                }
            }
        }
    }
}

async fn fm_a_resumed_session_goes_stale<R: Runtime>(world: &World<R>) {
    for version in VERSIONS {
        for ending in [Ending::CloseNotify, Ending::Silence, Ending::Alert] {
            for (method, is_sent_again) in [("GET", true), ("POST", false)] {
                let ends = Connection::new().expect_request().ok("second").expect_request().close();
                let server = serve(version, ending, &[ends]);
                let session = ticketed(world, &server).await;
                resumed(session.get(server.url("/"))).await.unwrap().bytes().await.unwrap();
                let handshakes = Handshakes::default();
                let request = session.request(method, server.url("/anything"));
                let done = request.observe(handshakes.observer()).send().await;
                let what = format!("{version:?} {ending:?}");
                match done {
                    Ok(response) => {
                        assert!(is_sent_again, "{what}: a POST is not sent again");
                        assert_eq!(sessio_tests::fetch::connection(&response), (3, false), "{what}");
                        response.bytes().await.unwrap();
                        // Its replacement is resumed too.
                        assert_eq!(handshakes.take(), RESUMED, "{what}");
                    }
                    Err(error) => {
                        assert!(!is_sent_again, "{what}: {error}");
                        assert_eq!(error.kind(), Kind::ClosedBeforeResponse, "{what}");
                        assert!(handshakes.take().is_empty());
                    }
                }
            }
        }
    }
}

async fn fm_a_resumed_session_is_dropped<R: Runtime>(world: &World<R>) {
    let long = [&b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n"[..], &pattern(200_000)].concat();
    for version in VERSIONS {
        let half = Connection::new().expect_request().send(&long).stall();
        let server = serve(version, Ending::CloseNotify, &[half]);
        let session = ticketed(world, &server).await;
        let mut response = resumed(session.get(server.url("/"))).await.unwrap();
        assert!(pattern(200_000).starts_with(&response.chunk().await.unwrap().unwrap()));
        drop(response);
        let next = resumed(session.get(server.url("/get"))).await.unwrap();
        assert_eq!(
            (next.status().as_u16(), sessio_tests::fetch::connection(&next)),
            (200, (3, false)),
            "{version:?}"
        );
        next.bytes().await.unwrap();
        server.release();
    }
}

async fn fm_a_handshake_that_is_refused_costs_no_more_than_its_ticket<R: Runtime>(world: &World<R>) {
    for version in VERSIONS {
        let renewal = renewal();
        let server = renewal.server_tls(&OLD, version).serve();
        let session = session(world, trusting());
        let get = async || session.get(server.url("/get")).send().await?.bytes().await;
        get().await.unwrap();
        session.close_idle();
        renewal.refuse();
        for _ in 0..3 {
            let error = get().await.unwrap_err();
            assert_eq!(error.kind(), Kind::ClientCertificate, "{version:?}: {error}");
            assert!(error.is_safe_to_repeat());
        }
        // A ticket of TLS 1.3 is used once (RFC 8446 appendix C.4), so this is a full handshake.
        renewal.show(0);
        let handshakes = Handshakes::default();
        let next = session.get(server.url("/get")).observe(handshakes.observer()).send().await.unwrap();
        next.bytes().await.unwrap();
        assert_eq!(handshakes.take(), [(version.version == TLS12.version, "old")], "{version:?}");
    }
}

async fn fm_a_changed_certificate_is_verified_where_it_is_shown<R: Runtime>(world: &World<R>) {
    for version in VERSIONS {
        let renewal = renewal();
        let server = renewal.server_tls(&OLD, version).serve();
        let (session, handshakes) = (session(world, trusting()), Handshakes::default());
        let get = async || {
            let request = session.get(server.url("/get")).observe(handshakes.observer());
            let done = match request.send().await {
                Ok(response) => response.bytes().await.map(drop),
                Err(error) => Err(error),
            };
            session.close_idle();
            (done.map_err(|error| error.kind()), handshakes.take())
        };
        let unknown = Err(Kind::CertificateUnknownRoot);
        assert_eq!(get().await, (Ok(()), vec![(false, "old")]), "{version:?}");
        // A resumed session keeps its original certificate, because no other one is sent.
        renewal.show(1);
        assert_eq!(get().await, (Ok(()), vec![(true, "old")]), "{version:?}");
        renewal.forget();
        assert_eq!(get().await, (Ok(()), vec![(false, "new")]), "{version:?}");
        assert_eq!(get().await, (Ok(()), vec![(true, "new")]), "{version:?}");
        // An untrusted certificate: an older ticket is no reason to trust it.
        renewal.show(2);
        renewal.forget();
        assert_eq!(get().await, (unknown, vec![]), "{version:?}");
        assert_eq!(get().await, (unknown, vec![]), "a handshake that was refused leaves no ticket");
        renewal.show(0);
        assert_eq!(get().await, (Ok(()), vec![(false, "old")]), "{version:?}");
        assert_eq!(get().await, (Ok(()), vec![(true, "old")]), "{version:?}");
        let sent = server.requests();
        assert_eq!(sent.len(), 6, "nothing is sent to a server that is not trusted");
    }
}

async fn fm_a_pin_holds_for_a_certificate_that_changes<R: Runtime>(world: &World<R>) {
    for version in VERSIONS {
        let renewal = renewal();
        let server = renewal.server_tls(&OLD, version).serve();
        let session = session(world, trusting().pins([OLD.pin()]));
        let get = async || {
            let done = session.get(server.url("/get")).send().await.map(drop);
            session.close_idle();
            done.map_err(|error| error.kind())
        };
        assert_eq!(get().await, Ok(()));
        renewal.show(1);
        assert_eq!(get().await, Ok(()), "{version:?}: it is the session of the certificate that is pinned");
        renewal.forget();
        assert_eq!(get().await, Err(Kind::CertificateNotPinned), "{version:?}");
        renewal.show(0);
        assert_eq!(get().await, Ok(()), "{version:?}");
    }
}

async fn fm_a_resumed_session_does_not_outlive_its_certificate<R: Runtime>(world: &World<R>) {
    const DAY: u64 = 24 * 3600;
    for version in VERSIONS {
        let now = u64::try_from(world.runtime().now().wall.0).unwrap();
        // A full handshake is due after a day, and at the end of the certificate.
        let issue = |seconds: u64| {
            let end = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(now + seconds);
            ROOT.issue(|params| params.not_after = end)
        };
        for (issued, times) in [
            (
                issue(400 * DAY),
                [(0, Some(false)), (DAY / 2, Some(true)), (DAY / 2 + 1, Some(false)), (1, Some(true))],
            ),
            (
                issue(DAY / 2),
                [(0, Some(false)), (DAY / 4, Some(true)), (DAY / 4 - 1000, Some(true)), (1001, None)],
            ),
        ] {
            let (server, runtime) =
                (Renewal::new(&[&issued]).server_tls(&issued, version).serve(), world.runtime());
            let session = world.session_on(runtime.clone());
            session.update(|settings| settings.tls = trusting());
            for (seconds, outcome) in times {
                runtime.pass(Duration::from_secs(seconds));
                let resumed = Arc::new(Mutex::new(None));
                let observer = {
                    let (resumed, leaf) = (Arc::clone(&resumed), issued.chain[0].clone());
                    Observer::new(move |_, event| match event {
                        Event::Secured { secured, .. } if secured.certificate == Some(&*leaf) => {
                            *resumed.lock().unwrap() = Some(secured.resumed);
                        }
                        _ => {}
                    })
                };
                let done = session.get(server.url("/get")).observe(observer).send().await;
                match done {
                    Ok(response) => drop(response.bytes().await.unwrap()),
                    Err(error) => assert_eq!(error.kind(), Kind::CertificateExpired, "{version:?} {seconds}"),
                }
                assert_eq!(*resumed.lock().unwrap(), outcome, "{version:?} {seconds}");
                session.close_idle();
            }
        }
    }
}
