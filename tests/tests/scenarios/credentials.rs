//! The servers that receive each secret. An origin is scheme, host and port, and a secret that was
//! dropped stays dropped.

use sessio::Auth;
use sessio_driver::{RequestBuilder, Runtime, Session};
use sessio_testkit::{Connection, Request, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::redirect_chain::redirect_chain;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    v13_v16_v28_the_fields_that_reach_each_server_of_a_redirect_chain
    v31_b12_sensitive_headers_stay_and_other_ones_follow_a_redirect
    v05_cookies_of_a_redirect_belong_to_the_host_that_set_them
    v08_b04_the_requests_own_cookies_are_bound_to_its_origin
    v33_session_auth_is_not_sent_to_the_target_of_a_redirect
    r11_v06_userinfo_is_for_its_own_origin
    b05_the_callers_host_header_stays_within_its_origin
    v02_v10_b16_proxy_authorization_reaches_no_origin
    v09_a_secret_body_does_not_follow_a_303
    r17_a_redirect_for_the_caller_has_no_secrets_of_another_origin
    v100_a_redirect_with_a_chunked_body_does_not_lend_its_connection_to_another_origin
}

const SECRETS: [&str; 5] = ["authorization", "cookie", "x-api-key", "x-marked", "proxy-authorization"];

/// A request with a secret in every place.
fn secretive<R: Runtime>(
    session: &Session<FaultyRuntime<R>>,
    url: String,
) -> RequestBuilder<FaultyRuntime<R>> {
    session
        .get(url)
        .header("aUtHoRiZaTiOn", "Bearer secret")
        .header("Cookie", "by-hand=secret")
        .cookie("by-name", "secret")
        .header("X-Api-Key", "secret")
        .header("X-Marked", "secret")
        .header("Proxy-Authorization", "Basic secret")
        .header("X-Plain", "plain")
        .map(|mut request| {
            request.headers.mark_sensitive("x-marked");
            request
        })
}

fn seen(request: &Request) -> Vec<&'static str> {
    SECRETS.into_iter().filter(|name| request.header(name).is_some()).collect()
}

async fn v13_v16_v28_the_fields_that_reach_each_server_of_a_redirect_chain<R: Runtime>(world: &World<R>) {
    let own = ["authorization", "cookie", "x-api-key", "x-marked"].as_slice();
    let none = [].as_slice();
    for status in [301, 302, 303, 307, 308] {
        let a = Server::start();
        let other_port = Server::start();
        let other_host = Server::start_on([127, 0, 0, 2]);
        for (hops, reach) in [
            (vec![&a, &a], vec![own, own]),
            (vec![&a, &other_port], vec![own, none]),
            (vec![&a, &other_host], vec![own, none]),
            (vec![&a, &other_host, &a], vec![own, none, none]),
            (vec![&a, &other_host, &other_host], vec![own, none, none]),
            (vec![&a, &a, &other_port, &other_port, &a], vec![own, own, none, none, none]),
        ] {
            let session = world.session();
            session.update(|settings| settings.sensitive_headers = ["X-API-key".into()].into());
            let before: Vec<_> = [&a, &other_port, &other_host].map(|server| server.requests().len()).into();
            secretive(&session, redirect_chain(&hops, status)).send().await.unwrap().bytes().await.unwrap();
            let mut sent: Vec<_> = [&a, &other_port, &other_host]
                .iter()
                .zip(before)
                .map(|(server, before)| server.requests().split_off(before).into_iter())
                .collect();
            for (server, reach) in hops.into_iter().zip(reach) {
                let at = [&a, &other_port, &other_host].iter().position(|s| s.addr() == server.addr());
                let request = sent[at.unwrap()].next().unwrap();
                assert_eq!(seen(&request), *reach, "{status} {}", request.received_at(server));
                assert_eq!(request.header("x-plain").as_deref(), Some("plain"));
            }
        }
    }
}

/// Host and port for messages.
trait At {
    fn received_at(&self, server: &Server) -> String;
}

impl At for Request {
    fn received_at(&self, server: &Server) -> String {
        format!("{} {}", server.addr(), String::from_utf8_lossy(&self.request_line))
    }
}

