//! The seam for TLS: a filter of bytes between the socket and HTTP.

use std::fmt;

use crate::base::fault::Result;

/// One end of a secured connection, as a function of bytes: ciphertext on the outside, plaintext on the
/// inside. It does no IO; a [`Conn`](crate::Conn) moves the bytes, and filters may be stacked.
///
/// All methods are level-triggered: what was not taken is offered again.
pub trait TlsSession: fmt::Debug + Send {
    /// Both ends on the outside, lent at once, so that neither direction waits for the other (row Q07):
    /// ciphertext for the peer, handshake and sealed data; and where ciphertext of the peer goes, which is
    /// empty only at the end of the stream, and while there is plaintext to be [opened](Self::open).
    fn ends(&mut self) -> (&[u8], &mut [u8]);

    /// The peer's transport took the first `n` bytes of what goes out.
    fn sent(&mut self, n: usize);

    /// `n` bytes were written to the start of the room in [`ends`](Self::ends); 0 is the end of the stream.
    ///
    /// # Errors
    /// What is wrong with the peer's handshake, certificate or records.
    fn received(&mut self, n: usize) -> Result<()>;

    /// Whether the handshake is under way. Nothing is sealed or opened until it is over; then this is `false` for
    /// good, though words of the handshake may still have to go out.
    fn is_handshaking(&self) -> bool;

    /// What the handshake has come to, once it is over.
    fn secured(&self) -> TlsInfo<'_>;

    /// Seals plaintext and says how many bytes it took: none during the handshake, or while much is still
    /// on its way out.
    ///
    /// # Errors
    /// If nothing can be sealed any more.
    fn seal(&mut self, plain: &[u8]) -> Result<usize>;

    /// Moves opened plaintext into `plain` and says how much; `None` after the peer closed cleanly.
    ///
    /// Fill `plain` from as many records as have come. The call opens no more while the body waits for its reader. A
    /// short response that came whole is thus complete at once: the caller may drop it unread, and its connection is kept.
    ///
    /// # Errors
    /// What is wrong with the peer's records, or that they ended without a closing word: what came before
    /// may be cut short.
    fn open(&mut self, plain: &mut [u8]) -> Result<Option<usize>>;

    /// Whether what has come ends with a record. While a connection idles, half a record may be the beginning of data
    /// that nobody asked for. `true` unless the session can tell.
    fn is_between_records(&self) -> bool {
        true
    }

    /// We close the connection, and nothing is sealed any more: the closing word, if there is one, is among what goes out
    /// by [`ends`](Self::ends).
    fn close(&mut self) {}

    /// The connection goes idle: what memory it can do without is given back.
    fn rest(&mut self) {}
}

/// What a handshake has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsInfo<'a> {
    /// The version of the protocol, such as `TLSv1.3`; empty where it is not known.
    pub version: &'a str,
    /// The cipher suite by its name in the registry; empty where it is not known.
    pub cipher: &'a str,
    /// The application protocol that was agreed on, if one was.
    pub alpn: Option<&'a [u8]>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// The peer's own certificate, as DER.
    pub certificate: Option<&'a [u8]>,
}
