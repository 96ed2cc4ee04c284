//! Runs the shared corpora through `sessio_tests::eval`: the cookies that a jar sends, and dates.
//!
//! They are read from the folder `SESSIO_SPEC_DATA`, which must have them, or from
//! `../shared/spec/data` beside the checkout. Without that folder, each test prints its name and
//! that it did not run.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::io::{Write, stderr};
use std::path::PathBuf;
use std::thread;

use serde_json::{Value, json};
use sessio_tests::eval::What;

fn cases(file: &str) -> Option<Vec<Value>> {
    let named = std::env::var_os("SESSIO_SPEC_DATA").map(PathBuf::from);
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/spec/data");
    let path = named.clone().unwrap_or_else(beside).join(file);
    match std::fs::read(&path) {
        Ok(text) => Some(serde_json::from_slice(&text).unwrap()),
        Err(error) if named.is_none() => {
            // The harness hides `println` and `eprintln` of a passing test.
            let mut console = stderr();
            let test = thread::current().name().unwrap_or_default().to_owned();
            writeln!(console, "not run: {test} ({file} beside the checkout: {error})").unwrap();
            None
        }
        Err(error) => panic!("SESSIO_SPEC_DATA is set, but {} cannot be read: {error}", path.display()),
    }
}

fn answer(what: What, case: &Value) -> Value {
    serde_json::from_str(&what.answer(case.to_string().as_bytes())).unwrap()
}

fn jar(file: &str, options: &[&str], count: usize) {
    let Some(cases) = cases(file) else { return };
    let options: Vec<String> = ["jar"].iter().chain(options).map(|&word| word.to_owned()).collect();
    let what = What::from_arguments(&options).unwrap();
    let mut right = 0;
    for case in &cases {
        let expected =
            case.get("expect_cookie_header_6265bis").unwrap_or_else(|| &case["expect_cookie_header"]);
        let answer = answer(what, case);
        assert_eq!(answer["name"], case["name"]);
        if answer["cookie_header"] == *expected {
            right += 1;
        } else {
            println!("{}: {} instead of {expected}", case["name"], answer["cookie_header"]);
        }
    }
    println!("{file}: {right} of {}", cases.len());
    assert_eq!((right, cases.len()), (count, count));
}

#[test]
fn http_state() {
    jar("http-state.json", &[], 222);
    jar("http-state.json", &["--prefixes", "bis"], 222);
}

#[test]
fn probes() {
    jar("cookie-probes.json", &["--prefixes=layered"], 80);
}

/// `eval` returns seconds and the corpus has text, so `eval` converts the expected text, too.
#[test]
fn dates() {
    let Some(cases) = cases("http-state-dates.json") else { return };
    let unix = |text: &Value| answer(What::Date, &json!({"id": 0, "text": text}))["unix"].clone();
    for case in &cases {
        let expected = match &case["expected"] {
            Value::Null => Value::Null,
            text => unix(text),
        };
        assert_eq!(unix(&case["input"]), expected, "{case}");
    }
    assert_eq!(cases.len(), 70);
    assert_eq!(cases.iter().filter(|case| unix(&case["input"]).is_null()).count(), 9);
    // A fixed value that does not come from the parser itself.
    assert_eq!(unix(&json!("Thu, 01 Jan 2026 00:00:00 GMT")), 1_767_225_600);
}
