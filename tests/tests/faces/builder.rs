//! Sessions, requests and replies that are built step by step: order, clones, errors.

use sessio::{Environment, Kind, Mount, Resolver, Seed};
use sessio_blocking::Session;
use sessio_driver::mock::{Mock, Reply};
use sessio_testkit::Server;
use sessio_tests::source::Pieces;

#[test]
fn fn10_a_builder_returns_its_first_error_with_the_refused_text() {
    type Step = fn(sessio_blocking::SessionBuilder) -> sessio_blocking::SessionBuilder;
    let steps: [(Step, Kind, &str); 10] = [
        (|b| b.base_url("example.org/v1"), Kind::MissingScheme, "example.org/v1"),
        (|b| b.base_url("http://a b/"), Kind::InvalidUrl, "http://a b/"),
        (|b| b.header("no token", "1"), Kind::InvalidHeader, "no token"),
        (|b| b.header("x-line", "a\nb"), Kind::InvalidHeader, "x-line"),
        (|b| b.proxy("ftp://proxy"), Kind::InvalidProxy, "ftp://proxy"),
        (|b| b.resolve("a b", []), Kind::InvalidUrl, "a b"),
        (|b| b.unix_socket("a/b", "/run/x"), Kind::InvalidUrl, "a/b"),
        (|b| b.mount("example.org", Mount::new()), Kind::MissingScheme, "example.org"),
        (|b| b.set_cookie("crumb", "a;b"), Kind::InvalidCookie, "crumb"),
        (|b| b.cookie_file("/no/such/cookies.txt"), Kind::File, "/no/such/cookies.txt"),
    ];
    for (step, kind, text) in steps {
        let error = step(Session::builder()).build().unwrap_err();
        assert_eq!((error.kind(), error.to_string().contains(text)), (kind, true), "{error}");
    }
    // A later error does not hide the first one.
    let error = Session::builder().header("no token", "1").base_url("example.org").build().unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidHeader);
}

#[test]
fn fn10_a_builder_sets_where_connections_lead() {
    let server = Server::start();
    let address = server.addr();
    let session = Session::builder()
        .environment(Environment::new([("http_proxy", "http://127.0.0.1:1")]))
        .without_proxy()
        .resolve("pinned.test", [address])
        .resolver(Resolver::new(move |_: String, _: u16| async move { Ok(vec![address]) }))
        .build()
        .unwrap();
    for host in ["pinned.test", "looked-up.test"] {
        let url = format!("http://{host}:{}/get", address.port());
        assert_eq!(session.get(url).send().unwrap().status(), 200, "{host}");
    }
}

#[test]
fn fn10_two_sessions_of_one_seed_draw_the_same_boundary() {
    let boundary = |seed: [u8; 32]| {
        let session = Session::builder().seed(Seed::from_bytes(seed)).build().unwrap();
        let form = sessio_blocking::multipart::Form::new().text("a", "b");
        let request = session.post("http://example.org/").multipart(form).prepare().unwrap();
        request.request.headers().get("Content-Type").unwrap().to_owned()
    };
    assert_eq!(boundary([1; 32]), boundary([1; 32]));
    assert_ne!(boundary([1; 32]), boundary([2; 32]));
}

#[test]
fn fn4_a_request_is_cloned_unless_its_body_can_be_read_only_once() {
    let server = Server::start();
    let session = Session::new();
    let first = session.post(server.url("/post")).header("x-client", "1").body("text");
    let second = first.try_clone().unwrap().param("page", 2);
    assert_eq!(first.send().unwrap().status(), 200);
    assert_eq!(second.send().unwrap().status(), 200);
    let requests = server.requests();
    assert_eq!((requests[0].target(), requests[1].target()), ("/post", "/post?page=2"));
    assert!(requests.iter().all(|sent| sent.text() == "text" && sent.header_all("x-client") == ["1"]));

    let form = || sessio_blocking::multipart::Form::new().text("a", "b");
    assert!(session.post(server.url("/post")).multipart(form()).try_clone().is_some());
    let reader = sessio_blocking::multipart::Part::source(Pieces::of(["x"]), None, true);
    let form = form().part("file", reader);
    assert!(session.post(server.url("/post")).multipart(form).try_clone().is_none());
    let once = session.post(server.url("/post")).source(Pieces::of(["x"]), None, true);
    assert!(once.try_clone().is_none());
}

#[test]
fn fn6_a_charset_that_is_not_known_is_named() {
    let (server, session) = (Server::start(), Session::new());
    let response = session.get(server.url("/get")).send().unwrap();
    let error = response.text_with_charset("klingon-8").unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().contains("klingon-8")),
        (Kind::UnknownCharset, true),
        "{error}"
    );
}

#[test]
fn a_reply_of_a_mock_is_built_in_any_order() {
    let problem = &["no name"];
    let replies = [
        Reply::json(problem).status(422).header("Content-Type", "application/problem+json"),
        Reply::new(422).header("Content-Type", "application/problem+json").json_body(problem),
        Reply::ok("replaced")
            .header("content-type", "application/problem+json")
            .json_body(problem)
            .status(422),
        Reply::json(&7).json_body(problem).header("CONTENT-TYPE", "application/problem+json").status(422),
    ];
    for reply in replies {
        let (status, kind, length, body) = response_of(reply).unwrap();
        assert_eq!((status, &*kind, &*length), (422, "application/problem+json", "11"));
        assert_eq!(body, "[\"no name\"]");
    }
    let (status, kind, _, body) = response_of(Reply::json(problem).status(201)).unwrap();
    assert_eq!((status, &*kind, &*body), (201, "application/json", "[\"no name\"]"));

    // The first invalid value fails the request, and is named.
    for (reply, kind, text) in [
        (Reply::ok("x").status(99), Kind::Misuse, "99"),
        (Reply::new(100), Kind::Misuse, "100"),
        (Reply::ok("x").header("no token", "1").status(7), Kind::InvalidHeader, "no token"),
        (Reply::ok("x").interim(200, []), Kind::Misuse, "200"),
    ] {
        let error = response_of(reply).unwrap_err();
        assert_eq!((error.kind(), error.to_string().contains(text)), (kind, true), "{error}");
    }
}

/// The status, the content type, the length and the body of the response to this reply.
fn response_of(reply: Reply) -> sessio::Result<(u16, String, String, String)> {
    let mount = Mount::new().transport(Mock::new().on("GET", "/", reply));
    let session = Session::builder().mount("http://api.test/", mount).build()?;
    let response = session.get("http://api.test/").send()?;
    let field = |name: &str| {
        response.headers().get_all(name).map(String::from_utf8_lossy).collect::<Vec<_>>().join(", ")
    };
    let (status, kind, length) = (response.status().as_u16(), field("Content-Type"), field("Content-Length"));
    Ok((status, kind, length, response.text()?))
}
