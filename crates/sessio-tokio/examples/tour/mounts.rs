//! The scenes of the tour with mounts: a mock, a flaky one, and a service of this process.
//!
//! They are for backends with the features `mock` and `tower`.

use std::time::Duration;

use sessio_testkit::Server;

use crate::backend::http::{Request, Response as HttpResponse};
use crate::backend::mock::{Mock, Received, Reply};
use crate::backend::pace::Pace;
use crate::backend::retry::RetryPolicy;
use crate::backend::{InProcess, InProcessBody, Mount, Session};
use crate::print;
use crate::scenes::{Done, print_response, show};

/// All of them, against a loopback server.
pub(crate) async fn play() -> Done {
    let server = Server::start();
    a_mock_is_a_server(&server).await?;
    a_flaky_server_is_asked_again().await?;
    a_service_is_a_server(&server).await?;
    println!("\nThe mounts held, too.");
    Ok(())
}

/// S15: a mock carries the requests for the URLs that it is mounted on. Everything else goes to the
/// server.
async fn a_mock_is_a_server(server: &Server) -> Done {
    print::title("A mock for one host, and the server for all others, in one session");
    let mock = Mock::new()
        .on("POST", "/login", Reply::new(303).header("Location", "/home").header("Set-Cookie", "id=7"))
        .on("GET", "/home", |request: &Received| {
            Reply::ok(request.header("Cookie").unwrap_or("none").to_owned())
        });
    let session = Session::new();
    session.update(|s| s.mounts.add("http://api.test/", Mount::new().transport(mock.clone())))?;
    let body = show(&session, session.post("http://api.test/login").form([("user", "me")])).await?;
    assert_eq!(body, "id=7");
    mock.assert_requests(["POST /login", "GET /home"]);
    let body = show(&session, session.get(server.url("/cookies"))).await?;
    assert!(!body.contains("id"), "{body}");
    Ok(())
}

/// A server that is busy for a moment: the session waits as long as it says, and sends the request
/// again. Its pace makes all calls wait, not only that one.
async fn a_flaky_server_is_asked_again() -> Done {
    print::title("A server that is busy twice: the session retries, at the pace of the server");
    let busy = || Reply::new(503).header("Retry-After", "0");
    let mock = Mock::new().on("GET", "/report", Reply::sequence([busy(), busy(), Reply::ok("at last")]));
    let session = Session::new();
    session.update(|s| {
        s.retry = RetryPolicy::web().into();
        s.pace = Pace::rate(1_000, Duration::from_secs(1)).concurrency(4).into();
        s.mounts.add("http://busy.test/", Mount::new().transport(mock.clone()))
    })?;
    let response = session.get("http://busy.test/report").send().await?;
    assert_eq!(response.attempts().len(), 3);
    assert_eq!(print_response(&session, response).await?, "at last");
    mock.assert_requests(["GET /report", "GET /report", "GET /report"]);
    Ok(())
}

/// S15: a service of this process, such as an axum `Router`, in place of a server.
async fn a_service_is_a_server(server: &Server) -> Done {
    print::title("A service of this process, which redirects to a server");
    let there = server.url("/get");
    let service = tower::service_fn(move |_: Request<InProcessBody>| {
        let response = HttpResponse::builder().status(302).header("Location", &there).body(String::new());
        async { response }
    });
    let session = Session::new();
    session.update(|s| s.mounts.add("http://app.test/", Mount::new().transport(InProcess::new(service))))?;
    let response = session.get("http://app.test/x").bearer_auth("secret").send().await?;
    assert_eq!(response.url().as_str(), server.url("/get"));
    let body = print_response(&session, response).await?;
    assert!(!body.contains("secret"), "credentials stay with their origin: {body}");
    Ok(())
}
