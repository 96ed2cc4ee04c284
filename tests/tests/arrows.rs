//! The dependencies between the crates are those of a fixed list (laws 1, 2 and 9 of
//! `ARCHITECTURE.md`), and the core stays small and does no IO.
//!
//! The tests read the manifests through cargo. A new dependency is added to the list first, where a
//! review sees it.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The dependencies between the crates. Those marked `for tests` are development dependencies.
const ARROWS: &[&str] = &[
    "sessio -> sessio (for tests)",
    "sessio -> sessio-cookie",
    "sessio-blocking -> sessio-driver",
    "sessio-blocking -> sessio-testkit (for tests)",
    "sessio-driver -> sessio",
    "sessio-driver -> sessio-rustls",
    "sessio-rustls -> sessio",
    "sessio-rustls -> sessio-testkit (for tests)",
    "sessio-smol -> sessio-driver",
    "sessio-smol -> sessio-smol (for tests)",
    "sessio-smol -> sessio-testkit (for tests)",
    "sessio-testkit -> sessio-h2 (for tests)",
    "sessio-tests -> sessio",
    "sessio-tests -> sessio-blocking",
    "sessio-tests -> sessio-driver",
    "sessio-tests -> sessio-h2",
    "sessio-tests -> sessio-rustls",
    "sessio-tests -> sessio-smol",
    "sessio-tests -> sessio-testkit",
    "sessio-tests -> sessio-tokio",
    "sessio-tokio -> sessio-driver",
    "sessio-tokio -> sessio-testkit (for tests)",
    "sessio-tokio -> sessio-tokio (for tests)",
    "sessio-wasm -> sessio",
];

/// Crates that do IO, generate randomness, or do TLS. The core depends on none of them.
const IMPURE: &[&str] = &[
    "async-io",
    "async-net",
    "async-std",
    "aws-lc-rs",
    "futures",
    "getrandom",
    "hyper",
    "libc",
    "mio",
    "native-tls",
    "openssl",
    "polling",
    "rand",
    "reqwest",
    "ring",
    "rustix",
    "rustls",
    "smol",
    "socket2",
    "tokio",
    "windows-sys",
];

/// The largest number of crates of the core, with itself and `sessio-cookie`: by default, and with
/// all features.
const MOST_CRATES: [usize; 2] = [51, 81];

/// The largest number of crates of a backend with its default features, TLS included.
const MOST_WITH_TLS: usize = 85;

/// The largest number of code lines of a backend's runtime, without tests and comments.
const MOST_LINES: usize = 120;

/// The minimum supported Rust version.
const RUST: [u32; 3] = [1, 88, 0];

/// File names that say nothing about the contents.
const NO_NOUNS: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc", "types"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo).args(arguments).arg("--offline").current_dir(root()).output().unwrap();
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn metadata(arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["metadata", "--format-version", "1"], arguments].concat();
    let mut metadata: Value = serde_json::from_str(&cargo(&arguments)).unwrap();
    let Value::Array(packages) = metadata["packages"].take() else { panic!("packages") };
    packages
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn law_1_the_arrows_run_as_drawn() {
    let packages = metadata(&["--no-deps"]);
    let ours: BTreeSet<&str> = packages.iter().map(|package| text(package, "name")).collect();
    let mut arrows = BTreeSet::new();
    for package in &packages {
        for to in list(package, "dependencies").iter().filter(|to| ours.contains(text(to, "name"))) {
            let for_tests = if text(to, "kind") == "dev" { " (for tests)" } else { "" };
            arrows.insert(format!("{} -> {}{for_tests}", text(package, "name"), text(to, "name")));
        }
    }
    let drawn: BTreeSet<String> = ARROWS.iter().map(|&arrow| arrow.to_owned()).collect();
    assert_eq!(arrows, drawn);
}

#[test]
fn law_1_the_core_is_small_and_pure() {
    for (features, most) in [&[][..], &["--all-features"]].into_iter().zip(MOST_CRATES) {
        let tree = cargo(&[&["tree", "-p", "sessio", "-e", "normal", "--prefix", "none"], features].concat());
        let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        assert!(crates.contains("sessio") && crates.contains("url"), "{tree}");
        println!("{} crates with {features:?}", crates.len());
        assert!(crates.len() <= most, "{}: {crates:?}", crates.len());
        let impure: Vec<_> = IMPURE.iter().filter(|name| crates.contains(**name)).collect();
        assert!(impure.is_empty(), "{impure:?}");
    }
}

/// Whether a feature is for the tests of this repository only.
fn is_for_tests(feature: &str) -> bool {
    feature == "testing" || feature.starts_with('_')
}

