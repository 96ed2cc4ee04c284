//! The properties of `merge` that its documentation states.

use proptest::prelude::*;
use sessio::{Auth, Headers, Params, Request, Resolver, Settings, merge};

/// A few names in several spellings, so that they collide.
fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["x-a", "X-A", "x-b", "X-b", "Accept", "ACCEPT", "User-Agent", "x-c"])
        .prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["1", "2", "three", ""]).prop_map(str::to_owned)
}

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec((name(), value()), 0..6)
}

fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(name(), 0..3)
}

fn settings(headers: &[(String, String)], params: &[(String, String)]) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in headers {
        settings.headers.append(name, value).unwrap();
    }
    settings.params = params.iter().cloned().collect();
    settings.routes.pin("h", []).unwrap();
    settings.resolver = Resolver::from_fn(|_, _| Ok(vec![]));
    settings.tcp.nodelay = false;
    settings
}

fn request(
    set: &[(String, String)],
    removed: &[String],
    params: &[(String, String)],
    removed_params: &[String],
) -> Request {
    let mut request = Request::get("http://h/");
    for (name, value) in set {
        request = request.header(name, value);
    }
    for name in removed {
        request = request.remove_header(name);
    }
    for (key, value) in params {
        request = request.param(key, value);
    }
    for key in removed_params {
        request = request.remove_param(key);
    }
    request
}

fn lines(headers: &Headers) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|field| (field.name.to_owned(), field.value.to_vec())).collect()
}

fn values(params: &Params, key: &str) -> Vec<String> {
    params.iter().filter(|(k, _)| *k == key).map(|(_, value)| value.to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn identity_and_no_persistence(headers in pairs(), params in pairs(), other in pairs(), gone in names()) {
        let settings = settings(&headers, &params);
        let before = (lines(&settings.headers), settings.params.clone());
        let untouched = merge(&settings, Request::get("http://h/"));
        prop_assert_eq!(&lines(&untouched.headers), &before.0);
        prop_assert_eq!(&untouched.params, &before.1);
        prop_assert_eq!(untouched.options.routing, settings.routing());
        prop_assert!(untouched.options.overrides.is_empty());
        // Story S8: no request changes the settings.
        let _ = merge(&settings, request(&other, &gone, &other, &gone).basic_auth("u", "p"));
        prop_assert_eq!((lines(&settings.headers), settings.params.clone()), before);
        prop_assert!(matches!(settings.auth, Auth::None));
    }

    #[test]
    fn m04_m07_m09_override_and_removal(
        headers in pairs(), params in pairs(), set in pairs(), gone in names(), added in pairs(), less in names(),
    ) {
        let settings = settings(&headers, &params);
        let merged = merge(&settings, request(&set, &gone, &added, &less));
        for (name, value) in &set {
            let is_gone = gone.iter().any(|gone| gone.eq_ignore_ascii_case(name));
            let last = set.iter().rev().find(|(other, _)| other.eq_ignore_ascii_case(name)).unwrap();
            let all: Vec<_> = merged.headers.get_all(name).collect();
            if is_gone {
                prop_assert!(all.is_empty());
            } else {
                prop_assert_eq!(all, vec![last.1.as_bytes()], "{} {}", name, value);
            }
        }
        for name in &gone {
            prop_assert!(!merged.headers.contains(name));
        }
        for (key, _) in &added {
            let own: Vec<_> = added.iter().filter(|(k, _)| k == key).map(|(_, v)| v.clone()).collect();
            let expected = if less.contains(key) { Vec::new() } else { own };
            prop_assert_eq!(values(&merged.params, key), expected);
        }
        for key in &less {
            prop_assert!(values(&merged.params, key).is_empty());
        }
        // Fields that the request did not name are unchanged.
        for (name, _) in &headers {
            if set.iter().all(|(n, _)| !n.eq_ignore_ascii_case(name)) && gone.iter().all(|n| !n.eq_ignore_ascii_case(name)) {
                let all = |headers: &Headers| headers.get_all(name).map(<[u8]>::to_vec).collect::<Vec<_>>();
                prop_assert_eq!(all(&merged.headers), all(&settings.headers));
            }
        }
    }

    #[test]
    fn m06_order_and_idempotence(
        headers in pairs(), params in pairs(), set in pairs(), gone in names(), added in pairs(), less in names(),
    ) {
        let settings = settings(&headers, &params);
        let build = || request(&set, &gone, &added, &less);
        let merged = merge(&settings, build());
        // The session's names keep their positions. The request's own names follow in its order.
        let place = |name: &str| settings.headers.iter().position(|field| field.name.eq_ignore_ascii_case(name));
        let own = |name: &str| set.iter().position(|(n, _)| n.eq_ignore_ascii_case(name));
        let mut places = Vec::new();
        for field in merged.headers.iter() {
            let at = place(field.name).unwrap_or_else(|| 1000 + own(field.name).unwrap_or(1000));
            places.push(at);
        }
        let mut firsts = places.clone();
        firsts.dedup();
        // Several fields of the session with one name keep their positions: their first positions
        // ascend.
        let mut seen = Vec::new();
        firsts.retain(|at| { let is_new = !seen.contains(at); seen.push(*at); is_new });
        prop_assert!(firsts.is_sorted(), "{:?} {:?}", places, lines(&merged.headers));
        // The same changes applied to the result change nothing more.
        let mut again = settings.clone();
        (again.headers, again.params) = (merged.headers.clone(), merged.params.clone());
        let twice = merge(&again, build());
        prop_assert_eq!(lines(&twice.headers), lines(&merged.headers));
        // Values of one key that were apart are now together, in their order.
        for (key, _) in merged.params.iter() {
            prop_assert_eq!(values(&twice.params, key), values(&merged.params, key));
        }
        prop_assert_eq!(twice.params.iter().len(), merged.params.iter().len());
        let thrice = {
            again.params = twice.params.clone();
            merge(&again, build())
        };
        prop_assert_eq!(thrice.params, twice.params);
    }
}
