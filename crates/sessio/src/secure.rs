//! The seam for TLS: a filter of bytes between the socket and HTTP.

use std::fmt;

use crate::error::Result;

/// One end of a secured connection, as a function of bytes: ciphertext on the outside, plaintext on the
/// inside. It does no IO; a [`Conn`](crate::Conn) moves the bytes, and filters may be stacked.
///
/// All methods are level-triggered: what was not taken is offered again.
pub trait Secure: fmt::Debug + Send {
    /// Both ends on the outside, lent at once, so that neither direction waits for the other (row Q07):
    /// ciphertext for the peer, handshake and sealed data; and where ciphertext of the peer goes, which is
    /// never empty before the end of the stream.
    fn ends(&mut self) -> (&[u8], &mut [u8]);

    /// The peer's transport took the first `n` bytes of what goes out.
    fn sent(&mut self, n: usize);

    /// `n` bytes were written to the start of the room in [`ends`](Self::ends); 0 is the end of the stream.
    ///
    /// # Errors
    /// What is wrong with the peer's handshake, certificate or records.
    fn received(&mut self, n: usize) -> Result<()>;

    /// Seals plaintext and says how many bytes it took: none during the handshake, or while much is still
    /// on its way out.
    ///
    /// # Errors
    /// If nothing can be sealed any more.
    fn seal(&mut self, plain: &[u8]) -> Result<usize>;

    /// Moves opened plaintext into `plain` and says how much; `None` after the peer closed cleanly.
    ///
    /// # Errors
    /// What is wrong with the peer's records, or that they ended without a closing word: what came before
    /// may be cut short.
    fn open(&mut self, plain: &mut [u8]) -> Result<Option<usize>>;
}
