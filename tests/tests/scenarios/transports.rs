//! Mocks and services of this process, in place of connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use http_body_util::BodyExt as _;
use sessio::http::{HeaderMap, StatusCode};
use sessio::{Auth, Kind, Mount, Stage, Timeout};
use sessio_driver::mock::{Mock, Received, Reply};
use sessio_driver::{InProcess, Runtime, Session};
use sessio_testkit::Server;
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    unconnected:
    s15_a_mock_carries_cookies_redirects_and_auth
    s15_bodies_stream_to_a_mock_and_from_it
    s15_coded_bodies_of_a_mock_are_decoded
    s15_time_limits_hold_for_a_mock
    s15_a_mock_fails_as_servers_do
    s15_replies_in_sequence
    s15_a_function_of_a_mock_uses_its_mock
    s15_an_early_reply_ends_the_upload
    s15_an_axum_router_in_this_process
    s15_bodies_and_trailers_stream_through_a_service
    s15_a_service_that_fails
    s15_a_dropped_call_drops_its_service
}

mod connected {
    use super::{s15_a_mock_and_a_server_redirect_to_each_other, s15_a_scheme_of_its_own, scenarios};

    scenarios! {
        s15_a_mock_and_a_server_redirect_to_each_other
        s15_a_scheme_of_its_own
    }
}

/// A session with this mock for the URLs of `http://api.test/`.
fn mocked<R: Runtime>(world: &World<R>, mock: &Mock) -> Session<FaultyRuntime<R>> {
    let session = world.session();
    mount(&session, "http://api.test/", Mount::new().transport(mock.clone()));
    session
}

fn mount<R: Runtime>(session: &Session<FaultyRuntime<R>>, pattern: &str, mount: Mount) {
    session.update(|settings| settings.mounts.add(pattern, mount)).unwrap();
}

async fn s15_a_mock_carries_cookies_redirects_and_auth<R: Runtime>(world: &World<R>) {
    let mock = Mock::new()
        .on(
            "POST",
            "/login",
            Reply::new(303).header("Location", "/home").header("Set-Cookie", "id=7; Path=/"),
        )
        .on("GET", "/home", |request: &Received| match request.header("Cookie") {
            Some("id=7") => Reply::ok("welcome"),
            _ => Reply::new(403),
        })
        .on("GET", "/private", |request: &Received| match request.header("Authorization") {
            Some("Basic dTpw") => Reply::ok("secret"),
            _ => Reply::new(401).header("WWW-Authenticate", "Basic realm=x"),
        });
    let session = mocked(world, &mock);
    let response = fetch(session.post("http://api.test/login").form([("user", "u")])).await;
    assert_eq!((response.status, &*response.body), (200, &b"welcome"[..]));
    let private = session.get("http://api.test/private").auth(Auth::basic("u", "p"));
    assert_eq!(fetch(private).await.body, b"secret");
    mock.assert_requests(["POST /login", "GET /home", "GET /private"]);
    assert_eq!(mock.take_requests()[0].text(), "user=u");
    mock.assert_requests([""; 0]);
    assert_eq!(session.stats().open(), 0, "a mock needs no connection");
}

async fn s15_a_mock_and_a_server_redirect_to_each_other<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    let mock = Mock::new().on("GET", "/there", Reply::new(302).header("Location", server.url("/get"))).on(
        "GET",
        "/here",
        Reply::ok("mocked"),
    );
    let session = mocked(world, &mock);
    let there = session.get("http://api.test/there").bearer_auth("secret").send().await.unwrap();
    assert_eq!(there.url().as_str(), server.url("/get"));
    there.bytes().await.unwrap();
    assert_eq!(server.requests()[0].header("authorization"), None);
    let back = sessio_tests::redirect_chain::redirect(&server, "http://api.test/here", 302);
    assert_eq!(fetch(session.get(back)).await.body, b"mocked");
    mock.assert_requests(["GET /there", "GET /here"]);
}

async fn s15_bodies_stream_to_a_mock_and_from_it<R: Runtime>(world: &World<R>) {
    let pieces: Vec<Vec<u8>> = (0..40).map(|n| vec![n; 9_000]).collect();
    let all = pieces.concat();
    let mock = Mock::new().on("PUT", "/up", |request: &Received| Reply::ok(request.body.clone())).on(
        "GET",
        "/down",
        Reply::new(200).pieces(pieces.clone()).trailer("X-Sum", "1"),
    );
    let session = mocked(world, &mock);
    for length in [None, Some(all.len() as u64)] {
        let source = Pieces::of(pieces.clone());
        let echoed = fetch(session.put("http://api.test/up").source(source, length, false)).await;
        assert!(echoed.body == all, "{length:?}");
    }
    let mut down = session.get("http://api.test/down").send().await.unwrap();
    assert_eq!(down.content_length(), None);
    let mut got = Vec::new();
    while let Some(chunk) = down.chunk().await.unwrap() {
        got.extend_from_slice(&chunk);
    }
    assert!(got == all);
    assert_eq!(down.trailers().get("X-Sum"), Some("1"));
    let head = session.head("http://api.test/down").send().await.unwrap_err();
    assert!(head.to_string().contains("no route for HEAD /down"), "{head}");
}

