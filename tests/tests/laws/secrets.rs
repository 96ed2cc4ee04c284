//! Law 5 of `ARCHITECTURE.md`: no secret is sent to a peer that does not own it, over any chain of
//! redirects.

use std::sync::atomic::{AtomicBool, Ordering};

use sessio::{Auth, Origin, Request, Seed, Settings, Url, hook, merge, prepare};
use sessio_tests::clear::silent;
use sessio_tests::replay::{Script, Then, new_state, now, replay};

const HOSTS: [&str; 3] = ["a.test", "b.test", "sub.a.test"];

/// Three hosts, two schemes, two ports.
fn origin(seed: &mut Seed) -> String {
    let host = HOSTS[draw(seed, 3)];
    let scheme = ["http", "https"][draw(seed, 2)];
    let port = ["", ":8080"][draw(seed, 2)];
    format!("{scheme}://{host}{port}")
}

fn draw(seed: &mut Seed, below: usize) -> usize {
    (seed.draw() % below as u64) as usize
}

/// All secrets that a caller can give to one origin, each with its own mark.
fn request(seed: &mut Seed, url: &str) -> Request {
    let request = request_without_hook(seed, url);
    // The hook adds them to the first request alone. Later hops keep or drop them.
    let is_first = AtomicBool::new(true);
    request.hook(hook::before(move |request| {
        if is_first.swap(false, Ordering::Relaxed) {
            request.headers_mut().insert("X-Hook", "MARK-hook")?;
            request.headers_mut().mark_sensitive("X-Hook");
            request.headers_mut().insert("X-Hook-Listed", "MARK-listed-hook")?;
            if !request.headers().contains("Authorization") {
                request.headers_mut().insert("Authorization", "MARK-by-hook")?;
            }
        }
        Ok(())
    }))
}

fn request_without_hook(seed: &mut Seed, url: &str) -> Request {
    let method = ["GET", "POST", "PUT", "HEAD"][draw(seed, 4)];
    let mut request = Request::new(method, url)
        .redirects(10)
        .cookie("own", "MARK-own")
        .header("Cookie", "by-hand=MARK-line");
    request =
        request.header("X-Api-Key", "MARK-key").header("X-Listed", "MARK-listed").header("X-Plain", "plain");
    request.headers.mark_sensitive("x-api-key");
    request = request.header("Proxy-Authorization", "MARK-proxy").header("X-Plain-2", "plain");
    match draw(seed, 4) {
        0 => request.header("aUTHorization", "MARK-auth"),
        1 => request.auth(Auth::bearer("MARK-auth")),
        2 => request.header("Host", "MARK-host"),
        _ => request,
    }
}

/// Whether the redirect is from http to https on one host, both on their default ports.
fn is_upgrade(from: &Url, to: &Url) -> bool {
    (from.scheme(), to.scheme()) == ("http", "https")
        && from.host_str() == to.host_str()
        && (from.port(), to.port()) == (None, None)
}

