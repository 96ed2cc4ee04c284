//! Digest authentication (RFC 7616): challenges, responses, and the state between requests.

use md5::{Digest as _, Md5};
use sessio::{Auth, Kind};
use sessio_driver::{Digest, Runtime, Session};
use sessio_testkit::{Connection, Server};
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::scenarios;
use sessio_tests::source::Pieces;
use sessio_tests::world::World;

scenarios! {
    a06_a11_a_challenge_is_answered_once_and_then_in_advance
    a07_a_wrong_password_is_refused_once
    a08_each_hop_has_a_proof_of_its_own
    a09_b29_a_supported_challenge_is_found_among_several
    a10_b29_a_request_with_an_unsupported_challenge_is_not_sent_again
    a14_a_stale_nonce_and_a_next_nonce_are_replaced
    a15_b30_v21_a_challenge_applies_to_its_origin_alone
    b07_a_body_is_sent_again_after_a_challenge
}

const USER: &str = "Mufasa";
const PASSWORD: &str = "Circle of \"Life\"";

fn auth(password: &str) -> Auth {
    Auth::flow(Digest::new(USER, password))
}

/// A session whose requests all have this user.
fn session<R: Runtime>(world: &World<R>) -> Session<FaultyRuntime<R>> {
    world.session().derive(|settings| settings.auth = auth(PASSWORD))
}

fn challenge(more: &str) -> String {
    format!("HTTP/1.1 401 X\r\nWWW-Authenticate: {more}\r\nContent-Length: 4\r\n\r\nwho?")
}

/// The usual challenge, with this nonce.
fn digest(nonce: &str) -> String {
    challenge(&format!("Digest realm=\"the lions\", qop=\"auth-int, auth\", opaque=\"o\", nonce=\"{nonce}\""))
}

/// A parameter of an Authorization line, by a minimal parser for this file.
fn param<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let rest = line
        .strip_prefix("Digest ")
        .unwrap()
        .split(", ")
        .find_map(|one| one.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')))?;
    Some(rest.trim_matches('"'))
}

fn md5(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks that the line proves the password for this request, with the `count`th use of this nonce.
fn check(line: &str, method: &str, target: &str, nonce: &str, count: u32) {
    let get = |name| param(line, name).unwrap_or_else(|| panic!("{name} in {line}"));
    assert_eq!((get("username"), get("realm"), get("nonce")), (USER, "the lions", nonce));
    assert_eq!((get("uri"), get("qop"), get("opaque")), (target, "auth", "o"));
    assert_eq!(get("nc"), format!("{count:08x}"));
    let secret = md5(&format!("{USER}:the lions:{PASSWORD}"));
    let request = md5(&format!("{method}:{target}"));
    let proof = md5(&format!("{secret}:{nonce}:{}:{}:auth:{request}", get("nc"), get("cnonce")));
    assert_eq!(get("response"), proof);
    assert_eq!(param(line, "algorithm"), None, "the server names none");
}

/// The Authorization lines of the requests to a server.
fn lines(server: &Server) -> Vec<Option<String>> {
    server.requests().iter().map(|request| request.header("authorization")).collect()
}

async fn a06_a11_a_challenge_is_answered_once_and_then_in_advance<R: Runtime>(world: &World<R>) {
    let script = Connection::new().expect_request().send(digest("n1"));
    let server = Server::scripted(script.expect_request().ok("in").expect_request().ok("again"));
    let session = session(world);
    let response = session.get(server.url("/dir/?a=b&c=d e#f")).send().await.unwrap();
    assert_eq!(response.history().len(), 1);
    assert_eq!(response.text().await.unwrap(), "in");
    // A derived session has the same user and shares the state.
    let variant = session.try_derive(|s| Ok(s.headers.insert("x-test", "1")?)).unwrap();
    let response = variant.post(server.url("/two")).body("x").send().await.unwrap();
    assert!(response.history().is_empty());
    assert_eq!(response.text().await.unwrap(), "again");
    let lines = lines(&server);
    assert_eq!(lines[0], None);
    check(lines[1].as_ref().unwrap(), "GET", "/dir/?a=b&c=d%20e", "n1", 1);
    check(lines[2].as_ref().unwrap(), "POST", "/two", "n1", 2);
    let once = [1, 2].map(|at: usize| param(lines[at].as_ref().unwrap(), "cnonce").unwrap());
    assert_ne!(once[0], once[1]);
}

async fn a07_a_wrong_password_is_refused_once<R: Runtime>(world: &World<R>) {
    let script = Connection::new().expect_request().send(digest("n1")).expect_request().send(digest("n2"));
    let server = Server::scripted(script.expect_request().ok("open"));
    let session = world.session();
    let wrong = auth("wrong");
    let response = session.get(server.url("/")).auth(wrong.clone()).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.history().len()), (401, 1));
    assert_eq!(response.text().await.unwrap(), "who?");
    // Refused credentials are not sent in advance.
    session.get(server.url("/")).auth(wrong).send().await.unwrap().text().await.unwrap();
    assert_eq!(lines(&server).iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false]);
}

async fn a08_each_hop_has_a_proof_of_its_own<R: Runtime>(world: &World<R>) {
    let server = Server::scripted(
        Connection::new()
            .expect_request()
            .send(digest("n1"))
            .expect_request()
            .send("HTTP/1.1 307 X\r\nLocation: /there?x\r\nContent-Length: 0\r\n\r\n")
            .expect_request()
            .ok("in"),
    );
    let response = session(world).put(server.url("/here")).body("b").send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "in");
    let lines = lines(&server);
    check(lines[1].as_ref().unwrap(), "PUT", "/here", "n1", 1);
    check(lines[2].as_ref().unwrap(), "PUT", "/there?x", "n1", 2);
}