async fn s15_coded_bodies_of_a_mock_are_decoded<R: Runtime>(world: &World<R>) {
    use std::io::Write as _;
    let text = b"many words ".repeat(10_000);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&text).unwrap();
    let coded = encoder.finish().unwrap();
    let mock =
        Mock::new().on("GET", "/whole", Reply::ok(coded.clone()).header("Content-Encoding", "gzip")).on(
            "GET",
            "/pieces",
            Reply::new(200)
                .pieces(coded.chunks(3).map(<[u8]>::to_vec).collect::<Vec<_>>())
                .header("Content-Encoding", "gzip"),
        );
    let session = mocked(world, &mock);
    for path in ["whole", "pieces"] {
        assert!(fetch(session.get(format!("http://api.test/{path}"))).await.body == text, "{path}");
    }
}

async fn s15_time_limits_hold_for_a_mock<R: Runtime>(world: &World<R>) {
    let (short, hour) = (Duration::from_millis(25), Duration::from_secs(3600));
    let mock = Mock::new()
        .on("GET", "/silent", Reply::silent())
        .on("GET", "/late", Reply::ok("x").delay(hour))
        .on("GET", "/slow", Reply::new(200).pieces(["a", "b"]).piece_delay(hour))
        .on("GET", "/soon", Reply::ok("soon").delay(Duration::from_millis(2)));
    let session = mocked(world, &mock);
    session.update(|settings| (settings.timeouts.head, settings.timeouts.read) = (Some(short), Some(short)));
    for path in ["silent", "late"] {
        let error = session.get(format!("http://api.test/{path}")).send().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Timeout(Timeout::Head), "{path}");
        assert_eq!(error.progress().unwrap().stage, Stage::Head);
    }
    let slow = session.get("http://api.test/slow").send().await.unwrap();
    assert_eq!(slow.bytes().await.unwrap_err().kind(), Kind::Timeout(Timeout::Read));
    // A busy machine may stop this process for longer than the short limits.
    session.update(|settings| (settings.timeouts.head, settings.timeouts.read) = (Some(hour), Some(hour)));
    assert_eq!(fetch(session.get("http://api.test/soon")).await.body, b"soon");
}

async fn s15_a_mock_fails_as_servers_do<R: Runtime>(world: &World<R>) {
    let mock = Mock::new()
        .on("GET", "/refused", Reply::refused())
        .on("GET", "/cut", Reply::ok("hello").cut_after(3))
        .on("GET", "/invalid", Reply::ok("").header("X-A", "a\r\nb"));
    let session = mocked(world, &mock);
    let error = session.get("http://api.test/refused").send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Connect, "{error}");
    let mut cut = session.get("http://api.test/cut").send().await.unwrap();
    assert_eq!(cut.chunk().await.unwrap().as_deref(), Some(&b"hel"[..]));
    assert_eq!(cut.chunk().await.unwrap_err().kind(), Kind::IncompleteBody);
    let error = session.get("http://api.test/invalid").send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidHeader, "{error}");
    let error = session.get("http://api.test/other").send().await.unwrap_err();
    assert!(error.to_string().contains("GET /refused, GET /cut"), "{error}");
}

async fn s15_replies_in_sequence<R: Runtime>(world: &World<R>) {
    let replies = Reply::sequence([Reply::new(503), Reply::ok("x")]);
    let mock = Mock::new().on("GET", "/", replies);
    let session = mocked(world, &mock);
    assert_eq!(fetch(session.get("http://api.test/")).await.status, 503);
    assert_eq!(fetch(session.get("http://api.test/")).await.status, 200);
    let error = session.get("http://api.test/").send().await.unwrap_err();
    assert!(error.to_string().contains("no reply left for GET /"), "{error}");
}

async fn s15_a_function_of_a_mock_uses_its_mock<R: Runtime>(world: &World<R>) {
    let mock = Mock::new();
    let record = mock.clone();
    let mock = mock.on("GET", "/", move |_: &Received| Reply::ok(record.requests().len().to_string()));
    let session = mocked(world, &mock);
    for count in ["1", "2"] {
        assert_eq!(fetch(session.get("http://api.test/")).await.body, count.as_bytes());
    }
}

async fn s15_an_early_reply_ends_the_upload<R: Runtime>(world: &World<R>) {
    let mock = Mock::new().on("PUT", "/", Reply::new(413).body("too large").early());
    let session = mocked(world, &mock);
    let endless = Pieces::of(vec![vec![0; 60_000]; 10_000]);
    let response = fetch(session.put("http://api.test/").source(endless, None, false)).await;
    assert_eq!((response.status, &*response.body), (413, &b"too large"[..]));
    mock.assert_requests([""; 0]);
}

