//! What the server answers, and what a client has to have read.

use crate::plan::Plan;
use crate::{Outcome, text};

/// The body of a small answer.
pub const SMALL: &[u8] = b"Hello, World!";

/// What a client has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// How long the body was; of an upload, how much the server says it has counted.
    pub length: usize,
    /// The sum of the body's bytes, where a plan [has one](Plan::sum).
    pub sum: u64,
}

/// A body that is being read.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    length: usize,
    sum: u64,
    is_summed: bool,
}

impl Tally {
    /// Nothing yet, of an answer to this plan.
    pub fn new(plan: &Plan) -> Self {
        Self { length: 0, sum: 0, is_summed: plan.is_coded() }
    }

    /// The next bytes.
    pub fn take(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        if self.is_summed {
            self.sum += text::sum(bytes);
        }
    }

    /// The answer with this body.
    pub fn answer(self, status: u16) -> Answer {
        Answer { status, length: self.length, sum: self.sum }
    }
}

impl Answer {
    /// An answer with a body of so many bytes that are not looked at.
    pub fn plain(status: u16, length: usize) -> Self {
        Self { status, length, sum: 0 }
    }

    /// The answer to an upload: its body says how much came.
    ///
    /// # Errors
    /// A body that is no number.
    pub fn counted(status: u16, body: &[u8]) -> Outcome<Self> {
        Ok(Self::plain(status, std::str::from_utf8(body)?.parse()?))
    }

    /// Whether that is what the plan asked for.
    ///
    /// # Errors
    /// Any other status, length or sum.
    pub fn check(self, plan: &Plan) -> Outcome {
        let expected = Self { status: 200, length: plan.length(), sum: plan.sum };
        if self == expected {
            return Ok(());
        }
        Err(format!("{self:?} instead of {expected:?}").into())
    }
}
