//! Redirects: their targets, and the parts of a request that they keep.

use std::time::Duration;

use sessio::{Kind, Timeout};
use sessio_driver::Runtime;
use sessio_testkit::{Connection, Server};
use sessio_tests::fetch::fetch;
use sessio_tests::redirect_chain::{redirect, refusing_server};
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    r01_r02_a_response_that_is_no_redirect_is_final
    r04_b08_a_location_that_is_not_utf8_keeps_its_bytes
    r05_two_locations_that_differ_are_an_error
    r06_r07_r08_locations_are_resolved_and_inherit_the_fragment
    r12_r13_b06_v38_the_method_and_the_body_after_each_status
    r20_r21_b07_f32_bodies_are_sent_again_or_the_redirect_is_an_error
    r22_f42_the_limit_counts_redirects_and_its_error_has_the_response
    r22_b22_loops_are_seen_unless_a_cookie_breaks_them
    fb3_a_redirect_to_where_the_call_has_been_is_followed_up_to_the_limit
    r23_q19_v117_the_body_of_a_redirect_is_skipped_within_limits
    r25_a_redirect_that_is_not_followed_returns_the_next_request
    r27_parameters_and_session_headers_are_not_added_again
    m25_head_does_not_follow_by_itself
    fc4_an_error_on_a_later_hop_has_the_hops_before
}

mod together {
    use super::{r10_v32_v36_v37_invalid_locations_are_errors_with_the_response, scenarios};

    scenarios! { together: r10_v32_v36_v37_invalid_locations_are_errors_with_the_response }
}

async fn r01_r02_a_response_that_is_no_redirect_is_final<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    for (status, location) in
        [(300, "/get"), (304, "/get"), (305, "/get"), (306, "/get"), (201, "/get"), (302, "")]
    {
        let answer = format!("HTTP/1.1 {status} X\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        server.script_path("/x", Connection::new().expect_request().send(answer).routes());
        let mut response = session.get(server.url("/x")).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.history().len()), (status, 0));
        assert!(response.next().is_none());
    }
    server.script_path(
        "/x",
        Connection::new().expect_request().send("HTTP/1.1 302 X\r\nContent-Length: 0\r\n\r\n"),
    );
    assert_eq!(fetch(session.get(server.url("/x"))).await.status, 302);
    assert_eq!(server.accepted(), 1);
}

async fn r04_b08_a_location_that_is_not_utf8_keeps_its_bytes<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let response =
        session.get(redirect(&server, b"/anything/caf\xe9 x?q=\xff#\xe9", 302)).send().await.unwrap();
    assert_eq!(response.url().as_str(), server.url("/anything/caf%E9%20x?q=%FF#%E9"));
    assert_eq!(server.requests()[1].target(), "/anything/caf%E9%20x?q=%FF");
}

async fn r05_two_locations_that_differ_are_an_error<R: Runtime>(world: &World<R>) {
    for (other, fails) in [("/get", false), ("/post", true)] {
        let answer =
            format!("HTTP/1.1 302 X\r\nLocation: /get\r\nLocation: {other}\r\nContent-Length: 0\r\n\r\n");
        let session = world.session();
        let server = Server::scripted(Connection::new().expect_request().send(answer).routes());
        match session.get(server.url("/x")).send().await {
            Ok(response) => assert!(!fails && response.url().path() == "/get"),
            Err(error) => {
                assert!(fails && error.kind() == Kind::ConflictingLocation, "{error}");
                assert_eq!(error.response().unwrap().head.status, 302);
            }
        }
    }
}

