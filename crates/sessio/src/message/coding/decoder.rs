//! The interface of a decoder for one content coding.

use std::fmt;

/// A streaming decoder of one coding.
pub trait Decoder: Send + Sync {
    /// Takes bytes from the start of `input` and writes to the start of `output`, which is not
    /// empty.
    ///
    /// It runs until one of them is used up or the coded stream has ended. So it moves some bytes
    /// unless it needs more input. Data that it holds back is written on the next call, with or
    /// without new input. Bytes behind the end of the stream are taken and dropped, or are
    /// [malformed](Malformed).
    ///
    /// # Errors
    /// [`Malformed`] describes the fault in the input.
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Moved, Malformed>;

    /// Returns `true` if the stream may end here: all of it has arrived, with valid checksums, and
    /// was written out.
    fn is_complete(&self) -> bool;
}

/// Number of bytes that one step of a [`Decoder`] has moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "decoders of others make it")]
pub struct Moved {
    /// Taken from the input.
    pub taken: usize,
    /// Written to the output.
    pub made: usize,
}

/// The fault in a coded body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub std::borrow::Cow<'static, str>);

impl From<&'static str> for Malformed {
    fn from(what: &'static str) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}
