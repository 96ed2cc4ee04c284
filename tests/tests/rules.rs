//! The chapter of rules explains every id that the repository cites.
//!
//! Citations are read from the comments of Rust files and from Markdown files. An id in a test name
//! does not count.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The path of the chapter from the root of the repository.
const CHAPTER: &str = "crates/sessio/docs/rules.md";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Whether a word is an id: `R-26`, `V04`, `V100`, `P133`, `Q07`, `B12`, `F02`, `FA10`, `S14`, `G5`.
fn is_id(word: &str) -> bool {
    let letters = word.len() - word.trim_start_matches(|c: char| c.is_ascii_uppercase()).len();
    let (letters, digits) = word.split_at(letters);
    if let Some(digits) = digits.strip_prefix('-') {
        return matches!(letters, "A" | "C" | "D" | "E" | "M" | "P" | "R" | "S" | "T" | "U")
            && digits.len() == 2
            && digits.bytes().all(|byte| byte.is_ascii_digit());
    }
    let lengths = match letters {
        "V" => 2..=3,
        "P" => 3..=3,
        "Q" | "F" | "B" => 2..=2,
        "S" | "G" | "FA" | "FB" | "FC" | "FM" | "FN" | "FR" | "FS" | "FW" => 1..=2,
        _ => return false,
    };
    lengths.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The ids in a text.
fn ids(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').filter(|word| is_id(word))
}

/// The part of a line in which citations count.
fn prose<'a>(line: &'a str, extension: &str) -> &'a str {
    match extension {
        "md" => line,
        _ => line.find("//").map_or("", |start| &line[start..]),
    }
}

/// Every cited id, with the first place that cites it.
fn citations() -> BTreeMap<String, String> {
    let mut cited = BTreeMap::new();
    let mut folders: Vec<PathBuf> =
        ["crates", "tests", "benches", "fuzz"].map(|name| root().join(name)).into();
    let mut files: Vec<PathBuf> = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap();
            if path.is_dir() && name != "target" && name != "corpus" {
                folders.push(path);
            } else if path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    for path in files {
        let Some(extension @ ("rs" | "md")) = path.extension().and_then(|text| text.to_str()) else {
            continue;
        };
        let place = path.strip_prefix(root()).unwrap().display().to_string();
        if place == CHAPTER {
            continue;
        }
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            for id in ids(prose(line, extension)) {
                cited.entry(id.to_owned()).or_insert_with(|| format!("{place}:{}", number + 1));
            }
        }
    }
    cited
}

/// The ids that the chapter explains.
fn explained() -> BTreeSet<String> {
    let chapter = fs::read_to_string(root().join(CHAPTER)).unwrap();
    let mut explained = BTreeSet::new();
    for line in chapter.lines().filter(|line| line.starts_with("| <a id=")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [anchor, rule, source] = cells[..] else { panic!("a row is an id, a rule and a source: {line}") };
        let (anchor, id) = anchor.split_once("\"></a>").expect(line);
        assert_eq!(anchor, format!("<a id=\"{}", id.to_lowercase()), "{line}");
        assert!(is_id(id) && !rule.is_empty() && !source.is_empty(), "{line}");
        assert!(explained.insert(id.to_owned()), "{id} is explained twice");
    }
    explained
}

#[test]
fn every_cited_rule_is_explained() {
    let (cited, explained) = (citations(), explained());
    assert!(cited.len() > 100, "only {} ids were found in the repository", cited.len());
    let missing: Vec<_> = cited.iter().filter(|(id, _)| !explained.contains(*id)).collect();
    assert!(missing.is_empty(), "{CHAPTER} does not explain {missing:?}");
}

#[test]
fn an_id_is_distinguished_from_other_words() {
    for id in ["R-26", "V04", "V100", "P133", "Q07", "B12", "F02", "FA10", "S14", "S8", "G5"] {
        assert!(is_id(id), "{id}");
    }
    for word in ["P-256", "SHA-1", "UTF-8", "V4", "A9", "F1", "E9", "NET-1", "TLS13", "r26", "P13", "R26", ""]
    {
        assert!(!is_id(word), "{word}");
    }
    assert_eq!(ids("(rows V44, V57; rule A-17)").collect::<Vec<_>>(), ["V44", "V57", "A-17"]);
}
