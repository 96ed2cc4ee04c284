//! Every backend gives a scenario the same trace of the core.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::trace::Trace;

/// The calls of a scenario, each with its lines.
type Calls = Vec<Vec<String>>;

/// Where the course depends on how the network times things, and why. What calls such a scenario makes is
/// compared, but neither how many there are of a kind nor in which order, nor where they were dropped.
const KINDS: [(&str, &str); 6] = [
    ("f24_a_request_is_dropped_at_every_point", DROPS),
    ("f24_an_upload_is_dropped_at_every_point", DROPS),
    ("f24_a_redirect_is_dropped_at_every_point", DROPS),
    ("f24_a_chunk_is_dropped_at_every_point_and_loses_nothing", DROPS),
    ("f24_q37_a_body_is_dropped_at_every_point", DROPS),
    ("g04_every_operation_on_a_socket_fails_once", "a large answer comes in more reads or in fewer"),
];

/// Why, where futures are dropped.
const DROPS: &str = "how often a future waits before the answer is there is up to the peer";

/// Where nothing can be compared but the end, and why.
const ENDS: [(&str, &str); 2] = [
    ("f23_t05_the_total_limit_is_over_all_hops", "how many hops are made until time is up"),
    ("q27_bytes_that_trickle_in_do_not_extend_the_head", "how many interim responses come until time is up"),
];

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
    pub fn check(&self, scenario: &str, backend: &str, trace: &Trace) -> Result<(), String> {
        let name = scenario.rsplit("::").next().unwrap_or_default();
        let is_listed = |list: &[(&str, &str)]| list.iter().any(|(listed, _)| *listed == name);
        if is_listed(&ENDS) {
            return Ok(());
        }
        let calls = if is_listed(&KINDS) { trace.kinds() } else { trace.calls() };
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
    if let Err(difference) = REGISTER.check(&format!("{module}::{name}"), backend, trace) {
        panic!("{difference}");
    }
}

/// The first calls that differ, line by line.
fn difference(expected: &Calls, calls: &Calls) -> String {
    let nothing = Vec::new();
    let mut out = format!("{} calls and {}\n", expected.len(), calls.len());
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
