//! The user stories of a session, one scenario each.

use serde_json::{Value, json};
use sessio::http::Method;
use sessio::{Auth, Error};
use sessio_driver::{Response, Runtime, Session};
use sessio_testkit::Server;
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    s1_a_cookie_that_was_set_is_sent_with_the_next_request
    s2_many_requests_travel_over_one_connection_and_closing_ends_it
    s3_every_verb_and_a_request_prepared_earlier
    s4_auth_set_once_is_used_by_every_request
    s5_session_headers_and_request_headers_are_both_sent
    s6_session_parameters_are_merged_with_the_requests_own
    s8_options_of_one_request_are_not_kept
    s9_a_session_value_is_left_out_of_one_request
    s10_cookies_put_in_by_hand_are_merged_with_those_of_one_request
    s11_the_end_of_a_scope_closes_the_session_also_after_an_error
    s14_a_prepared_request_is_read_and_edited_before_it_is_sent
    s17_redirects_are_followed_cookies_kept_and_the_history_told
    s19_a_login_lasts_as_long_as_its_cookie
}

async fn json_of<R: Runtime>(response: Response<R>) -> Value {
    response.json().await.unwrap()
}

async fn s1_a_cookie_that_was_set_is_sent_with_the_next_request<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session
        .get(server.url("/cookies/set/sessioncookie/123456789"))
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let cookies = json_of(session.get(server.url("/cookies")).send().await.unwrap()).await;
    assert_eq!(cookies["cookies"], json!({"sessioncookie": "123456789"}));
    assert_eq!(cookies["raw"], json!(["sessioncookie=123456789"]));
}

async fn s2_many_requests_travel_over_one_connection_and_closing_ends_it<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for number in 0..20 {
        let path = if number % 2 == 0 { "/get" } else { "/chunked/5000?chunk=777" };
        let response = session.get(server.url(path)).send().await.unwrap();
        assert_eq!(
            sessio_tests::fetch::connection(&response),
            (1, number > 0),
            "{number}: {:?}",
            session.stats()
        );
        assert!(!response.bytes().await.unwrap().is_empty());
    }
    assert_eq!((server.accepted(), server.connection(0).requests().len()), (1, 20));
    let stats = session.stats();
    assert_eq!((stats.idle, stats.reused, stats.dialled), (1, 19, 1));
    session.close();
    assert_eq!(session.stats().idle, 0);
    server.wait_open(0);
    // Rule M-28: the session is usable after that.
    session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(server.accepted(), 2);
}

async fn s3_every_verb_and_a_request_prepared_earlier<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let url = server.url("/anything");
    let verbs = [
        session.get(&url),
        session.post(&url),
        session.put(&url),
        session.patch(&url),
        session.delete(&url),
        session.head(&url),
        session.options(&url),
        session.request("propfind", &url),
    ];
    for verb in verbs {
        assert_eq!(fetch(verb).await.status, 200);
    }
    let prepared = session.get(&url).prepare().unwrap();
    session.execute(prepared.clone()).await.unwrap().bytes().await.unwrap();
    session.execute(prepared).await.unwrap().bytes().await.unwrap();
    let methods: Vec<_> = server.requests().iter().map(|request| request.method().to_owned()).collect();
    let expected = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND", "GET", "GET"];
    assert_eq!(methods, expected);
    // Rule P-40: a method that may have a body, without one, sends Content-Length: 0.
    for request in server.requests() {
        let has_length = !matches!(request.method(), "GET" | "HEAD");
        assert_eq!(request.header("content-length").is_some(), has_length, "{}", request.method());
    }
}

async fn s4_auth_set_once_is_used_by_every_request<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let url = server.url("/basic-auth/user/pass");
    assert_eq!(fetch(session.get(&url)).await.status, 401);
    session.update(|settings| settings.auth = Auth::basic("user", "pass"));
    for _ in 0..2 {
        assert_eq!(fetch(session.get(&url)).await.status, 200);
    }
    assert_eq!(fetch(session.get(&url).basic_auth("user", "other")).await.status, 401);
    assert_eq!(fetch(session.get(&url).without_auth()).await.status, 401);
}

