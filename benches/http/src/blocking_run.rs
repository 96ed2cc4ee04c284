//! Clients with blocking sockets: one request after another.

use crate::Outcome;
use crate::answer::Answer;
use crate::meter::Meter;
use crate::plan::Plan;

/// Runs a plan with a client that is a function, and prints the reading.
///
/// # Errors
///
/// Any failure. Then nothing is printed.
pub fn run(plan: &Plan, mut get: impl FnMut() -> Outcome<Answer>) -> Outcome {
    for _ in 0..plan.warm {
        get()?.check(plan)?;
    }
    let meter = Meter::start(plan);
    for _ in 0..plan.requests {
        get()?.check(plan)?;
    }
    println!("{}", meter.read());
    Ok(())
}
