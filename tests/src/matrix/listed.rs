//! The scenarios that run over carriers, read from the blocks of `scenarios!`.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

/// A scenario that runs over carriers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The number of its backends. Plain sockets do not run scenarios that wait for two things.
    pub backends: usize,
    /// Whether transports carry it too: those of the program `scenarios`, but for those whose
    /// servers have TLS of their own (`sealed:`). A transport has no part in TLS.
    pub is_over_transports: bool,
}

/// All scenarios that run over carriers, by name.
pub static LISTED: LazyLock<Vec<Listed>> = LazyLock::new(|| {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let folders = ["scenarios", "exchanges", "faces", "logs", "system"].map(|name| tests.join(name));
    let mut all = Vec::new();
    for folder in folders {
        let is_over_transports = folder.ends_with("scenarios");
        for file in fs::read_dir(folder).expect("a folder of tests") {
            let path = file.expect("a file").path();
            all.extend(listed(&fs::read_to_string(path).expect("a text"), is_over_transports));
        }
    }
    let callbacks = fs::read_to_string(tests.join("callbacks.rs")).expect("a text");
    all.extend(listed(&callbacks, false));
    all.sort();
    all
});

/// The scenarios of one file.
fn listed(text: &str, is_over_transports: bool) -> Vec<Listed> {
    let mut all = Vec::new();
    for block in text.split("scenarios! {").skip(1).filter_map(|rest| rest.split('}').next()) {
        let mut words: Vec<_> = block.split_whitespace().collect();
        let kind = words.first().filter(|word| word.ends_with(':')).copied().unwrap_or_default();
        words.retain(|word| !word.ends_with(':'));
        let backends = match kind {
            // They need the system, programs, or no connection.
            "system:" | "programs:" | "unconnected:" => continue,
            _ if words.first().is_some_and(|word| word.starts_with('@')) => continue,
            "waiting:" => 2,
            _ => 3,
        };
        let is_over_transports = is_over_transports && kind != "sealed:";
        all.extend(words.iter().map(|name| Listed {
            name: (*name).to_owned(),
            backends,
            is_over_transports,
        }));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_by_their_kinds() {
        let text = "scenarios! {\n a\n b\n}\nscenarios! { sealed: c }\nscenarios! { waiting: d }\n\
                    scenarios! { unconnected: e }\nscenarios! { @law f }";
        let read = listed(text, true);
        let read: Vec<_> =
            read.iter().map(|one| (&*one.name, one.backends, one.is_over_transports)).collect();
        assert_eq!(read, [("a", 3, true), ("b", 3, true), ("c", 3, false), ("d", 2, true)]);
        assert!(listed(text, false).iter().all(|one| !one.is_over_transports));
    }
}
