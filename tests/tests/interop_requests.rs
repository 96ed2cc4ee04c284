//! Against Python's requests: thousands of random requests and redirects. Every difference has a
//! name.
//!
//! The comparison runs with `SESSIO_INTEROP=1`, after `tests/interop/install`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

#[test]
#[cfg_attr(not(interop), ignore = "needs real programs: SESSIO_INTEROP=1")]
fn every_difference_from_requests_has_a_name() {
    let python = root().join(".venv/bin/python");
    assert!(python.exists(), "tests/interop/install installs what this compares with");
    let out = Command::new(python)
        .arg("-B")
        .arg(root().join("tests/interop/compare.py"))
        .arg(env!("CARGO_BIN_EXE_sessio-eval"))
        .args(["2500", "1"])
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&out.stdout));
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// The text between `before` and `after`, for each line that has both.
fn between<'t>(text: &'t str, before: &str, after: &str) -> impl Iterator<Item = &'t str> {
    text.lines().filter_map(move |line| Some(line.trim_start().split_once(before)?.1.split_once(after)?.0))
}

#[test]
fn the_names_are_those_of_the_documentation() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let models =
        ["differences", "redirects", "mounts"].map(|name| read(&format!("tests/interop/{name}.py"))).concat();
    let mut named: BTreeSet<&str> =
        between(&models, "@named(", ")").filter_map(|name| name.split('"').nth(1)).collect();
    let comparison = read("tests/interop/compare.py");
    named.extend(between(&comparison, "names.add(\"", "\""));
    let page = read("crates/sessio/docs/differences.md");
    let rows: Vec<&str> = between(&page, "| `", "`").collect();
    assert!(named.len() > 40, "{named:?}");
    assert_eq!(rows.len(), rows.iter().collect::<BTreeSet<_>>().len(), "a name has two rows");
    assert_eq!(rows.into_iter().collect::<BTreeSet<_>>(), named);
}