async fn r06_r07_r08_locations_are_resolved_and_inherit_the_fragment<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let host = server.addr().to_string();
    for (location, leads_to) in [
        ("/anything/a", "/anything/a#asked"),
        ("anything/../anything/./b", "/anything/b#asked"),
        ("?url=/get&x=1", "/get#asked"),
        ("/anything/a#own", "/anything/a#own"),
        ("  /anything/blank", "/anything/blank#asked"),
        (&format!("//{host}/anything/c?d"), "/anything/c?d#asked"),
        (&format!("HTTP://{host}"), "/#asked"),
        ("http:anything/d", "/anything/d#asked"),
        ("/anything//e", "/anything//e#asked"),
    ] {
        let url = redirect(&server, location, 302) + "#asked";
        let response = session.get(url).send().await.unwrap();
        assert_eq!(response.url().as_str(), server.url(leads_to), "{location}");
        response.bytes().await.unwrap();
    }
    // A URL that differs only in its fragment is the same URL, so this is a loop.
    let own = "HTTP/1.1 302 X\r\nLocation: #own\r\nContent-Length: 0\r\n\r\n";
    server.script_path("/x", Connection::new().expect_request().send(own));
    let error = session.get(server.url("/x#asked")).detect_loops(true).send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::RedirectLoop);
    // Of several fragments in a chain, the last one applies.
    let inner = redirect(&server, "/redirect-to?url=/get", 302) + "#inner";
    let response = session.get(redirect(&server, inner, 302) + "#outer").send().await.unwrap();
    assert_eq!(response.url().as_str(), server.url("/get#inner"));
}

async fn r10_v32_v36_v37_invalid_locations_are_errors_with_the_response<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let port = server.addr().port();
    for (location, kind) in [
        ("file:///etc/passwd", Kind::UnsupportedRedirectScheme),
        ("mailto:a@b", Kind::UnsupportedRedirectScheme),
        ("imap://127.0.0.1/", Kind::UnsupportedRedirectScheme),
        (&format!("http://127.0.0.1:{port}\\@a.test/"), Kind::BadLocation),
        ("http://[", Kind::BadLocation),
        ("http://1.1.1.1\\@b/", Kind::BadLocation),
        ("///b.test/x", Kind::BadLocation),
        ("http:///nohost", Kind::BadLocation),
        ("http://:1", Kind::BadLocation),
        ("http://a b/", Kind::BadLocation),
        ("http://h:99999/", Kind::BadLocation),
    ] {
        let before = server.requests().len();
        let url = redirect(&server, location, 302);
        let error = session.get(&url).send().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{location}: {error}");
        assert!(error.is_redirect());
        let response = error.response().unwrap();
        assert_eq!((response.head.status.as_u16(), response.url.as_str()), (302, &*url));
        assert_eq!(error.progress().unwrap().stage, sessio::Stage::Decide);
        assert_eq!(server.requests().len(), before + 1, "nothing more is sent");
        // Row B22: a caller that does not follow gets the response. The error appears only when it
        // asks for the target.
        let mut response = session.get(&url).redirects(None).send().await.unwrap();
        assert_eq!(response.status(), 302);
        assert_eq!(response.next().unwrap().unwrap_err().kind(), kind);
    }
    assert_eq!(server.accepted(), 1, "the connection is none the worse for it");
}

async fn r12_r13_b06_v38_the_method_and_the_body_after_each_status<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let expected = |status: u16, method: &str| match (status, method) {
        (303, "HEAD") => ("HEAD".to_owned(), false),
        (303, _) | (301 | 302, "POST") => ("GET".to_owned(), false),
        (_, method) => (method.to_owned(), !matches!(method, "GET" | "HEAD")),
    };
    for status in [301, 302, 303, 307, 308] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
            let before = server.requests().len();
            let mut request = session
                .request(method, redirect(&server, "/anything", status))
                .redirects(5)
                .header("Content-Language", "en")
                .header("X-Kept", "1");
            if !matches!(method, "GET" | "HEAD") {
                request = request.form([("a", "1")]);
            }
            let response = request.send().await.unwrap();
            response.bytes().await.unwrap();
            let (method_after, has_body) = expected(status, method);
            let sent = &server.requests()[before + 1];
            assert_eq!(sent.method(), method_after, "{status} {method}");
            assert_eq!(sent.body, if has_body { &b"a=1"[..] } else { b"" }, "{status} {method}");
            let kept = has_body || (status != 303 && matches!(method, "GET" | "HEAD"));
            for (name, is_sent) in [
                ("content-type", has_body),
                ("content-length", has_body),
                ("content-language", kept),
                ("transfer-encoding", false),
                ("x-kept", true),
            ] {
                assert_eq!(sent.header(name).is_some(), is_sent, "{status} {method} {name}");
            }
        }
    }
    assert_eq!(server.accepted(), 1);
}

