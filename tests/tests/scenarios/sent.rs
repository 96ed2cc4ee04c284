//! Requests on the wire, item by item of the behaviour of requests (P-22 to P-55), and errors
//! before any byte is sent.

use sessio::{Body, Kind, Request};
use sessio_driver::multipart::{Form, Part};
use sessio_driver::{RequestBuilder, Runtime};
use sessio_testkit::Server;
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    p22_p23_b27_query_keys_repeat_and_missing_values_are_omitted
    p24_p26_header_lines_keep_their_order_and_their_blanks
    p25_b26_an_invalid_field_is_refused_before_a_byte_is_sent
    p27_b17_host_is_first_and_removed_fields_are_absent
    p28_p29_p30_there_is_one_line_of_cookies
    p31_p33_the_last_body_that_was_set_is_sent
    p37_b18_an_empty_form_is_no_body
    p38_b25_lengths_count_bytes
    p41_p42_b19_a_request_declares_one_framing_and_never_two
    p47_p48_parts_keep_their_order_and_their_names
    p51_credentials_of_the_url_are_sent_decoded
    p53_p54_a_prepared_request_is_sent_as_often_as_it_is_cloned
    p04_v40_other_schemes_and_invalid_urls_are_refused
}

async fn p22_p23_b27_query_keys_repeat_and_missing_values_are_omitted<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let none: [(&str, &str); 0] = [];
    let unset: Option<&str> = None;
    for (path, change, target) in [
        (
            "/get",
            Box::new(|r: Request| r.query([("a", "1"), ("a", "2"), ("b", "")])) as Change,
            "/get?a=1&a=2&b=",
        ),
        ("/get", Box::new(move |r: Request| r.query_from(&[("a", Some("x y")), ("b", unset)])), "/get?a=x+y"),
        ("/get", Box::new(|r: Request| r.query_from(&[("a", vec![1, 2]), ("b", vec![])])), "/get?a=1&a=2"),
        (
            "/get?x=1#f",
            Box::new(|r: Request| r.query_from(&serde_json::json!({"a": [true, null]}))),
            "/get?x=1&a=true",
        ),
        ("/get?x=1#f", Box::new(move |r: Request| r.query(none)), "/get?x=1"),
        ("/get", Box::new(move |r: Request| r.query(none).query_from(&none).query_from(&unset)), "/get"),
    ] {
        fetch(session.get(server.url(path)).map(change)).await;
        assert_eq!(server.requests().pop().unwrap().target(), target);
    }
    // Parameters of the session are merged by key, also if the request has pairs.
    session.update(|settings| {
        settings.params.append("lang", "en");
        settings.params.append("a", "0");
    });
    fetch(session.get(server.url("/get")).query_from(&[("a", [1, 2])])).await;
    assert_eq!(server.requests().pop().unwrap().target(), "/get?lang=en&a=1&a=2");
    fetch(session.post(server.url("/post")).form_from(&[("a", vec!["1", "\u{e9}"]), ("b", vec![])])).await;
    let sent = server.requests().pop().unwrap();
    assert_eq!(sent.text(), "a=1&a=%C3%A9");
    assert_eq!(sent.header("content-type").as_deref(), Some("application/x-www-form-urlencoded"));
}

type Change = Box<dyn FnOnce(Request) -> Request + Send>;

async fn p24_p26_header_lines_keep_their_order_and_their_blanks<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let mut headers = sessio::Headers::new();
    for (name, value) in [("X-B", "1"), ("x-a", "2 \t"), ("X-Empty", ""), ("X-b2", "\u{e9}")] {
        headers.append(name, value).unwrap();
    }
    fetch(session.get(server.url("/get")).headers(&headers)).await;
    let received = server.connection(0).received_text();
    assert!(received.contains("\r\nX-B: 1\r\nx-a: 2 \t\r\nX-Empty: \r\nX-b2: \u{e9}\r\n"), "{received}");
}

/// A way to break a request, and the text of its error.
type Broken<R> = (
    &'static str,
    Kind,
    Box<dyn FnOnce(RequestBuilder<FaultyRuntime<R>>) -> RequestBuilder<FaultyRuntime<R>> + Send>,
);

