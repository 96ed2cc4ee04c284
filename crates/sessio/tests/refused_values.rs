//! Each error of a caller names the value that is refused, and no secret.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::time::Duration;

use sessio::http::{HeaderMap, HeaderValue};
use sessio::multipart::{Form, Part};
use sessio::tls::Pin;
use sessio::{
    Address, Auth, Change, Error, Fault, Headers, Instant, Jar, Kind, Mount, Mounts, Now, Prepared, Proxies,
    Proxy, Request, Result, Routes, Seed, Settings, UnixTime, UrlPattern, merge, prepare,
};

fn prepared(request: Request) -> Result<Prepared> {
    let now = Now { mono: Instant::ZERO, wall: UnixTime(0) };
    prepare(merge(&Settings::default(), request), &mut Jar::new(), now).map(|call| call.request)
}

fn get() -> Request {
    Request::get("http://example.org/")
}

fn edited(edit: impl FnOnce(&mut Prepared) -> Result<()>) -> Result<()> {
    edit(&mut prepared(get()).unwrap())
}

fn fault<T>(done: Result<T, Fault>) -> Result<T> {
    done.map_err(Error::from)
}

fn zero(change: fn(&mut Request)) -> Result<Prepared> {
    let mut request = get();
    change(&mut request);
    prepared(request)
}