async fn v31_b12_sensitive_headers_stay_and_other_ones_follow_a_redirect<R: Runtime>(world: &World<R>) {
    let (a, b, session) = (Server::start(), Server::start(), world.session());
    secretive(&session, redirect_chain(&[&a, &b], 302)).send().await.unwrap().bytes().await.unwrap();
    // X-Api-Key was not declared a secret.
    assert_eq!(seen(&b.requests()[0]), ["x-api-key"]);
    session
        .try_update(|settings| {
            settings.headers.insert("X-Api-Key", "secret")?;
            settings.headers.mark_sensitive("X-Api-Key");
            Ok(())
        })
        .unwrap();
    session.get(redirect_chain(&[&a, &b], 302)).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(seen(&b.requests()[1]), [""; 0]);
}

async fn v05_cookies_of_a_redirect_belong_to_the_host_that_set_them<R: Runtime>(world: &World<R>) {
    let (a, b, session) = (Server::start(), Server::start_on([127, 0, 0, 2]), world.session());
    a.script_path(
        "/x",
        Connection::new().expect_request().send(format!(
            "HTTP/1.1 302 X\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2; Domain=127.0.0.2\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
            b.url("/get")
        )),
    );
    session.get(a.url("/x")).send().await.unwrap().bytes().await.unwrap();
    session.get(b.url("/get")).send().await.unwrap().bytes().await.unwrap();
    session.get(a.url("/get")).send().await.unwrap().bytes().await.unwrap();
    assert!(b.requests().iter().all(|request| request.header("cookie").is_none()));
    assert_eq!(a.requests()[1].header("cookie").as_deref(), Some("a=1"));
}

async fn v08_b04_the_requests_own_cookies_are_bound_to_its_origin<R: Runtime>(world: &World<R>) {
    let (a, b, session) = (Server::start(), Server::start(), world.session());
    // Cookies ignore ports (RFC 6265 section 8.5): those of the jar go to both servers, those of
    // the request to one.
    session.get(a.url("/cookies/set/jar/1")).send().await.unwrap().bytes().await.unwrap();
    session
        .get(redirect_chain(&[&a, &a, &b, &a], 307))
        .cookie("own", "1")
        .header("Cookie", "line=1")
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let cookies: Vec<_> = a.requests()[2..].iter().map(|r| r.header("cookie").unwrap()).collect();
    let both = "jar=1; own=1; line=1";
    assert_eq!(cookies, [both, both, "jar=1"]);
    assert_eq!(b.requests()[0].header("cookie").as_deref(), Some("jar=1"));
}

async fn v33_session_auth_is_not_sent_to_the_target_of_a_redirect<R: Runtime>(world: &World<R>) {
    let (a, b, session) = (Server::start(), Server::start(), world.session());
    for auth in [Auth::basic("user", "secret"), Auth::bearer("secret")] {
        session.update(|settings| settings.auth = auth);
        session.get(redirect_chain(&[&a, &a, &b, &a], 302)).send().await.unwrap().bytes().await.unwrap();
    }
    let reach: Vec<_> = a.requests().iter().map(|r| r.header("authorization").is_some()).collect();
    assert_eq!(reach, [true, true, false, true, true, false]);
    assert!(b.requests().iter().all(|request| request.header("authorization").is_none()));
}

async fn r11_v06_userinfo_is_for_its_own_origin<R: Runtime>(world: &World<R>) {
    let (a, b, session) = (Server::start(), Server::start(), world.session());
    let with = |url: String, userinfo: &str| url.replacen("http://", &format!("http://{userinfo}@"), 1);
    session
        .get(with(redirect_chain(&[&a, &a, &b, &a], 302), "us%20er:p%40w"))
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let reach: Vec<_> = a.requests().iter().map(|r| r.header("authorization")).collect();
    let basic = Some("Basic dXMgZXI6cEB3".to_owned());
    assert_eq!(reach, [basic.clone(), basic, None], "{reach:?}");
    assert_eq!(b.requests()[0].header("authorization"), None);
    // A Location cannot carry credentials.
    let location = with(a.url("/anything/end"), "evil:twin");
    session
        .get(sessio_tests::redirect_chain::redirect(&b, location, 302))
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(a.requests()[3].header("authorization"), None);
    // The host is the text after the last @.
    let url = format!("http://127.0.0.1:@{}/get", b.addr());
    session.get(url).send().await.unwrap().bytes().await.unwrap();
    // An explicit header wins (row B03), and a user without a password is no credential (rule
    // P-51).
    session
        .get(with(a.url("/get"), "user:pass"))
        .header("Authorization", "Own")
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(a.requests()[4].header_all("authorization"), ["Own"]);
    session.get(with(a.url("/get"), "user")).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(a.requests()[5].header("authorization"), None);
    // It is never in a request line or in Host.
    for request in a.requests().iter().chain(&b.requests()) {
        assert!(!request.header("host").unwrap().contains('@') && request.target().starts_with('/'));
    }
}

