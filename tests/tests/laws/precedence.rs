//! Request before session before environment before default, for every combination (rows B01, B02,
//! B03, rules M-14, M-22, M-24). The table in the chapter on proxies and the environment is this
//! one.

use sessio::Instant;

use sessio::netrc::Netrc;
use sessio::proxy::Proxies;
use sessio::tls::{Certificates, Roots};
use sessio::{
    Auth, Environment, Jar, Kind, Now, PreparedCall, Proxy, Request, Result, Settings, Tls, UnixTime, merge,
    prepare,
};

fn prepared(settings: &Settings, request: Request, environment: &Environment) -> Result<PreparedCall> {
    let mut merged = merge(settings, request);
    merged.apply_environment(environment);
    prepare(merged, &mut Jar::new(), Now { mono: Instant::ZERO, wall: UnixTime(0) })
}

/// All combinations of the given numbers of choices.
fn combinations<const N: usize>(choices: [usize; N]) -> impl Iterator<Item = [usize; N]> {
    let count = choices.iter().product();
    (0..count).map(move |mut number: usize| {
        choices.map(|choices| {
            let choice = number % choices;
            number /= choices;
            choice
        })
    })
}

#[test]
fn b03_m14_header_then_request_then_session_then_url_then_netrc() {
    let netrc = Netrc::parse(b"machine h login netrc password p");
    let mut tried = 0;
    for [header, request, session, url, file, trust] in combinations([4, 3, 2, 3, 2, 2]) {
        let mut settings = Settings::default();
        settings.trust_env = trust == 1;
        if session == 1 {
            settings.auth = Auth::bearer("session");
        }
        let mut asked = Request::get(["http://h/", "http://url:p@h/", "http://netrc@h/"][url]);
        match header {
            1 => settings.headers.insert("Authorization", "session's header").unwrap(),
            2 => asked = asked.header("authorization", "request's header"),
            // A removed header does not suppress other credentials.
            3 => asked = asked.remove_header("Authorization"),
            _ => {}
        }
        asked = match request {
            1 => asked.bearer_auth("request"),
            2 => asked.without_auth(),
            _ => asked,
        };
        let environment = match file {
            1 => Environment::empty().with_netrc(netrc.clone()),
            _ => Environment::empty(),
        };
        let expected = match (header, request, session, url) {
            (1, ..) => Some("session's header"),
            (2, ..) => Some("request's header"),
            (_, 1, ..) => Some("Bearer request"),
            (_, 2, ..) => None,
            (_, _, 1, _) => Some("Bearer session"),
            (_, _, _, 1) => Some("Basic dXJsOnA="),
            _ if file == 1 && trust == 1 => Some("Basic bmV0cmM6cA=="),
            _ => None,
        };
        let request = prepared(&settings, asked, &environment).unwrap();
        assert_eq!(
            request.request.headers().get("Authorization"),
            expected,
            "{:?}",
            [header, request.request.headers().len(), session, url, file, trust]
        );
        tried += 1;
    }
    assert_eq!(tried, 4 * 3 * 2 * 3 * 2 * 2);
}

