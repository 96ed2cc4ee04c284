//! Every scenario over every carrier. Transports carry those of the program `scenarios`.
//!
//! In simulation every pair is run, and each carrier's events are compared with those of clear
//! text. On real sockets each pair has one backend. Every third pair is run, so that every backend
//! runs every carrier; `SESSIO_MATRIX=all` runs the others too. Pairs that cannot be run are
//! [`EXCEPTIONS`]. Those marked as failing are still run in simulation, and have to fail.

mod exceptions;
mod listed;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

pub use exceptions::{EXCEPTIONS, Exception, Treatment, parse};
pub use listed::{LISTED, Listed};

use crate::backend::{self, Scenario, Simulation};
use crate::carrier::Carrier;
use crate::simulation::network::Network;
use crate::trace::{Trace, bare, unconnected};
use crate::trace_equality::is_comparable;

/// The time after which a scenario on real sockets counts as hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// The exception for a scenario over this carrier, if there is one.
#[must_use]
pub fn exception(scenario: &str, carrier: Carrier) -> Option<&'static Exception> {
    EXCEPTIONS.iter().find(|one| one.scenario == scenario && one.carriers.contains(&carrier))
}

fn treatment(scenario: &str, carrier: Carrier) -> Option<Treatment> {
    exception(scenario, carrier).map(|exception| exception.treatment)
}

/// Whether a scenario belongs to a carrier.
#[must_use]
pub fn is_carried(scenario: &str, carrier: Carrier) -> bool {
    let is_over_transports = |one: &Listed| one.name == scenario && one.is_over_transports;
    !carrier.is_transport() || LISTED.iter().any(is_over_transports)
}

/// Whether a carrier is wanted: `SESSIO_CARRIERS`, names with commas. Default: all.
fn is_chosen(carrier: Carrier) -> bool {
    let chosen = std::env::var("SESSIO_CARRIERS");
    chosen.map_or(true, |names| names.split(',').any(|name| name == carrier.name()))
}

/// The carriers over which a scenario is run.
fn tried(scenario: &str) -> impl Iterator<Item = Carrier> {
    let is_tried = move |carrier: &Carrier| {
        is_chosen(*carrier)
            && is_carried(scenario, *carrier)
            && treatment(scenario, *carrier) != Some(Treatment::Costly)
    };
    Carrier::ALL.into_iter().filter(is_tried)
}

/// The index of the backend that runs a pair on real sockets, out of `backends`.
#[must_use]
pub fn backend_of(scenario: &str, carrier: Carrier, backends: usize) -> usize {
    let at = Carrier::ALL.iter().position(|one| *one == carrier).unwrap_or_default();
    let name = scenario.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    (name / 7 + at) % backends
}

/// Whether a pair is run on real sockets in every test run. Every third pair is: three carriers of
/// each scenario, each on another backend. The rule depends only on the names.
#[must_use]
pub fn is_sampled(scenario: &str, carrier: Carrier) -> bool {
    let at = Carrier::ALL.iter().position(|one| *one == carrier).unwrap_or_default();
    let name = scenario.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(33).wrapping_add(byte.into()));
    // The second term distributes the three over the remainders by which `backend_of` chooses.
    (name / 7 + at + at / 3).is_multiple_of(3)
}

/// Whether all pairs are run on real sockets: `SESSIO_MATRIX=all`.
#[must_use]
pub fn is_everything_wanted() -> bool {
    std::env::var_os("SESSIO_MATRIX").is_some_and(|value| value == "all")
}

/// Runs a scenario over every carrier in simulation.
///
/// # Panics
///
/// If it fails over a carrier, if its events differ from those over clear text, or if it is an
/// exception and does not fail.
pub fn simulated(name: &str, scenario: Scenario<Network>) {
    let run = |carrier: Carrier| {
        let trace = Trace::default();
        let observed = trace.clone();
        let (done, carried) = carrier.carry(|| {
            catch_unwind(AssertUnwindSafe(|| {
                backend::run::<Simulation>(scenario, carrier, observed);
            }))
        });
        (done, carried, trace)
    };
    let (clear, _, expected) = run(Carrier::Clear);
    if let Err(failure) = clear {
        std::panic::resume_unwind(failure);
    }
    let mut faults = Vec::new();
    for carrier in tried(name).filter(|carrier| *carrier != Carrier::Clear) {
        let (done, carried, trace) = run(carrier);
        let fault = match done {
            Err(failure) => Some(said(&*failure)),
            Ok(()) if carried == 0 => Some("no connection was carried".to_owned()),
            Ok(()) => differs(name, carrier, &expected, &trace),
        };
        match (treatment(name, carrier), fault) {
            (None | Some(Treatment::Simulated), Some(fault)) => {
                faults.push(format!("{}: {fault}", carrier.name()))
            }
            (Some(Treatment::Fails), None) => {
                faults.push(format!("{}: it is no exception any more", carrier.name()))
            }
            (_, Some(fault)) => println!("{name} over {} fails: {fault}", carrier.name()),
            _ => println!("{name} over {}, {carried} connections", carrier.name()),
        }
    }
    assert!(faults.is_empty(), "{name}\n{}", faults.join("\n"));
}

