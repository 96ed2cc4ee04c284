//! Compares the traces of a scenario: every backend gives the same.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::trace::Trace;

/// The calls of a scenario, each with its lines.
type Calls = Vec<Vec<String>>;

/// Scenarios whose course depends on the timing of the network, with the reason. Their kinds of
/// calls are compared. Their number and order are not, nor the points at which calls were dropped.
const KINDS: [(&str, &str); 5] = [
    ("f24_a_request_is_dropped_at_every_point", DROPS),
    ("f24_an_upload_is_dropped_at_every_point", DROPS),
    ("f24_a_redirect_is_dropped_at_every_point", DROPS),
    ("f24_a_chunk_is_dropped_at_every_point_and_loses_nothing", DROPS),
    ("f24_q37_a_body_is_dropped_at_every_point", DROPS),
];

/// The reason for scenarios that drop futures.
const DROPS: &str = "how often a future waits before the answer is there is up to the peer";

/// Scenarios whose outcome alone can be compared, with the reason.
const ENDS: [(&str, &str); 11] = [
    ("f40_many_calls_share_few_connections", "who of a crowd gets which connection is up to the executor"),
    ("f23_t05_the_total_limit_is_over_all_hops", "how many hops are made until time is up"),
    (
        "v100_p131_p132_bytes_behind_a_response_close_its_connection",
        "whether they come with its last byte, or find the connection idle",
    ),
    ("apache_with_digest_deflate_and_ranges", CLOCK),
    ("caddy_with_gzip_in_front_of_django", CLOCK),
    ("express_by_itself", CLOCK),
    ("haproxy_in_front_of_express", CLOCK),
    ("tomcat_with_a_form_login", CLOCK),
    ("nginx_stores_an_upload_and_returns_it", EARLY),
    ("q07_nginx_refuses_an_upload_and_the_response_is_read", EARLY),
    ("q27_bytes_that_trickle_in_do_not_extend_the_head", "how many interim responses come until time is up"),
];

/// The reason for servers of others that respond early.
const EARLY: &str = "how much of the body is out when it answers is up to the server";

/// The reason for real servers that close idle connections and end logins by their own clock.
const CLOCK: &str = "which requests find an open connection depends on the server's clock";

/// The first trace of each scenario, with the backend that gave it.
#[derive(Debug, Default)]
pub struct Register(Mutex<BTreeMap<String, (String, Calls)>>);

/// The register of this process. All tests of one binary run in one process.
static REGISTER: Register = Register::new();

impl Register {
    /// An empty register.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Registers the first trace of a scenario, and compares later ones with it.
    ///
    /// # Errors
    ///
    /// The differences.
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

/// How a scenario can be compared. `Some(true)`: all lines of its calls. `Some(false)`: the kinds
/// of its calls. `None`: only its outcome.
#[must_use]
pub fn is_comparable(name: &str) -> Option<bool> {
    let is_listed = |list: &[(&str, &str)]| list.iter().any(|(listed, _)| *listed == name);
    (!is_listed(&ENDS)).then(|| !is_listed(&KINDS))
}

/// Compares the trace with those of other backends. The last segment of `module` names the backend.
///
/// # Panics
///
/// If another backend gave this scenario another trace.
pub fn check_equal(module: &str, name: &str, backend: &str, trace: &Trace) {
    let module = module.rsplit_once("::").map_or(module, |(module, _)| module);
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use sessio::{Jar, Request, Settings, merge, prepare};

    use super::*;
    use crate::replay::{Script, Then, new_state, now, replay};

    /// The trace of one call with this response.
    fn trace(answer: &str) -> Trace {
        let trace = Trace::default();
        let request = Request::get("http://h/").observe(trace.observer());
        let request = prepare(merge(&Settings::default(), request), &mut Jar::new(), now()).unwrap();
        replay(request, &mut new_state(), 7, |_| Script { bytes: answer.into(), then: Then::Close });
        trace
    }

    const WHOLE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

    #[test]
    fn g11_a_trace_that_differs_is_shown_with_both_backends() {
        let register = Register::new();
        let name = "scenarios::x::s01_y";
        assert_eq!(register.check(name, "One", &trace(WHOLE)), Ok(()));
        assert_eq!(register.check(name, "Two", &trace(WHOLE)), Ok(()));
        let cut = &WHOLE[..WHOLE.len() - 1];
        let difference = register.check(name, "Three", &trace(cut)).unwrap_err();
        let (first, rest) = difference.split_once('\n').unwrap();
        assert_eq!(first, "scenarios::x::s01_y: Three (+) differs from One (-)");
        let changed: Vec<_> =
            rest.lines().filter(|line| line.starts_with("  -") || line.starts_with("  +")).collect();
        assert_eq!(
            changed,
            ["  - 0: done, with 5 bytes of body, connection kept", "  + 0: failed incomplete-body"]
        );
        // A call more, a call fewer.
        let twice = trace(WHOLE);
        let request = Request::get("http://h/").observe(twice.observer());
        drop(prepare(merge(&Settings::default(), request), &mut Jar::new(), now()).map(|request| {
            replay(request, &mut new_state(), 7, |_| Script { bytes: WHOLE.into(), then: Then::Close })
        }));
        assert!(register.check(name, "Four", &twice).unwrap_err().contains("1 calls and 2"));
        assert!(register.check(name, "Five", &Trace::default()).unwrap_err().contains("1 calls and 0"));
        // Another scenario is independent.
        assert_eq!(register.check("scenarios::z::s01_y", "Three", &trace(cut)), Ok(()));
    }

    #[test]
    fn g11_what_is_compared_as_kinds_still_differs_in_kind() {
        let register = Register::new();
        let (name, _) = KINDS[0];
        let begun = Trace::default();
        let request = Request::get("http://h/").observe(begun.observer());
        let request = prepare(merge(&Settings::default(), request), &mut Jar::new(), now()).unwrap();
        // One call that was dropped before its first event, and one that was not.
        drop(sessio::Call::new(request.clone(), sessio::Memory::default()).unwrap());
        replay(request, &mut new_state(), 7, |_| Script { bytes: WHOLE.into(), then: Then::Close });
        assert_eq!(begun.calls().len(), 2);
        assert_eq!(register.check(name, "One", &begun), Ok(()));
        assert_eq!(register.check(name, "Two", &trace(WHOLE)), Ok(()));
        register.check(name, "Three", &trace("HTTP/1.1 204 X\r\n\r\n")).unwrap_err();
    }

    /// The source files of the scenarios with their text, also of those with other programs.
    fn sources() -> Vec<(PathBuf, String)> {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let files = |folder| fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let is_source = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
        files(tests.join("scenarios"))
            .chain(files(tests))
            .filter(is_source)
            .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
            .collect()
    }

    #[test]
    fn every_exception_names_a_scenario() {
        for (name, why) in KINDS.iter().chain(&ENDS) {
            let begins = format!("async fn {name}<");
            assert!(sources().iter().any(|(_, source)| source.contains(&begins)), "{name}");
            assert!(!why.is_empty());
        }
    }

    #[test]
    fn every_session_of_a_scenario_is_observed() {
        for (path, source) in sources().iter().filter(|(_, source)| source.contains("World<R>")) {
            for unseen in
                [" Session::builder(", " Session::with_pool(", " Session::with_runtime(", " Session::new("]
            {
                assert!(
                    !source.contains(unseen),
                    "{}: sessions are made by World::session, session_on and session_with_pool",
                    path.display()
                );
            }
        }
    }
}