async fn s5_session_headers_and_request_headers_are_both_sent<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session.update(|settings| settings.headers.insert("x-test", "true")).unwrap();
    session
        .get(server.url("/headers"))
        .header("x-test2", "true")
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    session.get(server.url("/headers")).header("X-Test", "mine").send().await.unwrap().bytes().await.unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].header("x-test").as_deref(), Some("true"));
    assert_eq!(requests[0].header("x-test2").as_deref(), Some("true"));
    assert_eq!(requests[1].header_all("x-test"), ["mine"]);
    // Rules M-06 and M-07: the session's position, the request's spelling.
    let names = ["Host", "User-Agent", "Accept-Encoding", "Accept", "Connection", "X-Test"];
    assert_eq!(requests[1].header_names(), names);
}

async fn s6_session_parameters_are_merged_with_the_requests_own<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session.update(|settings| {
        settings.params.append("lang", "en");
        settings.params.append("page", "1");
    });
    session
        .get(server.url("/get?from=url#part"))
        .param("page", "2")
        .param("q", "a b")
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].target(), "/get?from=url&lang=en&page=2&q=a+b");
    assert_eq!(requests[1].target(), "/get?lang=en&page=1");
}

async fn s8_options_of_one_request_are_not_kept<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session
        .get(server.url("/get"))
        .cookie("from-my", "browser")
        .header("x-once", "1")
        .param("once", "1")
        .basic_auth("u", "p")
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
    let requests = server.requests();
    assert_eq!(requests[0].header("cookie").as_deref(), Some("from-my=browser"));
    assert!(requests[0].header("authorization").is_some());
    assert_eq!(requests[0].target(), "/get?once=1");
    assert_eq!(requests[1].target(), "/get");
    for name in ["cookie", "x-once", "authorization"] {
        assert_eq!(requests[1].header(name), None, "{name}");
    }
    assert_eq!(session.cookies(|jar| jar.len()), 0);
}

async fn s9_a_session_value_is_left_out_of_one_request<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session
        .update(|settings| {
            settings.params.append("lang", "en");
            settings.headers.insert("x-test", "true")
        })
        .unwrap();
    let bare = session.get(server.url("/get")).remove_header("X-TEST").remove_header("User-Agent");
    bare.remove_param("lang").send().await.unwrap().bytes().await.unwrap();
    session.get(server.url("/get")).send().await.unwrap().bytes().await.unwrap();
    let requests = server.requests();
    // Row B17: no default replaces a removed header.
    assert_eq!(requests[0].header_names(), ["Host", "Accept-Encoding", "Accept", "Connection"]);
    assert_eq!(requests[0].target(), "/get");
    assert_eq!(requests[1].header("x-test").as_deref(), Some("true"));
    assert_eq!(requests[1].target(), "/get?lang=en");
}

async fn s10_cookies_put_in_by_hand_are_merged_with_those_of_one_request<R: Runtime>(world: &World<R>) {
    use sessio::cookie::NewCookie;
    let (server, session) = (Server::start(), world.session());
    let now = session.runtime().now();
    // A cookie without a domain goes to every host, one with a domain only there (rule C-11).
    for cookie in [
        NewCookie::new("cookie", "1234").unwrap(),
        NewCookie::new("elsewhere", "1").unwrap().domain("example.org"),
    ] {
        session.cookies(|jar| jar.insert(cookie, now.wall)).unwrap();
    }
    let both = session.get(server.url("/cookies")).cookie("from-my", "browser").send().await.unwrap();
    let both = json_of(both).await;
    assert_eq!(both["cookies"], json!({"cookie": "1234", "from-my": "browser"}));
    assert_eq!(both["raw"].as_array().unwrap().len(), 1);
    // Row B15: each name is sent once, and the request's value wins.
    let own = session.get(server.url("/cookies")).cookie("cookie", "5678").send().await.unwrap();
    assert_eq!(json_of(own).await["raw"], json!(["cookie=5678"]));
    let none = session.get(server.url("/cookies")).without_jar().send().await.unwrap();
    assert_eq!(json_of(none).await["raw"], json!([]));
}

