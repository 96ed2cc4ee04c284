//! Tests of an application without sockets: scripted responses, faults, and delays in virtual time.

use std::time::Duration;

use sessio_tokio::mock::{Mock, Reply};
use sessio_tokio::{Kind, Mount, Result, Session};

/// The application under test: it logs in, and counts the lines of a list.
async fn count(session: &Session) -> Result<usize> {
    session.post("https://api.example/login").form([("user", "me")]).send().await?.error_for_status()?;
    let response = session.get("https://api.example/list").timeout(Duration::from_secs(10)).send().await?;
    Ok(response.error_for_status()?.text().await?.lines().count())
}

/// Runs the application with one reply to each of its two requests.
async fn count_with(login: Reply, list: Reply) -> (Mock, Result<usize>) {
    let mock = Mock::new().on("POST", "/login", login).on("GET", "/list", list);
    let session = Session::new();
    session
        .update(|s| s.mounts.add("https://api.example/", Mount::new().transport(mock.clone())))
        .expect("the pattern of a mount");
    let result = count(&session).await;
    (mock, result)
}

// Paused time jumps to the next timer, so the delays below take no time.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let login = || Reply::new(204).header("Set-Cookie", "id=7; Secure");
    let list = || Reply::ok("Ada\nGrace");

    // It sends its form, and the cookie of the login.
    let (mock, count) = count_with(login(), list().delay(Duration::from_secs(9))).await;
    assert_eq!(count?, 2);
    mock.assert_requests(["POST /login", "GET /list"]);
    let [login_request, list_request] = &*mock.requests() else { panic!("other requests") };
    assert_eq!((login_request.text(), list_request.header("Cookie")), ("user=me", Some("id=7")));

    // A refused login ends it: there is no second request.
    let (mock, count) = count_with(Reply::new(403), list()).await;
    assert_eq!(count.expect_err("an error").kind(), Kind::Status);
    mock.assert_requests(["POST /login"]);

    // It reports a broken connection, and a server that never responds.
    let (_, count) = count_with(login(), list().cut_after(5)).await;
    assert_eq!(count.expect_err("an error").kind(), Kind::IncompleteBody);
    let (_, count) = count_with(login(), Reply::silent()).await;
    assert!(count.expect_err("an error").is_timeout());
    println!("four tests passed without a socket");
    Ok(())
}

#[test]
fn runs() {
    main().unwrap();
}
