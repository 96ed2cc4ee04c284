//! The whole table, over every status and every relation of two origins.

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn head(status: u16, locations: &[&[u8]]) -> Head {
    let mut headers = Headers::new();
    for location in locations {
        headers.append("Location", location).unwrap();
    }
    Head::new(StatusCode::from_u16(status).unwrap(), headers)
}

fn after(from: &str, location: &str, rules: &RedirectRules) -> Follow {
    let mut headers = Headers::new();
    for name in ["Host", "aUTHORIZATION", "Cookie", "X-Plain", "X-Listed", "X-Marked", "Proxy-Authorization"]
    {
        headers.append(name, "h").unwrap();
    }
    headers.mark_sensitive("x-marked");
    let url = url(from);
    let hop = Hop { method: &Method::GET, url: &url, headers: &headers, body: Replay::None, taken: 0 };
    match decide(&hop, &head(302, &[location.as_bytes()]), rules) {
        Decision::Follow(follow) => follow,
        other => panic!("{from} {location}: {other:?}"),
    }
}

#[test]
fn v29_what_is_left_of_a_login_stays_within_its_origin() {
    let mut headers = Headers::new();
    for name in ["www-authenticate", "Proxy-Authenticate", "Cookie2", "Proxy-Authorization", "X-Plain"] {
        headers.append(name, "h").unwrap();
    }
    for (to, stay) in
        [("http://b/", "X-Plain"), ("/b", "www-authenticate Proxy-Authenticate Cookie2 X-Plain")]
    {
        let url = url("http://a/");
        let hop = Hop { method: &Method::GET, url: &url, headers: &headers, body: Replay::None, taken: 0 };
        let Decision::Follow(next) = decide(&hop, &head(302, &[to.as_bytes()]), &RedirectRules::default())
        else {
            panic!("{to}");
        };
        assert_eq!(next.headers.iter().map(|field| field.name).collect::<Vec<_>>().join(" "), stay);
    }
}

#[test]
fn r01_r02_only_five_statuses_with_a_location_are_followed() {
    let (url, headers) = (url("http://a/"), Headers::new());
    let hop = Hop { method: &Method::GET, url: &url, headers: &headers, body: Replay::None, taken: 0 };
    let rules = RedirectRules::default();
    for status in 100..1000 {
        let is_redirect = [301, 302, 303, 307, 308].contains(&status);
        for (locations, stop) in
            [(&[&b"/x"[..]][..], None), (&[], Some(Stop::NoLocation)), (&[b""], Some(Stop::EmptyLocation))]
        {
            match decide(&hop, &head(status, locations), &rules) {
                Decision::Stop(why) if !is_redirect => assert_eq!(why, Stop::NotRedirect, "{status}"),
                Decision::Stop(why) => assert_eq!(Some(why), stop, "{status}"),
                Decision::Follow(_) => assert!(is_redirect && stop.is_none(), "{status}"),
                Decision::Fail(fail) => panic!("{status} {fail:?}"),
            }
        }
    }
}

#[test]
fn a_reason_to_stop_has_a_name() {
    let names = [Stop::NotRedirect, Stop::NoLocation, Stop::EmptyLocation].map(Stop::name);
    assert_eq!(names, ["not-redirect", "no-location", "empty-location"]);
}

#[test]
fn r12_r13_b06_method_and_body_over_every_status() {
    let (url, mut headers) = (url("http://a/"), Headers::new());
    headers.append("Content-Type", "x").unwrap();
    for status in [301, 302, 303, 307, 308] {
        for name in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X"] {
            for body in [Replay::None, Replay::Possible, Replay::Impossible] {
                let method = Method::from_bytes(name.as_bytes()).unwrap();
                let hop = Hop { method: &method, url: &url, headers: &headers, body, taken: 0 };
                let becomes_get = match status {
                    303 => !matches!(name, "GET" | "HEAD"),
                    301 | 302 => name == "POST",
                    _ => false,
                };
                let keeps = status != 303 && !becomes_get;
                match decide(&hop, &head(status, &[b"/x"]), &RedirectRules::default()) {
                    Decision::Follow(next) => {
                        assert!(!(keeps && body == Replay::Impossible), "{status} {name}");
                        assert_eq!(
                            next.method == Method::GET,
                            becomes_get || name == "GET",
                            "{status} {name}"
                        );
                        assert_eq!((next.keeps_body, next.headers.contains("Content-Type")), (keeps, keeps));
                        let why: &[_] =
                            if keeps { &[] } else { &[("Content-Type".into(), Dropped::Payload)] };
                        assert_eq!(next.dropped, why);
                    }
                    Decision::Fail(fail) => {
                        assert!(keeps && body == Replay::Impossible, "{status} {name}");
                        assert_eq!(fail.kind, Kind::NotReplayable);
                    }
                    Decision::Stop(why) => panic!("{why:?}"),
                }
            }
        }
    }
}

#[test]
fn r16_v03_v16_an_origin_is_scheme_host_and_port() {
    let places = [
        "http://a/",
        "https://a/",
        "http://a:8080/",
        "https://a:8080/",
        "http://b/",
        "http://x.a/",
        "http://a:443/",
    ];
    let mut rules = RedirectRules { sensitive: ["x-listed".into()].into(), ..RedirectRules::default() };
    for keep_on_upgrade in [false, true] {
        rules.keep_on_upgrade = keep_on_upgrade;
        for from in places {
            for to in places {
                let next = after(from, to, &rules);
                let stays = from == to || (keep_on_upgrade && (from, to) == ("http://a/", "https://a/"));
                assert_eq!(next.leaves_origin, !stays, "{from} {to}");
                let left: Vec<_> = next.headers.iter().map(|field| field.name.to_owned()).collect();
                if stays {
                    assert_eq!(left, ["Host", "aUTHORIZATION", "Cookie", "X-Plain", "X-Listed", "X-Marked"]);
                } else {
                    assert_eq!(left, ["X-Plain"], "{from} {to}");
                }
                assert!(next.dropped.contains(&("Proxy-Authorization".into(), Dropped::Proxy)));
            }
        }
    }
    // The default port of the scheme equals no port.
    assert!(!after("http://a/", "http://A:80/x", &rules).leaves_origin);
    assert!(after("http://a./", "http://a/", &rules).leaves_origin);
}

