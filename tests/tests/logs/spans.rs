//! The spans of attempts, with the names of OpenTelemetry.

use sessio_driver::Runtime;
use sessio_testkit::Server;
use sessio_tests::redirect_chain::refusing_server;
use sessio_tests::scenarios;
use sessio_tests::world::World;
use tracing::Instrument as _;

use crate::receiver::{Receiver, Span};

scenarios! {
    s21_each_attempt_is_a_span_of_its_caller
    s21_a_failed_attempt_names_its_error
}

async fn s21_each_attempt_is_a_span_of_its_caller<R: Runtime>(world: &World<R>) {
    let receiver = Receiver::new();
    let (server, session) = (Server::start(), world.session());
    let caller = tracing::info_span!(target: "application", "caller");
    let respond = async {
        let url = server.url("/redirect/1?token=hunter2").replace("//", "//user:hunter2@");
        session.get(url).send().await.unwrap().bytes().await.unwrap();
        session.request("BREW", server.url("/status/404")).send().await.unwrap().bytes().await.unwrap();
    };
    respond.instrument(caller.clone()).await;
    let spans: Vec<Span> = receiver.spans().into_iter().filter(|span| span.name == "http.request").collect();
    let [moved, found, missing] = &spans[..] else { panic!("{spans:#?}") };
    let (host, port) = {
        let url = sessio::Url::parse(&server.url("/")).unwrap();
        (url.host_str().unwrap().to_owned(), url.port().unwrap().to_string())
    };
    for span in &spans {
        assert!(span.is_closed(), "{span:#?}");
        assert_eq!(span.level, "INFO");
        assert_eq!(span.parent, caller.id().map(|id| id.into_u64()));
        assert_eq!(span.field("server.address"), Some(&*host));
        assert_eq!(span.field("server.port"), Some(&*port));
        assert_eq!(span.field("network.protocol.version"), Some("1.1"));
        assert_eq!(span.field("otel.kind"), Some("client"));
    }
    for (span, status, method, count, url) in [
        (moved, "302", "GET", None, "/redirect/1?token=REDACTED"),
        (found, "200", "GET", Some("1"), "/get"),
        (missing, "404", "_OTHER", None, "/status/404"),
    ] {
        assert_eq!(span.field("http.response.status_code"), Some(status));
        assert_eq!(span.field("http.request.method"), Some(method));
        assert_eq!(span.field("http.request.resend_count"), count);
        assert_eq!(span.field("url.full"), Some(&*server.url(url)));
        let is_error = status == "404";
        assert_eq!(span.field("error.type"), is_error.then_some("404"));
        assert_eq!(span.field("otel.status_code"), is_error.then_some("ERROR"));
        assert!(span.lines.iter().any(|line| line.contains(&format!("\" {status} "))), "{span:#?}");
    }
    assert_eq!(missing.field("http.request.method_original"), Some("BREW"));
    assert_eq!(missing.field("http.response.body.size"), Some("0"));
}

async fn s21_a_failed_attempt_names_its_error<R: Runtime>(world: &World<R>) {
    let receiver = Receiver::new();
    let (server, session) = (refusing_server(), world.session());
    let error = session.get(server.url("/")).send().await.unwrap_err();
    let spans: Vec<Span> = receiver.spans();
    let [span] = &spans[..] else { panic!("{spans:#?}") };
    assert_eq!(span.field("error.type"), Some(&*error.kind().to_string()));
    assert_eq!(span.field("otel.status_code"), Some("ERROR"));
    assert_eq!(span.field("http.response.status_code"), None);
    assert!(span.is_closed());
}
