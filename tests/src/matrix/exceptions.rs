//! The pairs of scenario and carrier that cannot be run, with reasons:
//! `tests/scenarios/exceptions.txt` as a value.

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
    /// The reason.
    pub why: String,
    /// The treatment of the pairs.
    pub treatment: Treatment,
}

/// The treatment of a pair that is an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Run in simulation, where it has to fail.
    Fails,
    /// Run in simulation, where it has to pass. Not run on sockets.
    Simulated,
    /// Not run: it would take minutes, or its result is random.
    Costly,
}

/// All exceptions.
pub static EXCEPTIONS: LazyLock<Vec<Exception>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/exceptions.txt");
    parse(&fs::read_to_string(path).expect("the list of exceptions"))
});

/// Parses the list. A line that begins with `!`, `%` or `$` is a reason. `!` means the pairs fail,
/// `%` run in simulation only, `$` not run. The lines under it name scenarios with their carriers.
///
/// # Panics
///
/// If a line has none of these forms.
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

/// The carriers of a name: one carrier, all but clear text, all transports, or all connections with
/// `https` or `http` URLs.
fn named(name: &str) -> Vec<Carrier> {
    let all = Carrier::ALL.into_iter().filter(|carrier| *carrier != Carrier::Clear);
    let is_meant = |carrier: &Carrier| match name {
        "all" => true,
        "transports" => carrier.is_transport(),
        "https" | "http" => carrier.scheme() == name && !carrier.is_transport(),
        name => carrier.name() == name,
    };
    let meant: Vec<_> = all.filter(is_meant).collect();
    assert!(!meant.is_empty(), "there is no carrier {name}");
    meant
}
