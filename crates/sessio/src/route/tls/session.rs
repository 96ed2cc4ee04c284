//! The interface of a TLS session: bytes between the socket and HTTP.

use std::fmt;

use crate::base::fault::Result;

/// One side of a TLS connection, as a function of bytes: ciphertext on the outside, plaintext on
/// the inside. It does no IO: a [`Conn`](crate::Conn) moves the bytes, and sessions may be nested.
///
/// All methods are level-triggered: bytes that were not taken are offered again.
pub trait TlsSession: fmt::Debug + Send {
    /// Both ciphertext buffers, lent together, so that neither direction waits for the other (row
    /// Q07).
    ///
    /// - The first holds outgoing ciphertext: handshake and sealed data.
    /// - The second receives the peer's ciphertext. It is empty only at the end of the stream, and
    ///   while there is plaintext to be [opened](Self::open).
    fn ends(&mut self) -> (&[u8], &mut [u8]);

    /// Reports that the transport took the first `n` bytes of the outgoing ciphertext.
    fn sent(&mut self, n: usize);

    /// Reports that `n` bytes were written to the start of the second buffer of
    /// [`ends`](Self::ends); 0 is the end of the stream.
    ///
    /// # Errors
    /// A fault in the peer's handshake, certificate or records.
    fn received(&mut self, n: usize) -> Result<()>;

    /// Returns `true` while the handshake is running. Nothing is sealed or opened until it is over;
    /// then this stays `false`, though bytes of the handshake may still have to be sent.
    fn is_handshaking(&self) -> bool;

    /// The result of the handshake, once it is over.
    fn secured(&self) -> TlsInfo<'_>;

    /// Seals plaintext and returns the number of bytes taken: none during the handshake, or while
    /// much ciphertext is still unsent.
    ///
    /// # Errors
    /// An error if nothing can be sealed any more.
    fn seal(&mut self, plain: &[u8]) -> Result<usize>;

    /// Moves decrypted plaintext into `plain` and returns its length in bytes; `None` after the
    /// peer closed cleanly.
    ///
    /// Fill `plain` from as many records as have arrived. The call opens no more while the body
    /// waits for its reader. A short response that arrived whole is thus complete at once: the
    /// caller may drop it unread, and its connection is kept.
    ///
    /// # Errors
    /// A fault in the peer's records, or an end of the stream without close_notify: the plaintext
    /// before may be truncated.
    fn open(&mut self, plain: &mut [u8]) -> Result<Option<usize>>;

    /// Returns `true` if the received bytes end with a whole record, or the session cannot tell. On
    /// an idle connection, half a record may be the beginning of unsolicited data.
    fn is_between_records(&self) -> bool {
        true
    }

    /// Closes the session; nothing is sealed any more. The close_notify, if there is one, is part
    /// of the outgoing ciphertext of [`ends`](Self::ends).
    fn close(&mut self) {}

    /// Releases memory that an idle connection does not need.
    fn rest(&mut self) {}
}

/// The result of a handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsInfo<'a> {
    /// The TLS version, such as `TLSv1.3`; empty if unknown.
    pub version: &'a str,
    /// The registered name of the cipher suite; empty if unknown.
    pub cipher: &'a str,
    /// The application protocol that was negotiated, if any.
    pub alpn: Option<&'a [u8]>,
    /// Set if an earlier TLS session was resumed.
    pub resumed: bool,
    /// The peer's own certificate, as DER.
    pub certificate: Option<&'a [u8]>,
}
