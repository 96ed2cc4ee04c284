//! Tests with the examples of the standards, and of the state after a challenge.

use crate::base::time::Instant;

use super::*;
use crate::{Headers, Jar, Kind, Now, Request, Settings, UnixTime, merge, prepare};

fn prepared(request: Request) -> Prepared {
    let now = Now { mono: Instant::ZERO, wall: UnixTime(0) };
    prepare(merge(&Settings::default(), request), &mut Jar::new(), now).unwrap().request
}

/// The terms of the challenge for a request whose body consists of bytes.
fn terms(line: &str) -> Terms {
    let all = challenge::challenges(line.as_bytes());
    all.iter().find_map(|one| Terms::read(one, true)).unwrap().0
}

fn asked<'a>(target: &'a str, once: &'a str) -> RequestParts<'a> {
    RequestParts { method: "GET", target, body: b"", count: "00000001", once }
}

#[test]
fn a11_the_examples_of_the_standards() {
    let once = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
    let challenge = |algorithm| {
        format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
             opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        )
    };
    for (algorithm, proof) in [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let asked = asked("/dir/index.html", once);
        assert_eq!(terms(&challenge(algorithm)).proof(b"Mufasa", b"Circle of Life", &asked), proof);
    }
    // RFC 2617 section 3.5, and without a protection as RFC 2069 has it.
    let old = r#"Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093""#;
    for (more, proof) in
        [(", qop=auth", "6629fae49393a05397450978507c4ef1"), ("", "670fd8c2df070c60b045671b8b24ff02")]
    {
        let asked = asked("/dir/index.html", "0a4f113b");
        assert_eq!(terms(&(old.to_owned() + more)).proof(b"Mufasa", b"Circle Of Life", &asked), proof);
    }
}

/// The credentials for this challenge.
fn answered(user: &str, challenge: &str) -> Result<Option<String>> {
    let mut request = prepared(Request::get("http://example.org/a%20b?c"));
    let mut headers = Headers::new();
    headers.insert("WWW-Authenticate", challenge)?;
    let head = Head::new(http::StatusCode::UNAUTHORIZED, headers);
    let mut digest = Digest::new(user, "pass", Seed::new(7));
    digest.challenged(&head, &mut request, false)?;
    Ok(request.headers().get("Authorization").map(str::to_owned))
}

#[test]
fn a13_b29_names_are_quoted_written_out_or_hidden() {
    let line = answered(r#"a "b" \c"#, r#"Digest realm="\"r\"", nonce="n", qop=auth"#).unwrap().unwrap();
    assert!(
        line.starts_with(r#"Digest username="a \"b\" \\c", realm="\"r\"", nonce="n", uri="/a%20b?c""#),
        "{line}"
    );
    assert!(line.contains(r#"", qop=auth, nc=00000001, cnonce=""#), "{line}");
    for (more, name) in [
        ("", r#"username="Jürgen""#),
        (", charset=UTF-8", "username*=UTF-8''J%C3%BCrgen"),
        // By `printf 'Jürgen:r' | md5sum`.
        (", charset=UTF-8, userhash=true", r#"username="78d69fc70e62d084c46d2d6dc594fbb7""#),
    ] {
        let challenge = format!(r#"Digest realm="r", nonce="n", algorithm=md5{more}"#);
        let line = answered("Jürgen", &challenge).unwrap().unwrap();
        let value = line.strip_prefix("Digest ").unwrap().split(", ").next().unwrap();
        assert_eq!(value, name);
        assert_eq!(line.ends_with(", userhash=true"), more.ends_with("true"));
        assert!(line.contains(", algorithm=md5") && !line.contains("nc="), "{line}");
    }
    let error = answered("a\nb", r#"Digest realm="r", nonce="n""#).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidHeader);
    assert_eq!(answered("a", r#"Basic realm="r""#).unwrap(), None);
}

#[test]
fn a12_a_nonce_that_comes_once_more_is_counted_on() {
    let mut headers = Headers::new();
    headers.insert("WWW-Authenticate", r#"Digest realm="r", nonce="n", qop="auth""#).unwrap();
    let head = Head::new(http::StatusCode::UNAUTHORIZED, headers);
    let mut digest = Digest::new("user", "pass", Seed::new(7));
    for count in ["nc=00000001", "nc=00000002"] {
        let mut request = prepared(Request::get("http://example.org/"));
        assert_eq!(digest.challenged(&head, &mut request, false).unwrap(), FlowDecision::Again);
        assert!(request.headers().get("Authorization").unwrap().contains(count));
    }
}

#[test]
fn what_is_remembered_is_bounded_and_the_oldest_goes() {
    let mut headers = Headers::new();
    headers.insert("WWW-Authenticate", r#"Digest realm="r", nonce="n""#).unwrap();
    let head = Head::new(http::StatusCode::UNAUTHORIZED, headers);
    let mut digest = Digest::new("user", "pass", Seed::new(7));
    let request = |host: usize| prepared(Request::get(format!("http://h{host}.example/")));
    for host in 0..=MOST_KNOWN {
        digest.challenged(&head, &mut request(host), false).unwrap();
        // The origin is in use all the time.
        digest.sign(&mut request(0)).unwrap();
    }
    assert_eq!(digest.known.len(), MOST_KNOWN);
    for (host, is_known) in [(0, true), (1, false), (2, true)] {
        let mut request = request(host);
        digest.sign(&mut request).unwrap();
        assert_eq!(request.headers().contains("Authorization"), is_known, "{host}");
    }
}