async fn p25_b26_an_invalid_field_is_refused_before_a_byte_is_sent<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let mut broken: Vec<Broken<R>> = Vec::new();
    for bad in ["a\rb", "a\nb", "a\r\nb: c", "a\0b", "a\x7fb"] {
        for blank in ["", " "] {
            let value = format!("{bad}{blank}");
            let copy = value.clone();
            broken.push(("value", Kind::InvalidHeader, Box::new(move |r| r.header("X", copy))));
            broken.push(("appended", Kind::InvalidHeader, Box::new(move |r| r.append_header("X", value))));
        }
        broken.push(("name", Kind::InvalidHeader, Box::new(move |r| r.header(bad, "x"))));
        broken.push(("cookie", Kind::InvalidCookie, Box::new(move |r| r.cookie("a", bad))));
        broken.push(("cookie's name", Kind::InvalidCookie, Box::new(move |r| r.cookie(bad, "a"))));
        broken.push(("token", Kind::InvalidHeader, Box::new(move |r| r.bearer_auth(bad))));
        let of = |part: Part| -> Broken<R> {
            ("part", Kind::InvalidHeader, Box::new(move |r| r.multipart(Form::new().part("a", part))))
        };
        broken.push(of(Part::text("x").content_type(bad)));
        broken.push(of(Part::text("x").header("X", bad)));
        broken.push(of(Part::text("x").header(bad, "x")));
        let kind = format!("multipart/form-data; boundary=\"{bad}\"");
        let form = Form::new().text("a", "b");
        broken.push((
            "boundary",
            Kind::InvalidHeader,
            Box::new(move |r| r.header("Content-Type", kind).multipart(form)),
        ));
    }
    for bad in ["a\0b", "a\x1bb", "a\x7fb"] {
        let (name, file) = (Form::new().text(bad, "x"), Part::text("x").file_name(bad));
        broken.push(("part's name", Kind::InvalidHeader, Box::new(move |r| r.multipart(name))));
        let form = Form::new().part("a", file);
        broken.push(("file's name", Kind::InvalidHeader, Box::new(move |r| r.multipart(form))));
    }
    for bad in ["", " x", "x ", "x y", "x:", "\u{e9}", "(x)"] {
        broken.push(("name", Kind::InvalidHeader, Box::new(move |r| r.header(bad, "x"))));
    }
    for bad in [" x", "\tx"] {
        broken.push(("value", Kind::InvalidHeader, Box::new(move |r| r.header("X", bad))));
    }
    for bad in ["", "GE T", "GET\r\n", "G\0", "G:T", "\u{e9}", "GET /"] {
        let url = server.url("/get");
        broken.push(("method", Kind::InvalidMethod, Box::new(move |r| r.map(|_| Request::new(bad, url)))));
    }
    broken.push(("query", Kind::InvalidQuery, Box::new(|r| r.query_from(&[1, 2]))));
    broken.push(("form", Kind::InvalidBody, Box::new(|r| r.form_from("text"))));
    broken.push((
        "json",
        Kind::InvalidBody,
        Box::new(|r| r.json(&std::collections::BTreeMap::from([([1], 1)]))),
    ));
    for (what, kind, broken) in broken {
        let error = broken(session.post(server.url("/post"))).send().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{what}: {error}");
        assert!(error.is_builder() && !error.to_string().contains(['\r', '\n', '\0']), "{what}");
    }
    assert_eq!((server.accepted(), session.stats().in_use), (0, 0));
    // Line ends in names of parts are escaped as browsers do it.
    fetch(session.post(server.url("/post")).multipart(Form::new().text("a\r\n\"b", "x"))).await;
    assert!(server.requests()[0].text().contains("name=\"a%0D%0A%22b\"\r\n"));
}

async fn p27_b17_host_is_first_and_removed_fields_are_absent<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    fetch(session.post(server.url("/post")).header("X-A", "1").body("x")).await;
    let names = server.requests()[0].header_names();
    let expected = ["Host", "User-Agent", "Accept-Encoding", "Accept", "Connection", "X-A", "Content-Length"];
    assert_eq!(names, expected);
    let request = session.get(server.url("/get")).header("host", "own.test:81");
    let request =
        request.remove_header("accept-encoding").remove_header("USER-AGENT").remove_header("Accept");
    fetch(request).await;
    let sent = server.requests().pop().unwrap();
    assert_eq!(sent.header_all("host"), ["own.test:81"]);
    assert_eq!(sent.header_names(), ["Connection", "host"]);
}

