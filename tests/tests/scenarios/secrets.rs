//! No output of a session contains a secret (story S21).

use std::fmt::Debug;

use sessio::cookie::NewCookie;
use sessio::{Auth, Error};
use sessio_driver::Runtime;
use sessio_testkit::{Connection, Server};
use sessio_tests::redirect_chain::redirect;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    s21_no_displayed_value_contains_a_secret
    s21_v99_errors_hold_no_secret_and_no_raw_bytes_of_a_peer
}

const SECRET: &str = "hunter2";
/// `user:hunter2` as Basic credentials.
const BASIC: &str = "dXNlcjpodW50ZXIy";

#[track_caller]
fn shows_nothing(what: &str, value: &impl Debug) {
    for shown in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(!shown.contains(SECRET) && !shown.contains(BASIC), "{what}: {shown}");
    }
}

#[track_caller]
fn says_nothing(error: &(impl std::error::Error + 'static)) {
    shows_nothing("error", error);
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        let said = error.to_string();
        assert!(!said.contains(SECRET) && !said.contains(BASIC), "{said}");
        assert!(said.chars().all(|c| !c.is_control()), "{said:?}");
        cause = error.source();
    }
}

async fn s21_no_displayed_value_contains_a_secret<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let now = session.runtime().now();
    session
        .update(|settings| {
            settings.auth = Auth::basic("user", SECRET);
            settings.base_url =
                Some(server.url("/").replace("//", &format!("//user:{SECRET}@")).parse().unwrap());
            settings.headers.insert("X-Api-Key", SECRET)?;
            settings.headers.mark_sensitive("x-api-key");
            settings.headers.insert("Proxy-Authorization", SECRET)
        })
        .unwrap();
    session.cookies(|jar| jar.insert(NewCookie::new("sid", SECRET).unwrap(), now.wall)).unwrap();
    shows_nothing("session", &session);
    shows_nothing("settings", &session.settings());
    session.cookies(|jar| {
        shows_nothing("jar", &*jar);
        jar.iter().for_each(|cookie| shows_nothing("cookie", cookie));
    });
    shows_nothing("new cookie", &NewCookie::new("sid", SECRET).unwrap());
    for auth in [Auth::basic(SECRET, SECRET), Auth::bearer(SECRET)] {
        shows_nothing("auth", &auth);
    }
    let url = redirect(&server, "/cookies/set/sid/hunter2", 307).replace("//", &format!("//user:{SECRET}@"));
    let build = || {
        let request = session.post(&url).cookie("own", SECRET).header("Cookie", format!("line={SECRET}"));
        request.form([("password", SECRET)])
    };
    shows_nothing("request", &build());
    let prepared = build().prepare().unwrap();
    shows_nothing("prepared", &prepared);
    shows_nothing("call", &sessio::Call::new(prepared, sessio::Memory::default()).unwrap());
    let merged = sessio::merge(&session.settings(), sessio::Request::get(&url).cookie("own", SECRET));
    shows_nothing("merged", &merged);
    server.script_path("/cookies/set/sid/hunter2", {
        let head =
            format!("HTTP/1.1 401 X\r\nSet-Cookie: sid={SECRET}; Path=/\r\nContent-Length: 2\r\n\r\nno");
        Connection::new().expect_request().send(head)
    });
    let response = build().redirects(0).send().await.unwrap_err();
    says_nothing(&response);
    // The body may still be in flight.
    session.close_idle();
    let response = session.get(server.url("/cookies/set?sid=hunter3")).send().await.unwrap();
    shows_nothing("response", &response);
    shows_nothing("history", &response.history());
    response.history().iter().for_each(|exchange| {
        shows_nothing("exchange", exchange);
        shows_nothing("sent", &exchange.sent);
    });
    shows_nothing("extracted", response.extracted());
    shows_nothing("head", response.head());
    response.bytes().await.unwrap();
    server.script_path("/secret", {
        let head =
            format!("HTTP/1.1 401 X\r\nSet-Cookie: sid={SECRET}; Path=/\r\nContent-Length: 2\r\n\r\nno");
        Connection::new().expect_request().send(head)
    });
    let response = session.get(server.url("/secret")).send().await.unwrap();
    shows_nothing("response with a cookie", &response);
    shows_nothing("its cookies", response.extracted());
    let refused = response.error_for_status().unwrap_err();
    says_nothing(&refused);
    says_nothing(&Error::from(refused));
}

async fn s21_v99_errors_hold_no_secret_and_no_raw_bytes_of_a_peer<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    // A new session each time, because a redirect with an invalid target may have a body in flight.
    let session = || world.session();
    let with_secret = |url: String| url.replacen("//", &format!("//user:{SECRET}@"), 1);
    let errors = [
        session()
            .get(server.url("/"))
            .header("Authorization", format!("{SECRET}\r\n"))
            .send()
            .await
            .unwrap_err(),
        session().get(server.url("/")).bearer_auth(format!("{SECRET}\n")).send().await.unwrap_err(),
        session().get(server.url("/")).cookie("a", format!("{SECRET};")).send().await.unwrap_err(),
        session().get(server.url("/")).header("Cookie", format!("a={SECRET}\x01")).send().await.unwrap_err(),
        session().get(format!("http://user:{SECRET}@[")).send().await.unwrap_err(),
        session().get(format!("http://user:{SECRET}@h:99999/")).send().await.unwrap_err(),
        session().get(format!("ftp://user:{SECRET}@h/")).send().await.unwrap_err(),
        session().get(format!("user:{SECRET}@h/")).send().await.unwrap_err(),
        session().get(with_secret(redirect(&server, "http://[", 302))).send().await.unwrap_err(),
        session().get(with_secret(redirect(&server, "/get", 302))).redirects(0).send().await.unwrap_err(),
        session().get(with_secret(redirect(&server, "http://127.0.0.1:1/", 302))).send().await.unwrap_err(),
        session()
            .get(redirect(&server, format!("http://user:{SECRET}@127.0.0.1:1/"), 302))
            .send()
            .await
            .unwrap_err(),
        session().get(redirect(&server, format!("http://user:{SECRET}@["), 302)).send().await.unwrap_err(),
        session().get(redirect(&server, format!("ftp://user:{SECRET}@h"), 302)).send().await.unwrap_err(),
    ];
    for error in errors {
        says_nothing(&error);
        if let Some(response) = error.response() {
            shows_nothing("exchange", response);
            shows_nothing("its head", &response.head);
        }
    }
    for answer in [
        &b"\x1b[31mevil\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\n\x1b\x00: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: \x1b[2J\r\n\r\n",
    ] {
        let server = Server::scripted(Connection::new().expect_request().send(answer));
        let error = session().get(server.url("/")).send().await.unwrap_err();
        says_nothing(&error);
        assert!(error.to_string().len() < 600);
    }
}
