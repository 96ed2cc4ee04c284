//! The backends have the same public names, except for a short list with reasons.
//!
//! The names of a backend are those of its `lib.rs` and of the macro that writes its public items.
//! The compiler looks up each shared name in all three crates. The sources are read for names
//! beyond these.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::collections::BTreeSet;
use std::path::Path;

/// The names of every backend.
macro_rules! on_every_backend {
    ($($name:ident $(::{ $($inner:ident)* })?)*) => {
        const SHARED: &[(&str, &[&str])] = &[$((stringify!($name), &[$($(stringify!($inner)),*)?])),*];

        on_every_backend! { @look tokio sessio_tokio: $($name $(::{ $($inner)* })?)* }
        on_every_backend! { @look smol sessio_smol: $($name $(::{ $($inner)* })?)* }
        on_every_backend! { @look blocking sessio_blocking: $($name $(::{ $($inner)* })?)* }
    };
    (@look $module:ident $backend:ident: $($name:ident $(::{ $($inner:ident)* })?)*) => {
        #[allow(unused_imports, reason = "the names are looked up, and that is all")]
        mod $module {
            $(
                use $backend::$name as _;
                $($(use $backend::$name::$inner as _;)*)?
            )*
        }
    };
}

on_every_backend! {
    AnyAuth Auth Body Bytes Digest Error Headers Kind Login Mount OAuth2 Request RequestBuilder Response Result Session SessionBuilder
    Settings SigV4 Socket StatusError Timeout Timeouts Timer Tls Url
    auth::{ Received SubRequest }
    body::{ BodyProgress Events Lines ReaderSource Source }
    call::{ Address ConnectionInfo Exchange Head Observer Params Prepared PreparedCall Secrets Timings }
    coding::{ ContentCoding }
    cookie
    delete get head
    hook::{ FinalResponse Hook Hooks Reaction after before body response }
    http
    InProcess InProcessBody
    mock
    multipart::{ Form Part file open }
    options patch
    pool::{ Policy Stats }
    pace::{ AutoThrottle CircuitBreaker FailureShare Hold Pace Rate Reason Refusal }
    post
    proxy::{ NoProxy Proxies Proxy Via }
    put request
    retry::{ Again Attempt AttemptEnd Backoff Beyond Budget FailureClass FailureSet Jitter Methods RetryAfter RetryPolicy Stop StatusSet Verdict }
    route::{ ConnectFailure Endpoint Environment Guard KeepAlive Resolver Routes Tcp }
    sessio
    tls::{ Certificates Identity KeyFormat Pin RevocationLists Roots Version }
    upload::{ Feed file open }
}

/// The names that only some backends have: the name, the backends, the reason.
const OWN: &[(&str, &[&str], &str)] = &[
    ("Tokio", &["tokio"], "the runtime"),
    ("Smol", &["smol"], "the runtime"),
    ("Blocking", &["blocking"], "the runtime"),
    ("wait", &["blocking"], "runs a future where there is no executor"),
    ("body::Chunks", &["blocking"], "an iterator; BytesStream is the stream"),
    (
        "Reader",
        &["tokio"],
        "its traits of reading cannot be implemented by the response itself, which is of another crate",
    ),
    ("body::BytesStream", &["tokio", "smol"], "a stream; Chunks is the iterator"),
    ("body::StreamSource", &["tokio", "smol"], "streams are asynchronous"),
    ("body::BodySource", &["tokio", "smol"], "the bodies of the crate http-body are asynchronous"),
    ("body::ResponseBody", &["tokio", "smol"], "the bodies of the crate http-body are asynchronous"),
];

fn source(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let source = std::fs::read_to_string(root.join("crates").join(path)).unwrap();
    let code = |line: &&str| !line.trim_start().starts_with("//");
    source.lines().filter(code).collect::<Vec<_>>().join("\n")
}

/// The text between a pair of brackets. The opening one is next.
fn within(text: &str, brackets: [char; 2]) -> &str {
    let start = text.find(brackets[0]).unwrap() + 1;
    let mut depth = 1;
    for (at, letter) in text[start..].char_indices() {
        depth += i32::from(letter == brackets[0]) - i32::from(letter == brackets[1]);
        if depth == 0 {
            return &text[start..start + at];
        }
    }
    panic!("not closed: {text}")
}

/// The rules of the macros of a file: the macro, pattern and body.
fn rules(source: &str) -> Vec<(&str, &str, &str)> {
    let mut rules = Vec::new();
    for text in source.split("macro_rules! ").skip(1) {
        let (name, body) = (text.split_whitespace().next().unwrap(), within(text, ['{', '}']));
        let mut rest = body;
        while let Some(at) = rest.find("=>").filter(|_| rest.contains('(')) {
            // An arrow within the pattern itself does not end it.
            let pattern = within(rest, ['(', ')']);
            let after = &rest[rest.find(pattern).unwrap() + pattern.len()..];
            let outcome = within(after, ['{', '}']);
            assert!(at < rest.len());
            rules.push((name, pattern, outcome));
            rest = &after[after.find(outcome).unwrap() + outcome.len() + 1..];
        }
    }
    rules
}

