//! `prepare` returns a request or an error for every input, and each error is a mistake of the
//! caller.

use std::time::Duration;

use proptest::prelude::*;
use sessio::cookie::NewCookie;
use sessio::{Blame, Body, Jar, Request, Settings, merge, prepare};
use sessio_tests::replay::now;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[ -~]{0,12}",
        1 => "\\PC{0,8}",
        1 => prop::sample::select(vec!["", "\r\n", "a\r\nX: y", "\0", "%", "%zz", "%41", "../..", "//", "\\", "#", "?", "\u{e9}", "\u{3002}", "@"])
            .prop_map(str::to_owned),
    ]
}

fn url() -> impl Strategy<Value = String> {
    let scheme =
        prop::sample::select(vec!["http://", "HTTP://", "https://", "http:", "//", "", "ftp://", " http://"]);
    let host = prop::sample::select(vec![
        "h",
        "Host.Example",
        "127.0.0.1",
        "[::1]",
        "h:80",
        "h:99999",
        "u:p@h",
        "a b",
        "",
        "*",
        "[",
        "xn--a",
        "\u{fc}.de",
        "h%2F",
    ]);
    (scheme, host, prop::collection::vec(text(), 0..3), prop::option::of(text()), prop::option::of(text()))
        .prop_map(|(scheme, host, path, query, fragment)| {
            let mut url = format!("{scheme}{host}");
            for segment in path {
                url.push('/');
                url.push_str(&segment);
            }
            query.into_iter().for_each(|query| url.push_str(&format!("?{query}")));
            fragment.into_iter().for_each(|fragment| url.push_str(&format!("#{fragment}")));
            url
        })
}

fn header() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "Host",
            "host",
            "Content-Length",
            "Transfer-Encoding",
            "Cookie",
            "Authorization",
            "Proxy-Authorization",
            "Connection",
            "Expect",
            "Content-Type",
            "X-A",
            "x a",
            "",
        ])
        .prop_map(str::to_owned),
        text(),
    ];
    let value = prop_oneof![
        prop::sample::select(vec!["0", "5", "chunked", "gzip", "a=1; b=2", "h", "h/x", "close", "5, 5"])
            .prop_map(str::to_owned),
        text(),
    ];
    (name, value)
}

fn body() -> impl Strategy<Value = Option<Body>> {
    prop_oneof![
        Just(None),
        Just(Some(Body::empty())),
        text().prop_map(|text| Some(text.into())),
        Just(Some(Body::form([("a", "1")]))),
        prop::option::of(0..10_u64).prop_map(|length| Some(Body::source(length, true))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2048) })]

    #[test]
    fn v41_v42_b19_a_prepared_request_is_exactly_one_request_or_is_refused(
        method in prop_oneof![Just("GET".to_owned()), Just("POST".to_owned()), text()],
        url in url(),
        headers in prop::collection::vec((header(), any::<bool>()), 0..4),
        params in prop::collection::vec((text(), text()), 0..3),
        cookies in prop::collection::vec((text(), text()), 0..2),
        body in body(),
        auth in prop::option::of((text(), text())),
        timeout in prop::option::of(0..3_u64),
    ) {
        let mut jar = Jar::new();
        jar.insert(NewCookie::new("jar", "1").unwrap(), now().wall).unwrap();
        let mut request = Request::new(&method, url.as_str());
        for ((name, value), appends) in &headers {
            request = if *appends { request.append_header(name, value) } else { request.header(name, value) };
        }
        for (key, value) in &params {
            request = request.param(key, value);
        }
        for (name, value) in &cookies {
            request = request.cookie(name, value);
        }
        if let Some(body) = body {
            request = request.body_of(body);
        }
        if let Some((user, password)) = &auth {
            request = request.basic_auth(user, password);
        }
        if let Some(seconds) = timeout {
            request = request.timeout(Duration::from_secs(seconds));
        }
        let prepared = match prepare(merge(&Settings::default(), request), &mut jar, now()) {
            Ok(prepared) => prepared,
            Err(error) => {
                prop_assert_eq!(error.kind().blame(), Blame::Caller, "{}", error);
                prop_assert!(error.is_builder());
                return Ok(());
            }
        };
        let head = prepared.head();
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut fields);
        let status = parsed.parse(&head);
        prop_assert_eq!(status.ok(), Some(httparse::Status::Complete(head.len())), "{:?}", String::from_utf8_lossy(&head));
        prop_assert_eq!(parsed.method, Some(prepared.request.method().as_str()));
        prop_assert_eq!(parsed.path, Some(prepared.request.target()));
        prop_assert_eq!(parsed.version, Some(1));
        prop_assert!(prepared.request.target().starts_with('/') && prepared.request.target().bytes().all(|b| b.is_ascii_graphic() && b != b'#'));
        let count = |name: &str| parsed.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name)).count();
        prop_assert_eq!(count("Host"), 1);
        prop_assert!(count("Cookie") <= 1);
        prop_assert!(count("Authorization") <= 2);
        prop_assert_eq!(count("Proxy-Authorization"), 0);
        prop_assert!(count("Content-Length") + count("Transfer-Encoding") <= 1);
        let length = prepared.request.body().length();
        if count("Content-Length") == 1 && let Some(length) = length {
            prop_assert_eq!(prepared.request.headers().get("Content-Length"), Some(&*length.to_string()));
        }
        if length != Some(0) {
            prop_assert_eq!(count("Content-Length") + count("Transfer-Encoding"), 1);
        }
        // Making a call of it changes nothing and cannot fail.
        prop_assert!(sessio::Call::new(prepared, sessio::Memory::default()).is_ok());
    }

    #[test]
    fn v44_b19_an_edited_request_is_unambiguous_or_is_refused(
        edits in prop::collection::vec((header(), 0..3), 0..4),
        body in body(),
        target in text(),
        method in text(),
    ) {
        let request = Request::post("http://h/");
        let mut prepared = prepare(merge(&Settings::default(), request), &mut Jar::new(), now()).unwrap();
        let _ = prepared.request.set_target(&target);
        let _ = prepared.request.set_method(&method);
        if let Some(body) = body {
            prepared.request.set_body_to(body);
        }
        for ((name, value), how) in &edits {
            let headers = prepared.request.headers_mut();
            let _ = match how {
                0 => headers.insert(name, value),
                1 => headers.append(name, value),
                _ => { headers.remove(name); Ok(()) }
            };
        }
        let head = prepared.head();
        let length = prepared.request.body().length();
        if sessio::Call::new(prepared, sessio::Memory::default()).is_ok() {
            let mut fields = [httparse::EMPTY_HEADER; 64];
            let mut parsed = httparse::Request::new(&mut fields);
            prop_assert_eq!(parsed.parse(&head).ok(), Some(httparse::Status::Complete(head.len())), "{:?}", String::from_utf8_lossy(&head));
            let count = |name: &str| parsed.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name)).count();
            prop_assert_eq!(count("Host"), 1);
            prop_assert!(count("Content-Length") + count("Transfer-Encoding") <= 1);
            prop_assert!(length == Some(0) || count("Content-Length") + count("Transfer-Encoding") == 1);
        }
    }
}

/// `body` takes any value that converts to a body.
trait Bodied {
    fn body_of(self, body: Body) -> Self;
}

impl Bodied for Request {
    fn body_of(mut self, body: Body) -> Self {
        self.body = body;
        self
    }
}

trait Rebodied {
    fn set_body_to(&mut self, body: Body);
}

impl Rebodied for sessio::Prepared {
    fn set_body_to(&mut self, body: Body) {
        self.set_body(body);
    }
}
