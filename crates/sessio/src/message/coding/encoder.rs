//! The interface of one content coding that is applied.

use super::decoder::Moved;

/// One coding, to be applied as bytes go out.
pub(super) trait Encoder: Send + Sync {
    /// Takes bytes from the start of `input` and writes to the start of `output`, until one of them is used up.
    /// With `is_last`, nothing comes behind this input, and the coded stream is brought to its end.
    fn encode(&mut self, input: &[u8], is_last: bool, output: &mut [u8]) -> Moved;

    /// Whether the coded stream was given out to its end.
    fn is_over(&self) -> bool;

    /// Starts over.
    fn rewind(&mut self);
}
