//! Against urllib3's `Retry`: the decisions about thousands of random attempts. Every difference has
//! a name.
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
fn every_difference_from_urllib3_has_a_name() {
    let python = root().join(".venv/bin/python");
    assert!(python.exists(), "tests/interop/install installs what this compares with");
    let out = Command::new(python)
        .arg("-B")
        .arg(root().join("tests/interop/retries.py"))
        .arg(env!("CARGO_BIN_EXE_sessio-eval"))
        .args(["5000", "1"])
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&out.stdout));
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn the_names_are_those_of_the_documentation() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let program = read("tests/interop/retries.py");
    let (_, names) = program.split_once("NAMES = {").unwrap();
    let names: BTreeSet<_> = names.split_once('}').unwrap().0.split('"').skip(1).step_by(2).collect();
    let chapter = read("crates/sessio/docs/retries.md");
    let (_, table) = chapter.split_once("# Differences from urllib3").unwrap();
    let (table, _) = table.split_once("\n# ").unwrap();
    let rows: Vec<_> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(rows.len(), names.len());
    assert_eq!(rows.into_iter().collect::<BTreeSet<_>>(), names);
}
