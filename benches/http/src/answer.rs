//! What the server answers, and what a client has to have read.

use crate::Outcome;
use crate::plan::Plan;

/// The body of a small answer.
pub const SMALL: &[u8] = b"Hello, World!";

/// What a client has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// How long the body was.
    pub length: usize,
}

impl Answer {
    /// Whether that is what the plan asked for.
    ///
    /// # Errors
    /// Any other status or length.
    pub fn check(self, plan: &Plan) -> Outcome {
        if self.status == 200 && self.length == plan.length() {
            return Ok(());
        }
        Err(format!("status {} and {} bytes instead of {}", self.status, self.length, plan.length()).into())
    }
}