/// The outcome of each constructor, the kind of its error, and the text that the error shows.
fn table() -> Vec<(Result<()>, Kind, &'static str)> {
    type Edit = fn(&mut Request);
    let mut headers = Headers::new();
    let mut blank = HeaderMap::new();
    blank.insert("x-blank", HeaderValue::from_static(" a"));
    let mut rows: Vec<(Result<()>, Kind, &'static str)> = Vec::new();
    let mut row = |done: Result<()>, kind, text| rows.push((done, kind, text));

    for (address, kind) in [
        ("example.org/v1", Kind::MissingScheme),
        ("ftp://files.test/a", Kind::UnsupportedScheme),
        ("http://a b/", Kind::InvalidUrl),
        ("http://[::1/", Kind::InvalidUrl),
        ("http://h:99999/", Kind::InvalidUrl),
        ("http://:80/", Kind::InvalidUrl),
        ("http://example.org/\n", Kind::InvalidUrl),
    ] {
        let shown: &str = if address.ends_with('\n') { r"http://example.org/\n" } else { address };
        row(prepared(Request::get(address)).map(drop), kind, shown);
        row(fault(Address::from(address).to_url()).map(drop), kind, shown);
    }
    row(prepared(Request::new("GE T", "http://example.org/")).map(drop), Kind::InvalidMethod, "GE T");
    row(edited(|request| request.set_method("PO\tST")), Kind::InvalidMethod, r"PO\tST");
    row(edited(|request| request.set_target("/a b")), Kind::InvalidUrl, "/a b");

    // A value can be a secret, so an error has the name alone.
    row(prepared(get().header("no token", "1")).map(drop), Kind::InvalidHeader, "no token");
    row(prepared(get().header("x-line", "hunter2\n")).map(drop), Kind::InvalidHeader, "x-line");
    row(prepared(get().append_header("x-null", "hunter2\0")).map(drop), Kind::InvalidHeader, "x-null");
    row(prepared(get().headers(&blank)).map(drop), Kind::InvalidHeader, "x-blank");
    row(fault(headers.insert("a:b", "1")), Kind::InvalidHeader, "a:b");
    row(fault(headers.append("", "1")), Kind::InvalidHeader, "name \"\"");
    row(fault(headers.append("n".repeat(70_000), "1")), Kind::InvalidHeader, "nnnn");
    row(prepared(get().header("Host", "a b")).map(drop), Kind::InvalidHeader, "\"a b\"");
    row(prepared(get().cookie("crumb", "hunter2;b")).map(drop), Kind::InvalidCookie, "crumb");
    row(prepared(get().cookie("a=b", "c")).map(drop), Kind::InvalidCookie, "a=b");

    let timeouts: [(Edit, &str); 3] = [
        (|request| request.timeouts.total = Change::Set(Duration::ZERO), "timeouts.total"),
        (|request| request.timeouts.head = Change::Set(Duration::ZERO), "timeouts.head"),
        (|request| request.timeouts.expect = Change::Set(Duration::ZERO), "timeouts.expect"),
    ];
    for (change, name) in timeouts {
        row(zero(change).map(drop), Kind::InvalidTimeout, name);
    }

    for proxy in
        ["ftp://proxy.test", "http://", "http://proxy.test:port", "proxy.test:0", "http:/p", "*.test:1"]
    {
        row(fault(Proxy::parse(proxy)).map(drop), Kind::InvalidProxy, proxy);
        row(prepared(get().proxy(proxy)).map(drop), Kind::InvalidProxy, proxy);
    }
    row(fault(Proxy::parse("http://u:hunter2@a b:1")).map(drop), Kind::InvalidProxy, "a b:1");
    row(fault(Proxies::new().set("gopher", "http://p.test")), Kind::InvalidProxy, "gopher");
    let proxy = || Proxy::parse("http://p.test").unwrap();
    row(fault(proxy().header("Host", "a")).map(drop), Kind::InvalidHeader, "Host");
    row(fault(proxy().header("X Y", "a")).map(drop), Kind::InvalidHeader, "X Y");

    row(fault(Routes::default().pin("a b", [])), Kind::InvalidUrl, "a b");
    row(fault(Routes::default().unix("a/b", "/run/x")), Kind::InvalidUrl, "a/b");
    row(fault(UrlPattern::parse("example.org")).map(drop), Kind::MissingScheme, "example.org");
    row(fault(UrlPattern::parse("http://a.*.test/")).map(drop), Kind::InvalidUrl, "http://a.*.test/");
    row(Mounts::default().add("example.org", Mount::new()), Kind::MissingScheme, "example.org");
    let mount = Mount::new().header("no token", "1");
    row(Mounts::default().add("http://a.test/", mount), Kind::InvalidHeader, "no token");
    let only = Auth::basic("u", "hunter2").only("a.test");
    row(prepared(get().auth(only)).map(drop), Kind::InvalidUrl, "a.test");
    row(fault("md5//abc".parse::<Pin>()).map(drop), Kind::InvalidTls, "md5//abc");

    let mut seed = Seed::from_bytes([7; 32]);
    let mut form =
        |part: Part| prepared(get().multipart(Form::new().part("file", part), &mut seed)).map(drop);
    row(form(Part::text("a").header("Content-Type", "x/y")), Kind::InvalidHeader, "Content-Type");
    row(form(Part::text("a").header("X Y", "1")), Kind::InvalidHeader, "X Y");
    row(form(Part::text("a").file_name("a\0b")), Kind::InvalidHeader, r"a\x00b");
    let boundary = get().header("Content-Type", "multipart/form-data; boundary=\"a b \"");
    let boundary = boundary.multipart(Form::new().text("a", "b"), &mut seed);
    row(prepared(boundary).map(drop), Kind::InvalidHeader, "a b ");
    rows
}

#[test]
fn fn6_an_error_of_the_caller_names_the_refused_value() {
    let mut failed = Vec::new();
    for (done, kind, text) in table() {
        let Err(error) = done else {
            failed.push(format!("no error: {text}"));
            continue;
        };
        let shown = error.to_string();
        let is_secret_shown = format!("{shown} {error:?}").contains("hunter2");
        let is_one_line = shown.len() < 600 && !shown.contains('\n');
        if error.kind() != kind || !shown.contains(text) || is_secret_shown || !is_one_line {
            failed.push(format!("{kind:?} with {text:?}, and not: {shown}"));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn fn4_a_clone_of_a_request_has_its_values_and_its_error() {
    let first = Request::post("http://example.org/items").header("x-client", "1").body("text");
    let second = first.clone().param("page", 2);
    assert_eq!(prepared(first).unwrap().target(), "/items");
    let second = prepared(second).unwrap();
    assert_eq!((second.target(), second.body().as_bytes()), ("/items?page=2", Some(&b"text"[..])));
    assert_eq!(second.headers().get("x-client"), Some("1"));

    let broken = get().header("no token", "1");
    for request in [broken.clone(), broken.clone(), broken] {
        let error = prepared(request).unwrap_err();
        assert!(error.kind() == Kind::InvalidHeader && error.to_string().contains("no token"));
        // A clone of an error has its cause.
        let error = error.with_source("the cause");
        assert_eq!(std::error::Error::source(&error.clone()).unwrap().to_string(), "the cause");
    }
}
