//! With a base URL, `merge` gives no credential of the session to a request for another origin (row
//! FA9).

use proptest::prelude::*;
use sessio::tls::{Identity, KeyFormat};
use sessio::{Auth, Headers, Merged, Part, Request, Settings, Url, UrlCache, merge};

const BASES: [&str; 4] =
    ["http://a.test/", "http://a.test:8080/v1/", "https://a.test/v1/x", "https://u:p@b.test"];

const ADDRESSES: [&str; 14] = [
    "x",
    "/x",
    "?q",
    "./x:y",
    "//a.test/",
    "//b.test/x",
    "http://a.test/",
    "http://A.TEST:80/x",
    "https://a.test/",
    "https://a.test:443/",
    "http:x",
    "https://b.test/",
    "http://a.test:8080/",
    "http://u:p@c.test/",
];

/// Names of headers, whether they are secret, and the spelling of a request.
const NAMES: [(&str, &str, bool); 7] = [
    ("Authorization", "authorization", true),
    ("Cookie", "COOKIE", true),
    ("Host", "host", true),
    ("Proxy-Authorization", "proxy-authorization", true),
    ("X-Marked", "x-marked", true),
    ("X-Listed", "X-LISTED", true),
    ("X-Plain", "x-plain", false),
];

fn identity(name: &str) -> Identity {
    Identity::from_der([name], KeyFormat::Pkcs8, "key").unwrap()
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    for (name, _, _) in NAMES {
        settings.headers.append(name, "session").unwrap();
    }
    settings.headers.mark_sensitive("x-marked");
    settings.sensitive_headers = ["x-listed".into()].into();
    settings.auth = Auth::bearer("session");
    settings.tls = settings.tls.identity(identity("session"));
    settings
}

fn values(headers: &Headers, name: &str) -> Vec<String> {
    headers.get_all(name).map(|value| String::from_utf8(value.to_vec()).unwrap()).collect()
}

fn chain(merged: &Merged) -> Option<Vec<u8>> {
    let identity = merged.options.routing.tls.options().identity.as_ref()?;
    identity.chain().next().map(<[u8]>::to_vec)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn fa9_no_credential_of_the_session_leaves_the_origin_of_the_base_url(
        base in prop::option::of(prop::sample::select(BASES.to_vec())),
        address in prop::sample::select(ADDRESSES.to_vec()),
        is_free: bool,
        is_read: bool,
        set in prop::collection::vec(0..NAMES.len(), 0..3),
        added in prop::collection::vec(0..NAMES.len(), 0..3),
        own_auth: bool,
        own_identity: bool,
    ) {
        // An address with another scheme than the base is not a URL, and `prepare` refuses it.
        prop_assume!(address != "http:x" || base.is_none_or(|base| base.starts_with("http:")));
        let mut settings = settings();
        settings.base_url = base.map(|base| Url::parse(base).unwrap());
        settings.credentials_beyond_base_url = is_free;
        let mut request = Request::get(address);
        for at in &set {
            request = request.header(NAMES[*at].1, "own");
        }
        for at in &added {
            request = request.append_header(NAMES[*at].1, "added");
        }
        if own_auth {
            request = request.bearer_auth("own");
        }
        if own_identity {
            request = request.identity(identity("own"));
        }
        if is_read {
            // As a session parses it before the merge.
            UrlCache::new().read(&mut request.address);
        }
        let url = settings.base_url.as_ref().and_then(|base| base.join(address).ok());
        let is_away = !is_free
            && settings.base_url.as_ref().zip(url).is_some_and(|(base, url)| base.origin() != url.origin());
        let merged = merge(&settings, request);
        for (at, (name, _, is_secret)) in NAMES.iter().enumerate() {
            let mut expected = match set.contains(&at) {
                true => vec!["own"],
                false if is_away && *is_secret => vec![],
                false => vec!["session"],
            };
            expected.extend(added.iter().filter(|other| **other == at).map(|_| "added"));
            prop_assert_eq!(values(&merged.headers, name), expected, "{}", name);
            let is_told = merged.options.overrides.iter().any(|left| left.other_origin && &*left.name == *name);
            prop_assert_eq!(is_told, is_away && *is_secret && !set.contains(&at));
        }
        let is_told = |part| merged.options.overrides.iter().any(|left| left.other_origin && left.removed && left.part == part);
        prop_assert_eq!(is_told(Part::Auth), is_away && !own_auth);
        prop_assert_eq!(is_told(Part::Identity), is_away);
        let expected = match (own_auth, is_away) {
            (true, _) => format!("{:?}", Auth::bearer("own")),
            (_, true) => format!("{:?}", Auth::None),
            _ => format!("{:?}", Auth::bearer("session")),
        };
        prop_assert_eq!(format!("{:?}", merged.auth.as_ref().unwrap()), expected);
        let expected = match (own_identity, is_away) {
            (true, _) => Some(b"own".to_vec()),
            (_, true) => None,
            _ => Some(b"session".to_vec()),
        };
        prop_assert_eq!(chain(&merged), expected);
        // A field that the session has marked stays secret, also with a value of the request.
        for field in merged.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("x-marked")) {
            let is_new = is_away && !set.contains(&4);
            prop_assert!(field.is_sensitive() || is_new, "{}", field);
        }
    }
}
