//! Logins by a form: repeated when the site's session has ended, once for all calls.

use sessio::auth::{Received, SubRequest};
use sessio::{Auth, Error, Kind, Result};
use sessio_driver::{Login, Runtime, Session};
use sessio_testkit::{Connection, LOGIN_PASSWORD, LOGIN_USER, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

use crate::oauth2::unobserved;
use crate::together::together;

scenarios! {
    s19_a_call_logs_in_when_the_site_knows_no_login
    s19_a_call_logs_in_at_most_once
    s19_many_calls_log_in_once
    s19_a_login_fails_with_the_step_in_the_error
    s19_a_body_is_sent_again_after_a_login
    s19_a_page_shows_that_a_login_is_needed
}

/// The token in the page of the form.
fn token<'p>(page: &Received<'p>) -> Result<&'p str> {
    let text = std::str::from_utf8(page.body).unwrap();
    let found = text.split_once("name=\"csrf\" value=\"").and_then(|(_, rest)| rest.split('"').next());
    found.ok_or_else(|| Error::new(Kind::Authentication).with_detail("no csrf field in the page"))
}

fn login(server: &Server, password: &'static str) -> Login {
    let url = server.url("/login");
    let page = url.clone();
    Login::new(move || SubRequest::get(&*page)).then(move |page| {
        let form = [("user", LOGIN_USER), ("password", password), ("csrf", token(page)?)];
        Ok(SubRequest::post(&*url).form(form))
    })
}

fn set_up<R: Runtime>(world: &World<R>) -> (Server, Session<FaultyRuntime<R>>, Login) {
    let (server, session) = (Server::start(), world.session());
    let login = login(&server, LOGIN_PASSWORD);
    session.update(|settings| settings.auth = Auth::flow(login.clone()));
    (server, session, login)
}

fn logins(server: &Server) -> usize {
    server
        .requests()
        .iter()
        .filter(|request| request.method() == "POST" && request.path() == "/login")
        .count()
}

async fn s19_a_call_logs_in_when_the_site_knows_no_login<R: Runtime>(world: &World<R>) {
    let (server, session, login) = set_up(world);
    for (round, history) in [(1, 1), (1, 0), (2, 1)] {
        if round == 2 {
            assert_eq!(server.expire_logins(), 1);
        }
        let response = session.get(server.url("/private")).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.history().len()), (200, history));
        assert!(response.text().await.unwrap().contains(LOGIN_USER));
        assert_eq!((logins(&server), login.count()), (round, round as u64));
    }
    // The responses of the steps are none of the call, and a page that needs no login needs none.
    assert_eq!(fetch(session.get(server.url("/get"))).await.status, 200);
    assert_eq!(logins(&server), 2);
}

async fn s19_a_call_logs_in_at_most_once<R: Runtime>(world: &World<R>) {
    let (server, session, login) = set_up(world);
    let response = session.get(server.url("/status/401")).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.history().len()), (401, 1));
    response.bytes().await.unwrap();
    assert_eq!((logins(&server), login.count()), (1, 1));
}

async fn s19_many_calls_log_in_once<R: Runtime>(world: &World<R>) {
    let (server, session, _) = set_up(world);
    unobserved(&session);
    for round in 1..3 {
        let all = (0..16).map(|_| fetch(session.get(server.url("/private"))));
        let all = together(all.collect()).await;
        assert!(all.iter().all(|response| response.status == 200));
        assert_eq!(logins(&server), round);
        server.expire_logins();
    }
}

async fn s19_a_login_fails_with_the_step_in_the_error<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let ask = |login: Login| session.get(server.url("/private")).auth(Auth::flow(login)).send();
    let error = ask(login(&server, "wrong")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Authentication);
    assert!(error.to_string().contains("refused with status 401"), "{error}");
    assert_eq!(error.url().unwrap().as_str(), server.url("/private"));
    let page = server.url("/html");
    let error = ask(Login::new(move || SubRequest::get(&*page)).then(|page| {
        token(page)?;
        Ok(SubRequest::get("/get"))
    }))
    .await
    .unwrap_err();
    assert!(error.to_string().contains("no csrf field in the page"), "{error}");
    assert_eq!(session.stats().in_use, 0);
}

async fn s19_a_body_is_sent_again_after_a_login<R: Runtime>(world: &World<R>) {
    let (server, session, _) = set_up(world);
    let request = session.put(server.url("/private")).source(Pieces::of(["a", "b"]), None, true);
    assert_eq!(fetch(request).await.status, 200);
    let bodies: Vec<_> = server
        .requests()
        .iter()
        .filter(|request| request.path() == "/private" && request.method() == "PUT")
        .map(|it| it.text())
        .collect();
    assert_eq!(bodies, ["ab", "ab"]);
}

async fn s19_a_page_shows_that_a_login_is_needed<R: Runtime>(world: &World<R>) {
    const FORM: &str = "<form action=\"/login\">";
    let page = |text: &str| {
        let length = text.len();
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=utf-8\r\nContent-Length: {length}\r\n\r\n{text}"
        )
    };
    let long = format!("{FORM}{}", "-".repeat(1_000));
    let (in_text, other) = (page(&format!("the page {FORM}")), page("other"));
    let script = Connection::new()
        .expect_request()
        .send(page(&long))
        .expect_request()
        .send("HTTP/1.1 204 X\r\nSet-Cookie: id=7\r\n\r\n")
        .expect_request()
        .send(page("the page"))
        // Behind the bytes that the function sees, and in a file that is no page.
        .expect_request()
        .send(&in_text)
        .expect_request()
        .send(in_text.replace("Text/HTML", "text/plain"))
        // A site that shows its form for ever.
        .expect_request()
        .send(page(FORM))
        .expect_request()
        .send("HTTP/1.1 204 X\r\n\r\n")
        .expect_request()
        .send(page(FORM))
        .expect_request()
        .send(other);
    let (server, session) = (Server::scripted(script), world.session());
    let url = server.url("/login");
    let login = Login::new(move || SubRequest::post(&*url).form([("user", "me")])).logged_out_page(
        FORM.len(),
        |page, request| {
            assert!(!request.url().path().contains("login"));
            page.text() == FORM
        },
    );
    session.update(|settings| settings.auth = Auth::flow(login.clone()));
    for (expected, history, logins) in [
        ("the page", 1, 1),
        (&*format!("the page {FORM}"), 0, 1),
        (&*format!("the page {FORM}"), 0, 1),
        (FORM, 1, 2),
        ("other", 0, 2),
    ] {
        let response = session.get(server.url("/private")).send().await.unwrap();
        assert_eq!(response.history().len(), history, "{expected}");
        assert_eq!(response.text().await.unwrap(), expected);
        assert_eq!(login.count(), logins);
    }
}
