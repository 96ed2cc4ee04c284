//! Requests through proxies, and the bytes that each proxy receives.

use sessio::proxy::{Proxies, Proxy, Via};
use sessio::tunnel::Reply;
use sessio::{Auth, Environment, Error, Kind, Stage};
use sessio_driver::{Runtime, Session};
use sessio_testkit::{Connection, Server};
use sessio_tests::clear;
use sessio_tests::faulty_runtime::FaultyRuntime;
use sessio_tests::fetch::fetch;
use sessio_tests::redirect_chain::{redirect, refusing_server};
use sessio_tests::scenarios;
use sessio_tests::world::World;

scenarios! {
    d16_a_plain_request_is_forwarded_in_absolute_form_over_one_connection
    d16_a_tunnel_is_opened_for_https_and_used_again
    v90_tls_to_the_proxy_and_through_it
    q05_f20_the_error_of_a_refused_tunnel_has_the_proxys_response
    f18_every_error_names_the_proxy
    credentials_follow_a_407_once
    credentials_after_a_407_that_closes_use_another_connection
    f21_socks_receives_the_next_address_if_one_is_unreachable
    socks_by_name_by_address_and_with_a_login
    f21_each_refusal_of_a_socks_proxy_has_its_kind
    b35_hosts_that_are_reached_without_a_proxy
    v22_v04_each_proxy_receives_its_own_secrets_over_redirects
    b16_a_proxy_authorization_goes_to_the_first_proxy_alone
    b02_e01_the_environment_comes_last_and_only_if_trusted
    a18_a20_b03_b45_v17_a_netrc_login_is_for_its_host
}

fn proxied<R: Runtime>(world: &World<R>, proxy: &Server) -> Session<FaultyRuntime<R>> {
    let session = world.session();
    set(&session, "all", &url(proxy, "http", "user:pass@"));
    session
}

fn set<R: Runtime>(session: &Session<R>, rule: &str, proxy: &str) {
    session.update(|settings| settings.proxies.set(rule, proxy)).unwrap();
}

fn url(proxy: &Server, scheme: &str, userinfo: &str) -> String {
    format!("{scheme}://{userinfo}{}", proxy.addr())
}

/// All bytes that this server has received, as text.
fn told(server: &Server) -> String {
    server.connections().iter().map(|connection| connection.received_text()).collect()
}

/// The heads that this server has received, also through tunnels. No request has a body.
fn heads(server: &Server) -> Vec<String> {
    told(server).split_terminator("\r\n\r\n").map(str::to_owned).collect()
}

fn lines(server: &Server) -> Vec<String> {
    let first = |head: &String| head.lines().next().unwrap_or_default().to_owned();
    heads(server).iter().map(first).filter(|line| line.ends_with(" HTTP/1.1")).collect()
}

async fn failure<R: Runtime>(session: &Session<R>, url: &str) -> Error {
    session.get(url).send().await.map(drop).unwrap_err()
}

/// `user:pass` as Basic credentials.
const BASIC: &str = "Basic dXNlcjpwYXNz";

async fn d16_a_plain_request_is_forwarded_in_absolute_form_over_one_connection<R: Runtime>(world: &World<R>) {
    let proxy = Server::start();
    let session = proxied(world, &proxy);
    // The client does not resolve these names: the proxy receives them.
    fetch(session.get("http://u:p@a.test/anything/x?q=1#part")).await;
    fetch(session.post("http://b.test:8080/anything/y").body("a=1\r\n\r\n")).await;
    assert_eq!(
        lines(&proxy),
        ["GET http://a.test/anything/x?q=1 HTTP/1.1", "POST http://b.test:8080/anything/y HTTP/1.1"]
    );
    let requests = proxy.requests();
    assert_eq!(requests[0].header_all("host"), ["a.test"]);
    assert_eq!(requests[0].header_all("authorization"), ["Basic dTpw"]);
    assert_eq!(requests[1].header_all("host"), ["b.test:8080"]);
    assert_eq!(requests[1].body, b"a=1\r\n\r\n");
    assert!(requests.iter().all(|request| request.header_all("proxy-authorization") == [BASIC]));
    assert_eq!(proxy.accepted(), 1);
    // Requests with other credentials, or without, use other connections (row V88).
    let open = Proxy::parse(&url(&proxy, "http", "")).unwrap();
    fetch(session.get("http://a.test/get").proxy(open)).await;
    assert_eq!(proxy.accepted(), 2);
    assert_eq!(proxy.requests()[2].header("proxy-authorization"), None);
}