/// The public names of a module, as `name` and `module::name`.
fn names(code: &str, within_module: &str, found: &mut BTreeSet<String>) {
    let mut rest = code;
    let mut add = |name: &str| {
        let name = name.trim();
        if !name.is_empty() && !name.starts_with('$') {
            found.insert(if within_module.is_empty() {
                name.into()
            } else {
                format!("{within_module}::{name}")
            });
        }
    };
    let mut modules = Vec::new();
    while let Some(at) = rest.find("pub ") {
        rest = &rest[at + 4..];
        let (word, after) = rest.split_once(char::is_whitespace).unwrap();
        match word {
            "use" => {
                let tree = after.split(';').next().unwrap();
                match tree.split_once('{') {
                    Some((_, list)) => list
                        .trim_end_matches('}')
                        .split(',')
                        .map(|name| name.trim_end_matches('}'))
                        .for_each(&mut add),
                    None => add(tree.rsplit("::").next().unwrap()),
                }
                assert!(
                    !tree.contains(" as ") && !tree.contains('*'),
                    "{tree}: a name of its own is easier to compare"
                );
            }
            "mod" => {
                let name = after.split_whitespace().next().unwrap();
                let body = within(after, ['{', '}']);
                add(name);
                modules.push((name.to_owned(), body));
                rest = &rest[rest.find(body).unwrap() + body.len()..];
            }
            "async" => add(after.trim_start_matches("fn ").split(['(', '<']).next().unwrap()),
            "fn" | "type" | "struct" | "enum" | "trait" | "const" | "static" => {
                add(after.split(['(', '<', ' ', '=', ';']).next().unwrap());
            }
            other => panic!("pub {other}: what is that?"),
        }
    }
    for (module, body) in modules {
        names(body, &module, found);
    }
}

/// The functions that a rule delegates to another rule: `name(argument: type) -> output: future`,
/// and the one-shot functions.
fn written(code: &str, found: &mut BTreeSet<String>) {
    let mut rest = code;
    let mut module = String::new();
    while let Some(at) =
        ["pub mod ", "@function ", "@one_shots "].iter().filter_map(|word| rest.find(word)).min()
    {
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("pub mod ") {
            module = after.split_whitespace().next().unwrap().to_owned();
            rest = after;
            continue;
        }
        let text = rest.split("$crate::backend!").next().unwrap();
        if text.starts_with("@one_shots $kind $runtime, $mode:\n") {
            let list = text.split('}').next().unwrap().split_once(":\n").unwrap().1;
            found.extend(list.split_whitespace().filter(|word| !word.starts_with('"')).map(str::to_owned));
        } else if let Some(name) = text.lines().map(str::trim).find(|line| line.contains(") -> Result<")) {
            found.insert(format!("{module}::{}", name.split('(').next().unwrap()));
        }
        rest = &rest[1..];
    }
}

/// The names of a backend with all of its features.
fn names_of(backend: &str) -> BTreeSet<String> {
    let (own, shared) =
        (source(&format!("sessio-{backend}/src/lib.rs")), source("sessio-driver/src/backend.rs"));
    let is_blocking = own.contains("blocking, files);");
    assert!(is_blocking || own.contains(", files);"), "{backend} has its face from the macro");
    let mut found = BTreeSet::new();
    names(&own, "", &mut found);
    for (macro_name, pattern, outcome) in rules(&shared) {
        let is_wanted = match pattern {
            _ if pattern.contains("@function") || pattern.contains("@one_shots") => continue,
            _ if pattern.contains("@names") || pattern.contains("@files") || pattern.is_empty() => true,
            _ if pattern.contains("blocking") => is_blocking,
            _ => !is_blocking,
        };
        if is_wanted {
            // These are written within `body`.
            let is_of_bodies =
                pattern.contains("@bodies") || ["stream_names", "http_body_names"].contains(&macro_name);
            names(outcome, if is_of_bodies { "body" } else { "" }, &mut found);
            written(outcome, &mut found);
        }
    }
    found
}

#[test]
fn the_backends_have_the_same_names() {
    let mut shared = BTreeSet::new();
    for (name, inner) in SHARED {
        shared.insert((*name).to_owned());
        shared.extend(inner.iter().map(|inner| format!("{name}::{inner}")));
    }
    for backend in ["tokio", "smol", "blocking"] {
        let mut expected = shared.clone();
        for (name, owners, reason) in OWN {
            assert!(!reason.is_empty());
            if owners.contains(&backend) {
                expected.insert((*name).to_owned());
            }
        }
        let found = names_of(backend);
        let missing: Vec<_> = expected.difference(&found).collect();
        let surplus: Vec<_> = found.difference(&expected).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{backend}: without {missing:?}, beyond that {surplus:?}"
        );
    }
}

/// The largest number of names at the root of a backend. Rarer ones are in modules.
const MOST_AT_THE_ROOT: usize = 60;

#[test]
fn the_index_of_a_backend_is_short() {
    for backend in ["tokio", "smol", "blocking"] {
        let names = names_of(backend);
        let root: Vec<_> = names.iter().filter(|name| !name.contains("::")).collect();
        assert!(root.len() <= MOST_AT_THE_ROOT, "{backend}: {} names: {root:?}", root.len());
        assert!(root.len() > 30, "{backend}: the names are found: {root:?}");
    }
}

#[test]
fn an_extra_or_missing_name_is_found() {
    let mut found = BTreeSet::new();
    let code = "pub use a::{B, c::D};\npub use e::F;\npub mod g {\n    pub use h::I;\n    pub fn j() {}\n}\npub type K<T> = L;\npub(crate) fn m() {}\nuse n;";
    names(code, "", &mut found);
    let expected = ["B", "F", "K", "g", "g::I", "g::j"];
    assert!(expected.iter().all(|name| found.contains(*name)), "{found:?}");
    assert!(!found.contains("m") && !found.contains("n"), "{found:?}");
}
