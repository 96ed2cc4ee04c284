use proptest::prelude::*;

use super::*;
use crate::base::kind::Kind;

fn mounts<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Mounts {
    let mut mounts = Mounts::default();
    for pattern in patterns {
        mounts.add(pattern, Mount::new().header("X-Pattern", pattern)).unwrap();
    }
    mounts
}

fn applied(mounts: &Mounts, url: &str) -> Option<String> {
    mounts.of(&Url::parse(url).unwrap()).map(|(pattern, _)| pattern.to_string())
}

#[test]
fn s15_the_longest_wins() {
    let all = mounts([
        "https://",
        "https://*.org",
        "https://*.example.org/",
        "https://api.example.org",
        "https://api.example.org/v2",
        "https://api.example.org/v2/",
        "https://api.example.org/v2/users",
        "https://*.example.org/v2/users/longer/than/all/others/",
        "mock://",
    ]);
    for (url, pattern) in [
        ("https://a.test/", Some("https://")),
        ("https://a.org/", Some("https://*.org/")),
        ("https://example.org/", Some("https://*.org/")),
        ("https://b.a.example.org/", Some("https://*.example.org/")),
        ("https://api.example.org/v1", Some("https://api.example.org/")),
        ("https://api.example.org/v2", Some("https://api.example.org/v2")),
        ("https://api.example.org/v20", Some("https://api.example.org/")),
        ("https://api.example.org/v2.x", Some("https://api.example.org/")),
        ("https://api.example.org/v2/", Some("https://api.example.org/v2/")),
        ("https://api.example.org/v2/users/1", Some("https://api.example.org/v2/users")),
        ("https://api.example.org/v2/users2", Some("https://api.example.org/v2/")),
        (
            "https://api.example.org/v2/users/longer/than/all/others/",
            Some("https://api.example.org/v2/users"),
        ),
        ("https://api.example.org:444/v2/", Some("https://")),
        ("http://api.example.org/v2/", None),
        ("mock://App/x", Some("mock://")),
    ] {
        assert_eq!(applied(&all, url).as_deref(), pattern, "{url}");
    }
}

#[test]
fn a_pattern_has_one_mount() {
    let mut mounts = mounts(["http://a.test/", "http://*.b.test/x"]);
    mounts.add("HTTP://A.test:80", Mount::new().without_auth()).unwrap();
    assert_eq!(mounts.iter().count(), 2);
    let url = Url::parse("http://a.test/").unwrap();
    assert!(mounts.of(&url).unwrap().1.changes.headers.is_empty());
    let other = mounts.clone();
    assert!(mounts.remove("http://A.test") && !mounts.remove("http://a.test") && !mounts.remove("x"));
    assert!(mounts.of(&url).is_none() && other.of(&url).is_some());
    assert!(mounts.remove("http://*.b.test/x") && mounts.is_empty() && !other.is_empty());
    let problem = mounts.add("http://a.test/", Mount::new().header("a b", "c")).unwrap_err();
    assert_eq!(problem.kind(), Kind::InvalidHeader);
    assert_eq!(mounts.add("a.test", Mount::new()).unwrap_err().kind(), Kind::MissingScheme);
    assert!(mounts.is_empty());
}

fn part(parts: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(parts)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    /// The lookup is the search through all patterns, in any order of adding.
    #[test]
    fn s15_the_table_finds_the_longest_of_all_that_match(
        parts in prop::collection::vec(
            (
                part(&["http", "mock"]),
                part(&["", "a.test", "*.test", "*.a.test", "b.a.test", "a.test:81"]),
                part(&["", "/", "/x", "/x/", "/x/y", "/xy", "/x.y", "/x/y/", "/x/y/z", "/x//"]),
            ),
            0..12,
        ),
        scheme in part(&["http", "https", "mock"]),
        host in part(&["a.test", "b.a.test", "c.b.a.test", "a.test:81", "other"]),
        path in part(&["", "/", "/x", "/x/", "/x/y", "/x/y/z/w", "/xy", "/x.y/z", "/x//y", "/X"]),
    ) {
        let patterns: Vec<String> = parts
            .iter()
            .map(|(scheme, host, path)| format!("{scheme}://{host}{}", if host.is_empty() { "" } else { path }))
            .collect();
        let url = Url::parse(&format!("{scheme}://{host}{path}")).unwrap();
        let parsed = patterns.iter().map(|pattern| UrlPattern::parse(pattern).unwrap());
        let longest = parsed.filter(|pattern| pattern.matches(&url)).max_by(UrlPattern::compare_length);
        let forward = mounts(patterns.iter().map(String::as_str));
        let backward = mounts(patterns.iter().rev().map(String::as_str));
        for mounts in [forward, backward] {
            prop_assert_eq!(mounts.of(&url).map(|(pattern, _)| pattern.clone()), longest.clone());
        }
    }
}

#[test]
fn a_first_segment_that_no_pattern_has_leads_to_the_root_alone() {
    let mut all = mounts(["http://a.test/v1/x", "http://a.test/v2", "http://a.test//y"]);
    for (url, pattern) in [
        ("http://a.test/", None),
        ("http://a.test/v1", None),
        ("http://a.test/v1/x/z", Some("http://a.test/v1/x")),
        ("http://a.test/v2?q", Some("http://a.test/v2")),
        ("http://a.test/v3", None),
        ("http://a.test//y", Some("http://a.test//y")),
        ("http://a.test/y", None),
    ] {
        assert_eq!(applied(&all, url).as_deref(), pattern, "{url}");
    }
    all.add("http://a.test/", Mount::new()).unwrap();
    assert_eq!(applied(&all, "http://a.test/v3").as_deref(), Some("http://a.test/"));
    all.remove("http://a.test/");
    assert_eq!(applied(&all, "http://a.test/v3"), None);
    assert!(all.remove("http://a.test/v2"));
    assert_eq!(applied(&all, "http://a.test/v2"), None);
}