async fn s11_the_end_of_a_scope_closes_the_session_also_after_an_error<R: Runtime>(world: &World<R>) {
    async fn scope<R: Runtime>(session: Session<R>, server: &Server) -> Result<(), Error> {
        session.get(server.url("/get")).send().await?.bytes().await?;
        assert_eq!(server.open_connections(), 1);
        session.get("http://[nonsense").send().await?;
        unreachable!("the URL is none")
    }
    let server = Server::start();
    let error = scope(world.session(), &server).await.unwrap_err();
    assert_eq!(error.kind().name(), "invalid-url");
    server.wait_open(0);
}

async fn s14_a_prepared_request_is_read_and_edited_before_it_is_sent<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session.update(|settings| settings.headers.insert("x-test", "true")).unwrap();
    let mut request = session.post(server.url("/anything?a=1#part")).body("hello").prepare().unwrap();
    assert_eq!((request.request.method(), request.request.target()), (&Method::POST, "/anything?a=1"));
    assert_eq!(request.request.headers().get("content-length"), Some("5"));
    assert_eq!(server.accepted(), 0);
    let head = request.head();
    assert!(head.starts_with(b"POST /anything?a=1 HTTP/1.1\r\nHost: "));
    request.request.headers_mut().insert("x-test", "edited").unwrap();
    request.request.set_body("good bye");
    request.request.set_method("PUT").unwrap();
    request.request.set_target("/anything/%2e%2E/x?b").unwrap();
    session.execute(request).await.unwrap().bytes().await.unwrap();
    let sent = &server.requests()[0];
    // Row B24: a target given by hand is sent unchanged.
    assert_eq!(sent.request_line, b"PUT /anything/%2e%2E/x?b HTTP/1.1");
    assert_eq!(sent.header_all("x-test"), ["edited"]);
    assert_eq!((sent.header_all("content-length"), sent.text()), (vec!["8".to_owned()], "good bye".into()));
}

async fn s17_redirects_are_followed_cookies_kept_and_the_history_told<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let response = session.get(server.url("/redirect/3?cookies=1#part")).send().await.unwrap();
    assert_eq!(response.url().as_str(), server.url("/get#part"));
    // Rule R-24.
    let told: Vec<_> = response.history().iter().map(|exchange| exchange.target().to_owned()).collect();
    assert_eq!(told, ["/redirect/3?cookies=1", "/redirect/2?cookies=1", "/redirect/1?cookies=1"]);
    assert!(response.history().iter().all(|exchange| exchange.head.status == 302));
    assert_eq!(response.history()[1].sent.get("cookie"), Some("hop3=set"));
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap();
    let cookies: Vec<_> = server.requests().iter().map(|request| request.header("cookie")).collect();
    let expected = [None, Some("hop3=set"), Some("hop3=set; hop2=set"), Some("hop3=set; hop2=set; hop1=set")];
    assert_eq!(cookies, expected.map(|line| line.map(str::to_owned)));
    assert_eq!(session.cookies(|jar| jar.len()), 3);
    // Rule R-23: the bodies of redirects are read, so one connection serves them all.
    assert_eq!(server.accepted(), 1);
}

async fn s19_a_login_lasts_as_long_as_its_cookie<R: Runtime>(world: &World<R>) {
    use sessio_testkit::{LOGIN_PASSWORD, LOGIN_USER};
    let (server, session) = (Server::start(), world.session());
    let private = server.url("/private");
    assert_eq!(fetch(session.get(&private)).await.status, 401);
    let page = session.get(server.url("/login")).send().await.unwrap().text().await.unwrap();
    let token = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = [("user", LOGIN_USER), ("password", LOGIN_PASSWORD), ("csrf", token)];
    let login = session.post(server.url("/login")).form(form).send().await.unwrap();
    assert_eq!((login.status().as_u16(), login.url().path()), (200, "/private"));
    assert_eq!(login.request().method(), Method::GET);
    login.bytes().await.unwrap();
    let called = session.post(&private).json(&json!({"n": 1})).send().await.unwrap();
    assert_eq!(json_of(called).await["json"], json!({"n": 1}));
    assert_eq!(fetch(world.session().get(&private)).await.status, 401);
    assert_eq!(server.expire_logins(), 1);
    let refused = session.get(&private).send().await.unwrap().error_for_status().unwrap_err();
    assert_eq!(refused.status(), 401);
}