async fn p28_p29_p30_there_is_one_line_of_cookies<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    fetch(session.get(server.url("/get"))).await;
    assert_eq!(server.requests().pop().unwrap().header("cookie"), None, "no cookie, no line");
    fetch(session.get(server.url("/cookies/set?a=1&b=2")).redirects(None)).await;
    // Cookies by header, by name, and of the jar, unchanged: without quotes or escapes.
    let request = session.get(server.url("/redirect-to?url=/get")).header("Cookie", "b=\"x y\"; c=3");
    fetch(request.cookie("d", "%3B")).await;
    let requests = server.requests();
    let [.., first, second] = &requests[..] else { panic!("requests are missing") };
    for sent in [first, second] {
        let lines = sent.header_all("cookie");
        assert_eq!(lines.len(), 1);
        let mut cookies: Vec<_> = lines[0].split("; ").collect();
        cookies.sort_unstable();
        assert_eq!(cookies, ["a=1", "b=\"x y\"", "c=3", "d=%3B"]);
    }
    let error = session.get(server.url("/get")).cookie("c", "x y;z").send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidCookie);
}

async fn p31_p33_the_last_body_that_was_set_is_sent<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let post = || session.post(server.url("/post"));
    for (request, kind, body) in [
        (post().body("text").json(&1), Some("application/json"), "1"),
        (post().json(&1).form([("a", "b")]), Some("application/x-www-form-urlencoded"), "a=b"),
        (post().form([("a", "b")]).body("text"), None, "text"),
        (post().json(&1).source(Pieces::of(["pieces"]), None, false), None, "pieces"),
        (post().source(Pieces::of(["pieces"]), None, false).body("text"), None, "text"),
        (post().json(&serde_json::json!({})), Some("application/json"), "{}"),
        (post().json(&false), Some("application/json"), "false"),
        (post().json(""), Some("application/json"), "\"\""),
        (post().json(&()), Some("application/json"), "null"),
    ] {
        fetch(request).await;
        let sent = server.requests().pop().unwrap();
        assert_eq!((sent.text(), sent.header("content-type").as_deref()), (body.to_owned(), kind));
    }
    fetch(post().json(&1).multipart(Form::new().text("a", "b"))).await;
    let sent = server.requests().pop().unwrap();
    assert!(sent.header("content-type").unwrap().starts_with("multipart/form-data; boundary="));
    // JSON works with every method.
    fetch(session.get(server.url("/anything")).json(&[1])).await;
    assert_eq!(server.requests().pop().unwrap().text(), "[1]");
}

async fn p37_b18_an_empty_form_is_no_body<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let unset: [(&str, Option<&str>); 1] = [("a", None)];
    for request in [
        session.post(server.url("/post")).form([("", ""); 0]),
        session.post(server.url("/post")).form_from(&unset),
    ] {
        fetch(request).await;
        let sent = server.requests().pop().unwrap();
        assert_eq!((sent.header("content-type"), sent.header("transfer-encoding")), (None, None));
        assert_eq!(sent.header_all("content-length"), ["0"]);
    }
}

async fn p38_b25_lengths_count_bytes<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let text = "gr\u{fc}\u{df}e";
    for body in [
        Body::from(text),
        Body::from(text.to_owned()),
        Body::from(text.as_bytes().to_vec()),
        Body::from(sessio::Bytes::from_static(text.as_bytes())),
    ] {
        fetch(session.post(server.url("/post")).body(body)).await;
        let sent = server.requests().pop().unwrap();
        assert_eq!((sent.text(), sent.header_all("content-length")), (text.to_owned(), vec!["7".to_owned()]));
    }
}

async fn p41_p42_b19_a_request_declares_one_framing_and_never_two<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let post = || session.post(server.url("/post"));
    let source = || Pieces::of(["he", "llo"]);
    for (request, length, coding) in [
        (post().header("Content-Length", "5").source(source(), None, false), Some("5"), None),
        (post().header("Content-Length", "9").body("hello"), Some("5"), None),
        (post().header("Transfer-Encoding", "chunked").body("hello"), None, Some("chunked")),
        (
            post().header("Transfer-Encoding", "chunked").source(source(), Some(5), false),
            None,
            Some("chunked"),
        ),
    ] {
        fetch(request).await;
        let sent = server.requests().pop().unwrap();
        assert_eq!(
            (sent.header("content-length").as_deref(), sent.header("transfer-encoding").as_deref()),
            (length, coding)
        );
        assert_eq!(sent.text(), "hello");
    }
}

