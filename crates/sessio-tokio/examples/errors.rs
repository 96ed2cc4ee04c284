//! Errors, and what a program can tell its user about each. Paused time needs no waits.

use sessio_tokio::mock::{Mock, Reply};
use sessio_tokio::{Error, Kind, Mount, Result, Session};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let session = Session::new();
    session.update(|s| s.mounts.add("https://api.example/", Mount::new().transport(api())))?;
    for (path, expected) in [
        ("refused", "try again later: the server is not reachable"),
        ("silent", "try again later: the server is too slow"),
        ("missing", "check the URL: the server refused the request"),
        ("busy", "try again later: the server failed"),
        ("cut", "try again: a part of the response is missing"),
        ("html", "check the URL: the response has another format"),
    ] {
        let error = load(&session, path).await.expect_err("an error");
        println!("{}\n  {error}", advice(&error));
        assert_eq!(advice(&error), expected);
    }
    Ok(())
}

/// One error type for all steps: connections, status codes, bodies and JSON.
async fn load(session: &Session, path: &str) -> Result<Vec<u32>> {
    let request = session.get(format!("https://api.example/{path}"));
    request.timeout(std::time::Duration::from_secs(10)).send().await?.error_for_status()?.json().await
}

fn advice(error: &Error) -> &'static str {
    match error.kind() {
        _ if error.is_timeout() => "try again later: the server is too slow",
        _ if error.is_connect() => "try again later: the server is not reachable",
        Kind::Status => match error.response() {
            Some(response) if response.head.status.is_server_error() => "try again later: the server failed",
            _ => "check the URL: the server refused the request",
        },
        Kind::IncompleteBody => "try again: a part of the response is missing",
        Kind::InvalidJson => "check the URL: the response has another format",
        _ => "report the message",
    }
}

/// A server without sockets, for this example.
fn api() -> Mock {
    Mock::new()
        .on("GET", "/refused", Reply::refused())
        .on("GET", "/silent", Reply::silent())
        .on("GET", "/missing", Reply::new(404))
        .on("GET", "/busy", Reply::new(503))
        .on("GET", "/cut", Reply::ok("[1, 2, 3]").cut_after(4))
        .on("GET", "/html", Reply::ok("<!doctype html>"))
}

#[test]
fn runs() {
    main().unwrap();
}
