//! The floors of the core, and the import cycles of files in every crate (law 1).
//!
//! Imports of the core point down, and few files import each other. The test reads the source. It
//! resolves each `use`, and each path in the code, to the file that defines the name.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod arrows;
mod cases;
mod modules;
mod rings;
mod tokens;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::arrows::Arrows;
use crate::modules::{Crate, Files};
use crate::rings::{inside, rings};

/// The folders and files of `crates/sessio/src`, from bottom to top. The root of the crate is above
/// them.
const FLOORS: &[&str] = &[
    "base", "uri", "message", "policy", "route", "wire", "pool", "error", "prepared", "call", "session",
    "testing",
];

/// Files that may import each other, with the reason.
const ALLOWED: &[Allowed] = &[
    Allowed {
        krate: "sessio",
        files: &["call/machine.rs", "call/observer.rs", "call/options.rs", "call/rare.rs"],
        reason: "an observer is lent the call, which holds it among its options",
    },
    Allowed {
        krate: "sessio",
        files: &["pool/line.rs", "pool/mod.rs", "pool/paced.rs"],
        reason: "the pool holds the line and its lanes, and the methods of the pool that move them are beside them",
    },
    Allowed {
        krate: "sessio",
        files: &["prepared/auth/digest.rs", "prepared/auth/mod.rs", "prepared/auth/sigv4/mod.rs"],
        reason: "Digest and SigV4 are schemes that `auth` shows, and implement the trait of all of them",
    },
    Allowed {
        krate: "sessio",
        files: &["route/key.rs", "route/routing/mod.rs", "route/tls/connector.rs"],
        reason: "a key is made of a route with its TLS connector, a connector receives the key, and `routing` shows the key to users",
    },
    Allowed {
        krate: "sessio-driver",
        files: &["builder.rs", "session.rs"],
        reason: "a session makes builders of requests, and a builder sends its request over its session",
    },
    Allowed {
        krate: "sessio-testkit",
        files: &["adapter.rs", "socket.rs"],
        reason: "one kind of socket is another socket with an adapter",
    },
];

/// The largest number of files in a cycle.
const MOST: usize = 4;

struct Allowed {
    krate: &'static str,
    files: &'static [&'static str],
    reason: &'static str,
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("crates")
}

/// The source of one crate.
fn source(krate: &str) -> Files {
    let root = crates().join(krate).join("src");
    let mut files = Files::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let parts: Vec<_> =
                    path.strip_prefix(&root).unwrap().iter().map(|it| it.to_str().unwrap()).collect();
                files.insert(parts.join("/"), fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

/// The imports of one crate. Every file has to take part.
fn arrows(krate: &str) -> Arrows {
    let files = source(krate);
    let read = Crate::read(&files);
    let unread = read.unread(&files);
    assert!(unread.is_empty(), "{krate}: no module holds {unread:?}");
    read.arrows()
}

/// The imports that point up, one per line.
fn upward(floors: &[&str], arrows: &Arrows) -> String {
    let floor = |file: &str| {
        let name = file.split('/').next().unwrap_or(file);
        let name = name.strip_suffix(".rs").unwrap_or(name);
        let at = floors.iter().position(|floor| *floor == name);
        at.unwrap_or_else(|| if file == "lib.rs" { floors.len() } else { panic!("{file} is on no floor") })
    };
    let name = |floor: usize| floors.get(floor).unwrap_or(&"the root of the crate").to_owned();
    let mut lines = String::new();
    for (from, to) in arrows {
        for (to, names) in to.iter().filter(|(to, _)| floor(from) < floor(to)) {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let (below, above) = (name(floor(from)), name(floor(to)));
            lines += &format!("    {from} -> {to} ({}): {below} is below {above}\n", names.join(", "));
        }
    }
    lines
}

#[test]
fn law_1_the_floors_of_the_core_point_down() {
    let arrows = arrows("sessio");
    let upward = upward(FLOORS, &arrows);
    assert!(upward.is_empty(), "imports that point up:\n{upward}");
    for floor in FLOORS {
        let mut files = arrows.iter().flat_map(|(from, to)| to.keys().chain([from]));
        assert!(
            files.any(|file| file.strip_suffix(".rs").unwrap_or(file).split('/').next() == Some(floor)),
            "{floor}"
        );
    }
}

#[test]
fn law_1_files_that_import_each_other_are_few() {
    let mut wrong = String::new();
    let mut left: Vec<&Allowed> = ALLOWED.iter().collect();
    let mut names: Vec<_> = fs::read_dir(crates()).unwrap().map(|it| it.unwrap().file_name()).collect();
    names.sort();
    for krate in names.iter().map(|it| it.to_str().unwrap()) {
        let arrows = arrows(krate);
        for ring in rings(&arrows) {
            let is_this = |it: &&Allowed| {
                it.krate == krate && it.files.iter().copied().eq(ring.iter().map(String::as_str))
            };
            if let Some(at) = left.iter().position(is_this) {
                left.remove(at);
            } else {
                let count = ring.len();
                wrong += &format!("{krate}: {count} files import each other\n{}", inside(&arrows, &ring));
            }
        }
    }
    for gone in left {
        wrong += &format!("{}: {:?} is no ring any more\n", gone.krate, gone.files);
    }
    assert!(wrong.is_empty(), "rings that `ALLOWED` does not list:\n{wrong}");
}

#[test]
fn each_allowed_ring_is_small_and_has_a_reason() {
    for Allowed { krate, files, reason } in ALLOWED {
        assert!(files.len() <= MOST, "{krate}: {files:?}");
        assert!(reason.len() > 20, "{krate}: {files:?}");
        assert!(files.is_sorted(), "{krate}: {files:?}");
    }
    let all: BTreeSet<_> =
        ALLOWED.iter().flat_map(|it| it.files.iter().map(|file| (it.krate, file))).collect();
    assert_eq!(all.len(), ALLOWED.iter().map(|it| it.files.len()).sum::<usize>(), "a file is in one ring");
}
