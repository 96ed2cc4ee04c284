//! Digest against proxies: forwarded requests and tunnels.

use md5::{Digest as _, Md5};
use sessio::{Kind, Proxies, Proxy};
use sessio_driver::{Runtime, Session};
use sessio_testkit::{Connection, Server};
use sessio_tests::clear;
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    uncarried:
    a_forwarded_request_is_proved_after_a_challenge_and_then_in_advance
    a_tunnel_is_proved_on_the_same_connection_if_it_stays_open
    a_tunnel_is_proved_on_another_connection_if_the_proxy_closes
    a_stale_nonce_is_replaced_and_a_proxy_that_never_accepts_is_given_up
    a_wrong_password_ends_in_the_407
    a_password_is_never_sent_where_digest_is_offered_or_wanted
    a_proxy_that_refuses_basic_gets_a_proof
    each_hop_and_each_attempt_has_a_proof_of_its_own
}

const USER: &str = "Mufasa";
const PASSWORD: &str = "Circle of Life";
/// Both as Basic credentials.
const BASIC: &str = "TXVmYXNhOkNpcmNsZSBvZiBMaWZl";

/// A 407 with these challenges.
fn refusal(offers: &[&str], more: &str) -> String {
    let lines: String = offers.iter().map(|offer| format!("Proxy-Authenticate: {offer}\r\n")).collect();
    format!("HTTP/1.1 407 X\r\n{lines}{more}Content-Length: 4\r\n\r\nwho?")
}

fn digest(nonce: &str, more: &str) -> String {
    format!("Digest realm=\"lions\", nonce=\"{nonce}\", qop=\"auth\"{more}")
}

/// A proxy that challenges with this nonce.
fn asks(script: Connection, nonce: &str) -> Connection {
    script.expect_request().send(refusal(&[&digest(nonce, "")], ""))
}

fn use_proxy<R: Runtime>(
    session: &Session<FaultyRuntime<R>>,
    proxy: &Server,
    change: impl FnOnce(Proxy) -> Proxy,
) {
    let proxy = Proxy::parse(&format!("http://{}", proxy.addr())).unwrap();
    session.update(|settings| {
        settings.tls_connector = clear::connector();
        settings.proxies = Proxies::from(change(proxy));
    });
}

fn by_digest(proxy: Proxy) -> Proxy {
    proxy.digest_auth(USER, PASSWORD).unwrap()
}

/// The first lines of the heads that a connection received, each with its credentials.
fn told(proxy: &Server, connection: usize) -> Vec<(String, Option<String>)> {
    let text = proxy.connection(connection).received_text();
    let heads = text.split_terminator("\r\n\r\n").filter(|head| head.contains(" HTTP/1.1\r\n"));
    heads
        .map(|head| {
            let line = head.lines().find_map(|line| line.strip_prefix("Proxy-Authorization: "));
            (head.lines().next().unwrap().replace(" HTTP/1.1", ""), line.map(str::to_owned))
        })
        .collect()
}