async fn p47_p48_parts_keep_their_order_and_their_names<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let form = Form::new()
        .part("f", Part::text("1").file_name("a.txt").content_type("text/x"))
        .text("t", "2")
        .part("f", Part::bytes(&b"3"[..]).file_name(""))
        .part("f", Part::bytes(&b"4"[..]))
        .fields([("l", "5"), ("l", "6")]);
    let own = "multipart/form-data; boundary=of-our-own";
    fetch(session.post(server.url("/post")).header("Content-Type", own).multipart(form)).await;
    let parts = sessio::testing::multipart::read("of-our-own", &server.requests()[0].body).unwrap();
    let told: Vec<_> = parts
        .iter()
        .map(|part| {
            let lines = String::from_utf8(part.lines.join(&b'|')).unwrap();
            format!(
                "{} = {}",
                lines.trim_start_matches("Content-Disposition: form-data; "),
                String::from_utf8_lossy(&part.content)
            )
        })
        .collect();
    let expected = [
        "name=\"f\"; filename=\"a.txt\"|Content-Type: text/x = 1",
        "name=\"t\" = 2",
        "name=\"f\"; filename=\"\" = 3",
        "name=\"f\" = 4",
        "name=\"l\" = 5",
        "name=\"l\" = 6",
    ];
    assert_eq!(told, expected);
}

async fn p51_credentials_of_the_url_are_sent_decoded<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for (userinfo, credentials) in [
        ("user:p%40ss@", Some("Basic dXNlcjpwQHNz")),
        (":pw@", Some("Basic OnB3")),
        ("user:@", Some("Basic dXNlcjo=")),
        ("user@", None),
    ] {
        fetch(session.get(server.url("/get").replace("//", &format!("//{userinfo}")))).await;
        assert_eq!(
            server.requests().pop().unwrap().header("authorization").as_deref(),
            credentials,
            "{userinfo}"
        );
    }
}

async fn p53_p54_a_prepared_request_is_sent_as_often_as_it_is_cloned<R: Runtime>(world: &World<R>) {
    // The compiler checks that only prepared requests are executed (P-53).
    let (server, session) = (Server::start(), world.session());
    let prepared = session.post(server.url("/post")).header("X-A", "1").body("hello").prepare().unwrap();
    let mut copy = prepared.clone();
    copy.request.headers_mut().insert("X-A", "2").unwrap();
    copy.request.headers_mut().append("X-B", "3").unwrap();
    copy.request.set_body("other");
    for request in [prepared.clone(), copy, prepared] {
        session.execute(request).await.unwrap().bytes().await.unwrap();
    }
    let sent: Vec<_> = server
        .requests()
        .iter()
        .map(|request| (request.header_all("x-a").concat(), request.header("x-b").is_some(), request.text()))
        .collect();
    let plain = ("1".to_owned(), false, "hello".to_owned());
    assert_eq!(sent, [plain.clone(), ("2".to_owned(), true, "other".to_owned()), plain]);
}

async fn p04_v40_other_schemes_and_invalid_urls_are_refused<R: Runtime>(world: &World<R>) {
    let session = world.session();
    for (url, kind) in [
        ("ftp://h.test/x", Kind::UnsupportedScheme),
        ("file:///etc/passwd", Kind::UnsupportedScheme),
        ("data:,x", Kind::UnsupportedScheme),
        ("localhost:3128", Kind::UnsupportedScheme),
    ] {
        let error = session.get(url).send().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{url}");
        assert!(error.is_builder());
    }
    for url in ["", "h.test/x", "//h.test/", "http://", "http:///x", "http://h.test:99999/", "http://a b/"] {
        let error = session.get(url).send().await.unwrap_err();
        assert!(error.is_builder(), "{url:?}: {error}");
    }
    assert!(session.runtime().dialled().is_empty());
}