async fn r20_r21_b07_f32_bodies_are_sent_again_or_the_redirect_is_an_error<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let pieces = || Pieces::of(["one,", "two,", "three"]);
    let url = server.url("/x");
    for status in [307, 308] {
        for length in [Some(13), None] {
            let before = server.requests().len();
            for _ in 0..2 {
                // It has no body, so it is complete with its head.
                let head = format!("HTTP/1.1 {status} X\r\nLocation: /anything\r\nContent-Length: 0\r\n\r\n");
                server.script_path("/x", Connection::new().expect_request().send(head).routes());
            }
            session.post(&url).source(pieces(), length, true).send().await.unwrap().bytes().await.unwrap();
            let sent = &server.requests()[before..];
            assert_eq!((sent[0].text(), sent[1].text()), ("one,two,three".into(), "one,two,three".into()));
            assert_eq!(sent[1].header("transfer-encoding").is_some(), length.is_none());

            let error = session.post(&url).source(pieces(), length, false).send().await.unwrap_err();
            assert_eq!(error.kind(), Kind::NotReplayable);
            assert_eq!(error.response().unwrap().head.status.as_u16(), status);
            assert_eq!(server.requests().len(), before + 3, "no request with an empty body follows");
        }
    }
    // A redirect that drops the body does not need to replay it.
    let response = session.post(redirect(&server, "/get", 303)).source(pieces(), None, false).send().await;
    assert_eq!(response.unwrap().status(), 200);
}

async fn r22_f42_the_limit_counts_redirects_and_its_error_has_the_response<R: Runtime>(world: &World<R>) {
    let server = Server::start();
    for (most, asked, succeeds) in [(3, 3, true), (3, 4, false), (0, 1, false), (0, 0, true), (30, 31, false)]
    {
        // A new session each time, because the redirect over the limit may have a body in flight.
        let session = world.session();
        let before = server.requests().len();
        let url = if asked == 0 { server.url("/get") } else { server.url(&format!("/redirect/{asked}")) };
        let result = session.get(url).redirects(most).send().await;
        assert_eq!(server.requests().len() - before, most.min(asked) as usize + 1, "{most} {asked}");
        let Err(error) = result else {
            assert!(succeeds);
            continue;
        };
        assert!(!succeeds && error.kind() == Kind::TooManyRedirects && error.is_redirect());
        assert_eq!(error.history().len(), most as usize);
        assert_eq!(error.response().unwrap().head.status, 302);
        assert_eq!(error.progress().unwrap().hop, most);
    }
    // Row V11: headers of the session too.
    let session = world.session();
    session.update(|settings| settings.max_redirects = 0);
    assert_eq!(
        session.get(server.url("/redirect/1")).send().await.unwrap_err().kind(),
        Kind::TooManyRedirects
    );
}

async fn r22_b22_loops_are_seen_unless_a_cookie_breaks_them<R: Runtime>(world: &World<R>) {
    let (a, b, session) = (Server::start(), Server::start(), world.session());
    session.update(|settings| settings.detect_loops = true);
    let hop = |to: &str, cookie: &str| {
        let head = format!("HTTP/1.1 302 X\r\nLocation: {to}\r\n{cookie}Content-Length: 0\r\n\r\n");
        Connection::new().expect_request().send(head)
    };
    for _ in 0..2 {
        a.script_path("/loop", hop(&b.url("/loop"), ""));
        b.script_path("/loop", hop(&a.url("/loop"), ""));
    }
    let error = session.get(a.url("/loop")).send().await.unwrap_err();
    assert_eq!((error.kind(), error.history().len()), (Kind::RedirectLoop, 1));
    assert_eq!((a.requests().len(), b.requests().len()), (1, 1));
    a.script_path("/self", hop("/self", "Set-Cookie: seen=1\r\n"));
    a.script_path("/self", Connection::new().expect_request().ok("in"));
    let response = session.get(a.url("/self")).send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "in");
}

