//! A filter within a filter: TLS that runs through TLS, as behind an `https://` proxy.

use super::{Secure, Secured};
use crate::error::{Kind, Result};

/// Two filters as one. What the inner one sends is the plaintext of the outer one, whose handshake is over.
#[derive(Debug)]
pub(crate) struct Stack {
    outer: Box<dyn Secure>,
    inner: Box<dyn Secure>,
}

impl Stack {
    /// `inner` through `outer`, which is the one at the socket.
    pub(crate) fn new(outer: Box<dyn Secure>, inner: Box<dyn Secure>) -> Self {
        Self { outer, inner }
    }

    /// What the inner filter has to say, as far as the outer one takes it.
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

    /// What has come for the inner filter, as far as that has room.
    fn pull(&mut self) -> Result<()> {
        loop {
            let room = self.inner.ends().1;
            if room.is_empty() {
                return Ok(());
            }
            let opened = match self.outer.open(room) {
                Ok(Some(0)) => return Ok(()),
                Ok(n) => n.unwrap_or(0),
                // Whether anything was cut off is for the inner filter to say.
                Err(error) if error.kind() == Kind::IncompleteBody => 0,
                Err(error) => return Err(error),
            };
            self.inner.received(opened)?;
            if opened == 0 {
                return Ok(());
            }
        }
    }
}

impl Secure for Stack {
    fn ends(&mut self) -> (&[u8], &mut [u8]) {
        // A filter that can seal no more says so again when it is asked to.
        let _ = self.push();
        self.outer.ends()
    }

    fn sent(&mut self, n: usize) {
        self.outer.sent(n);
    }

    fn received(&mut self, n: usize) -> Result<()> {
        self.outer.received(n)?;
        self.pull()?;
        self.push()
    }

    fn is_handshaking(&self) -> bool {
        self.inner.is_handshaking()
    }

    fn secured(&self) -> Secured<'_> {
        self.inner.secured()
    }

    fn seal(&mut self, plain: &[u8]) -> Result<usize> {
        let taken = self.inner.seal(plain)?;
        self.push()?;
        Ok(taken)
    }

    fn open(&mut self, plain: &mut [u8]) -> Result<Option<usize>> {
        match self.inner.open(plain)? {
            Some(0) if !plain.is_empty() => {
                // It may have had no room for what has come.
                self.pull()?;
                self.inner.open(plain)
            }
            opened => Ok(opened),
        }
    }

    fn close(&mut self) {
        self.inner.close();
        // What the outer one does not take any more is lost with the connection.
        let _ = self.push();
        self.outer.close();
    }

    fn rest(&mut self) {
        self.inner.rest();
        self.outer.rest();
    }
}