async fn d16_a_tunnel_is_opened_for_https_and_used_again<R: Runtime>(world: &World<R>) {
    let tunnel = || Connection::new().connect().expect_request().routes();
    let proxy = Server::scripted([tunnel(), tunnel()]);
    let session = world.session();
    session
        .try_update(|settings| {
            settings.tls_connector = clear::connector();
            let proxy = Proxy::parse(&url(&proxy, "http", "user:pass@"))?.header("X-Team", "a")?;
            settings.proxies = Proxies::from(proxy);
            Ok(())
        })
        .unwrap();
    assert_eq!(fetch(session.get("https://a.test/get")).await.connection, (1, false));
    assert_eq!(fetch(session.get("https://a.test/anything/x")).await.connection, (1, true));
    assert_eq!(fetch(session.get("https://b.test:8443/get")).await.connection, (2, false));
    assert_eq!(
        lines(&proxy),
        [
            "CONNECT a.test:443 HTTP/1.1",
            "TLS a.test HTTP/1.1",
            "GET /get HTTP/1.1",
            "GET /anything/x HTTP/1.1",
            "CONNECT b.test:8443 HTTP/1.1",
            "TLS b.test HTTP/1.1",
            "GET /get HTTP/1.1",
        ]
    );
    for head in heads(&proxy) {
        // Row V04: no header for the proxy goes through the tunnel, and none for the origin outside
        // of it.
        let is_for_proxy = head.starts_with("CONNECT");
        assert_eq!(head.contains(&format!("\r\nProxy-Authorization: {BASIC}")), is_for_proxy, "{head}");
        assert_eq!(head.contains("roxy") || head.contains("X-Team"), is_for_proxy, "{head}");
        assert!(!is_for_proxy || !head.contains("User-Agent"), "{head}");
    }
}

async fn v90_tls_to_the_proxy_and_through_it<R: Runtime>(world: &World<R>) {
    let proxy = Server::scripted([
        Connection::new().expect_request().connect().expect_request().routes(),
        Connection::new().expect_request().routes(),
    ]);
    let session = world.session();
    session
        .update(|settings| {
            settings.tls_connector = clear::connector();
            settings.tls = sessio::Tls::default().pins([sessio::tls::Pin::from_sha256([7; 32])]);
            settings.proxies.set("all", url(&proxy, "https", "user:pass@"))
        })
        .unwrap();
    fetch(session.get("https://a.test/get")).await;
    fetch(session.get("http://a.test/get")).await;
    let heads = heads(&proxy);
    assert_eq!(
        lines(&proxy),
        [
            "TLS 127.0.0.1 HTTP/1.1",
            "CONNECT a.test:443 HTTP/1.1",
            "TLS a.test HTTP/1.1",
            "GET /get HTTP/1.1",
            "TLS 127.0.0.1 HTTP/1.1",
            "GET http://a.test/get HTTP/1.1",
        ]
    );
    // The pinned keys are those of the origin. The proxy has other keys.
    let having = |what: &str| heads.iter().map(|head| head.contains(what)).collect::<Vec<_>>();
    assert_eq!(having("X-Pins"), [false, false, true, false, false, false]);
    assert_eq!(having(BASIC), [false, true, false, false, false, true]);
}

