//! The responses of the server, and the check of what a client has read.

use crate::plan::Plan;
use crate::{Outcome, text};

/// The body of a small response.
pub const SMALL: &[u8] = b"Hello, World!";

/// The response as a client has read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The length of the body. For an upload, the number of bytes that the server has counted.
    pub length: usize,
    /// The sum of the body's bytes, if the plan [has one](Plan::sum).
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
    /// An empty tally for a response to this plan.
    pub fn new(plan: &Plan) -> Self {
        Self { length: 0, sum: 0, is_summed: plan.is_coded() }
    }

    /// Counts the next bytes.
    pub fn take(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        if self.is_summed {
            self.sum += text::sum(bytes);
        }
    }

    /// The response with this body.
    pub fn answer(self, status: u16) -> Answer {
        Answer { status, length: self.length, sum: self.sum }
    }
}

impl Answer {
    /// A response whose body has so many bytes, which are not summed.
    pub fn plain(status: u16, length: usize) -> Self {
        Self { status, length, sum: 0 }
    }

    /// The response to an upload. Its body is the number of bytes received.
    ///
    /// # Errors
    ///
    /// If the body is not a number.
    pub fn counted(status: u16, body: &[u8]) -> Outcome<Self> {
        Ok(Self::plain(status, std::str::from_utf8(body)?.parse()?))
    }

    /// Checks the response against the plan.
    ///
    /// # Errors
    ///
    /// If status, length or sum differ.
    pub fn check(self, plan: &Plan) -> Outcome {
        let expected = Self { status: 200, length: plan.length(), sum: plan.sum };
        if self == expected {
            return Ok(());
        }
        Err(format!("{self:?} instead of {expected:?}").into())
    }
}