#[test]
fn r05_r22_v32_v36_what_fails_and_why() {
    let (url, headers) = (url("http://a/x#f"), Headers::new());
    let rules = RedirectRules { max: 3, ..RedirectRules::default() };
    for (taken, locations, kind) in [
        (2, &[&b"/y"[..], b"/y"][..], None),
        (2, &[b"/y", b"/z"], Some(Kind::ConflictingLocation)),
        (3, &[b"/y"], Some(Kind::TooManyRedirects)),
        (9, &[b"/y"], Some(Kind::TooManyRedirects)),
        (0, &[b"file:///x"], Some(Kind::UnsupportedRedirectScheme)),
        (0, &[b"javascript:x"], Some(Kind::UnsupportedRedirectScheme)),
        (0, &[b"http://B\\@A/"], Some(Kind::BadLocation)),
        (0, &[b"///B/x"], Some(Kind::BadLocation)),
        (0, &[b"http://\xff/"], Some(Kind::BadLocation)),
        (0, &[b"//["], Some(Kind::BadLocation)),
    ] {
        let hop = Hop { method: &Method::GET, url: &url, headers: &headers, body: Replay::None, taken };
        match decide(&hop, &head(307, locations), &rules) {
            Decision::Follow(_) => assert_eq!(kind, None, "{locations:?}"),
            Decision::Fail(fail) => assert_eq!(Some(fail.kind), kind, "{locations:?}"),
            Decision::Stop(why) => panic!("{why:?}"),
        }
    }
}

#[test]
fn s21_what_is_told_of_a_bad_location_has_no_password_and_no_raw_byte() {
    let (url, headers) = (url("http://a/"), Headers::new());
    let hop = Hop { method: &Method::GET, url: &url, headers: &headers, body: Replay::None, taken: 0 };
    let decision = decide(&hop, &head(302, &[b"http://user:hunter2@[\xff"]), &RedirectRules::default());
    let Decision::Fail(fail) = decision else { panic!() };
    assert_eq!(fail.detail.as_deref(), Some("[\\xff"));
}

#[test]
fn r07_r08_b08_targets_and_fragments() {
    let rules = RedirectRules::default();
    for (location, target) in [
        ("y", "http://a/d/y#f"),
        ("/y#g", "http://a/y#g"),
        ("?q", "http://a/d/x?q#f"),
        ("#g", "http://a/d/x?o#g"),
        ("../../y/./z", "http://a/y/z#f"),
        ("//b/y", "http://b/y#f"),
        ("http:y", "http://a/d/y#f"),
        ("HTTPS://B", "https://b/#f"),
        ("/a b/%e9/%zz", "http://a/a%20b/%e9/%25zz#f"),
    ] {
        assert_eq!(after("http://a/d/x?o#f", location, &rules).url.as_str(), target, "{location}");
    }
}

#[test]
fn fa2_a_location_leads_to_no_longer_url_than_the_longest() {
    let (headers, rules) = (Headers::new(), RedirectRules::default());
    let long = url(&format!("http://a/{}/", "x".repeat(MOST_URL - 20)));
    let spare = MOST_URL - long.as_str().len();
    let (fits, exceeds) = ("y".repeat(spare), "y".repeat(spare + 1));
    let short = url("http://a/");
    let whole = format!("/{}", "y".repeat(MOST_URL));
    for (from, location, follows) in [
        (&long, &*fits, true),
        (&long, &exceeds, false),
        (&long, "/y", true),
        (&long, &whole, false),
        (&short, &whole, false),
        (&short, &whole[..MOST_URL - 9], true),
        // Escaped characters count in their escaped form.
        (&short, &"\u{e9}".repeat(MOST_URL / 5), false),
    ] {
        let hop = Hop { method: &Method::GET, url: from, headers: &headers, body: Replay::None, taken: 0 };
        match decide(&hop, &head(302, &[location.as_bytes()]), &rules) {
            Decision::Follow(next) => assert!(follows && next.url.as_str().len() <= MOST_URL),
            Decision::Fail(fail) => {
                assert!(!follows && fail.kind == Kind::BadLocation);
                assert!(fail.detail.unwrap().ends_with("bytes, and at most 65536 are followed"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn fb3_by_default_an_upgrade_keeps_what_requests_keeps() {
    let rules = RedirectRules::default();
    assert!(rules.keep_on_upgrade && !rules.detect_loops && rules.max == 30);
    for (from, to, stays) in [
        ("http://a/", "https://a/", true),
        ("http://a:80/", "https://a:443/", true),
        ("http://A/", "https://a/x?y", true),
        ("https://a/", "http://a/", false),
        ("http://a/", "https://b/", false),
        ("http://a/", "https://x.a/", false),
        ("http://a/", "https://a:8443/", false),
        ("http://a:8080/", "https://a/", false),
        ("http://a:443/", "https://a/", false),
        ("http://a/", "https://a:80/", false),
    ] {
        assert_eq!(after(from, to, &rules).leaves_origin, !stays, "{from} {to}");
    }
}