async fn a09_b29_a_supported_challenge_is_found_among_several<R: Runtime>(world: &World<R>) {
    let several = "Negotiate, Digest realm=\"new\", algorithm=SHA3-256, nonce=\"x\", qop=\"auth\", Basic realm=\"b\", \
                   dIGEST REALM=\"the lions\" , nonce = \"n1\", QOP=auth , opaque=o, Bearer";
    let server = Server::scripted(
        Connection::new().expect_request().send(challenge(several)).expect_request().ok("in"),
    );
    let session = session(world);
    assert_eq!(session.get(server.url("/")).send().await.unwrap().text().await.unwrap(), "in");
    check(lines(&server)[1].as_ref().unwrap(), "GET", "/", "n1", 1);
}

async fn a10_b29_a_request_with_an_unsupported_challenge_is_not_sent_again<R: Runtime>(world: &World<R>) {
    let session = session(world);
    for unknown in [
        "Basic realm=\"x\"",
        "Digest realm=\"x\", nonce=\"n\", algorithm=SHA3-256",
        "Digest realm=\"x\", qop=auth",
        "Digest realm=\"x\", nonce=\"n\", qop=\"whatever\"",
        "",
    ] {
        let server = Server::scripted(Connection::new().expect_request().send(challenge(unknown)));
        let response = session.get(server.url("/")).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.text().await.unwrap().as_str()), (401, "who?"));
        assert_eq!(server.requests().len(), 1, "{unknown}");
    }
}

async fn a14_a_stale_nonce_and_a_next_nonce_are_replaced<R: Runtime>(world: &World<R>) {
    let stale = digest("n2").replace("Digest ", "Digest stale=TRUE, ");
    let server = Server::scripted(
        Connection::new()
            .expect_request()
            .send(digest("n1"))
            .expect_request()
            .send(stale)
            .expect_request()
            .send("HTTP/1.1 200 X\r\nAuthentication-Info: qop=auth, nextnonce=\"n3\"\r\nContent-Length: 2\r\n\r\nin")
            .expect_request()
            .send(digest("n4"))
            .expect_request()
            .ok("in"),
    );
    let session = session(world);
    for hops in [2, 1] {
        let response = session.get(server.url("/")).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.history().len()), (200, hops));
        assert_eq!(response.text().await.unwrap(), "in");
    }
    let lines = lines(&server);
    for (at, nonce) in [(1, "n1"), (2, "n2"), (3, "n3"), (4, "n4")] {
        check(lines[at].as_ref().unwrap(), "GET", "/", nonce, 1);
    }
}

async fn a15_b30_v21_a_challenge_applies_to_its_origin_alone<R: Runtime>(world: &World<R>) {
    let other = Server::scripted(Connection::new().expect_request().ok("other").expect_request().ok("other"));
    let server = Server::scripted(
        Connection::new()
            .expect_request()
            .send(digest("n1"))
            .expect_request()
            .ok("in")
            .expect_request()
            .send(format!("HTTP/1.1 302 X\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", other.url("/"))),
    );
    let session = session(world);
    for (url, text) in [(server.url("/"), "in"), (other.url("/"), "other"), (server.url("/"), "other")] {
        assert_eq!(session.get(url).send().await.unwrap().text().await.unwrap(), text);
    }
    assert_eq!(lines(&other), [None, None]);
    check(lines(&server)[2].as_ref().unwrap(), "GET", "/", "n1", 2);
}

async fn b07_a_body_is_sent_again_after_a_challenge<R: Runtime>(world: &World<R>) {
    let script = || Connection::new().expect_request().send(digest("n1"));
    let server = Server::scripted(script().expect_request().ok("in"));
    let session = session(world);
    let response = session.post(server.url("/")).body("payload").send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "in");
    assert_eq!(server.requests().iter().map(|r| r.text()).collect::<Vec<_>>(), ["payload", "payload"]);

    // With `auth-int` only, the proof covers the body. It is possible for bytes, but not for a
    // stream.
    let int = |text: String| text.replace("auth-int, auth", "auth-int");
    for (can_be_read, hops) in [(true, 1), (false, 0)] {
        let server = Server::scripted(
            Connection::new().expect_request().send(int(digest("n1"))).expect_request().ok("in"),
        );
        let request = session.post(server.url("/"));
        let request = match can_be_read {
            true => request.body("payload"),
            false => request.source(Pieces::of([&b"payload"[..]]), None, true),
        };
        let response = request.send().await.unwrap();
        assert_eq!(response.history().len(), hops);
        if let [_, Some(line)] = &lines(&server)[..] {
            let get = |name| param(line, name).unwrap();
            let secret = md5(&format!("{USER}:the lions:{PASSWORD}"));
            let request = md5(&format!("POST:/:{}", md5("payload")));
            assert_eq!(
                get("response"),
                md5(&format!("{secret}:n1:00000001:{}:auth-int:{request}", get("cnonce")))
            );
        }
    }

    let server = Server::scripted(script());
    let once = session.post(server.url("/")).source(Pieces::of([&b"payload"[..]]), None, false);
    let error = once.send().await.unwrap_err();
    assert_eq!((error.kind(), error.response().unwrap().head.status.as_u16()), (Kind::NotReplayable, 401));
}
