//! The scenes of the tour: code of a caller, step by step, with a check of each step.
//!
//! They are the same on every asynchronous backend. `main.rs` names the backend.

use std::error::Error;
use std::sync::mpsc;
use std::time::SystemTime;

use sessio_testkit::{LOGIN_PASSWORD, LOGIN_USER, Server};

use crate::backend::call::Observer;
use crate::backend::cookie::NewCookie;
use crate::backend::{self, Auth, RequestBuilder, Response, Session};
use crate::print;

pub(crate) type Done = Result<(), Box<dyn Error>>;

/// All scenes, against a loopback server.
pub(crate) async fn play() -> Done {
    let server = Server::start();
    cookies_persist(&server).await?;
    defaults_merge(&server).await?;
    request_values_are_forgotten(&server).await?;
    defaults_are_left_out_once(&server).await?;
    redirects_are_followed(&server).await?;
    a_login_lasts(&server).await?;
    one_connection_serves_many(&server).await?;
    observers_receive_events(&server).await?;
    println!("\nAll of it held.");
    Ok(())
}

/// One `GET` of the caller's URL.
pub(crate) async fn fetch(url: String) -> Done {
    let session = Session::new();
    show(&session, session.get(url)).await?;
    Ok(())
}

/// S1: a cookie that one response sets is sent with the next request.
async fn cookies_persist(server: &Server) -> Done {
    print::title("A cookie set by one response is sent with the next request");
    let session = Session::new();
    show(&session, session.get(server.url("/cookies/set?sessioncookie=123456789"))).await?;
    let body = show(&session, session.get(server.url("/cookies"))).await?;
    assert!(body.contains(r#""sessioncookie": "123456789""#), "{body}");
    assert_eq!(session.cookies(|jar| jar.len()), 1);
    Ok(())
}

/// S4, S5, S6: auth, headers and parameters of the session are sent with every request, together
/// with the request's own.
async fn defaults_merge(server: &Server) -> Done {
    print::title("Auth, a header and a query parameter of the session go along with a header of the request");
    let session = Session::new();
    session.update(|s| {
        s.auth = Auth::basic("user", "pass");
        s.params.append("lang", "en");
        s.headers.insert("x-test", "true")
    })?;
    let request = session.get(server.url("/anything")).header("x-test2", "true").param("page", "2");
    let body = show(&session, request).await?;
    for sent in [r#""x-test": "true""#, r#""x-test2": "true""#, "Basic dXNlcjpwYXNz", "?lang=en&page=2"] {
        assert!(body.contains(sent), "{sent} is missing in {body}");
    }
    let response = session.get(server.url("/basic-auth/user/pass")).send().await?;
    assert_eq!(response.status(), 200);
    Ok(())
}

/// S8, S10: cookies of one request are sent once, together with those that the caller put into the
/// jar.
async fn request_values_are_forgotten(server: &Server) -> Done {
    print::title("A cookie put into the jar by hand, and one of a single request: both arrive, one stays");
    let session = Session::new();
    let now = SystemTime::now().into();
    session.cookies(|jar| jar.insert(NewCookie::new("cookie", "1234")?, now))?;
    let request = session.get(server.url("/cookies")).cookie("from-my", "browser");
    let body = show(&session, request).await?;
    assert!(body.contains("1234") && body.contains("browser"), "{body}");
    let body = show(&session, session.get(server.url("/cookies"))).await?;
    assert!(body.contains("1234") && !body.contains("browser"), "{body}");
    Ok(())
}

/// S9: one request omits a header and a parameter of the session.
async fn defaults_are_left_out_once(server: &Server) -> Done {
    print::title("A header and a query parameter of the session, left out once");
    let session = Session::new();
    session.update(|s| {
        s.params.append("lang", "en");
        s.headers.insert("x-test", "true")
    })?;
    let request = session.get(server.url("/anything")).remove_header("X-Test").remove_param("lang");
    let body = show(&session, request).await?;
    assert!(!body.contains("x-test") && !body.contains("lang"), "{body}");
    let body = session.get(server.url("/anything")).send().await?.text().await?;
    assert!(body.contains("x-test") && body.contains("lang=en"), "{body}");
    Ok(())
}

/// S17: redirects are followed, the cookies of each hop are stored, and the history can be read.
async fn redirects_are_followed(server: &Server) -> Done {
    print::title("A chain of three redirects, each of which sets a cookie");
    let session = Session::new();
    let response = session.get(server.url("/redirect/3?cookies=1")).send().await?;
    let statuses: Vec<_> = response.history().iter().map(|exchange| exchange.head.status.as_u16()).collect();
    assert_eq!(statuses, [302, 302, 302]);
    print_response(&session, response).await?;
    for name in ["hop1", "hop2", "hop3"] {
        assert!(session.cookies(|jar| jar.get(name).is_some()), "{name}");
    }

    let mut response = session.get(server.url("/redirect/1")).redirects(None).send().await?;
    assert_eq!(response.status(), 302);
    let next = response.next().ok_or("a redirect has a next request")??;
    println!("  not followed, it would lead to {} {}", next.request.method(), next.request.url());
    Ok(())
}

/// S19: a login form sets a session cookie. A page that needs it works with the session, and not
/// without.
async fn a_login_lasts(server: &Server) -> Done {
    print::title("A login form, and a page that needs it");
    let session = Session::new();
    let page = show(&session, session.get(server.url("/login"))).await?;
    let token = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let token = token.ok_or("the form has a token")?;
    let form = [("user", LOGIN_USER), ("password", LOGIN_PASSWORD), ("csrf", token)];
    show(&session, session.post(server.url("/login")).form(form)).await?;
    assert!(session.cookies(|jar| jar.get("JSESSIONID").is_some()));
    let response = session.get(server.url("/private")).send().await?;
    assert_eq!(response.status(), 200);

    let refused = backend::get(server.url("/private")).await?;
    println!("  the same without the session: {}", refused.status());
    assert_eq!(refused.status(), 401);
    Ok(())
}

/// S2, S11: ten requests use one connection, which ends when the session is closed.
async fn one_connection_serves_many(server: &Server) -> Done {
    print::title("Ten requests over one connection, then the session is closed");
    server.disconnect();
    server.wait_open(0);
    let before = server.accepted();
    let session = Session::new();
    for _ in 0..10 {
        let response = session.get(server.url("/get")).send().await?;
        let connection = response.connection();
        let state = if connection.is_reused() { "reused" } else { "new" };
        print!("  #{} {state}", connection.number());
        response.bytes().await?;
    }
    println!();
    assert_eq!(server.accepted() - before, 1);
    println!("  {:?}", session.stats());
    session.close();
    server.wait_open(0);
    println!("  closed: {} connections open at the server", server.open_connections());
    Ok(())
}

/// S18, S21: an observer receives the events of every hop. They contain no secrets.
async fn observers_receive_events(server: &Server) -> Done {
    title("The events of a call, as its observer receives them");
    let session = Session::new();
    let (sender, lines) = mpsc::channel();
    session.update(|s| {
        s.auth = Auth::basic("user", "pass");
        s.observer =
            Observer::new(move |call, event| drop(sender.send(format!("hop {}: {event}", call.hop()))));
    });
    session.get(server.url("/redirect/1")).send().await?.bytes().await?;
    let lines: Vec<String> = lines.try_iter().collect();
    for line in &lines {
        println!("  {line}");
    }
    assert!(
        lines.contains(&"hop 0: response 302".to_owned())
            && lines.contains(&"hop 1: final response 200".to_owned())
    );
    Ok(())
}

fn title(text: &str) {
    println!("\n== {text}");
}

/// Sends a request, prints the messages of all hops, and returns the response body.
pub(crate) async fn show(session: &Session, request: RequestBuilder) -> Result<String, Box<dyn Error>> {
    let response = request.send().await?;
    print_response(session, response).await
}

pub(crate) async fn print_response(session: &Session, response: Response) -> Result<String, Box<dyn Error>> {
    print::head(&response);
    let body = response.text().await?;
    print::body(session, &body);
    Ok(body)
}