async fn q05_f20_the_error_of_a_refused_tunnel_has_the_proxys_response<R: Runtime>(world: &World<R>) {
    let refusal = "HTTP/1.1 403 No\r\nX-Why: rules\r\nContent-Length: 7\r\n\r\nbecause";
    let proxy = Server::scripted([
        Connection::new().expect_request().send(refusal).close(),
        Connection::new()
            .expect_request()
            .send("HTTP/1.1 302 X\r\nLocation: http://evil.test/\r\nContent-Length: 0\r\n\r\n"),
        Connection::new().expect_request().send("SSH-2.0-x\r\n\r\n").close(),
        Connection::new().expect_request().close(),
        Connection::new().expect_request().send("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
        Connection::new().connect().expect_request().routes(),
    ]);
    let session = proxied(world, &proxy);
    session.update(|settings| settings.tls_connector = clear::connector());
    for (kind, status, body) in [
        (Kind::ProxyRefused, Some(403), "because"),
        (Kind::ProxyRefused, Some(302), ""),
        (Kind::NotHttp, None, ""),
        (Kind::ClosedBeforeResponse, None, ""),
        (Kind::UnsolicitedData, None, ""),
    ] {
        let error = failure(&session, "https://a.test/").await;
        assert_eq!((error.kind(), error.progress().unwrap().stage), (kind, Stage::Proxy), "{error}");
        let refused = error.refused();
        assert_eq!(refused.map(|refused| refused.head.status.as_u16()), status);
        assert_eq!(refused.map_or(&b""[..], |refused| &refused.body), body.as_bytes());
        assert!(error.is_proxy() && error.is_safe_to_repeat());
    }
    fetch(session.get("https://a.test/get")).await;
    assert_eq!(proxy.accepted(), 6);
}

async fn f18_every_error_names_the_proxy<R: Runtime>(world: &World<R>) {
    let session = world.session();
    let closed = refusing_server();
    for scheme in ["http", "socks5h"] {
        set(&session, "all", &url(&closed, scheme, "user:hunter2@"));
        let error = failure(&session, "http://a.test/").await;
        assert_eq!((error.kind(), error.progress().unwrap().stage), (Kind::Connect, Stage::Proxy));
        assert_eq!(error.proxy().unwrap().to_string(), url(&closed, scheme, ""));
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(&url(&closed, scheme, "")) && !shown.contains("hunter2"), "{shown}");
        assert!(error.is_connect() && error.is_proxy());
    }
    set(&session, "all", "http://unknown.invalid:1");
    session.set_resolver(sessio::Resolver::from_fn(|_, _| Err(std::io::ErrorKind::NotFound.into())));
    let error = failure(&session, "http://127.0.0.1/").await;
    assert_eq!((error.kind(), error.progress().unwrap().stage), (Kind::Resolve, Stage::Proxy));
    // Without a TLS connector nothing is sent.
    session.update(|settings| settings.tls_connector = sessio::tls::TlsConnector::default());
    set(&session, "all", &url(&closed, "https", ""));
    session.update(|settings| settings.tls_connector = sessio::tls::TlsConnector::default());
    assert_eq!(failure(&session, "http://a.test/").await.kind(), Kind::UnsupportedScheme);
}

async fn credentials_follow_a_407_once<R: Runtime>(world: &World<R>) {
    let asks = || Connection::new().proxy_challenge();
    let proxy = Server::scripted([
        // Forwarding: challenged, authenticated, then challenged again without success.
        asks().expect_request().ok("in"),
        asks().proxy_challenge(),
        // The same for a tunnel.
        asks().connect().expect_request().routes(),
        asks().proxy_challenge(),
        // Credentials that were sent with the first request are not sent again.
        asks(),
    ]);
    let session = world.session();
    let waiting = || Proxy::parse(&url(&proxy, "http", "user:pass@")).unwrap().wait_for_challenge();
    session.update(|settings| {
        settings.tls_connector = clear::connector();
        settings.proxies = Proxies::from(waiting());
    });
    let response = session.get("http://a.test/").send().await.unwrap();
    assert_eq!(response.history()[0].head.status, 407);
    assert_eq!(response.text().await.unwrap(), "in");
    session.close_idle();
    let response = session.get("http://a.test/").send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.history().len()), (407, 1));
    drop(response);
    fetch(session.get("https://a.test/get")).await;
    let error = failure(&session, "https://b.test/").await;
    assert_eq!(error.kind(), Kind::ProxyAuthentication);
    assert_eq!(&*error.refused().unwrap().body, b"who?");
    set(&session, "all", &url(&proxy, "http", "user:pass@"));
    assert_eq!(failure(&session, "https://b.test/").await.kind(), Kind::ProxyAuthentication);
    let first = |number: usize| {
        let text = proxy.connection(number).received_text();
        text.split_terminator("\r\n\r\n").map(|head| head.contains("Proxy-Authorization")).collect::<Vec<_>>()
    };
    assert_eq!(first(0), [false, true]);
    assert_eq!(first(1), [false, true]);
    assert_eq!(first(2), [false, true, false, false]);
    assert_eq!(first(3), [false, true]);
    assert_eq!(first(4), [true]);
    assert_eq!(proxy.accepted(), 5);
}

