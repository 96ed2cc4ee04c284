//! Tests of edits that break a request: each is rejected before a byte is sent.

use sessio_cookie::Jar;

use super::*;
use crate::base::time::{Now, UnixTime};
use crate::session::merge::merge;
use crate::session::prepare::prepare;
use crate::session::request::Request;
use crate::session::settings::Settings;

fn prepared(request: Request) -> Prepared {
    let now = Now { mono: crate::base::time::Instant::ZERO, wall: UnixTime(0) };
    prepare(merge(&Settings::default(), request), &mut Jar::new(), now).unwrap().request
}

#[test]
fn p40_b18_each_method_and_body_has_one_length_or_none() {
    for (method, body, length, chunked) in [
        ("GET", Body::empty(), None, false),
        ("HEAD", Body::empty(), None, false),
        ("POST", Body::empty(), Some("0"), false),
        ("DELETE", Body::empty(), Some("0"), false),
        ("X", Body::empty(), Some("0"), false),
        ("GET", "".into(), Some("0"), false),
        ("POST", "abc".into(), Some("3"), false),
        ("POST", Body::source(Some(7), false), Some("7"), false),
        ("POST", Body::source(Some(0), false), Some("0"), false),
        ("POST", Body::source(None, false), None, true),
    ] {
        let mut request = Request::new(method, "http://h/");
        request.body = body;
        let request = prepared(request);
        assert_eq!(request.headers().get("Content-Length"), length, "{method} {:?}", request.body());
        assert_eq!(request.headers().contains("Transfer-Encoding"), chunked, "{method} {:?}", request.body());
        let framed = request.check().unwrap();
        assert_eq!(framed == Framed::Chunked, chunked);
    }
}

#[test]
fn p40_p41_p42_b19_lengths_of_the_callers_own() {
    // A known length replaces a declared one. A caller that asks for chunks gets them, without a
    // length.
    let request = prepared(Request::post("http://h/").header("content-length", "99").body("abc"));
    assert_eq!(request.headers().get_all("Content-Length").collect::<Vec<_>>(), [b"3"]);
    let request = prepared(Request::post("http://h/").header("Transfer-Encoding", "chunked").body("abc"));
    assert_eq!(request.check().unwrap(), Framed::Chunked);
    assert!(!request.headers().contains("Content-Length"));
    let mut request = Request::post("http://h/").header("Content-Length", "5");
    request.body = Body::source(None, false);
    assert_eq!(prepared(request).check().unwrap(), Framed::Length(5));
}

#[test]
fn v44_b19_an_edit_that_breaks_the_framing_is_refused() {
    type Edit = fn(&mut Headers);
    let edits: [(Edit, bool); 12] = [
        (|_| {}, true),
        (|h| h.insert("Content-Length", "4").unwrap(), false),
        (|h| h.insert("Content-Length", "+3").unwrap(), false),
        (|h| h.insert("Content-Length", "").unwrap(), false),
        (|h| h.append("Content-Length", "3").unwrap(), false),
        (|h| h.insert("Transfer-Encoding", "chunked").unwrap(), false),
        (|h| drop(h.remove("Content-Length").to_string()), false),
        (|h| h.append("Host", "h").unwrap(), false),
        (|h| h.insert("Host", "a b").unwrap(), false),
        (|h| h.insert("Host", "u@h").unwrap(), false),
        (|h| drop(h.remove("Host").to_string()), false),
        (|h| h.insert("Host", "other:80").unwrap(), true),
    ];
    for (number, (edit, is_fine)) in edits.into_iter().enumerate() {
        let mut request = prepared(Request::post("http://h/").body("abc"));
        edit(request.headers_mut());
        match request.check() {
            Ok(_) => assert!(is_fine, "edit {number}"),
            Err(error) => assert!(!is_fine && error.kind() == Kind::InvalidHeader, "edit {number}: {error}"),
        }
    }
}

#[test]
fn s14_set_body_replaces_what_the_headers_say_of_its_length() {
    let mut request = prepared(Request::post("http://h/").body("abc"));
    request.set_body(Body::source(None, true));
    assert_eq!(request.check().unwrap(), Framed::Chunked);
    request.set_body("hello");
    assert_eq!(request.check().unwrap(), Framed::Length(5));
    request.set_body(Body::form([("a", "1")]));
    assert_eq!(request.headers().get("Content-Type"), Some("application/x-www-form-urlencoded"));
    request.set_body(Body::empty());
    assert_eq!(request.check().unwrap(), Framed::Length(0));
}

#[cfg(feature = "gzip")]
#[test]
fn s14_a_body_that_takes_the_place_of_a_coded_one_is_not_coded() {
    use crate::message::coding::ContentCoding;
    for body in [Body::from("hello, hello, hello"), Body::source(Some(5), true)] {
        let mut request = prepared(Request::post("http://h/").body(body).compress(ContentCoding::Gzip));
        assert_eq!(request.headers().get("Content-Encoding"), Some("gzip"));
        assert_eq!(request.body().encoding().is_some(), request.body().as_bytes().is_none());
        request.set_body("plain");
        assert_eq!(
            (request.headers().get("Content-Encoding"), request.check().unwrap()),
            (None, Framed::Length(5))
        );
        assert!(request.body().encoding().is_none());
    }
    let mut request = prepared(Request::post("http://h/").header("Content-Encoding", "br").body("x"));
    request.set_body("y");
    assert_eq!(request.headers().get("Content-Encoding"), Some("br"), "the caller's own stays the caller's");
}

#[test]
fn v41_v42_b24_targets_and_methods_by_hand() {
    let mut request = prepared(Request::get("http://u:p@h/a b?c#d"));
    assert_eq!(request.target(), "/a%20b?c");
    for target in ["", "/ HTTP/1.1\r\nX: y", "/a b", "/\u{e9}", "/\x7f"] {
        assert_eq!(request.set_target(target).unwrap_err().kind(), Kind::InvalidUrl, "{target:?}");
    }
    for target in ["*", "/%2e%2E/", "http://other/"] {
        request.set_target(target).unwrap();
        assert!(request.head().starts_with(format!("GET {target} HTTP/1.1\r\n").as_bytes()));
    }
    for method in ["", "A B", "GET\r\n", "\u{e9}"] {
        assert_eq!(request.set_method(method).unwrap_err().kind(), Kind::InvalidMethod, "{method:?}");
    }
    request.set_method("X-Y").unwrap();
    assert!(request.head().starts_with(b"X-Y http://other/ HTTP/1.1\r\n"));
    let head = String::from_utf8(request.head()).unwrap();
    assert!(!head.contains("u:p") && head.ends_with("\r\n\r\n"));
}

#[test]
fn b16_v04_proxy_credentials_cannot_be_put_in_afterwards() {
    let mut request = prepared(Request::get("http://h/").header("Proxy-Authorization", "Basic x"));
    assert!(!request.headers().contains("Proxy-Authorization"));
    request.headers_mut().insert("proxy-authorization", "Basic x").unwrap();
    assert_eq!(request.seal().unwrap_err().kind(), Kind::InvalidHeader);
}
