//! A tour of a session on plain sockets, exchange by exchange, without async.
//!
//! `cargo run -p sessio-blocking --example tour_blocking` runs the tour against its own loopback
//! server and checks every step. With a URL after `--` it shows one `GET` of that URL. The scenes
//! are those of `sessio-tokio`'s tour without `.await`, and one more that needs threads.

use std::error::Error;
use std::thread;
use std::time::SystemTime;

use sessio_blocking as backend;
use sessio_blocking::cookie::NewCookie;
use sessio_blocking::{Auth, RequestBuilder, Response, Session};
use sessio_testkit::{LOGIN_PASSWORD, LOGIN_USER, Server};

#[path = "../../sessio-tokio/examples/tour/print.rs"]
mod print;

type Done = Result<(), Box<dyn Error>>;

fn main() -> Done {
    match std::env::args().nth(1) {
        Some(url) => {
            let session = Session::new();
            show(&session, session.get(url)).map(drop)
        }
        None => play(),
    }
}

#[test]
fn tour() {
    play().unwrap();
}

/// All scenes, against a loopback server.
fn play() -> Done {
    let server = Server::start();
    cookies_persist(&server)?;
    defaults_merge(&server)?;
    request_values_are_forgotten(&server)?;
    defaults_are_left_out_once(&server)?;
    redirects_are_followed(&server)?;
    a_login_lasts(&server)?;
    one_connection_serves_many(&server)?;
    threads_share_a_session(&server)?;
    a_body_is_read_by_lines(&server)?;
    println!("\nAll of it held.");
    Ok(())
}