/// Only tests compile the bodies of fuzz targets.
#[test]
fn no_user_compiles_what_is_for_tests() {
    let packages = metadata(&["--no-deps"]);
    let mut for_tests = BTreeSet::new();
    // A crate that is not published may enable such a feature.
    for package in packages.iter().filter(|package| package["publish"].is_null()) {
        let name = text(package, "name");
        for (feature, enabled) in package["features"].as_object().unwrap() {
            if is_for_tests(feature) {
                for_tests.insert(format!("{name}/{feature}"));
                continue;
            }
            for enabled in enabled.as_array().unwrap().iter().map(|enabled| enabled.as_str().unwrap()) {
                let enabled_there = enabled.rsplit('/').next().unwrap();
                assert!(!is_for_tests(enabled_there), "`{feature}` of {name} enables `{enabled}`");
            }
        }
        for to in list(package, "dependencies").iter().filter(|to| text(to, "kind") != "dev") {
            let asked = list(to, "features").iter().find(|asked| is_for_tests(asked.as_str().unwrap()));
            assert_eq!(asked, None, "{name} enables it in {}", text(to, "name"));
        }
    }
    assert_eq!(for_tests, ["sessio-cookie/_example", "sessio/testing"].map(str::to_owned).into());
}

/// Checks the features that cargo resolves for a user of all features of a backend.
#[test]
fn no_feature_of_a_backend_enables_what_is_for_tests() {
    for backend in ["sessio-blocking", "sessio-smol", "sessio-tokio"] {
        let arguments = ["tree", "-p", backend, "--all-features", "-e", "normal", "--prefix", "none"];
        let tree = cargo(&[&arguments[..], &["--format", "{p}|{f}"]].concat());
        let mut ours = 0;
        for line in tree.lines().filter(|line| line.starts_with("sessio")) {
            let features = line.rsplit('|').next().unwrap();
            assert!(!features.split(',').any(is_for_tests), "{backend}: {line}");
            ours += 1;
        }
        assert!(ours >= 4, "{tree}");
    }
}

/// `sessio-h2` has no dependencies, so others can use it by itself.
#[test]
fn http_2_depends_on_nothing() {
    let tree = cargo(&["tree", "-p", "sessio-h2", "-e", "normal", "--prefix", "none"]);
    assert_eq!(tree.lines().count(), 1, "{tree}");
}

#[test]
fn a_backend_with_tls_is_small_and_without_is_rid_of_it() {
    let crates = |features: &[&str]| -> BTreeSet<String> {
        let arguments = ["tree", "-p", "sessio-tokio", "-e", "normal", "--prefix", "none"];
        let tree = cargo(&[&arguments, features].concat());
        tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
    };
    let (with, without) = (crates(&[]), crates(&["--no-default-features"]));
    println!("sessio-tokio: {} crates, {} without TLS and codings", with.len(), without.len());
    assert!(with.contains("rustls") && with.contains("ring"), "https works by itself");
    assert!(with.len() <= MOST_WITH_TLS, "{}: {with:?}", with.len());
    let tls = ["aws-lc-rs", "native-tls", "openssl-sys", "ring", "rustls"];
    assert!(!tls.iter().any(|name| without.contains(*name)), "{without:?}");
    assert!(!with.contains("aws-lc-rs") && !with.contains("openssl-sys"), "{with:?}");
}

#[test]
fn a_backend_is_about_a_hundred_lines() {
    for backend in ["tokio", "smol", "blocking"] {
        let file = root().join(format!("crates/sessio-{backend}/src/runtime.rs"));
        let source = std::fs::read_to_string(file).unwrap();
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        let lines = source.lines().filter(is_code).count();
        println!("sessio-{backend}: {lines} lines");
        assert!((40..=MOST_LINES).contains(&lines), "sessio-{backend} has {lines}");
    }
}

#[test]
fn law_2_every_crate_forbids_unsafe_code() {
    for package in metadata(&["--no-deps"]) {
        let roots = list(&package, "targets").iter().filter(|target| {
            list(target, "kind").iter().any(|kind| matches!(kind.as_str(), Some("lib" | "bin" | "test")))
        });
        for root in roots {
            let path = text(root, "src_path");
            let source = std::fs::read_to_string(path).unwrap();
            let is_forbidden = source.lines().any(|line| line == "#![forbid(unsafe_code)]");
            // Files of tests get the attribute from the lints of the workspace.
            let is_test = list(root, "kind").contains(&"test".into());
            assert!(is_forbidden || is_test, "{path}");
        }
    }
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.lines().any(|line| line == "unsafe_code = \"forbid\""));
}

#[test]
fn law_9_every_file_is_a_noun() {
    let mut folders = vec![root()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" {
                    assert!(!NO_NOUNS.contains(&name), "{}", path.display());
                    folders.push(path);
                }
            } else if path.extension() == Some(OsStr::new("rs")) {
                let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
                assert!(!NO_NOUNS.contains(&stem), "{}", path.display());
                files += 1;
            }
        }
    }
    assert!(files > 100, "{files}");
}

#[test]
fn no_dependency_wants_a_newer_compiler() {
    let rustc = Command::new("rustc").arg("-vV").current_dir(root()).output().unwrap();
    let rustc = String::from_utf8(rustc.stdout).unwrap();
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let mut named = 0;
    for package in metadata(&["--filter-platform", host]) {
        let mut version = [0; 3];
        for (part, digits) in version.iter_mut().zip(text(&package, "rust_version").split('.')) {
            *part = digits.parse().unwrap_or(0);
        }
        named += usize::from(version[0] > 0);
        assert!(version <= RUST, "{} wants {version:?}", text(&package, "name"));
    }
    assert!(named > 10, "{named}");
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let promise = format!("rust-version = \"{}.{}\"", RUST[0], RUST[1]);
    assert!(manifest.lines().any(|line| line == promise));
}
