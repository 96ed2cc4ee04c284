//! Every backend gives a scenario the same trace of the core.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::trace::Trace;

/// The calls of a scenario, each with its lines.
type Calls = Vec<Vec<String>>;

/// Scenarios whose calls are compared as kinds, however many there are of each and in whatever order.
const KINDS: [(&str, &str); 0] = [];

/// Scenarios that are compared by their end alone.
const ENDS: [(&str, &str); 0] = [];

/// The first trace of each scenario, and the backend that gave it.
#[derive(Debug, Default)]
pub struct Register(Mutex<BTreeMap<String, (String, Calls)>>);

/// The register of this process: the tests of one binary run in one.
static REGISTER: Register = Register::new();

impl Register {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Registers a trace of a scenario, or compares it with the one that is registered.
    ///
    /// # Errors
    /// What differs.
    pub fn check(&self, scenario: &str, backend: &str, calls: Calls) -> Result<(), String> {
        let name = scenario.rsplit("::").next().unwrap_or_default();
        let is_listed = |list: &[(&str, &str)]| list.iter().any(|(listed, _)| *listed == name);
        if is_listed(&ENDS) {
            return Ok(());
        }
        let calls = if is_listed(&KINDS) {
            calls.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
        } else {
            calls
        };
        let mut register = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((first, expected)) = register.get(scenario) else {
            register.insert(scenario.to_owned(), (backend.to_owned(), calls));
            return Ok(());
        };
        if *expected == calls {
            return Ok(());
        }
        Err(format!("{scenario}: {backend} (+) differs from {first} (-)\n{}", difference(expected, &calls)))
    }
}

/// Fails if another backend gave this scenario another trace. `scenario` is the path of its test, whose last
/// part is its name and whose last but one that of its backend.
///
/// # Panics
/// If it did.
pub fn agree(scenario: &str, name: &str, backend: &str, trace: &Trace) {
    let module = scenario.rsplit_once("::").map_or(scenario, |(module, _)| module);
    if let Err(difference) = REGISTER.check(&format!("{module}::{name}"), backend, trace.calls()) {
        panic!("{difference}");
    }
}

/// The first calls that differ, line by line.
fn difference(expected: &Calls, calls: &Calls) -> String {
    let nothing = Vec::new();
    let mut out = format!("{} and {} calls\n", expected.len(), calls.len());
    let at = expected.iter().zip(calls).take_while(|(one, other)| one == other).count();
    let (one, other) = (expected.get(at).unwrap_or(&nothing), calls.get(at).unwrap_or(&nothing));
    let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    out += &format!("call {at}:\n");
    for line in &one[..same] {
        out += &format!("    {line}\n");
    }
    for line in &one[same..] {
        out += &format!("  - {line}\n");
    }
    for line in &other[same..] {
        out += &format!("  + {line}\n");
    }
    out
}
