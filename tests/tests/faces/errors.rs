//! Errors as a caller reads them, and their conversions by `?`.

use sessio::{Kind, Result};
use sessio_driver::{Runtime, Session};
use sessio_testkit::{Connection, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::movable::Movable;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    s02_error_for_status_converts_by_the_question_mark
    fn6_a_status_error_names_the_url_without_userinfo
    fn6_the_error_of_invalid_json_blames_the_server
}

async fn page<R: Runtime>(session: &Session<FaultyRuntime<R>>, url: &str) -> Result<String> {
    session.get(url).send().await?.error_for_status()?.text().await
}

async fn s02_error_for_status_converts_by_the_question_mark<R: Movable>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    assert_eq!(page(&session, &server.url("/status/200")).await.unwrap(), "");
    let error = page(&session, &server.url("/redirect-to?url=/status/404")).await.unwrap_err();
    assert_eq!((error.kind(), error.history().len()), (Kind::Status, 1));
    assert_eq!(error.url().unwrap().as_str(), server.url("/status/404"));
    assert_eq!(error.response().unwrap().head.status, 404);
}

async fn fn6_a_status_error_names_the_url_without_userinfo<R: Movable>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let url = server.url("/status/418");
    let response = session.get(url.replace("//", "//user:secret@")).send().await.unwrap();
    let by_reference = response.error_for_status_ref().unwrap_err();
    assert_eq!((by_reference.kind(), by_reference.url().unwrap().as_str()), (Kind::Status, &url[..]));
    let error = response.error_for_status().unwrap_err();
    assert_eq!((error.status().as_u16(), error.url().as_str()), (418, &url[..]));
    assert_eq!(
        error.to_string(),
        format!("the server responded with 418 I'm a teapot for {url}; read the response in the error")
    );
    assert!(!format!("{by_reference} {by_reference:?} {error:?}").contains("secret"));
    // The body of the response can still be read.
    error.into_response().bytes().await.unwrap();

    let response = session.get(server.url("/get")).send().await.unwrap();
    assert_eq!(response.error_for_status_ref().unwrap().status(), 200);
    assert!(!response.text().await.unwrap().is_empty());
}

async fn fn6_the_error_of_invalid_json_blames_the_server<R: Movable>(world: &World<R>) {
    let session = world.session();
    let html = format!("\n<html>\n{}", "x".repeat(1000));
    for (kind, body, says) in [
        ("Content-Type: text/html\r\n", &html[..], "text/html: it begins with \"<html>\\nxxx"),
        ("Content-Type: text/plain\r\n", "busy\u{1b}", "text/plain: it is \"busy\\x1b\""),
        ("", "", "no content type: the body is empty"),
        (
            "Content-Type: application/json\r\n",
            "{\"token\": \"secret\"}",
            "application/json: the body has 19 bytes",
        ),
    ] {
        let head = format!("HTTP/1.1 502 Bad Gateway\r\n{kind}Content-Length: {}\r\n\r\n", body.len());
        let server =
            Server::scripted(Connection::new().expect_request().send([head, body.to_owned()].concat()));
        let error = session.get(server.url("/x")).send().await.unwrap().json::<u32>().await.unwrap_err();
        assert_eq!((error.kind(), error.kind().blame()), (Kind::InvalidJson, sessio::Blame::Peer));
        assert!(std::error::Error::source(&error).unwrap().is::<serde_json::Error>());
        let text = error.to_string();
        assert!(text.contains("status 502 Bad Gateway, ") && text.contains(says), "{text}");
        assert!(text.len() < 500 && !text.contains(['\n', '\u{1b}']) && !text.contains("secret"), "{text}");
    }
}