#[test]
fn g06_no_mark_reaches_an_origin_that_does_not_own_it() {
    let (mut runs, mut hops, mut crossings) = (0, 0, 0);
    for number in 0..12_000_u64 {
        let mut seed = Seed::new(number);
        let seed = &mut seed;
        let mut settings = Settings::default();
        settings.tls_connector = silent();
        settings.sensitive_headers = ["x-listed".into(), "x-hook-listed".into()].into();
        settings.keep_on_upgrade = number % 4 > 0;
        if draw(seed, 2) == 0 {
            settings.auth = Auth::basic("MARK-user", "MARK-password");
        }
        settings.headers.insert("X-Session-Key", "SESSION-key").unwrap();
        settings.headers.mark_sensitive("x-session-key");
        let base = (draw(seed, 2) == 0).then(|| origin(seed));
        settings.base_url = base.as_deref().map(|base| base.parse().unwrap());
        let length = 1 + draw(seed, 6);
        // Some chains stay at one origin for a while.
        let mut chain: Vec<String> = vec![origin(seed)];
        while chain.len() <= length {
            let next = if draw(seed, 3) == 0 { chain[chain.len() - 1].clone() } else { origin(seed) };
            chain.push(next);
        }
        let userinfo = draw(seed, 3) == 0;
        let url = |at: usize| format!("{}/{at}", chain[at]);
        let first = if userinfo { url(0).replacen("://", "://MARK-user:MARK-password@", 1) } else { url(0) };
        let mut state = new_state();
        let prepared = prepare(merge(&settings, request(seed, &first)), &mut state.jar, now()).unwrap();
        let mut at = 0;
        let status = [301, 302, 303, 307, 308][draw(seed, 5)];
        let (relative, chunked, size) =
            (draw(seed, 2) == 0, draw(seed, 2) == 0, [1, 13, 1 << 20][draw(seed, 3)]);
        let told = replay(prepared, &mut state, size, |asked| {
            let host = asked.host_str().unwrap().to_owned();
            at += 1;
            let framing = if chunked {
                "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
            } else {
                "Content-Length: 2\r\n\r\nhi"
            };
            let secure = if asked.scheme() == "https" { "; Secure" } else { "" };
            let cookie = format!(
                "Set-Cookie: jar{at}=JAR-{host}{}{secure}\r\n",
                if secure.is_empty() { "" } else { "-secure" }
            );
            let head = if at < chain.len() {
                let stays = chain[at] == chain[at - 1];
                let location = if stays && relative { format!("/{at}") } else { url(at) };
                format!("HTTP/1.1 {status} X\r\nLocation: {location}\r\n")
            } else {
                "HTTP/1.1 200 OK\r\n".to_owned()
            };
            Script { bytes: (head + &cookie + framing).into_bytes(), then: Then::Close }
        });
        assert_eq!(told.error, None, "seed {number}: {chain:?}");
        assert_eq!(told.sent.len(), chain.len(), "seed {number}");
        runs += 1;
        let (mut home, mut is_home) = (Url::parse(&first).unwrap(), true);
        let owner = Origin::of(&home);
        for (index, (url, sent)) in told.sent.iter().enumerate() {
            hops += 1;
            if settings.keep_on_upgrade && is_upgrade(&home, url) {
                home = url.clone();
            }
            is_home &= Origin::of(url) == Origin::of(&home);
            crossings += usize::from(!is_home);
            let text = String::from_utf8_lossy(sent);
            let why = || format!("seed {number}, hop {index} of {chain:?}:\n{text}");
            assert!(!text.contains("MARK-proxy"), "{}", why());
            // The session's secrets belong to its base URL, if it has one.
            let is_sessions = base.as_ref().is_none_or(|base| Origin::of(&base.parse().unwrap()) == owner);
            assert_eq!(text.contains("SESSION-key"), is_home && is_sessions, "{base:?} {}", why());
            assert!(is_home || !text.contains("MARK"), "{}", why());
            assert!(!text.contains("MARK-password") && !text.contains("MARK-user"), "{}", why());
            if is_home {
                for mark in
                    ["MARK-own", "MARK-line", "MARK-key", "MARK-listed", "MARK-hook", "MARK-listed-hook"]
                {
                    assert!(text.contains(mark), "{mark} {}", why());
                }
            } else {
                // Credentials in the URL or the settings become Basic, and stay at their origin
                // too.
                assert!(!text.to_ascii_lowercase().contains("authorization:"), "{}", why());
            }
            assert!(text.contains("X-Plain: plain"), "{}", why());
            assert_eq!(text.matches("\r\nHost: ").count(), 1, "{}", why());
            // The jar's cookies belong to the host, and those marked Secure to https.
            for host in HOSTS {
                let is_own = url.host_str() == Some(host);
                let plain = text.matches(&format!("JAR-{host};")).count()
                    + text.matches(&format!("JAR-{host}\r")).count();
                assert!(is_own || plain == 0, "{}", why());
                let secure = text.contains(&format!("JAR-{host}-secure"));
                assert!(!secure || (is_own && url.scheme() == "https"), "{}", why());
            }
        }
    }
    assert!(runs >= 10_000 && hops > 40_000 && crossings > 20_000, "{runs} {hops} {crossings}");
}