async fn b05_the_callers_host_header_stays_within_its_origin<R: Runtime>(world: &World<R>) {
    let (a, b, session) = (Server::start(), Server::start(), world.session());
    session
        .get(redirect_chain(&[&a, &a, &b, &a], 302))
        .header("Host", "virtual.test")
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let hosts: Vec<_> = a.requests().iter().map(|request| request.header_all("host")).collect();
    assert_eq!(
        hosts,
        [vec!["virtual.test".to_owned()], vec!["virtual.test".into()], vec![a.addr().to_string()]]
    );
    assert_eq!(b.requests()[0].header_all("host"), [b.addr().to_string()]);
    assert_eq!(b.requests()[0].header_names()[0], "Host");
}

async fn v02_v10_b16_proxy_authorization_reaches_no_origin<R: Runtime>(world: &World<R>) {
    let (a, b, session) = (Server::start(), Server::start(), world.session());
    session.update(|settings| settings.headers.insert("Proxy-Authorization", "Basic secret")).unwrap();
    session.get(redirect_chain(&[&a, &b], 302)).send().await.unwrap().bytes().await.unwrap();
    session
        .get(a.url("/get"))
        .header("proxy-authorization", "Basic secret")
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    for request in a.requests().iter().chain(&b.requests()) {
        assert_eq!(request.header("proxy-authorization"), None);
    }
}

async fn v09_a_secret_body_does_not_follow_a_303<R: Runtime>(world: &World<R>) {
    let (a, b, session) = (Server::start(), Server::start(), world.session());
    for status in [301, 302, 303] {
        session
            .post(redirect_chain(&[&a, &b], status))
            .form([("password", "secret")])
            .send()
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
    }
    // 307 and 308 keep method and body.
    session
        .post(redirect_chain(&[&a, &b], 307))
        .form([("password", "secret")])
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let bodies: Vec<_> = b.requests().iter().map(|r| (r.method().to_owned(), r.text())).collect();
    let get = ("GET".to_owned(), String::new());
    assert_eq!(bodies, [get.clone(), get.clone(), get, ("POST".into(), "password=secret".into())]);
    assert_eq!(b.requests()[0].header("content-type"), None);
}

async fn r17_a_redirect_for_the_caller_has_no_secrets_of_another_origin<R: Runtime>(world: &World<R>) {
    let (a, b, session) = (Server::start(), Server::start(), world.session());
    let mut response =
        secretive(&session, redirect_chain(&[&a, &b, &a], 302)).redirects(None).send().await.unwrap();
    let next = response.next().unwrap().unwrap();
    response.bytes().await.unwrap();
    assert_eq!(next.request.headers().get("x-plain"), Some("plain"));
    let mut response = session.execute(next).await.unwrap();
    let next = response.next().unwrap().unwrap();
    response.bytes().await.unwrap();
    session.execute(next).await.unwrap().bytes().await.unwrap();
    assert_eq!(seen(&b.requests()[0]), ["x-api-key"]);
    assert_eq!(seen(&a.requests()[1]), ["x-api-key"]);
}

async fn v100_a_redirect_with_a_chunked_body_does_not_lend_its_connection_to_another_origin<R: Runtime>(
    world: &World<R>,
) {
    let (a, b, session) = (Server::start(), Server::start(), world.session());
    let head = format!("HTTP/1.1 302 X\r\nTransfer-Encoding: chunked\r\nLocation: {}\r\n\r\n", b.url("/get"));
    for cut in [1, 7, 1000] {
        let step = Connection::new().expect_request();
        a.script_path("/x", step.send(head.clone() + "5\r\nhello\r\n0\r\n\r\n").cut_every(cut));
        let response = session.get(a.url("/x")).send().await.unwrap();
        assert_eq!(response.url().as_str(), b.url("/get"));
        response.bytes().await.unwrap();
    }
    assert!(a.requests().iter().all(|request| request.header("host") == Some(a.addr().to_string())));
    assert!(b.requests().iter().all(|request| request.header("host") == Some(b.addr().to_string())));
    assert_eq!((a.accepted(), a.requests().len(), b.accepted(), b.requests().len()), (1, 3, 1, 3));
}
