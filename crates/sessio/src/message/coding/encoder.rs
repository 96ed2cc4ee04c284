//! The interface of an encoder for one content coding.

use super::decoder::Moved;

/// A streaming encoder of one coding.
pub(super) trait Encoder: Send + Sync {
    /// Takes bytes from the start of `input` and writes to the start of `output`, until one of them
    /// is used up. With `is_last`, this input is the last one, and the coded stream is finished.
    fn encode(&mut self, input: &[u8], is_last: bool, output: &mut [u8]) -> Moved;

    /// Returns `true` if the coded stream was written to its end.
    fn is_over(&self) -> bool;

    /// Starts over.
    fn rewind(&mut self);
}