fn md5(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks that the line proves the password for this request, with the `count`th use of the nonce.
fn check(told: &(String, Option<String>), nonce: &str, count: u32) {
    let (request, Some(line)) = told else { panic!("no credentials for {}", told.0) };
    let get = |name: &str| {
        let start = line.find(&format!(" {name}=")).unwrap_or_else(|| panic!("{name} in {line}"));
        line[start + name.len() + 2..].split(", ").next().unwrap().trim_matches('"')
    };
    let (method, target) = request.split_once(' ').unwrap();
    assert_eq!((get("username"), get("realm"), get("nonce"), get("uri")), (USER, "lions", nonce, target));
    assert_eq!(get("nc"), format!("{count:08x}"));
    let secret = md5(&format!("{USER}:lions:{PASSWORD}"));
    let proof = format!(
        "{secret}:{nonce}:{}:{}:auth:{}",
        get("nc"),
        get("cnonce"),
        md5(&format!("{method}:{target}"))
    );
    assert_eq!(get("response"), md5(&proof));
}

async fn a_forwarded_request_is_proved_after_a_challenge_and_then_in_advance<R: Runtime>(world: &World<R>) {
    let script = asks(Connection::new(), "n1").expect_request().ok("in").expect_request().ok("again");
    let (proxy, session) = (Server::scripted(script), world.session());
    use_proxy(&session, &proxy, by_digest);
    let response = session.post("http://a.test/x?q=1#part").body("b\r\n\r\n").send().await.unwrap();
    assert_eq!(response.history()[0].head.status, 407);
    assert_eq!(response.text().await.unwrap(), "in");
    // A clone shares what the session has learned.
    let response = session.clone().get("http://b.test:81/y").send().await.unwrap();
    assert!(response.history().is_empty());
    assert_eq!(response.text().await.unwrap(), "again");
    let told = told(&proxy, 0);
    assert_eq!(told[0], ("POST http://a.test/x?q=1".to_owned(), None));
    check(&told[1], "n1", 1);
    assert_eq!(told[2].0, "GET http://b.test:81/y");
    check(&told[2], "n1", 2);
    assert_eq!(proxy.accepted(), 1);
}

async fn a_tunnel_is_proved_on_the_same_connection_if_it_stays_open<R: Runtime>(world: &World<R>) {
    let granted = |script: Connection| script.connect().expect_request().routes();
    let proxy = Server::scripted([granted(asks(Connection::new(), "n1")), granted(Connection::new())]);
    let session = world.session();
    use_proxy(&session, &proxy, by_digest);
    for host in ["a.test", "b.test"] {
        assert_eq!(fetch(session.get(format!("https://{host}/get"))).await.status, 200);
    }
    let first = told(&proxy, 0);
    assert_eq!(first[0], ("CONNECT a.test:443".to_owned(), None));
    check(&first[1], "n1", 1);
    // Nothing for the proxy goes through the tunnel.
    assert!(first[2..].iter().all(|(_, line)| line.is_none()) && first.len() == 4, "{first:?}");
    // The next tunnel is not challenged.
    let second = told(&proxy, 1);
    assert_eq!(second[0].0, "CONNECT b.test:443");
    check(&second[0], "n1", 2);
    assert_eq!(proxy.accepted(), 2);
}

async fn a_tunnel_is_proved_on_another_connection_if_the_proxy_closes<R: Runtime>(world: &World<R>) {
    let closing = |more: &str| {
        let refusal = refusal(&[&digest("n1", "")], more);
        Connection::new().expect_request().send(refusal).close()
    };
    let granted = || Connection::new().connect().expect_request().routes();
    // With and without an announcement.
    for more in ["Connection: close\r\n", ""] {
        let proxy = Server::scripted([closing(more), granted()]);
        let session = world.session();
        use_proxy(&session, &proxy, by_digest);
        assert_eq!(fetch(session.get("https://a.test/get")).await.status, 200);
        assert_eq!(told(&proxy, 0)[0].1, None);
        check(&told(&proxy, 1)[0], "n1", 1);
    }
}

async fn a_stale_nonce_is_replaced_and_a_proxy_that_never_accepts_is_given_up<R: Runtime>(world: &World<R>) {
    let stale = |script: Connection, number: usize| {
        let offer = digest(&format!("n{number}"), ", stale=TRUE");
        script.expect_request().send(refusal(&[&offer], ""))
    };
    let first = asks(Connection::new(), "n1");
    let forwarded = stale(first.expect_request().ok("in"), 2).expect_request().ok("again");
    let tunnel = stale(asks(Connection::new(), "n1"), 2).connect().expect_request().routes();
    let endless = || (0..20).fold(Connection::new(), stale);
    let proxy = Server::scripted([forwarded, tunnel, endless(), endless()]);
    let session = world.session();
    use_proxy(&session, &proxy, by_digest);
    for expected in ["in", "again"] {
        assert_eq!(session.get("http://a.test/").send().await.unwrap().text().await.unwrap(), expected);
    }
    let lines = told(&proxy, 0);
    check(&lines[1], "n1", 1);
    check(&lines[2], "n1", 2);
    check(&lines[3], "n2", 1);
    session.close_idle();
    assert_eq!(fetch(session.get("https://a.test/get")).await.status, 200);
    // The tunnels end in the refusal, and so do the forwarded requests.
    session.close_idle();
    let error = session.get("https://b.test/").send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.refused().unwrap().head.status.as_u16()),
        (Kind::ProxyAuthentication, 407)
    );
    assert!((3..=10).contains(&told(&proxy, 2).len()), "{:?}", told(&proxy, 2));
    let response = session.get("http://b.test/").send().await.unwrap();
    assert_eq!(response.status(), 407);
    drop(response);
    assert!((3..=10).contains(&told(&proxy, 3).len()), "{:?}", told(&proxy, 3));
}

