//! Runs the shared corpora through the filter: cookies that a jar sends, and dates.
//!
//! They are read from the folder `SESSIO_SPEC_DATA`, or from `../shared/spec/data` beside the
//! checkout. If they are missing, the tests print that they were skipped.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::path::PathBuf;

use serde_json::{Value, json};
use sessio_tests::eval::What;

fn cases(file: &str) -> Option<Vec<Value>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/spec/data");
    let folder = std::env::var_os("SESSIO_SPEC_DATA").map_or_else(beside, PathBuf::from);
    match std::fs::read(folder.join(file)) {
        Ok(text) => Some(serde_json::from_slice(&text).unwrap()),
        Err(error) => {
            println!("skipped: {file} ({error})");
            None
        }
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

/// The result is in seconds, the corpus in text. So the expected text goes through the filter too.
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