#[test]
fn b02_b35_m22_m24_proxies_of_request_session_and_environment() {
    let mut tried = 0;
    for [request, session, environment, exceptions, trust] in combinations([3, 3, 4, 4, 2]) {
        let mut settings = Settings::default();
        settings.trust_env = trust == 1;
        settings.proxies = match session {
            1 => Proxies::from(Proxy::parse("session").unwrap()),
            2 => Proxies::direct(),
            _ => Proxies::new(),
        };
        let asked = Request::get("http://h.test/");
        let asked = match request {
            1 => asked.proxy("request"),
            2 => asked.without_proxy(),
            _ => asked,
        };
        let mut variables = match environment {
            1 => vec![("all_proxy", "environment")],
            2 => vec![("all_proxy", "other"), ("http_proxy", "environment")],
            3 => vec![("https_proxy", "environment")],
            _ => vec![],
        };
        match exceptions {
            1 => variables.push(("no_proxy", "h.test")),
            2 => settings.proxies.except("h.test"),
            // The session's list replaces that of the environment.
            3 => {
                variables.push(("NO_PROXY", "h.test"));
                settings.proxies.except("other.test");
            }
            _ => {}
        }
        let is_excepted = exceptions == 2 || (exceptions == 1 && trust == 1);
        let expected = match (request, session, environment) {
            (2, ..) | (0, 2, _) => None,
            _ if is_excepted => None,
            (1, ..) => Some("request"),
            (_, 1, _) => Some("session"),
            (_, _, 1 | 2) if trust == 1 => Some("environment"),
            _ => None,
        };
        let request_out = prepared(&settings, asked, &Environment::new(variables)).unwrap();
        let proxy = request_out.proxy_choice().and_then(|choice| choice.proxy.as_ref());
        let host = proxy.map(|proxy| proxy.host().to_string());
        let case = [request, session, environment, exceptions, trust];
        assert_eq!(host.as_deref(), expected, "{case:?} {:?}", request_out.proxy_choice());
        tried += 1;
    }
    assert_eq!(tried, 3 * 3 * 4 * 4 * 2);
}

#[test]
fn b01_m22_authorities_of_request_session_and_environment() {
    let bundle = || Certificates::from_der([b"x"]).unwrap();
    let (own, sessions, environments) = (bundle(), bundle(), bundle());
    for [request, session, environment, trust, parts] in combinations([3, 3, 2, 2, 2]) {
        let mut settings = Settings::default();
        (settings.trust_env, settings.trust.authorities) = (trust == 1, parts == 1);
        settings.tls = match session {
            1 => Tls::default().roots(sessions.clone()),
            2 => Tls::default().danger_accept_invalid_certs(true),
            _ => Tls::default(),
        };
        let asked = Request::get("https://h/");
        let asked = match request {
            1 => asked.roots(own.clone()),
            2 => asked.danger_accept_invalid_certs(true),
            _ => asked,
        };
        let surroundings = match environment {
            1 => Environment::empty().with_certificates(Ok::<_, String>(environments.clone())),
            _ => Environment::empty(),
        };
        let request_out = prepared(&settings, asked, &surroundings).unwrap();
        let options = request_out.options.routing.tls.options();
        let expected = match (request, session, environment) {
            (1, ..) => Roots::Only(own.clone()),
            (_, 1, _) => Roots::Only(sessions.clone()),
            (_, _, 1) if trust == 1 && parts == 1 => Roots::Only(environments.clone()),
            _ => Roots::Platform,
        };
        let case = [request, session, environment, trust, parts];
        assert_eq!(options.roots, expected, "{case:?}");
        // Row B01: a bundle of the environment does not enable a verification that was disabled.
        assert_eq!(options.accepts_invalid_certs, request == 2 || session == 2, "{case:?}");
    }
}

#[test]
fn b23_an_invalid_environment_is_an_error_where_it_is_needed() {
    let broken = Environment::new([("http_proxy", "ftp://user:hunter2@p"), ("no_proxy", "c.test")]);
    let ask = |request: Request| prepared(&Settings::default(), request, &broken).map(drop);
    let error = ask(Request::get("http://a.test/")).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidProxy);
    assert!(error.is_builder() && !error.to_string().contains("hunter2"));
    ask(Request::get("https://a.test/")).unwrap();
    ask(Request::get("http://c.test/")).unwrap();
    ask(Request::get("http://a.test/").without_proxy()).unwrap();
    let exposed = Netrc::parse(b"machine a.test login a password p\nmachine b.test login b").exposed();
    let exposed = Environment::empty().with_netrc(exposed);
    let ask = |request: Request| prepared(&Settings::default(), request, &exposed).map(drop);
    assert_eq!(ask(Request::get("http://a.test/")).unwrap_err().kind(), Kind::InvalidNetrc);
    ask(Request::get("http://a.test/").header("Authorization", "x")).unwrap();
    ask(Request::get("http://b.test/")).unwrap();
    ask(Request::get("http://c.test/")).unwrap();
}