/// A page that redirects to itself by 302 until it is ready, and two servers that redirect to each
/// other.
async fn fb3_a_redirect_to_where_the_call_has_been_is_followed_up_to_the_limit<R: Runtime>(world: &World<R>) {
    let (a, b, session) = (Server::start(), Server::start(), world.session());
    let hop = |to: &str| {
        let head = format!("HTTP/1.1 302 X\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
        Connection::new().expect_request().send(head)
    };
    for _ in 0..3 {
        a.script_path("/wait", hop("/wait"));
        a.script_path("/there", hop(&b.url("/back")));
        b.script_path("/back", hop(&a.url("/there")));
    }
    a.script_path("/wait", Connection::new().expect_request().ok("ready"));
    a.script_path("/there", Connection::new().expect_request().ok("home"));
    for (path, word, hops) in [("/wait", "ready", 3), ("/there", "home", 6)] {
        let response = session.get(a.url(path)).send().await.unwrap();
        assert_eq!(response.history().len(), hops);
        assert_eq!(response.text().await.unwrap(), word);
    }
    // A loop still ends.
    let before = a.requests().len();
    for _ in 0..40 {
        a.script_path("/ever", hop("/ever"));
    }
    let error = session.get(a.url("/ever")).send().await.unwrap_err();
    assert_eq!((error.kind(), error.history().len()), (Kind::TooManyRedirects, 30));
    assert_eq!(a.requests().len(), before + 31);
}

async fn fc4_an_error_on_a_later_hop_has_the_hops_before<R: Runtime>(world: &World<R>) {
    let (server, gone) = (Server::start(), refusing_server());
    let to = |location: &str| redirect(&server, location, 302);
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    let bad = "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n";
    // On a reused connection the request would be retried.
    let closed = Server::scripted(Connection::new().expect_request().close());
    server.script_path("/bad", Connection::new().expect_request().send(bad).close());
    server.script_path("/coded", Connection::new().expect_request().send(CODED));
    server.script_path("/silent", Connection::new().expect_request().stall());
    for (url, kind) in [
        (to(&to(&gone.url("/"))), Kind::Connect),
        (to(&to(&closed.url("/"))), Kind::ClosedBeforeResponse),
        (to(&to(&server.url("/bad"))), Kind::BadLength),
        (to(&to("http://[")), Kind::BadLocation),
        (to(&to("ftp://a/")), Kind::UnsupportedRedirectScheme),
        (to(&to(&server.url("/silent"))), Kind::Timeout(Timeout::Head)),
    ] {
        let session = world.session();
        session.update(|settings| {
            // The other limits have enough time on a busy machine.
            settings.timeouts.head = (kind == Kind::Timeout(Timeout::Head)).then_some(Duration::from_secs(2));
        });
        let error = session.get(&url).send().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let is_response = error.response().is_some();
        let hops: Vec<_> = error.history().iter().map(|hop| hop.head.status.as_u16()).collect();
        assert_eq!(hops, if is_response { &[302][..] } else { &[302, 302] }, "{error}");
    }
    server.release();
    // Errors of the body.
    for (path, said) in [("/cut", cut), ("/coded", CODED)] {
        server.script_path(path, Connection::new().expect_request().send(said).close());
        let response = world.session().get(to(&server.url(path))).send().await.unwrap();
        assert_eq!(response.history().len(), 1);
        let error = response.bytes().await.unwrap_err();
        assert_eq!(
            (error.is_body() || error.kind() == Kind::BadCoding, error.history().len()),
            (true, 1),
            "{error}"
        );
    }
    // Errors of a status.
    let response = world.session().get(to(&server.url("/status/404"))).send().await.unwrap();
    let error = sessio::Error::from(response.error_for_status().unwrap_err());
    assert_eq!(error.history().len(), 1);
}

const CODED: &str = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone";

async fn r23_q19_v117_the_body_of_a_redirect_is_skipped_within_limits<R: Runtime>(world: &World<R>) {
    let head = |framing: &str| format!("HTTP/1.1 302 X\r\nLocation: /get\r\n{framing}\r\n\r\n");
    let small = head("Content-Length: 5") + "hello";
    let chunked = head("Transfer-Encoding: chunked") + "5\r\nhello\r\n0\r\n\r\n";
    let large = head("Content-Length: 100000");
    let endless = head("Transfer-Encoding: chunked");
    let broken = head("Transfer-Encoding: chunked") + "zz\r\n";
    let until_close = head("X: y") + "hello";
    let step = || Connection::new().expect_request();
    for (name, script, accepted) in [
        ("small", step().send(&small).routes(), 1),
        ("small, cut", step().send(&small).cut_every(1).routes(), 1),
        ("chunked, cut", step().send(&chunked).cut_every(1).routes(), 1),
        ("large", step().send(&large), 2),
        (
            "endless",
            step().send(&endless).send("1000\r\n".to_owned() + &"x".repeat(4096) + "\r\n").forever(),
            2,
        ),
        ("broken", step().send(&broken), 2),
        ("until close", step().send(&until_close).close(), 2),
        ("cut short", step().send(&small[..small.len() - 2]).close(), 2),
        ("reset", step().send(&small[..small.len() - 2]).reset(), 2),
        ("stalled", step().send(&small[..small.len() - 2]).stall(), 2),
    ] {
        let session = world.session();
        let server = Server::scripted([script, Connection::new().routes()]);
        let brief = session.derive(|s| s.limits.drain_time = std::time::Duration::from_millis(50));
        let session = if name == "stalled" { &brief } else { &session };
        let response = session.get(server.url("/x")).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.url().path()), (200, "/get"), "{name}");
        assert_eq!(server.accepted(), accepted, "{name}");
    }
}