async fn credentials_after_a_407_that_closes_use_another_connection<R: Runtime>(world: &World<R>) {
    const ASKS: &str = "407 Who\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\n";
    let asks = |rest: &str| Connection::new().expect_request().send(format!("HTTP/1.1 {ASKS}{rest}"));
    let granted = || Connection::new().connect().expect_request().routes();
    let endless = "x".repeat(70_000);
    let refusals = [
        asks("Connection: close\r\nContent-Length: 4\r\n\r\nwho?").close(),
        asks("Proxy-Connection: close\r\nContent-Length: 4\r\n\r\nwho?").close(),
        Connection::new().expect_request().send(format!("HTTP/1.0 {ASKS}\r\nwho?")).close(),
        // The client does not wait for the rest of these bodies.
        asks(&format!("Content-Length: 70000\r\n\r\n{endless}")),
        asks("Content-Length: 9\r\n\r\nshort").close(),
        asks("Content-Length: 9\r\n\r\nslow").stall(),
        asks("Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"),
        // It closes without announcing it, so it receives two requests.
        asks("Content-Length: 4\r\n\r\nwho?").close(),
    ];
    let cases = refusals.len();
    let hangs_up = || asks("Connection: close\r\n\r\n").close();
    let proxy = Server::scripted(
        refusals
            .into_iter()
            .flat_map(|refusal| [refusal, granted()])
            // For a request that is refused again, and for one without credentials.
            .chain([hangs_up(), hangs_up(), hangs_up()])
            .collect::<Vec<_>>(),
    );
    let session = world.session();
    let waiting =
        |userinfo| Proxies::from(Proxy::parse(&url(&proxy, "http", userinfo)).unwrap().wait_for_challenge());
    session.update(|settings| {
        settings.tls_connector = clear::connector();
        settings.limits.drain_time = std::time::Duration::from_millis(50);
        settings.proxies = waiting("user:pass@");
    });
    for case in 0..cases {
        let whole = fetch(session.post("https://a.test/anything").body("once")).await;
        assert_eq!(whole.status, 200, "{case}");
        assert_eq!(proxy.accepted(), 2 * case + 2);
        let told: Vec<_> =
            [2 * case, 2 * case + 1].map(|number| proxy.connection(number).received_text()).into();
        let is_silent = case == cases - 1;
        assert!(told[0].starts_with("CONNECT ") && !told[0].contains("once"));
        assert!(is_silent || !told[0].contains("Authorization"), "{case}");
        assert_eq!(told[1].matches(&format!("\r\nProxy-Authorization: {BASIC}\r\n")).count(), 1);
        session.close_idle();
    }
    for userinfo in ["user:pass@", ""] {
        session.update(|settings| settings.proxies = waiting(userinfo));
        let error = failure(&session, "https://a.test/").await;
        assert_eq!((error.kind(), error.is_safe_to_repeat()), (Kind::ProxyAuthentication, true));
    }
    assert_eq!(proxy.accepted(), 2 * cases + 3);
    assert_eq!(session.stats().open(), 0);
}

async fn f21_socks_receives_the_next_address_if_one_is_unreachable<R: Runtime>(world: &World<R>) {
    let asked = |code| Connection::new().socks_greeting(1).socks_address(code);
    let all = [3, 4, 5, 6, 8];
    let refuse = all.into_iter().map(|code| asked(code).close());
    let proxy = Server::scripted(
        refuse
            .chain([asked(0).routes()])
            // A failure that another address cannot change is reported at once. If all addresses
            // fail, the last failure is reported.
            .chain([asked(2).close(), asked(1).close()])
            .chain(all.into_iter().cycle().take(6).map(|code| asked(code).close()))
            .collect::<Vec<_>>(),
    );
    let addresses: Vec<_> = (1..=6).map(|n| format!("192.0.2.{n}:0").parse().unwrap()).collect();
    // The policy allows one connection, which each attempt opens in turn.
    let mut policy = sessio::pool::Policy::default();
    policy.max_total = Some(1);
    let session = world.session_with_pool(world.runtime().name("b.test", addresses), policy);
    set(&session, "all", &url(&proxy, "socks5", ""));
    fetch(session.get("http://b.test/get")).await;
    let told = |number: usize| proxy.connection(number).received[3..13].to_vec();
    for number in 0..6 {
        let last = u8::try_from(number).unwrap() + 1;
        assert_eq!(told(number), [5, 1, 0, 1, 192, 0, 2, last, 0, 80]);
    }
    session.close_idle();
    for (kind, reply, connections) in [
        (Kind::ProxyRefused, Reply::NotAllowed, 7),
        (Kind::ProxyRefused, Reply::GeneralFailure, 8),
        (Kind::ProxyRefused, Reply::NetworkUnreachable, 14),
    ] {
        let error = failure(&session, "http://b.test/get").await;
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref()).copied();
        assert_eq!((error.kind(), source, proxy.accepted()), (kind, Some(reply), connections));
        assert!(error.is_safe_to_repeat());
    }
    assert_eq!(session.stats().open(), 0);
}