/// S1: a cookie that one response sets is sent with the next request.
fn cookies_persist(server: &Server) -> Done {
    print::title("A cookie set by one response is sent with the next request");
    let session = Session::new();
    show(&session, session.get(server.url("/cookies/set?sessioncookie=123456789")))?;
    let body = show(&session, session.get(server.url("/cookies")))?;
    assert!(body.contains(r#""sessioncookie": "123456789""#), "{body}");
    assert_eq!(session.cookies(|jar| jar.len()), 1);
    Ok(())
}

/// S4, S5, S6: auth, headers and parameters of the session are sent with every request, together
/// with the request's own.
fn defaults_merge(server: &Server) -> Done {
    print::title("Auth, a header and a query parameter of the session go along with a header of the request");
    let session = Session::new();
    session.update(|s| {
        s.auth = Auth::basic("user", "pass");
        s.params.append("lang", "en");
        s.headers.insert("x-test", "true")
    })?;
    let request = session.get(server.url("/anything")).header("x-test2", "true").param("page", "2");
    let body = show(&session, request)?;
    for sent in [r#""x-test": "true""#, r#""x-test2": "true""#, "Basic dXNlcjpwYXNz", "?lang=en&page=2"] {
        assert!(body.contains(sent), "{sent} is missing in {body}");
    }
    let response = session.get(server.url("/basic-auth/user/pass")).send()?;
    assert_eq!(response.status(), 200);
    Ok(())
}

/// S8, S10: cookies of one request are sent once, together with those that the caller put into the
/// jar.
fn request_values_are_forgotten(server: &Server) -> Done {
    print::title("A cookie put into the jar by hand, and one of a single request: both arrive, one stays");
    let session = Session::new();
    let now = SystemTime::now().into();
    session.cookies(|jar| jar.insert(NewCookie::new("cookie", "1234")?, now))?;
    let request = session.get(server.url("/cookies")).cookie("from-my", "browser");
    let body = show(&session, request)?;
    assert!(body.contains("1234") && body.contains("browser"), "{body}");
    let body = show(&session, session.get(server.url("/cookies")))?;
    assert!(body.contains("1234") && !body.contains("browser"), "{body}");
    Ok(())
}

/// S9: one request omits a header and a parameter of the session.
fn defaults_are_left_out_once(server: &Server) -> Done {
    print::title("A header and a query parameter of the session, left out once");
    let session = Session::new();
    session.update(|s| {
        s.params.append("lang", "en");
        s.headers.insert("x-test", "true")
    })?;
    let request = session.get(server.url("/anything")).remove_header("X-Test").remove_param("lang");
    let body = show(&session, request)?;
    assert!(!body.contains("x-test") && !body.contains("lang"), "{body}");
    let body = session.get(server.url("/anything")).send()?.text()?;
    assert!(body.contains("x-test") && body.contains("lang=en"), "{body}");
    Ok(())
}

/// S17: redirects are followed, the cookies of each hop are stored, and the history can be read.
fn redirects_are_followed(server: &Server) -> Done {
    print::title("A chain of three redirects, each of which sets a cookie");
    let session = Session::new();
    let response = session.get(server.url("/redirect/3?cookies=1")).send()?;
    let statuses: Vec<_> = response.history().iter().map(|exchange| exchange.head.status.as_u16()).collect();
    assert_eq!(statuses, [302, 302, 302]);
    print_response(&session, response)?;
    for name in ["hop1", "hop2", "hop3"] {
        assert!(session.cookies(|jar| jar.get(name).is_some()), "{name}");
    }

    let mut response = session.get(server.url("/redirect/1")).redirects(None).send()?;
    assert_eq!(response.status(), 302);
    let next = response.next().ok_or("a redirect has a next request")??;
    println!("  not followed, it would lead to {} {}", next.request.method(), next.request.url());
    Ok(())
}

/// S19: a login form sets a session cookie. A page that needs it works with the session, and not
/// without.
fn a_login_lasts(server: &Server) -> Done {
    print::title("A login form, and a page that needs it");
    let session = Session::new();
    let page = show(&session, session.get(server.url("/login")))?;
    let token = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let token = token.ok_or("the form has a token")?;
    let form = [("user", LOGIN_USER), ("password", LOGIN_PASSWORD), ("csrf", token)];
    show(&session, session.post(server.url("/login")).form(form))?;
    assert!(session.cookies(|jar| jar.get("JSESSIONID").is_some()));
    let response = session.get(server.url("/private")).send()?;
    assert_eq!(response.status(), 200);

    let refused = backend::get(server.url("/private"))?;
    println!("  the same without the session: {}", refused.status());
    assert_eq!(refused.status(), 401);
    Ok(())
}

/// S2, S11: ten requests use one connection, which ends when the session is closed.
fn one_connection_serves_many(server: &Server) -> Done {
    print::title("Ten requests over one connection, then the session is closed");
    server.disconnect();
    server.wait_open(0);
    let before = server.accepted();
    let session = Session::new();
    for _ in 0..10 {
        let response = session.get(server.url("/get")).send()?;
        let connection = response.connection();
        let state = if connection.is_reused() { "reused" } else { "new" };
        print!("  #{} {state}", connection.number());
        response.bytes()?;
    }
    println!();
    assert_eq!(server.accepted() - before, 1);
    println!("  {:?}", session.stats());
    session.close();
    server.wait_open(0);
    println!("  closed: {} connections open at the server", server.open_connections());
    Ok(())
}

/// Threads share a session: its settings, its cookies, its connections.
fn threads_share_a_session(server: &Server) -> Done {
    print::title("Eight threads in one session: a cookie of each, and all of them in the jar");
    let session = Session::new();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let session = &session;
                scope.spawn(move || {
                    let set = session.get(server.url(&format!("/cookies/set/thread{number}/{number}")));
                    set.send()?.error_for_status()?.bytes()
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(done) => done.map(drop),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    let body = show(&session, session.get(server.url("/cookies")))?;
    for number in 0..8 {
        assert!(body.contains(&format!("\"thread{number}\": \"{number}\"")), "{body}");
    }
    println!("  {:?}", session.stats());
    Ok(())
}

/// A line is returned as soon as its end has been received.
fn a_body_is_read_by_lines(server: &Server) -> Done {
    print::title("A body, line by line as it comes");
    let response = Session::new().get(server.url("/stream/3")).send()?;
    let mut count = 0;
    for line in response.lines() {
        println!("  {}", line?);
        count += 1;
    }
    assert_eq!(count, 3);
    Ok(())
}

/// Sends a request, prints the messages of all hops, and returns the response body.
fn show(session: &Session, request: RequestBuilder) -> Result<String, Box<dyn Error>> {
    print_response(session, request.send()?)
}

fn print_response(session: &Session, response: Response) -> Result<String, Box<dyn Error>> {
    print::head(&response);
    let body = response.text()?;
    print::body(session, &body);
    Ok(body)
}