async fn a_wrong_password_ends_in_the_407<R: Runtime>(world: &World<R>) {
    let twice = || asks(asks(Connection::new(), "n1"), "n2");
    let proxy = Server::scripted([twice(), twice()]);
    for (number, url) in ["http://a.test/", "https://a.test/"].into_iter().enumerate() {
        let session = world.session();
        use_proxy(&session, &proxy, |proxy| proxy.digest_auth(USER, "wrong").unwrap());
        match session.get(url).send().await {
            Ok(response) => {
                assert_eq!((response.status().as_u16(), response.history().len()), (407, 1));
                assert_eq!(response.text().await.unwrap(), "who?");
            }
            Err(error) => {
                assert_eq!((number, error.kind()), (1, Kind::ProxyAuthentication), "{error}");
                assert_eq!(&*error.refused().unwrap().body, b"who?");
                assert!(error.is_safe_to_repeat());
            }
        }
        let known: Vec<_> = told(&proxy, number).iter().map(|(_, line)| line.is_some()).collect();
        assert_eq!(known, [false, true], "{url}");
    }
}

async fn a_password_is_never_sent_where_digest_is_offered_or_wanted<R: Runtime>(world: &World<R>) {
    let (strong, weak) = (digest("n1", ""), "Basic realm=\"lions\"");
    let asks = |offers: &[&str]| Connection::new().expect_request().send(refusal(offers, ""));
    let proxy = Server::scripted([
        asks(&[weak, &strong]).expect_request().ok("in"),
        asks(&[weak, &strong]).connect().expect_request().routes(),
        // A proof that is refused is not followed by the password.
        asks(&[weak, &strong]).expect_request().send(refusal(&[weak, &strong], "")),
        // Basic alone is not what these credentials are for.
        asks(&[weak]),
        asks(&[weak]),
    ]);
    let shy = |proxy: Proxy| proxy.basic_auth(USER, PASSWORD).unwrap().wait_for_challenge();
    for url in ["http://a.test/get", "https://a.test/get", "http://b.test/get"] {
        let session = world.session();
        use_proxy(&session, &proxy, shy);
        let status = if url.contains("b.test") { 407 } else { 200 };
        assert_eq!(fetch(session.get(url)).await.status, status, "{url}");
    }
    let session = world.session();
    use_proxy(&session, &proxy, by_digest);
    let error = session.get("https://a.test/").send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::ProxyAuthentication);
    assert_eq!(fetch(session.get("http://a.test/")).await.status, 407);
    for number in 0..5 {
        let lines = told(&proxy, number);
        assert!(!format!("{lines:?}").contains(BASIC), "{lines:?}");
        assert_eq!(lines.get(1).is_some_and(|(_, line)| line.is_some()), number < 3, "{lines:?}");
    }
}

async fn a_proxy_that_refuses_basic_gets_a_proof<R: Runtime>(world: &World<R>) {
    let refuses = || asks(Connection::new(), "n1");
    let proxy = Server::scripted([
        refuses().expect_request().ok("in"),
        refuses().connect().expect_request().routes(),
        // It offers Basic, so the password is wrong.
        Connection::new().expect_request().send(refusal(&["Basic realm=\"x\"", &digest("n1", "")], "")),
    ]);
    let session = world.session();
    use_proxy(&session, &proxy, |proxy| proxy.basic_auth(USER, PASSWORD).unwrap());
    for (number, url) in ["http://a.test/get", "https://a.test/get"].into_iter().enumerate() {
        assert_eq!(fetch(session.get(url)).await.status, 200);
        let lines = told(&proxy, number);
        assert_eq!(lines[0].1.as_deref(), Some(&*format!("Basic {BASIC}")));
        check(&lines[1], "n1", 1);
        session.close_idle();
    }
    assert_eq!(fetch(session.get("http://a.test/")).await.status, 407);
    assert_eq!(proxy.accepted(), 3);
}

async fn each_hop_and_each_attempt_has_a_proof_of_its_own<R: Runtime>(world: &World<R>) {
    let script = asks(Connection::new(), "n1")
        .expect_request()
        .send("HTTP/1.1 307 X\r\nLocation: http://b.test/two\r\nContent-Length: 0\r\n\r\n")
        .expect_request()
        .send("HTTP/1.1 503 X\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n")
        .expect_request()
        .ok("in");
    let (proxy, session) = (Server::scripted(script), world.session());
    use_proxy(&session, &proxy, by_digest);
    session.update(|settings| settings.retry = sessio::retry::RetryPolicy::web().into());
    let response = session.put("http://a.test/one").body("again\r\n\r\n").send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "in");
    let lines = told(&proxy, 0);
    for (number, target) in [(1, "a.test/one"), (2, "b.test/two"), (3, "b.test/two")] {
        assert_eq!(lines[number].0, format!("PUT http://{target}"));
        check(&lines[number], "n1", number as u32);
    }
    assert!(proxy.requests().iter().all(|request| request.body == b"again\r\n\r\n"));
}