async fn socks_by_name_by_address_and_with_a_login<R: Runtime>(world: &World<R>) {
    let proxy = Server::scripted([
        Connection::new().socks_greeting(1).socks_name(6, 0).routes(),
        Connection::new().socks_login(8).socks_name(6, 0).routes(),
        Connection::new().socks_greeting(1).socks_address(0).routes(),
        Connection::new().socks_greeting(1).socks_name(6, 0).expect_request().routes(),
        Connection::new().socks_greeting(1).socks_address(0).routes(),
    ]);
    let session = world.session_on(world.runtime().name("b.test", ["192.0.2.7:0".parse().unwrap()]));
    session.update(|settings| settings.tls_connector = clear::connector());
    for (scheme, userinfo, asked) in [
        ("socks5h", "", "http://a.test/get"),
        ("socks5h", "user:pass@", "http://a.test/get"),
        ("socks5", "", "http://b.test/get"),
        ("socks5h", "", "https://a.test/get"),
        // A literal address is sent as an address.
        ("socks5h", "", "http://192.0.2.9/get"),
    ] {
        set(&session, "all", &url(&proxy, scheme, userinfo));
        fetch(session.get(asked)).await;
    }
    let said = |number: usize| proxy.connection(number).received;
    assert!(
        said(0).starts_with(
            b"\x05\x01\x00\x05\x01\x00\x03\x06a.test\x00\x50GET /get HTTP/1.1\r\nHost: a.test\r\n"
        )
    );
    assert!(
        said(1)
            .starts_with(b"\x05\x02\x00\x02\x01\x04user\x04pass\x05\x01\x00\x03\x06a.test\x00\x50GET /get ")
    );
    assert!(said(2).starts_with(
        b"\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50GET /get HTTP/1.1\r\nHost: b.test\r\n"
    ));
    assert!(said(3).starts_with(b"\x05\x01\x00\x05\x01\x00\x03\x06a.test\x01\xbbTLS a.test HTTP/1.1\r\n"));
    assert!(said(4).starts_with(b"\x05\x01\x00\x05\x01\x00\x01\xc0\x00\x02\x09\x00\x50GET /get "));
    assert_eq!(proxy.accepted(), 5);
}

async fn f21_each_refusal_of_a_socks_proxy_has_its_kind<R: Runtime>(world: &World<R>) {
    let proxy = Server::scripted([
        Connection::new().read(3).send([5, 0xff]).close(),
        Connection::new().socks_greeting(1).socks_name(6, 2),
        Connection::new().socks_greeting(1).socks_name(6, 5).close(),
        Connection::new().read(3).send("HTTP/1.1 400 X\r\n\r\n").close(),
        Connection::new().read(3).send([5]).close(),
    ]);
    let session = world.session();
    set(&session, "all", &url(&proxy, "socks5h", ""));
    for (kind, reply) in [
        (Kind::ProxyAuthentication, None),
        (Kind::ProxyRefused, Some(Reply::NotAllowed)),
        (Kind::ProxyRefused, Some(Reply::ConnectionRefused)),
        (Kind::NotSocks, None),
        (Kind::IncompleteHead, None),
    ] {
        let error = failure(&session, "http://a.test/").await;
        assert_eq!((error.kind(), error.progress().unwrap().stage), (kind, Stage::Proxy), "{error}");
        let source = std::error::Error::source(&error);
        assert_eq!(source.and_then(|source| source.downcast_ref()).copied(), reply);
    }
    assert_eq!(proxy.accepted(), 5);
}

