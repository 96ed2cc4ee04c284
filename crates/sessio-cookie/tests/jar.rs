//! The API of the jar, and the bugs of other jars.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::time::Duration;

use sessio_cookie::{
    Jar, Limits, NewCookie, Outcome, Policy, Prefixes, PublicSuffixes, Reason, RequestCookies, SameSite,
    Site, Unscoped, line,
};
use sessio_cookie::{UnixTime, Url};

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn set(jar: &mut Jar, from: &str, lines: &[&str]) -> Vec<Reason> {
    let extracted = jar.extract(&url(from), lines.iter().map(|line| line.as_bytes()), UnixTime(0));
    extracted.refused.into_iter().map(|refused| refused.reason).collect()
}

fn header(jar: &mut Jar, to: &str) -> String {
    let mut out = Vec::new();
    jar.header(&url(to), UnixTime(0), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn every_refusal_has_its_reason() {
    let long = format!("a={}", "v".repeat(4096));
    for (from, line, reason) in [
        ("https://x.example/", "a=\u{1}", Reason::ControlCharacter),
        ("https://x.example/", "=", Reason::Empty),
        ("https://x.example/", &long, Reason::TooLong),
        ("data:text/plain,", "a=1", Reason::NoHost),
        ("ftp://x.example/", "a=1", Reason::NoHost),
        ("https://x.example/", "a=1; Domain=.", Reason::InvalidDomain),
        ("https://xn--bcher-kva.example/", "a=1; Domain=b\u{fc}cher.example", Reason::InvalidDomain),
        ("https://x.example/", "a=1; Domain=example", Reason::PublicSuffix),
        ("https://x.example/", "a=1; Domain=y.example", Reason::DomainMismatch),
        ("https://x.example/", "a=1; Domain=x.example.", Reason::DomainMismatch),
        ("https://x.example/", "a=1; Path=/\u{e9}", Reason::InvalidPath),
        ("http://x.example/", "a=1; Secure", Reason::SecureFromInsecure),
        ("http://x.example/", "locked=1", Reason::ShadowsSecure),
        ("https://x.example/", "a=1; SameSite=None", Reason::SameSiteNoneInsecure),
        ("https://x.example/", "__SECURE-a=1", Reason::SecurePrefix),
        ("https://x.example/", "__Host-a=1; Secure", Reason::HostPrefix),
        ("https://x.example/", "__Host-a=1; Secure; Path=/; Domain=x.example", Reason::HostPrefix),
        ("https://x.example/", "__Http-a=1; Secure", Reason::HttpPrefix),
        ("https://x.example/", "__Host-Http-a=1; Secure; Path=/", Reason::HostHttpPrefix),
        ("https://x.example/", "=__Host-a=1; Secure; Path=/", Reason::NamelessPrefix),
    ] {
        let mut jar = Jar::new();
        set(&mut jar, "https://x.example/", &["locked=1; Secure; Path=/"]);
        assert_eq!(set(&mut jar, from, &[line]), [reason], "{line}");
        assert_eq!(jar.len(), 1);
    }
}

#[test]
fn cookies_stay_within_http_and_websocket() {
    let mut jar = Jar::new();
    set(&mut jar, "http://x.example/", &["a=1; Domain=x.example"]);
    for (to, expected) in [
        ("ws://x.example/", "a=1"),
        ("wss://x.example/", "a=1"),
        ("https://x.example/", "a=1"),
        ("ftp://x.example/", ""),
        ("other://x.example/", ""),
    ] {
        assert_eq!(header(&mut jar, to), expected, "{to}");
        assert_eq!(jar.matching(&url(to), UnixTime(0)).is_empty(), expected.is_empty(), "{to}");
    }
    // Nor is an unscoped cookie bound to such a host.
    jar.insert(NewCookie::new("token", "t").unwrap(), UnixTime(0)).unwrap();
    assert_eq!(header(&mut jar, "ftp://y.example/"), "");
    assert_eq!(header(&mut jar, "http://x.example/"), "a=1; token=t");
}

#[test]
#[cfg(feature = "psl")]
fn v65_nothing_spans_the_public_suffix_of_its_host() {
    for (from, domain) in [
        // The suffix comes from a wildcard. The parents of the wildcard are not public suffixes.
        ("https://mine.us-east-1.compute.amazonaws.com/", "us-east-1.compute.amazonaws.com"),
        ("https://mine.us-east-1.compute.amazonaws.com/", "compute.amazonaws.com"),
        ("https://mine.us-east-1.compute.amazonaws.com/", "AMAZONAWS.com"),
        ("https://mine.s3.amazonaws.com/", ".amazonaws.com"),
        ("https://us-east-1.compute.amazonaws.com/", "compute.amazonaws.com"),
        // An exception from a wildcard.
        ("https://www.city.kobe.jp/", "kobe.jp"),
        ("https://www.city.kobe.jp./", "kobe.jp."),
    ] {
        let mut jar = Jar::new();
        assert_eq!(
            set(&mut jar, from, &[&format!("a=1; Domain={domain}")]),
            [Reason::PublicSuffix],
            "{domain}"
        );
    }
    let mut jar = Jar::new();
    set(&mut jar, "https://www.city.kobe.jp/", &["a=1; Domain=city.kobe.jp"]);
    set(&mut jar, "https://docs.amazonaws.com/", &["b=1; Domain=amazonaws.com"]);
    assert_eq!(header(&mut jar, "https://city.kobe.jp/"), "a=1");
    assert_eq!(header(&mut jar, "https://amazonaws.com/"), "b=1");
}

#[test]
fn prefixes_by_choice() {
    let mut policy = Policy::default();
    policy.prefixes = Prefixes::Bis;
    let mut jar = Jar::with_policy(policy);
    assert_eq!(set(&mut jar, "https://x.example/", &["__Http-a=1"]), []);
    assert_eq!(set(&mut jar, "https://x.example/", &["__Host-Http-a=1; Secure; Path=/"]), []);
    assert_eq!(set(&mut jar, "https://x.example/", &["__Host-Http-a=1; Secure"]), [Reason::HostPrefix]);
}

#[test]
fn v67_limits() {
    let lines: Vec<String> = (0..10_000).map(|n| format!("c{n}={}", "v".repeat(4000))).collect();
    let mut jar = Jar::new();
    let of_site = url("https://example.com/");
    let extracted = jar.extract(&of_site, lines.iter().map(|line| line.as_bytes()), UnixTime(0));
    assert_eq!((extracted.stored, extracted.refused.len()), (50, 9950));
    assert_eq!(extracted.refused[0].reason, Reason::TooMany);
    for chunk in lines.chunks(50) {
        jar.extract(&of_site, chunk.iter().map(|line| line.as_bytes()), UnixTime(0));
    }
    assert_eq!(jar.len(), 180);
    assert!(header(&mut jar, "https://example.com/").len() <= 8190);

    // The same lines, from many hosts below one domain.
    for n in 0..100 {
        let host = url(&format!("https://h{n}.example.com/"));
        jar.extract(&host, lines[..50].iter().map(|line| line.as_bytes()), UnixTime(0));
        assert!((1..=3300).contains(&jar.len()));
    }
    assert!(jar.len() >= 3000);
    assert!(header(&mut jar, "https://h99.example.com/").starts_with("c0="));
    assert_eq!(header(&mut jar, "https://h0.example.com/"), "");
}

#[test]
fn deletions_do_not_count_against_a_response() {
    let mut jar = Jar::new();
    let mut lines: Vec<String> = (0..60).map(|n| format!("c{n}=; Max-Age=0")).collect();
    lines.extend((0..50).map(|n| format!("d{n}=1")));
    lines.push("c0=; Max-Age=0".into());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(set(&mut jar, "https://example.com/", &lines), []);
    assert_eq!(jar.len(), 50);
}

#[test]
fn r34_of_one_response_ten_times_as_many_lines_are_looked_at_as_cookies_are_kept() {
    let gone = "x=; Max-Age=0";
    for (before, refused) in [(499, 0), (500, 1), (501, 2)] {
        let mut jar = Jar::new();
        let mut lines = vec![gone; before];
        lines.push("a=1");
        assert_eq!(set(&mut jar, "https://example.com/", &lines), vec![Reason::TooMany; refused]);
        assert_eq!(jar.len(), usize::from(refused == 0));
    }
    // A replacement counts as a cookie of the response, too.
    let mut lines = vec!["a=1"; 50];
    lines.push("b=1");
    let mut jar = Jar::new();
    assert_eq!(set(&mut jar, "https://example.com/", &lines), [Reason::TooMany]);
    // A report shows at most 64 octets of a refused line's name.
    for (length, shown) in [(64, 64), (65, 64)] {
        let line = format!("{}=1; Domain=com", "n".repeat(length));
        let extracted = jar.extract(&url("https://example.com/"), [line.as_bytes()], UnixTime(0));
        assert_eq!(extracted.refused[0].name.len(), shown);
    }
}

#[test]
fn r34_a_header_is_as_long_as_it_may_be_and_nothing_shorter_overtakes() {
    let mut policy = Policy::default();
    policy.limits.header_octets = 5000;
    for (length, expected) in [(996, 2), (997, 2), (998, 1)] {
        let mut jar = Jar::with_policy(policy.clone());
        let lines =
            [format!("a={}", "v".repeat(3997)), format!("b={}", "v".repeat(length)), "c=1".to_owned()];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        set(&mut jar, "https://example.com/", &lines);
        let sent = header(&mut jar, "https://example.com/");
        assert_eq!(sent.matches('=').count(), expected, "{length}");
        assert!(sent.len() <= 5000 && (expected == 1 || sent.len() >= 4999), "{}", sent.len());
    }
}

#[test]
fn r34_what_has_ended_leaves_before_what_has_not() {
    let mut policy = Policy::default();
    policy.limits.per_domain = 50;
    let mut jar = Jar::with_policy(policy);
    let of_site = url("https://example.com/");
    let lines: Vec<String> =
        (0..50).map(|n| format!("c{n}=1; Max-Age={}", if n == 30 { 10 } else { 100 })).collect();
    let extracted = jar.extract(&of_site, lines.iter().map(String::as_bytes), UnixTime(0));
    assert_eq!((extracted.stored, extracted.evicted), (50, 0));
    let extracted = jar.extract(&of_site, [&b"new=1"[..]], UnixTime(11));
    assert_eq!((extracted.stored, extracted.evicted, jar.len()), (1, 1, 50));
    assert!(jar.get("c30").is_none() && jar.get("c0").is_some());
    let extracted = jar.extract(&of_site, [&b"newer=1"[..], b"newest=1"], UnixTime(11));
    assert_eq!((extracted.stored, extracted.evicted, jar.len()), (2, 2, 50));
    assert!(jar.get("c0").is_none() && jar.get("c1").is_none() && jar.get("c2").is_some());
}

#[test]
fn r8_an_attribute_of_1024_octets_counts_and_a_longer_one_is_passed_over() {
    let deep = format!("/{}", "p".repeat(1023));
    for (path, kept) in [(deep.clone(), &*deep), (format!("{deep}p"), "/a")] {
        let mut jar = Jar::new();
        set(&mut jar, "https://example.com/a/b", &[&format!("x=1; Path={path}")]);
        assert_eq!(jar.get("x").unwrap().path(), kept);
    }
}

#[test]
fn r7_name_and_value_have_4096_octets_together() {
    for (length, reasons) in [(4095, &[][..]), (4096, &[Reason::TooLong])] {
        assert_eq!(
            set(&mut Jar::new(), "https://example.com/", &[&format!("x={}", "v".repeat(length))]),
            reasons
        );
        assert_eq!(NewCookie::new("x", "v".repeat(length)).is_err(), !reasons.is_empty());
    }
}

#[test]
fn limits_stay_above_the_minimum() {
    let mut policy = Policy::default();
    policy.limits.per_domain = 0;
    policy.limits.total = 0;
    policy.limits.per_response = 0;
    policy.limits.header_octets = 0;
    let mut jar = Jar::with_policy(policy);
    for n in 0..70 {
        assert_eq!(set(&mut jar, &format!("https://h{n}.example/"), &["a=1"]), []);
        assert_eq!(set(&mut jar, "https://x.example/", &[&format!("b{n}={}", "v".repeat(4000))]), []);
    }
    assert_eq!(jar.len(), 70 + 50);
    assert_eq!(header(&mut jar, "https://x.example/").len(), 4004);
}

#[test]
fn those_without_secure_leave_first_and_the_least_recently_used_before_others() {
    let mut policy = Policy::default();
    policy.limits.per_domain = 50;
    let mut jar = Jar::with_policy(policy);
    set(&mut jar, "https://example.com/", &["old=1; Secure", "used=1; Path=/used"]);
    for n in 0..48 {
        set(&mut jar, "https://example.com/", &[&format!("c{n}=1; Path=/c")]);
    }
    assert_eq!(header(&mut jar, "https://example.com/used"), "used=1; old=1");
    set(&mut jar, "https://example.com/", &["new=1; Path=/new"]);
    assert!(jar.get("old").is_some() && jar.get("used").is_some() && jar.get("c1").is_some());
    assert!(jar.get("c0").is_none());
}

#[test]
fn unscoped_cookies_belong_to_the_first_host() {
    let mut jar = Jar::new();
    jar.insert(NewCookie::new("token", "t").unwrap(), UnixTime(0)).unwrap();
    assert_eq!(jar.get("token").unwrap().domain(), "");
    assert_eq!(jar.matching(&url("http://a.example/"), UnixTime(0)).len(), 1);
    assert_eq!(header(&mut jar, "http://a.example/"), "token=t");
    assert_eq!(header(&mut jar, "http://b.example/"), "");
    assert_eq!(header(&mut jar, "http://sub.a.example/"), "");
    assert_eq!(jar.get("token").unwrap().domain(), "a.example");
}

#[test]
fn unscoped_cookies_go_anywhere_if_asked() {
    let mut policy = Policy::default();
    policy.unscoped = Unscoped::DangerouslySendToAnyHost;
    let mut jar = Jar::with_policy(policy);
    jar.insert(NewCookie::new("debug", "1").unwrap().path("/x"), UnixTime(0)).unwrap();
    set(&mut jar, "http://a.example/", &["a=1"]);
    assert_eq!(header(&mut jar, "http://a.example/x"), "debug=1; a=1");
    assert_eq!(header(&mut jar, "http://b.example/x/y"), "debug=1");
    assert_eq!(header(&mut jar, "http://127.0.0.1/x"), "debug=1");
    assert_eq!(header(&mut jar, "http://127.0.0.1/"), "");
    assert_eq!(jar.remove("debug"), 1);
    assert_eq!(header(&mut jar, "http://b.example/x"), "");
}

#[test]
fn b09_localhost_and_names_without_dots() {
    let mut jar = Jar::new();
    set(&mut jar, "http://localhost:8080/", &["a=1; Domain=localhost; Secure"]);
    jar.insert(NewCookie::new("b", "2").unwrap().domain("localhost"), UnixTime(0)).unwrap();
    jar.insert(NewCookie::new("c", "3").unwrap().host("intranet"), UnixTime(0)).unwrap();
    assert_eq!(header(&mut jar, "http://localhost:3000/"), "a=1; b=2");
    assert_eq!(header(&mut jar, "http://intranet/"), "c=3");
    let mut policy = Policy::default();
    policy.trust_loopback = false;
    jar.set_policy(policy);
    assert_eq!(header(&mut jar, "http://localhost:3000/"), "b=2");
    assert_eq!(set(&mut jar, "http://localhost/", &["d=1; Secure"]), [Reason::SecureFromInsecure]);
}

#[test]
fn inserted_cookies_keep_the_rules() {
    let mut jar = Jar::new();
    let mut refused = |cookie: NewCookie| jar.insert(cookie, UnixTime(0)).unwrap_err().reason();
    let new = |name: &str| NewCookie::new(name, "1").unwrap();
    #[cfg(feature = "psl")]
    assert_eq!(refused(new("a").domain("co.uk")), Reason::PublicSuffix);
    assert_eq!(refused(new("a").domain("a b")), Reason::InvalidDomain);
    assert_eq!(refused(new("a").host("")), Reason::InvalidDomain);
    assert_eq!(refused(new("a").path("/\r\n")), Reason::InvalidPath);
    assert_eq!(refused(new("__Host-a").host("a.example")), Reason::HostPrefix);
    assert_eq!(refused(new("a").same_site(SameSite::None)), Reason::SameSiteNoneInsecure);
    jar.insert(new("__Host-a").secure(true), UnixTime(0)).unwrap();
    jar.insert(new("a").domain(".B\u{fc}cher.Example").max_age(Duration::MAX), UnixTime(0)).unwrap();
    assert_eq!(jar.get("a").unwrap().domain(), "xn--bcher-kva.example");
    assert_eq!(jar.get("a").unwrap().expires(), Some(UnixTime(34_560_000)));
    assert_eq!(
        jar.insert(new("a").domain("xn--bcher-kva.example").expires(UnixTime(-1)), UnixTime(0)),
        Ok(Outcome::Deleted)
    );
    assert_eq!(header(&mut jar, "https://a.example/"), "__Host-a=1");
}

#[test]
fn get_never_errs() {
    let mut jar = Jar::new();
    set(&mut jar, "http://a.example/", &["n=1", "n=2; Path=/x"]);
    set(&mut jar, "http://b.example/", &["n=3"]);
    assert_eq!(jar.get("n").unwrap().value_str(), Some("3"));
    assert_eq!(jar.get_for(&url("http://a.example/x/"), "n", UnixTime(0)).unwrap().value(), b"2");
    assert_eq!(jar.get("missing"), None);
    assert_eq!(jar.iter().map(|cookie| cookie.value()[0]).collect::<Vec<_>>(), b"123");
    assert_eq!(jar.remove_exact("a.example", "/x", "n"), 1);
    assert_eq!(jar.clear_path("a.example", "/"), 1);
    assert_eq!(jar.clear_domain("a.example"), 0);
    assert_eq!((jar.clear(), jar.is_empty()), (1, true));
}

#[test]
fn sessions_end_and_cookies_expire() {
    let mut jar = Jar::new();
    set(&mut jar, "http://a.example/", &["s=1", "k=1; Max-Age=10"]);
    let later = UnixTime;
    let mut out = Vec::new();
    assert_eq!(jar.header(&url("http://a.example/"), later(10), &mut out), 2);
    assert_eq!(jar.header(&url("http://a.example/"), later(11), &mut out), 1);
    // The request removed the expired cookie that it matched.
    assert_eq!(jar.len(), 1);
    assert_eq!((jar.clear_session(), jar.len()), (1, 0));
}

#[test]
fn an_ended_secure_cookie_protects_nothing() {
    let mut jar = Jar::new();
    set(&mut jar, "https://a.example/", &["a=1; Secure; Max-Age=10"]);
    let again =
        |jar: &mut Jar, now| jar.extract(&url("http://a.example/"), [&b"a=2"[..]], UnixTime(now)).stored;
    assert_eq!(again(&mut jar, 10), 0);
    assert_eq!(again(&mut jar, 11), 1);
}

#[test]
fn a_domain_that_became_a_public_suffix_is_not_sent() {
    let mut jar = Jar::new();
    set(&mut jar, "https://a.hosting.example/", &["a=1; Domain=hosting.example", "b=1"]);
    let mut policy = Policy::default();
    policy.suffixes = PublicSuffixes::from_fn(|domain| domain == "hosting.example");
    jar.set_policy(policy);
    assert_eq!(header(&mut jar, "https://a.hosting.example/"), "b=1");
    jar.set_policy(Policy::default());
    assert_eq!(header(&mut jar, "https://a.hosting.example/"), "a=1; b=1");
}

#[test]
fn without_a_list_a_domain_may_be_anything() {
    let mut policy = Policy::default();
    policy.suffixes = PublicSuffixes::off();
    let mut jar = Jar::with_policy(policy);
    assert_eq!(set(&mut jar, "https://a.co.uk/", &["a=1; Domain=co.uk", "b=1; Domain=uk"]), []);
    assert_eq!(header(&mut jar, "https://b.co.uk/"), "a=1; b=1");
}

#[test]
fn same_site_with_a_context() {
    let mut jar = Jar::new();
    let to = url("https://shop.example/");
    set(&mut jar, "https://shop.example/", &["s=1; SameSite=Strict", "l=1; SameSite=Lax", "u=1"]);
    set(&mut jar, "https://shop.example/", &["n=1; SameSite=None; Secure"]);
    let mut sent = |site, now| {
        let mut out = Vec::new();
        jar.header_from(&to, site, UnixTime(now), &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(sent(Site::Same, 0), "s=1; l=1; u=1; n=1");
    assert_eq!(sent(Site::CrossNavigation { safe: true }, 0), "l=1; u=1; n=1");
    assert_eq!(sent(Site::CrossNavigation { safe: false }, 120), "u=1; n=1");
    assert_eq!(sent(Site::CrossNavigation { safe: false }, 121), "n=1");
    assert_eq!(sent(Site::CrossSubresource, 0), "n=1");
    let lines = [&b"x=1"[..], b"y=1; SameSite=None; Secure"];
    let extracted = jar.extract_from(&to, Site::CrossSubresource, lines, UnixTime(0));
    assert_eq!((extracted.stored, extracted.refused[0].reason), (1, Reason::CrossSite));

    let policy = Policy::default();
    let between = |from: &str, navigation| Site::between(&policy, &url(from), &to, navigation);
    assert_eq!(between("https://www.shop.example/", None), Site::Same);
    assert_eq!(between("http://shop.example/", None), Site::CrossSubresource);
    assert_eq!(between("https://other.example/", Some(false)), Site::CrossNavigation { safe: false });
}

#[test]
fn nothing_prints_a_value() {
    let mut jar = Jar::new();
    set(&mut jar, "https://a.example/", &["sid=hunter2", "sid=hunter2; Domain=b.example"]);
    let mut own = RequestCookies::new();
    own.set("own", "hunter2").unwrap();
    let extracted = jar.extract(&url("https://a.example/"), [&b"x=hunter2; Domain=com"[..]], UnixTime(0));
    let new = NewCookie::new("a", "hunter2").unwrap();
    let shown = format!("{jar:?} {own:?} {extracted:?} {} {new:?}", extracted.refused[0]);
    assert!(shown.contains("sid") && shown.contains("own") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_jar_of_no_limits_stays_flat() {
    let mut policy = Policy::default();
    policy.limits = Limits::none();
    let mut jar = Jar::with_policy(policy);
    for n in 0..5_000 {
        set(&mut jar, &format!("https://h{n}.example/"), &["a=1", "b=2; Secure"]);
    }
    assert_eq!(jar.len(), 10_000);
    assert_eq!(header(&mut jar, "https://h77.example/"), "a=1; b=2");
    assert_eq!(jar.clone().clear_domain("h77.example"), 2);
}

#[test]
fn a_full_jar_makes_room_for_many_at_once() {
    let mut jar = Jar::new();
    for n in 0..3300 {
        set(&mut jar, &format!("https://h{n}.example/"), &["a=1"]);
    }
    assert_eq!(jar.len(), 3300);
    assert_eq!(header(&mut jar, "https://h0.example/"), "a=1");
    let extracted = jar.extract(&url("https://last.example/"), [&b"a=1"[..]], UnixTime(0));
    assert_eq!((extracted.stored, extracted.evicted, jar.len()), (1, 301, 3000));
    // The cookie of `h0` was sent since it was set. The 301 removed ones were not.
    assert_eq!(header(&mut jar, "https://h0.example/"), "a=1");
    assert_eq!(header(&mut jar, "https://h301.example/"), "");
    assert_eq!(header(&mut jar, "https://h302.example/"), "a=1");
}

#[test]
fn setting_again_keeps_the_time_of_creation() {
    let mut jar = Jar::new();
    let page = url("https://a.example/");
    jar.extract(&page, [&b"a=1; Max-Age=10"[..]], UnixTime(5));
    jar.extract(&page, [&b"a=2; Max-Age=10"[..]], UnixTime(7));
    let cookie = jar.get("a").unwrap();
    assert_eq!((cookie.created(), cookie.expires()), (UnixTime(5), Some(UnixTime(17))));
}

#[test]
fn without_a_longest_life_an_end_is_still_an_end() {
    let mut policy = Policy::default();
    policy.max_lifetime = None;
    let mut jar = Jar::with_policy(policy);
    set(
        &mut jar,
        "https://a.example/",
        &["a=1; Max-Age=99999999999999999999", "b=1; Expires=1 Jan 9999 00:00:00"],
    );
    assert_eq!(jar.clear_session(), 0);
    assert_eq!(jar.get("b").unwrap().expires(), Some(UnixTime(253_370_764_800)));
}

#[test]
fn a_trailing_dot_hides_no_suffix() {
    let mut policy = Policy::default();
    policy.suffixes = PublicSuffixes::from_fn(|domain| domain == "example");
    let mut jar = Jar::with_policy(policy);
    assert_eq!(set(&mut jar, "https://a.example./", &["a=1; Domain=example."]), [Reason::PublicSuffix]);
}

#[test]
fn what_is_replaced_takes_no_room() {
    let mut jar = Jar::new();
    let big = "v".repeat(4000);
    set(
        &mut jar,
        "https://a.example/",
        &[&format!("a={big}"), &format!("b={big}"), &format!("c={big}"), "d=1"],
    );
    let names =
        |header: String| header.split("; ").map(|pair| pair.chars().next().unwrap()).collect::<String>();
    // A shorter cookie does not go before a longer one that does not fit.
    assert_eq!(names(header(&mut jar, "https://a.example/")), "ab");
    let mut own = RequestCookies::new();
    own.set("b", "1").unwrap();
    own.set("d", "2").unwrap();
    let mut out = Vec::new();
    assert_eq!(line(&mut jar, &own, &url("https://a.example/"), UnixTime(0), &mut out), 4);
    assert_eq!(names(String::from_utf8(out).unwrap()), "abcd");
}

#[test]
fn own_cookies_win() {
    let mut jar = Jar::new();
    set(&mut jar, "https://a.example/", &["a=1", "b=2", "c=3"]);
    let mut own = RequestCookies::new();
    own.parse_header(b"z=9; b=own").unwrap();
    let mut out = Vec::new();
    assert_eq!(line(&mut jar, &own, &url("https://a.example/"), UnixTime(0), &mut out), 4);
    assert_eq!(out, b"a=1; b=own; c=3; z=9");
    assert_eq!(line(&mut Jar::new(), &own, &url("https://a.example/"), UnixTime(0), &mut out), 2);
    assert!(out.ends_with(b"z=9z=9; b=own"));
}