/// The difference from clear text, without the lines that the carrier adds.
fn differs(name: &str, carrier: Carrier, expected: &Trace, trace: &Trace) -> Option<String> {
    let (expected, found) = if is_comparable(name)? {
        (expected.calls(), trace.calls())
    } else {
        (expected.kinds(), trace.kinds())
    };
    let shown = |calls: Vec<Vec<String>>| -> Vec<Vec<String>> {
        let lines = calls.iter().map(bare);
        match carrier {
            // Each request has a transfer of its own. The crate `http` writes names in lower case.
            Carrier::Messages => lines.map(|call| unconnected(&call)).collect(),
            Carrier::InProcess => lines
                .map(|call| unconnected(&call).into_iter().map(|line| line.to_lowercase()).collect())
                .collect(),
            _ => lines.collect(),
        }
    };
    let (expected, found) = (shown(expected), shown(found));
    if expected == found {
        return None;
    }
    let at = expected.iter().zip(&found).take_while(|(one, other)| one == other).count();
    Some(format!("call {at} of {} differs: {:#?} is {:#?}", expected.len(), expected.get(at), found.get(at)))
}

/// A backend by its name, and the function that runs a scenario on it.
pub type Run = (&'static str, fn(Carrier, Trace));

/// Runs a scenario over a third of the carriers, or over all with `SESSIO_MATRIX=all`, each on one
/// of these backends.
///
/// # Panics
///
/// If it fails over one of them.
pub fn real(name: &str, backends: &[Run]) {
    let mut faults = Vec::new();
    let is_wanted = |carrier: &Carrier| is_everything_wanted() || is_sampled(name, *carrier);
    let carriers = tried(name).filter(|carrier| exception(name, *carrier).is_none());
    for carrier in carriers.filter(is_wanted) {
        let (backend, run) = backends[backend_of(name, carrier, backends.len())];
        let (tell, told) = mpsc::channel();
        // A blocking backend cannot be stopped from its own thread.
        let thread = thread::spawn(move || {
            let done = catch_unwind(|| carrier.carry(|| run(carrier, Trace::default())));
            let _ = tell.send(done.map(drop).map_err(|failure| said(&*failure)));
        });
        match told.recv_timeout(PATIENCE) {
            Ok(done) => {
                let _ = thread.join();
                if let Err(fault) = done {
                    faults.push(format!("{backend} over {}: {fault}", carrier.name()));
                }
            }
            Err(_) => faults.push(format!("{backend} over {}: it hangs", carrier.name())),
        }
        println!("{name} on {backend} over {}", carrier.name());
    }
    assert!(faults.is_empty(), "{name}\n{}", faults.join("\n"));
}

/// The message of a panic.
fn said(failure: &(dyn Any + Send)) -> String {
    let text = failure
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| failure.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_what_is_run() {
        let backends = ["tokio", "smol", "blocking"];
        let (mut pairs, mut runs, mut simulated) = (0, 0, 0);
        // Per backend: the pairs of every test run, and all pairs.
        let mut on = [(0, 0); 3];
        for Listed { name, backends: count, .. } in LISTED.iter() {
            for carrier in Carrier::ALL.into_iter().filter(|carrier| is_carried(name, *carrier)) {
                pairs += 1;
                if let Some(Exception { why, treatment, .. }) = exception(name, carrier) {
                    let how = match treatment {
                        Treatment::Fails => "fails",
                        Treatment::Simulated => "in simulation",
                        Treatment::Costly => "not run",
                    };
                    println!("{name} over {}: {how}, {why}", carrier.name());
                    simulated += usize::from(*treatment == Treatment::Simulated);
                } else {
                    runs += 1;
                    simulated += 1;
                    let backend = backend_of(name, carrier, *count);
                    let is_always = is_sampled(name, carrier);
                    on[backend].0 += usize::from(is_always);
                    on[backend].1 += 1;
                    let when = if is_always { "" } else { " with SESSIO_MATRIX=all" };
                    println!(
                        "{name} over {} in simulation and on {}{when}",
                        carrier.name(),
                        backends[backend]
                    );
                }
            }
        }
        for carrier in Carrier::ALL {
            let is_run =
                |one: &&Listed| is_carried(&one.name, carrier) && exception(&one.name, carrier).is_none();
            let count = LISTED.iter().filter(is_run).count();
            println!("{count} of {} scenarios run over {}", LISTED.len(), carrier.name());
            assert!(count >= 40, "{}: {count}", carrier.name());
        }
        println!("{simulated} of {pairs} pairs of scenario and carrier hold in simulation");
        for (backend, (always, all)) in backends.iter().zip(on) {
            println!("{always} on {backend}, {all} with SESSIO_MATRIX=all");
            assert!(always > runs / 15, "{backend}: {always}");
        }
        assert!(runs > pairs / 2);
    }

    #[test]
    fn every_exception_names_a_scenario_that_is_carried() {
        for Exception { scenario, why, .. } in EXCEPTIONS.iter() {
            assert!(LISTED.iter().any(|one| one.name == *scenario), "{scenario}");
            assert!(why.len() > 10, "{scenario}: {why}");
        }
    }

    #[test]
    fn exceptions_are_read_with_their_reasons() {
        let read = parse("# x\n! one reason\na_b https socks5\n\n$ another\nc all\n");
        let is: Vec<_> =
            read.iter().map(|one| (&*one.scenario, one.carriers.len(), &*one.why, one.treatment)).collect();
        assert_eq!(is, [("a_b", 6, "one reason", Treatment::Fails), ("c", 10, "another", Treatment::Costly)]);
    }
}