async fn b35_hosts_that_are_reached_without_a_proxy<R: Runtime>(world: &World<R>) {
    let (proxy, host) = (Server::start(), Server::start());
    let session = proxied(world, &proxy);
    let count = || (proxy.requests().len(), host.requests().len());
    fetch(session.get(host.url("/get"))).await;
    assert_eq!(count(), (1, 0));
    session.update(|settings| {
        settings.proxies.except("127.0.0.0/8");
    });
    fetch(session.get(host.url("/get"))).await;
    assert_eq!(count(), (1, 1));
    // A proxy of the request has the session's exceptions, unless the request has others.
    let own = Proxies::from(Proxy::parse(&url(&proxy, "http", "")).unwrap());
    fetch(session.get(host.url("/get")).proxies(own.clone())).await;
    assert_eq!(count(), (1, 2));
    let mut always = own;
    always.except("");
    fetch(session.get(host.url("/get")).proxies(always)).await;
    assert_eq!(count(), (2, 2));
    // Explicitly direct: for a request, for a host, for everything, and by a function.
    let session = proxied(world, &proxy);
    fetch(session.get(host.url("/get")).without_proxy()).await;
    fetch(session.get(host.url("/get")).proxy("")).await;
    set(&session, "http://127.0.0.1", "");
    fetch(session.get(host.url("/get"))).await;
    assert_eq!(count(), (2, 5));
    let through = Via::try_from(url(&proxy, "http", "")).unwrap();
    let choose =
        move |url: &sessio::Url| Some(if url.path() == "/get" { Via::Direct } else { through.clone() });
    session.update(|settings| settings.proxies = Proxies::from_fn(choose));
    fetch(session.get(host.url("/get"))).await;
    fetch(session.get(host.url("/anything"))).await;
    assert_eq!(count(), (3, 6));
    let error = session.get("http://a.test/").proxy("ftp://p").send().await.map(drop).unwrap_err();
    assert!(error.kind() == Kind::InvalidProxy && error.is_builder());
}

async fn v22_v04_each_proxy_receives_its_own_secrets_over_redirects<R: Runtime>(world: &World<R>) {
    let (one, two, direct) = (Server::start(), Server::start(), Server::start());
    let session = world.session();
    set(&session, "http://a.test", &url(&one, "http", "one:secret-one@"));
    set(&session, "http://b.test", &url(&two, "http", "two:secret-two@"));
    session
        .update(|settings| {
            settings.auth = Auth::bearer("secret-a");
            settings.headers.insert("Proxy-Authorization", "secret-hand")
        })
        .unwrap();
    // a.test through the first proxy, b.test through the second, a host directly, and back.
    let back = "http://a.test/anything/end".to_owned();
    let at =
        |host: &str, next: String| redirect(&direct, next, 302).replace(&direct.addr().to_string(), host);
    let here = redirect(&direct, back, 302);
    let start = at("a.test", at("b.test", here));
    let response = session.get(start).send().await.unwrap();
    assert_eq!((response.url().as_str(), response.history().len()), ("http://a.test/anything/end", 3));
    response.bytes().await.unwrap();
    let has = |server: &Server, secret: &str| told(server).contains(secret);
    let basic = |user: &str| {
        let plain = Proxy::parse(&format!("http://{user}:secret-{user}@p")).unwrap();
        assert!(plain.has_credentials());
        if user == "one" { "b25lOnNlY3JldC1vbmU=" } else { "dHdvOnNlY3JldC10d28=" }
    };
    // A header set by hand replaces the credentials of the first proxy, once.
    assert_eq!(told(&one).matches("secret-hand").count(), 1);
    assert_eq!(told(&one).matches(basic("one")).count(), 1);
    assert_eq!(told(&one).matches("secret-a").count(), 1);
    assert_eq!(told(&two).matches(basic("two")).count(), 1);
    for (server, secrets) in [
        (&one, vec![basic("two")]),
        (&two, vec!["secret-hand", basic("one"), "secret-a"]),
        (&direct, vec!["secret-hand", basic("one"), basic("two"), "secret-a", "roxy"]),
    ] {
        secrets.iter().for_each(|secret| assert!(!has(server, secret), "{secret}: {}", told(server)));
    }
}

async fn b16_a_proxy_authorization_goes_to_the_first_proxy_alone<R: Runtime>(world: &World<R>) {
    let (proxy, host) = (Server::start(), Server::start());
    let session = world.session();
    let ask = |url: String| session.get(url).header("Proxy-Authorization", "Custom secret");
    fetch(ask(host.url("/get"))).await;
    assert!(!told(&host).contains("secret"));
    fetch(ask("http://a.test/get".to_owned()).proxy(url(&proxy, "http", "user:pass@"))).await;
    assert_eq!(proxy.requests()[0].header_all("proxy-authorization"), ["Custom secret"]);
}

