//! What cannot be run over which carrier, and why: `tests/scenarios/exceptions.txt`, as a value.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use crate::carrier::Carrier;

/// A scenario that is not run over these carriers, or has to fail over them.
#[derive(Clone, Debug)]
pub struct Exception {
    /// The name of the scenario.
    pub scenario: String,
    /// The carriers over which it cannot be run.
    pub carriers: Vec<Carrier>,
    /// Why.
    pub why: String,
    /// What is done about it.
    pub treatment: Treatment,
}

/// What is done with a pair that is an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It is run in simulation, and has to fail.
    Fails,
    /// It is run in simulation, and has to hold; on sockets it is not run.
    Simulated,
    /// It would take minutes, or end by chance: it is not run.
    Costly,
}

/// All of them.
pub static EXCEPTIONS: LazyLock<Vec<Exception>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/exceptions.txt");
    parse(&fs::read_to_string(path).expect("the list of exceptions"))
});

/// Reads the list. A line that begins with `!`, `%` or `$` is a reason: for what fails, for what is run in simulation
/// alone, for what is not run. Under it stand scenarios with their carriers.
///
/// # Panics
/// If a line is none of these.
#[must_use]
pub fn parse(text: &str) -> Vec<Exception> {
    let (mut all, mut why, mut treatment) = (Vec::new(), String::new(), Treatment::Fails);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mark = line.chars().next().and_then(|mark| match mark {
            '!' => Some(Treatment::Fails),
            '%' => Some(Treatment::Simulated),
            '$' => Some(Treatment::Costly),
            _ => None,
        });
        if let Some(mark) = mark {
            (why, treatment) = (line[1..].trim().to_owned(), mark);
            continue;
        }
        let (scenario, names) = line.split_once(' ').unwrap_or_else(|| panic!("no carriers: {line}"));
        let carriers = names.split_whitespace().flat_map(named).collect();
        assert!(!why.is_empty(), "no reason: {line}");
        all.push(Exception { scenario: scenario.to_owned(), carriers, why: why.clone(), treatment });
    }
    all
}

/// The carriers of a name: one, or all but clear text, or those whose URLs are `https`, or `http`.
fn named(name: &str) -> Vec<Carrier> {
    let all = Carrier::ALL.into_iter().filter(|carrier| *carrier != Carrier::Clear);
    let is_meant = |carrier: &Carrier| match name {
        "all" => true,
        "https" | "http" => carrier.scheme() == name,
        name => carrier.name() == name,
    };
    let meant: Vec<_> = all.filter(is_meant).collect();
    assert!(!meant.is_empty(), "there is no carrier {name}");
    meant
}
