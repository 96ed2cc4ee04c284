//! The shared corpora: http-state (with the results of RFC 6265bis), its dates, and the probes.
//!
//! They are read from the folder `SESSIO_SPEC_DATA`, which must have them, or from
//! `../shared/spec/data` beside the checkout. Without that folder, each test prints its name and
//! that it did not run.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files, and fails where it cannot"
)]

use std::io::{Write, stderr};
use std::path::PathBuf;
use std::thread;

use serde_json::Value;
use sessio_cookie::{Jar, parse_date};
use sessio_cookie::{UnixTime, Url};

/// Cases that are known to fail. There are none.
const EXPECTED_FAILURES: &[&str] = &[];

fn data(name: &str) -> Vec<Value> {
    let named = std::env::var_os("SESSIO_SPEC_DATA").map(PathBuf::from);
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/data");
    let path = named.clone().unwrap_or_else(beside).join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).unwrap(),
        Err(error) if named.is_none() => {
            // The harness hides the output of `println` and `eprintln` of a passing test.
            let mut console = stderr();
            let test = thread::current().name().unwrap_or_default().to_owned();
            writeln!(console, "not run: {test} ({name} beside the checkout: {error})").unwrap();
            Vec::new()
        }
        Err(error) => panic!("SESSIO_SPEC_DATA is set, but {} cannot be read: {error}", path.display()),
    }
}

fn text<'v>(case: &'v Value, field: &str) -> &'v str {
    case[field].as_str().unwrap_or_else(|| panic!("{field} of {case}"))
}

/// Parses `2026-01-01T00:00:00Z` or `Thu, 01 Jan 2026 00:00:00 GMT`, independently of the crate.
fn unix(text: &str) -> UnixTime {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let number = |text: &str| text.parse::<i64>().unwrap();
    let (year, month, day, clock) = if text.ends_with('Z') {
        (number(&text[..4]), number(&text[5..7]), number(&text[8..10]), &text[11..19])
    } else {
        let month = months.iter().position(|month| *month == &text[8..11]).unwrap() as i64 + 1;
        (number(&text[12..16]), month, number(&text[5..7]), &text[17..25])
    };
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let of_year = |year| if leap(year) { 366 } else { 365 };
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years: i64 = (1970..year).map(of_year).sum::<i64>() - (year..1970).map(of_year).sum::<i64>();
    let days = years + lengths[..month as usize - 1].iter().sum::<i64>() + day - 1;
    let seconds = clock.split(':').map(number).fold(0, |sum, part| sum * 60 + part);
    UnixTime(days * 86_400 + seconds)
}

/// The header that a jar sends in a case of the corpus.
fn sent(case: &Value) -> String {
    let now = unix(text(case, "now"));
    let alone = [serde_json::json!({"url": case["request_url"], "set_cookie": case["set_cookie"]})];
    let steps = case["steps"].as_array().map_or(&alone[..], Vec::as_slice);
    let mut jar = Jar::new();
    for step in steps {
        let url = Url::parse(text(step, "url")).unwrap();
        let lines = step["set_cookie"].as_array().unwrap();
        jar.extract(&url, lines.iter().map(|line| line.as_str().unwrap().as_bytes()), now);
    }
    let mut out = Vec::new();
    jar.header(&Url::parse(text(case, "sent_to_url")).unwrap(), now, &mut out);
    String::from_utf8(out).unwrap()
}

fn run(file: &str) {
    let cases = data(file);
    let mut failed = Vec::new();
    for case in &cases {
        let expected = case["expect_cookie_header_6265bis"]
            .as_str()
            .unwrap_or_else(|| text(case, "expect_cookie_header"));
        let sent = sent(case);
        if sent != expected {
            println!("{}: {sent:?} instead of {expected:?}", text(case, "name"));
            failed.push(text(case, "name"));
        }
    }
    println!("{file}: {} of {}", cases.len() - failed.len(), cases.len());
    assert_eq!(failed, EXPECTED_FAILURES);
}

#[test]
fn http_state() {
    run("http-state.json");
}

#[test]
#[cfg(feature = "psl")]
fn probes() {
    run("cookie-probes.json");
}

#[test]
fn dates() {
    for case in data("http-state-dates.json") {
        let input = text(&case, "input");
        assert_eq!(parse_date(input.as_bytes()), case["expected"].as_str().map(unix), "{input}");
    }
}