async fn b02_e01_the_environment_comes_last_and_only_if_trusted<R: Runtime>(world: &World<R>) {
    let (theirs, ours, host) = (Server::start(), Server::start(), Server::start());
    let environment =
        Environment::new([("http_proxy", url(&theirs, "http", "")), ("no_proxy", "127.0.0.2".to_owned())]);
    let session = world.session_on(world.runtime().environment(environment));
    let count = || [&theirs, &ours, &host].map(|server| server.requests().len());
    fetch(session.get(host.url("/get"))).await;
    assert_eq!(count(), [1, 0, 0]);
    set(&session, "http", &url(&ours, "http", ""));
    fetch(session.get(host.url("/get"))).await;
    assert_eq!(count(), [1, 1, 0]);
    fetch(session.get(host.url("/get")).without_proxy()).await;
    assert_eq!(count(), [1, 1, 1]);
    // A proxy for one scheme does not apply to the other.
    session.update(|settings| settings.proxies = Proxies::new());
    session.update(|settings| settings.trust.proxies = false);
    fetch(session.get(host.url("/get"))).await;
    session.update(|settings| (settings.trust.proxies, settings.trust_env) = (true, false));
    fetch(session.get(host.url("/get"))).await;
    assert_eq!(count(), [1, 1, 3]);
    session.update(|settings| settings.trust_env = true);
    session.set_environment(Environment::empty());
    fetch(session.get(host.url("/get"))).await;
    session.reload_environment();
    fetch(session.get(host.url("/get"))).await;
    assert_eq!(count(), [2, 1, 4]);
}

async fn a18_a20_b03_b45_v17_a_netrc_login_is_for_its_host<R: Runtime>(world: &World<R>) {
    let (server, other) = (Server::start(), Server::start());
    let netrc = "machine a.test login ann password secret-a\nmachine b.test login bob\nmachine c.test\n";
    let parsed = sessio::netrc::Netrc::parse(netrc.as_bytes());
    let runtime = world
        .runtime()
        .name("a.test", [server.addr()])
        .name("b.test", [other.addr()])
        .name("c.test", [other.addr()]);
    let session = world.session_on(runtime.environment(Environment::empty().with_netrc(parsed.clone())));
    let last = |server: &Server| server.requests().last().unwrap().header("authorization");
    fetch(session.get("http://a.test/get")).await;
    assert_eq!(last(&server).as_deref(), Some("Basic YW5uOnNlY3JldC1h"));
    // Row V06: the host is that of the URL, whatever precedes its @.
    fetch(session.get("http://a.test:@b.test/get")).await;
    assert_eq!(last(&other).as_deref(), Some("Basic YS50ZXN0Og=="));
    for (asked, expected) in [
        (session.get("http://a.test/get").header("Authorization", "by hand"), Some("by hand")),
        (session.get("http://a.test/get").bearer_auth("t"), Some("Bearer t")),
        (session.get("http://u:p@a.test/get"), Some("Basic dTpw")),
        (session.get("http://ann@a.test/get"), Some("Basic YW5uOnNlY3JldC1h")),
        // Row V20: the password of another user is not used.
        (session.get("http://alice@a.test/get"), None),
        (session.get("http://a.test/get").without_auth(), None),
    ] {
        fetch(asked).await;
        assert_eq!(last(&server).as_deref(), expected);
    }
    // A redirect to another host uses the login for that host only.
    for (to, expected) in [("b.test", Some("Basic Ym9iOg==")), ("c.test", None)] {
        let next = format!("http://{to}/anything/end");
        let from = redirect(&server, next, 302).replace(&server.addr().to_string(), "a.test");
        fetch(session.get(from)).await;
        assert_eq!(last(&other).as_deref(), expected, "{to}");
        assert!(!told(&other).contains("YW5uOnNlY3JldC1h"));
    }
    // A file that other users can read is not used for passwords.
    session.set_environment(Environment::empty().with_netrc(parsed.exposed()));
    assert_eq!(failure(&session, "http://a.test/get").await.kind(), Kind::InvalidNetrc);
    assert_eq!(told(&other).matches("Basic Ym9iOg==").count(), 1);
    fetch(session.get("http://b.test/get")).await;
    assert_eq!(told(&other).matches("Basic Ym9iOg==").count(), 2);
}