async fn r25_a_redirect_that_is_not_followed_returns_the_next_request<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let mut response = session
        .post(redirect(&server, "/redirect/1?cookies=1", 302))
        .form([("a", "1")])
        .redirects(None)
        .send()
        .await
        .unwrap();
    assert_eq!((response.status().as_u16(), response.history().len()), (302, 0));
    let next = response.next().unwrap().unwrap();
    assert!(response.next().is_none(), "it is taken once");
    assert_eq!(
        (next.request.method().as_str(), next.request.url().as_str()),
        ("GET", &*server.url("/redirect/1?cookies=1"))
    );
    assert_eq!(response.bytes().await.unwrap().len(), 69, "its body is the caller's to read");
    // A redirect that was not allowed is not allowed step by step either.
    let mut response = session.execute(next).await.unwrap();
    assert_eq!(response.status(), 302);
    let mut last = response.next().unwrap().unwrap();
    assert_eq!(last.request.headers().get("cookie"), Some("hop1=set"), "what the answer set is in it");
    response.bytes().await.unwrap();
    last.request.headers_mut().insert("x-edited", "1").unwrap();
    let mut response = session.execute(last).await.unwrap();
    assert_eq!((response.status().as_u16(), response.url().path()), (200, "/get"));
    assert!(response.next().is_none());
    assert_eq!(server.requests()[2].header("x-edited").as_deref(), Some("1"));
}

async fn r27_parameters_and_session_headers_are_not_added_again<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session
        .update(|settings| {
            settings.params.append("lang", "en");
            settings.headers.insert("x-test", "session")
        })
        .unwrap();
    session
        .get(redirect(&server, "/anything", 302))
        .remove_header("x-test")
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let requests = server.requests();
    assert!(requests[0].target().ends_with("&lang=en"));
    assert_eq!(requests[1].target(), "/anything");
    assert_eq!(requests[1].header("x-test"), None);
}

async fn m25_head_does_not_follow_by_itself<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    let url = server.url("/redirect/1");
    assert_eq!(fetch(session.head(&url)).await.status, 302);
    let followed = session.head(&url).redirects(1).send().await.unwrap();
    assert_eq!((followed.status().as_u16(), followed.request().method().as_str()), (200, "HEAD"));
    assert_eq!(fetch(session.request("HEAD", &url)).await.status, 200);
    assert_eq!(fetch(session.options(&url)).await.status, 200);
    assert_eq!(server.accepted(), 1);
}
