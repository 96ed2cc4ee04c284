//! User and password by the strongest scheme that a server offers.

use sessio::netrc::Netrc;
use sessio::{Auth, Environment};
use sessio_driver::{AnyAuth, Runtime};
use sessio_testkit::{Connection, Server};
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    a_server_with_basic_alone_gets_basic
    a_server_with_digest_gets_no_password
    a_wrong_password_is_refused_once
    the_user_of_the_url_is_used_when_asked
    the_user_of_the_netrc_file_is_used_when_asked
    a_server_that_forgets_its_nonces_gets_another_proof
}

/// The user of the netrc file, of the URL, or none. Each is sent by the strongest scheme.
async fn the_user_of_the_netrc_file_is_used_when_asked<R: Runtime>(world: &World<R>) {
    let asks = || Connection::new().expect_request().send(challenge(BOTH));
    let server = Server::scripted((0..3).map(|_| asks().expect_request().ok("in")).collect::<Vec<_>>());
    let session = world.session();
    let netrc = Netrc::parse(b"machine 127.0.0.1 login me password hunter2\n");
    session.set_environment(Environment::empty().with_netrc(netrc));
    session.update(|settings| {
        settings.trust_env = true;
        settings.auth = Auth::flow(AnyAuth::of_url());
    });
    let url = |userinfo: &str| server.url("/x").replace("://", &format!("://{userinfo}"));
    for userinfo in ["", "me@", "other:secret@"] {
        assert_eq!(fetch(session.get(url(userinfo))).await.status, 200, "{userinfo}");
        session.close_idle();
    }
    assert_eq!(schemes(&server), ["none", "Digest", "none", "Digest", "none", "Digest"]);
    let users: Vec<_> = server.requests().iter().filter_map(|it| it.header("authorization")).collect();
    for (line, user) in users.iter().zip(["me", "me", "other"]) {
        assert!(line.contains(&format!("username=\"{user}\"")) && !line.contains("hunter2"), "{line}");
    }
}

async fn a_server_that_forgets_its_nonces_gets_another_proof<R: Runtime>(world: &World<R>) {
    let forgetful = challenge(&BOTH.replace("\"n\"", "\"m\""));
    let script = Connection::new().expect_request().send(challenge(BOTH)).expect_request().ok("in");
    let server = Server::scripted(script.expect_request().send(forgetful).expect_request().ok("again"));
    let session = world.session();
    session.update(|settings| settings.auth = Auth::flow(AnyAuth::new("user", "pass")));
    for _ in 0..2 {
        assert_eq!(fetch(session.get(server.url("/x"))).await.status, 200);
    }
    assert_eq!(schemes(&server), ["none", "Digest", "Digest", "Digest"]);
}

/// The schemes of the Authorization lines that a server got.
fn schemes(server: &Server) -> Vec<String> {
    let scheme = |line: Option<String>| {
        line.map_or_else(|| "none".to_owned(), |line| line.split(' ').next().unwrap().to_owned())
    };
    server.requests().iter().map(|request| scheme(request.header("authorization"))).collect()
}

fn challenge(offers: &str) -> String {
    format!("HTTP/1.1 401 X\r\nWWW-Authenticate: {offers}\r\nContent-Length: 0\r\n\r\n")
}

const BOTH: &str = "Basic realm=\"a\", Digest realm=\"a\", qop=\"auth\", nonce=\"n\"";

async fn a_server_with_basic_alone_gets_basic<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session.update(|settings| settings.auth = Auth::flow(AnyAuth::new("user", "pass")));
    for _ in 0..2 {
        assert_eq!(fetch(session.get(server.url("/basic-auth/user/pass"))).await.status, 200);
    }
    assert_eq!(schemes(&server), ["none", "Basic", "Basic"]);
}

async fn a_server_with_digest_gets_no_password<R: Runtime>(world: &World<R>) {
    let script = Connection::new().expect_request().send(challenge(BOTH)).expect_request().ok("in");
    let server = Server::scripted(script.expect_request().ok("again"));
    let session = world.session();
    session.update(|settings| settings.auth = Auth::flow(AnyAuth::new("user", "pass")));
    for _ in 0..2 {
        assert_eq!(fetch(session.get(server.url("/x"))).await.status, 200);
    }
    assert_eq!(schemes(&server), ["none", "Digest", "Digest"]);
}

async fn a_wrong_password_is_refused_once<R: Runtime>(world: &World<R>) {
    let mut script = Connection::new();
    for _ in 0..2 {
        script = script.expect_request().send(challenge(BOTH));
    }
    for _ in 0..2 {
        script = script.expect_request().send(challenge("Basic realm=\"a\""));
    }
    let (server, session) = (Server::scripted(script), world.session());
    for expected in [1, 1] {
        let request = session.get(server.url("/x")).auth(Auth::flow(AnyAuth::new("user", "wrong")));
        let response = request.send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.history().len()), (401, expected));
        response.bytes().await.unwrap();
    }
    // The password itself is not sent where a proof of it was refused.
    assert_eq!(schemes(&server), ["none", "Digest", "none", "Basic"]);
}

async fn the_user_of_the_url_is_used_when_asked<R: Runtime>(world: &World<R>) {
    let (server, session) = (Server::start(), world.session());
    session.update(|settings| settings.auth = Auth::flow(AnyAuth::of_url()));
    let url = server.url("/basic-auth/a%20b/p%40ss").replace("://", "://a%20b:p%40ss@");
    assert_eq!(fetch(session.get(url)).await.status, 200);
    assert_eq!(fetch(session.get(server.url("/basic-auth/x/y"))).await.status, 401);
    assert_eq!(schemes(&server), ["none", "Basic", "none"]);
}
