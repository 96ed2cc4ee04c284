//! TLS within TLS, as behind an `https://` proxy.

use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::route::tls::session::{TlsInfo, TlsSession};

/// Two TLS sessions as one. The ciphertext of the inner one is the plaintext of the outer one,
/// whose handshake is over.
#[derive(Debug)]
pub(crate) struct Stack {
    outer: Box<dyn TlsSession>,
    inner: Box<dyn TlsSession>,
    /// The outer session has ended.
    is_ended: bool,
    /// The error of the outer session, if its end was one. It is reported once the inner session
    /// has returned all data before it.
    failure: Option<Fault>,
}

impl Stack {
    /// Runs `inner` through `outer`, which is the session at the socket.
    pub(crate) fn new(outer: Box<dyn TlsSession>, inner: Box<dyn TlsSession>) -> Self {
        Self { outer, inner, is_ended: false, failure: None }
    }

    /// Moves ciphertext of the inner session into the outer one, as far as that takes it.
    fn push(&mut self) -> Result<()> {
        loop {
            let words = self.inner.ends().0;
            if words.is_empty() {
                return Ok(());
            }
            let taken = self.outer.seal(words)?;
            if taken == 0 {
                return Ok(());
            }
            self.inner.sent(taken);
        }
    }

    /// Moves data into the inner session, as far as that has room. Returns `true` if any byte
    /// moved.
    pub(crate) fn pull(&mut self) -> Result<bool> {
        let mut has_moved = false;
        while !self.is_ended {
            let room = self.inner.ends().1;
            if room.is_empty() {
                break;
            }
            let opened = match self.outer.open(room) {
                Ok(Some(0)) => break,
                Ok(Some(n)) => n,
                Ok(None) => 0,
                // The inner session decides whether data was truncated.
                Err(error) if error.kind() == Kind::IncompleteBody => 0,
                Err(error) if self.inner.is_handshaking() => return Err(error),
                Err(error) => {
                    self.failure = Some(error);
                    0
                }
            };
            self.is_ended = opened == 0;
            has_moved = true;
            self.inner.received(opened)?;
        }
        Ok(has_moved)
    }
}

impl TlsSession for Stack {
    fn ends(&mut self) -> (&[u8], &mut [u8]) {
        // A session that can seal no more reports the error again on the next call.
        let _ = self.push();
        self.outer.ends()
    }

    fn sent(&mut self, n: usize) {
        self.outer.sent(n);
        // As in `ends`.
        let _ = self.push();
    }

    fn received(&mut self, n: usize) -> Result<()> {
        self.outer.received(n)?;
        self.pull()?;
        self.push()
    }

    fn is_handshaking(&self) -> bool {
        self.inner.is_handshaking()
    }

    fn secured(&self) -> TlsInfo<'_> {
        self.inner.secured()
    }

    fn seal(&mut self, plain: &[u8]) -> Result<usize> {
        let taken = self.inner.seal(plain)?;
        self.push()?;
        Ok(taken)
    }

    fn open(&mut self, plain: &mut [u8]) -> Result<Option<usize>> {
        loop {
            match self.inner.open(plain) {
                // It may have had no room for data that has arrived.
                Ok(Some(0)) if !plain.is_empty() && self.pull()? => {}
                // The inner session knows only that its data was truncated.
                Err(error) => return Err(self.failure.take().unwrap_or(error)),
                opened => return opened,
            }
        }
    }

    fn is_between_records(&self) -> bool {
        self.inner.is_between_records() && self.outer.is_between_records()
    }

    fn close(&mut self) {
        self.inner.close();
        // Bytes that the outer session does not take any more are lost with the connection.
        let _ = self.push();
        self.outer.close();
    }

    fn rest(&mut self) {
        self.inner.rest();
        self.outer.rest();
    }
}
