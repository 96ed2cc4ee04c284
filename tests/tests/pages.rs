//! The documentation of each backend shows the methods of its session.
//!
//! A session is a type alias there. Its page loads the methods of the aliased type from separate
//! files, which this test reads.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

/// Some methods of each type that all backends have: equal ones, and waiting ones.
const METHODS: &[(&str, &str, &[&str])] = &[
    (
        "session",
        "Session",
        &[
            "new",
            "builder",
            "with_pool",
            "set_pool_policy",
            "get",
            "update",
            "cookies",
            "execute",
            "save_cookies",
            "stats",
        ],
    ),
    ("session_builder", "SessionBuilder", &["base_url", "header", "pool", "build"]),
    ("builder", "RequestBuilder", &["header", "multipart", "reader", "prepare", "send", "resume"]),
    (
        "response",
        "Response",
        &["status", "history", "error_for_status", "chunk", "text", "copy_to", "save", "lines"],
    ),
    ("lines", "body::Lines", &["response", "next"]),
    ("events", "body::Events", &["last_event_id", "next"]),
    ("status_error", "StatusError", &["into_response"]),
    ("readers", "body::ReaderSource", &["new"]),
];

/// The names of methods in a part of a page.
fn methods(html: &str) -> impl Iterator<Item = &str> {
    let ids = html.split("id=\"method.").skip(1);
    ids.filter_map(|text| text.split('"').next())
}

#[test]
#[ignore = "reads the pages that `cargo doc --workspace --no-deps --all-features` writes"]
fn the_methods_of_a_session_are_on_the_pages_of_its_backend() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (module, name, expected) in METHODS {
        let item = name.rsplit("::").next().unwrap();
        let file = format!("target/doc/type.impl/sessio_driver/{module}/struct.{item}.js");
        let script = std::fs::read_to_string(root.join(&file)).expect(&file);
        let list = &script[script.find("fromEntries(").unwrap() + "fromEntries(".len()..];
        let list = serde_json::Deserializer::from_str(list).into_iter::<Value>().next().unwrap().unwrap();
        for backend in ["sessio_tokio", "sessio_smol", "sessio_blocking"] {
            let alias = Value::String(format!("{backend}::{name}"));
            let crates = list.as_array().unwrap().iter().filter(|entry| entry[0] == backend);
            let pieces = crates.flat_map(|entry| entry[1].as_array().unwrap());
            let shown: BTreeSet<&str> = pieces
                .filter(|piece| piece.as_array().unwrap()[2..].contains(&alias))
                .flat_map(|piece| methods(piece[0].as_str().unwrap()))
                .collect();
            let missing: Vec<_> = expected.iter().filter(|method| !shown.contains(**method)).collect();
            assert!(missing.is_empty(), "{backend}::{name} does not show {missing:?}, but {shown:?}");
            // A method of the other mode would mislead.
            let is_blocking = backend == "sessio_blocking";
            assert!(
                *name != "Response"
                    || shown.contains("fill_buf") && shown.contains("poll_fill_buf") != is_blocking
            );
        }
    }
}
