//! The interface of one content coding that is undone.

use std::fmt;

/// One coding, to be undone as bytes come in.
pub trait Decoder: Send + Sync {
    /// Takes bytes from the start of `input` and writes to the start of `output`, which is not empty.
    ///
    /// It goes on until one of them is used up or the coded stream has ended, and so moves something unless
    /// it needs input that is not there. What it holds back it gives out when called again, with or without
    /// new input. Bytes behind the end of the stream are taken and dropped, or are [malformed](Malformed).
    ///
    /// # Errors
    /// What is wrong with the input.
    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<Moved, Malformed>;

    /// Whether the stream may end here: all of it has come, checksums and all, and was given out.
    fn is_complete(&self) -> bool;
}

/// What a step of a [`Decoder`] has moved, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "decoders of others make it")]
pub struct Moved {
    /// Taken from the input.
    pub taken: usize,
    /// Written to the output.
    pub made: usize,
}

/// What is wrong with a coded body.
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