async fn s15_a_scheme_of_its_own<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let error = session.get("mock://app/x").send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::UnsupportedScheme);
    let mock = Mock::new()
        .on("GET", "/x", Reply::new(302).header("Location", "/y?z=1").header("Set-Cookie", "a=1"))
        .on("GET", "/y", |request: &Received| Reply::ok(format!("{:?}", request.header("Cookie"))));
    mount(&session, "mock://", Mount::new().transport(mock.clone()));
    let response = session.get("mock://app/x").send().await.unwrap();
    assert_eq!(response.url().as_str(), "mock://app/y?z=1");
    // The jar is for http and https.
    assert_eq!(response.text().await.unwrap(), "None");
    // Redirects from a server into a scheme with a transport, and into one without.
    let into = sessio_tests::redirect_chain::redirect(&server, "mock://app/y", 302);
    assert_eq!(fetch(session.get(into)).await.status, 200);
    let unknown = sessio_tests::redirect_chain::redirect(&server, "other://app/y", 302);
    let error = session.get(unknown).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::UnsupportedRedirectScheme);
}

fn application() -> Router {
    Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/login", post(|| async { ([("set-cookie", "id=9")], axum::response::Redirect::to("/me")) }))
        .route(
            "/me",
            get(|headers: HeaderMap| async move {
                let cookie = headers.get("cookie").and_then(|value| value.to_str().ok()).unwrap_or("none");
                format!("{cookie} at {}", headers["host"].to_str().unwrap())
            }),
        )
        .route("/echo", any(|request: Request| async { request.into_body() }))
        .route(
            "/trailers",
            post(|request: Request| async {
                let whole = request.into_body().collect().await.unwrap();
                format!("{:?}", whole.trailers().map(|trailers| trailers["x-sum"].clone())).into_response()
            }),
        )
}

/// A session with the application for the URLs of `http://app.test/`.
fn in_process<R: Runtime>(world: &World<R>) -> Session<FaultyRuntime<R>> {
    let session = world.session();
    mount(&session, "http://app.test/", Mount::new().transport(InProcess::new(application())));
    session
}

async fn s15_an_axum_router_in_this_process<R: Runtime>(world: &World<R>) {
    let session = in_process(world);
    let response = session.get("http://app.test/hello").send().await.unwrap();
    assert_eq!((response.status(), response.content_length()), (StatusCode::OK, Some(5)));
    assert_eq!(response.text().await.unwrap(), "hello");
    let me = fetch(session.post("http://app.test/login")).await;
    assert_eq!(me.body, b"id=9 at app.test");
    assert_eq!(fetch(session.get("http://app.test/none")).await.status, 404);
    let head = fetch(session.head("http://app.test/hello")).await;
    assert_eq!((head.status, &*head.body), (200, &b""[..]));
}

async fn s15_bodies_and_trailers_stream_through_a_service<R: Runtime>(world: &World<R>) {
    let session = in_process(world);
    let pieces: Vec<Vec<u8>> = (0..100).map(|n| vec![n; 10_000]).collect();
    let all = pieces.concat();
    for length in [None, Some(all.len() as u64)] {
        // The service echoes while it reads: both directions move at once.
        let source = Pieces::of(pieces.clone());
        let echoed = fetch(session.put("http://app.test/echo").source(source, length, false)).await;
        assert!(echoed.body == all, "{length:?}");
    }
    let echoed = fetch(session.post("http://app.test/echo").body(all.clone())).await;
    assert!(echoed.body == all);
    let trailers = Pieces::of(vec![b"x".to_vec()]).with_trailers("X-Sum", "7");
    let response = fetch(session.post("http://app.test/trailers").source(trailers, None, false)).await;
    assert_eq!(response.body, b"Some(\"7\")");
}

async fn s15_a_service_that_fails<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let service = tower::service_fn(|_: sessio::http::Request<sessio_driver::InProcessBody>| async {
        Err::<sessio::http::Response<String>, _>(std::io::Error::other("the database is away"))
    });
    mount(&session, "http://app.test/", Mount::new().transport(InProcess::new(service)));
    let error = session.get("http://app.test/").send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Io);
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the database is away");
}

async fn s15_a_dropped_call_drops_its_service<R: Runtime>(world: &World<R>) {
    struct Running(Arc<AtomicUsize>);
    impl Drop for Running {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let session = world.session();
    let running = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&running);
    let service = tower::service_fn(move |_: sessio::http::Request<sessio_driver::InProcessBody>| {
        count.fetch_add(1, Ordering::SeqCst);
        let guard = Running(Arc::clone(&count));
        async move {
            std::future::pending::<()>().await;
            drop(guard);
            Ok::<_, std::io::Error>(sessio::http::Response::new(String::new()))
        }
    });
    mount(&session, "http://app.test/", Mount::new().transport(InProcess::new(service)));
    let call = session.get("http://app.test/").timeout(Duration::from_millis(20)).send();
    assert_eq!(call.await.unwrap_err().kind(), Kind::Timeout(Timeout::Total));
    assert_eq!(running.load(Ordering::SeqCst), 0);
}
