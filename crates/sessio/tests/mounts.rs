//! Mounts of settings: the request of each hop.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests say what went wrong by where they stop")]

use std::time::Duration;

use sessio::tls::{Identity, KeyFormat};
use sessio::{
    Auth, Call, Change, Environment, Instant, Jar, Kind, Memory, Mount, Now, Proxies, Proxy, Request, Seed,
    SessionState, Settings, Step, UnixTime, merge, netrc::Netrc, prepare,
};

const NOW: Now = Now { mono: Instant::ZERO, wall: UnixTime(1_767_225_600) };

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.headers.clear();
    settings
}

/// One hop of a call, as it was sent.
#[derive(Debug)]
struct Sent {
    head: String,
    mount: Option<String>,
    proxy: Option<String>,
    read: Option<Duration>,
    total: Option<Duration>,
    has_identity: bool,
}

/// The requests of a call whose responses redirect to these locations, one after the other.
fn walk(settings: &Settings, request: Request, locations: &[&str]) -> sessio::Result<Vec<Sent>> {
    walk_with(settings, request, locations, &Environment::empty())
}

fn walk_with(
    settings: &Settings,
    request: Request,
    locations: &[&str],
    environment: &Environment,
) -> sessio::Result<Vec<Sent>> {
    let mut state = SessionState::new(Seed::new(7));
    let mut merged = merge(settings, request);
    merged.apply_environment(environment);
    let mut call = Call::new(prepare(merged, &mut state.jar, NOW)?, Memory::default())?;
    let (mut locations, mut sent) = (locations.iter(), Vec::new());
    let mut response = Vec::new();
    loop {
        match call.step(NOW)? {
            Step::Connect(to) => {
                let conn = to.open(1, NOW, &[])?;
                call.connected(conn);
            }
            Step::Io(io) if !io.send.is_empty() => {
                let n = io.send.len();
                let head = String::from_utf8(io.send.to_vec()).unwrap();
                call.sent(n);
                let options = call.options();
                sent.push(Sent {
                    head,
                    mount: call.request().mount().map(ToString::to_string),
                    proxy: options.routing.plan.proxy().map(ToString::to_string),
                    read: options.timeouts.read,
                    total: options.timeouts.total,
                    has_identity: options.routing.tls.options().identity.is_some(),
                });
                response = match locations.next() {
                    Some(location) => {
                        format!("HTTP/1.1 307 R\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
                            .into_bytes()
                    }
                    None => b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec(),
                };
            }
            Step::Io(io) => {
                let n = response.len().min(io.recv.len());
                io.recv[..n].copy_from_slice(&response[..n]);
                response.drain(..n);
                call.received(n);
            }
            Step::Release => drop(call.release()),
            Step::Decide => call.decide(&mut state, NOW),
            Step::Head => drop(call.take_head()),
            Step::Done => return Ok(sent),
            other => panic!("{other:?}"),
        }
    }
}

fn heads(settings: &Settings, request: Request, locations: &[&str]) -> Vec<String> {
    walk(settings, request, locations).unwrap().into_iter().map(|sent| sent.head).collect()
}

/// The lines of a head without its first one and without Host.
fn lines(head: &str) -> Vec<&str> {
    head.lines().skip(1).filter(|line| !line.is_empty() && !line.starts_with("Host:")).collect()
}

#[test]
fn s15_a_mount_is_merged_between_session_and_request() {
    let mut settings = settings();
    for name in ["X-Session", "X-Mount", "X-Request"] {
        settings.headers.insert(name, "session").unwrap();
    }
    settings.params.append("from", "session");
    let mount = Mount::new()
        .header("X-Mount", "mount")
        .header("X-Request", "mount")
        .param("from", "mount")
        .cookie("a", "mount")
        .bearer_auth("mount")
        .timeout(Duration::from_secs(3));
    settings.mounts.add("http://a.test/v2/", mount).unwrap();
    let ask = |url: &str| {
        let request = Request::get(url).header("x-request", "request").cookie("b", "request");
        walk(&settings, request, &[]).unwrap().remove(0)
    };
    let sent = ask("http://a.test/v2/x");
    assert_eq!(
        sent.head,
        "GET /v2/x?from=mount HTTP/1.1\r\nHost: a.test\r\nX-Session: session\r\nX-Mount: mount\r\n\
         x-request: request\r\nCookie: a=mount; b=request\r\nAuthorization: Bearer mount\r\n\r\n"
    );
    assert_eq!(
        (sent.mount.as_deref(), sent.total),
        (Some("http://a.test/v2/"), Some(Duration::from_secs(3)))
    );
    let sent = ask("http://a.test/v20/x");
    assert_eq!(
        sent.head,
        "GET /v20/x?from=session HTTP/1.1\r\nHost: a.test\r\nX-Session: session\r\nX-Mount: session\r\n\
         x-request: request\r\nCookie: b=request\r\n\r\n"
    );
    assert_eq!((sent.mount, sent.total), (None, None));
}

#[test]
fn s15_a_relative_address_is_matched_as_it_is_resolved() {
    let mut settings = settings();
    settings.base_url = Some("http://a.test/v2/".parse().unwrap());
    settings.headers.insert("X-Key", "session").unwrap();
    settings.headers.mark_sensitive("X-Key");
    settings.mounts.add("http://a.test/v2/", Mount::new().header("X-Mount", "a")).unwrap();
    settings.mounts.add("http://b.test/", Mount::new().header("X-Key", "b")).unwrap();
    let ask = |address: &str| heads(&settings, Request::get(address), &[]).remove(0);
    assert_eq!(lines(&ask("x")), ["X-Key: session", "X-Mount: a"]);
    assert_eq!(lines(&ask("../v1/x")), ["X-Key: session"]);
    // The session's credentials belong to the base URL, those of the mount to its pattern.
    assert_eq!(lines(&ask("//b.test/")), ["X-Key: b"]);
    assert_eq!(lines(&ask("//c.test/")), [""; 0]);
}

/// A mount with every kind of credentials, and with other options.
fn secret(name: &str) -> Mount {
    let mut mount = Mount::new()
        .header("X-Plain", name)
        .header("X-Secret", name)
        .cookie("id", name)
        .basic_auth(name, "p")
        .proxy(&*format!("http://{name}.proxy"))
        .identity(Identity::from_der([b"x"], KeyFormat::Pkcs8, b"k").unwrap());
    mount.changes.headers.mark_sensitive("X-Secret");
    mount.changes.timeouts.read = Change::Set(Duration::from_secs(1));
    mount.timeout(Duration::from_secs(2))
}

#[test]
fn law_5_a_mounts_credentials_are_for_its_pattern_alone() {
    let mut settings = settings();
    settings.mounts.add("http://a.test/in/", secret("in")).unwrap();
    settings.mounts.add("http://a.test/other/", secret("other")).unwrap();
    let own = ["X-Plain: in", "X-Secret: in", "Cookie: id=in", "Authorization: Basic aW46cA=="];
    let seconds = |count| Some(Duration::from_secs(count));
    let ask = |from: &str, to: &[&str]| walk(&settings, Request::get(from), to).unwrap();

    let sent = ask("http://a.test/in/x", &["/in/y", "/out", "/in/z"]);
    for within in &sent[..2] {
        let mut lines = lines(&within.head);
        // Each hop attaches its cookies again, in another place.
        lines.sort_by_key(|line| own.iter().position(|other| other == line));
        assert_eq!(lines, own);
        assert!(within.has_identity);
        assert_eq!(within.proxy.as_deref(), Some("http://in.proxy:80"));
    }
    // Out of the pattern, and still in the origin.
    assert_eq!(lines(&sent[2].head), [""; 0]);
    assert_eq!((sent[2].read, sent[2].total, sent[2].proxy.as_deref()), (None, seconds(2), None));
    assert!(!sent[2].has_identity);
    // Back again: the options apply, and the credentials never come back.
    assert_eq!(lines(&sent[3].head), ["X-Plain: in"]);
    assert_eq!((sent[3].read, sent[3].total), (seconds(1), seconds(2)));
    assert_eq!(sent[3].proxy.as_deref(), Some("http://in.proxy:80"));
    assert!(!sent[3].has_identity);

    // From one mount into another, and from another origin into a mount.
    for (from, to) in [("http://a.test/in/", "/other/"), ("http://b.test/", "http://a.test/other/")] {
        let sent = ask(from, &[to]).remove(1);
        assert_eq!(lines(&sent.head), ["X-Plain: other"], "{from}");
        assert_eq!(sent.mount.as_deref(), Some("http://a.test/other/"));
        assert_eq!((sent.read, sent.proxy.as_deref()), (seconds(1), Some("http://other.proxy:80")));
        assert!(!sent.has_identity, "{from}");
    }
}

#[test]
fn law_5_a_redirect_into_a_mount_drops_the_credentials_that_the_mount_replaces() {
    let mut settings = settings();
    settings.auth = Auth::bearer("session");
    settings.headers.insert("X-Secret", "session").unwrap();
    settings.headers.mark_sensitive("X-Secret");
    settings.headers.insert("X-Other", "session").unwrap();
    settings.mounts.add("http://a.test/none/", Mount::new().without_auth().remove_header("X-Other")).unwrap();
    settings
        .mounts
        .add("http://a.test/own/", Mount::new().bearer_auth("own").header("X-Secret", "own"))
        .unwrap();
    let session = ["X-Secret: session", "X-Other: session", "Authorization: Bearer session"];
    let hop = |request: Request, to: &str| {
        let mut heads = heads(&settings, request, &[to]);
        heads.remove(1)
    };
    assert_eq!(lines(&hop(Request::get("http://a.test/"), "/x")), session);
    assert_eq!(lines(&hop(Request::get("http://a.test/"), "/none/")), ["X-Secret: session"]);
    assert_eq!(lines(&hop(Request::get("http://a.test/"), "/own/")), ["X-Other: session"]);
    // The plain header comes back, the credentials of the session do not.
    assert_eq!(lines(&hop(Request::get("http://a.test/own/"), "/x")), ["X-Other: session"]);
    assert_eq!(
        lines(&hop(Request::get("http://a.test/none/"), "/x")),
        ["X-Secret: session", "X-Other: session"]
    );
    // The request's own values stay within the origin.
    let own = || Request::get("http://a.test/own/").bearer_auth("request").header("X-Secret", "request");
    let kept = ["X-Secret: request", "X-Other: session", "Authorization: Bearer request"];
    assert_eq!(lines(&hop(own(), "/x")), kept);
    assert_eq!(lines(&hop(own(), "http://b.test/")), ["X-Other: session"]);
}

#[test]
fn the_options_of_a_mount_apply_to_each_hop() {
    let mut settings = settings();
    let mut quick = Mount::new();
    quick.changes.timeouts.read = Change::Set(Duration::from_secs(1));
    settings.mounts.add("http://quick.test/", quick).unwrap();
    settings.mounts.add("http://limited.test/", Mount::new().redirects(1)).unwrap();
    settings.mounts.add("http://stop.test/", Mount::new().redirects(None)).unwrap();
    settings.mounts.add("http://clean.test/", Mount::new().without_jar()).unwrap();
    settings.proxies = Proxies::from(Proxy::parse("session.proxy").unwrap());
    settings.mounts.add("http://direct.test/", Mount::new().without_proxy()).unwrap();

    let error = walk(&settings, Request::get("http://a.test/"), &["http://limited.test/", "/2"]).unwrap_err();
    assert_eq!(error.kind(), Kind::TooManyRedirects);
    let sent = walk(&settings, Request::get("http://a.test/"), &["http://stop.test/", "/2"]).unwrap();
    assert_eq!(sent.len(), 2);
    let sent = walk(
        &settings,
        Request::get("http://a.test/"),
        &["http://direct.test/", "http://quick.test/", "http://a.test/"],
    );
    let proxies: Vec<_> = sent.unwrap().into_iter().map(|sent| (sent.proxy, sent.read)).collect();
    let session = Some("http://session.proxy:80".to_owned());
    let second = Some(Duration::from_secs(1));
    assert_eq!(proxies, [(session.clone(), None), (None, None), (session.clone(), second), (session, None)]);
}

#[test]
fn a_mount_without_auth_uses_no_login_of_netrc() {
    let netrc = Netrc::parse(b"machine a.test login u password p\nmachine b.test login u password p");
    let environment = Environment::empty().with_netrc(netrc);
    let mut settings = settings();
    settings.mounts.add("http://b.test/none/", Mount::new().without_auth()).unwrap();
    let walked = |to: &str| {
        let sent = walk_with(&settings, Request::get("http://a.test/"), &[to], &environment).unwrap();
        sent[1].head.contains("Authorization")
    };
    assert!(walked("http://b.test/"));
    assert!(!walked("http://b.test/none/"));
    let first = walk_with(&settings, Request::get("http://b.test/none/"), &[], &environment).unwrap();
    assert!(!first[0].head.contains("Authorization"));
}

#[test]
fn a_proxy_of_a_mount_is_named_as_such() {
    let mut settings = settings();
    settings.mounts.add("http://", Mount::new().proxy("m.test")).unwrap();
    let choice = |request: Request| {
        let call = prepare(merge(&settings, request), &mut Jar::new(), NOW).unwrap();
        call.proxy_choice().unwrap().to_string()
    };
    assert_eq!(choice(Request::get("http://a.test/")), "http://m.test:80 by the mount's rule all");
    let own = Request::get("http://a.test/").proxy("r.test");
    assert_eq!(choice(own), "http://r.test:80 by the request's rule all");
}

#[test]
fn credentials_are_bound_to_an_origin() {
    let mut settings = settings();
    settings.auth = Auth::bearer("s").only("http://*.a.test:81");
    for (url, expected) in [
        ("http://x.a.test:81/y", Some("Bearer s")),
        ("http://x.a.test/y", None),
        ("http://a.test:81/y", None),
        ("http://u:p@b.test/", Some("Basic dTpw")),
    ] {
        let call = prepare(merge(&settings, Request::get(url)), &mut Jar::new(), NOW).unwrap();
        assert_eq!(call.request.headers().get("Authorization"), expected, "{url}");
    }
    assert_eq!(format!("{:?}", settings.auth), "Bearer(***) only for http://*.a.test:81/");
    for wrong in ["a.test", "http://a.test/path", "http://"] {
        settings.auth = Auth::bearer("s").only(wrong);
        let error =
            prepare(merge(&settings, Request::get("http://a.test/")), &mut Jar::new(), NOW).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidUrl, "{wrong}");
    }
}
