//! A filter within a filter: TLS that runs through TLS, as behind an `https://` proxy.

use crate::base::fault::{Fault, Result};
use crate::base::kind::Kind;
use crate::route::tls::session::{TlsInfo, TlsSession};

/// Two filters as one. What the inner one sends is the plaintext of the outer one, whose handshake is over.
#[derive(Debug)]
pub(crate) struct Stack {
    outer: Box<dyn TlsSession>,
    inner: Box<dyn TlsSession>,
    /// Nothing more comes out of the outer one.
    is_ended: bool,
    /// Why, where that is more than an end. It is told once the inner one has given out what came before.
    failure: Option<Fault>,
}

impl Stack {
    /// `inner` through `outer`, which is the one at the socket.
    pub(crate) fn new(outer: Box<dyn TlsSession>, inner: Box<dyn TlsSession>) -> Self {
        Self { outer, inner, is_ended: false, failure: None }
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

    /// What has come for the inner filter, as far as that has room. Says whether anything moved.
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
                // Whether anything was cut off is for the inner filter to say.
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
        // A filter that can seal no more says so again when it is asked to.
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
                // It may have had no room for what has come.
                Ok(Some(0)) if !plain.is_empty() && self.pull()? => {}
                // The inner one knows only that it was cut off.
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
        // What the outer one does not take any more is lost with the connection.
        let _ = self.push();
        self.outer.close();
    }

    fn rest(&mut self) {
        self.inner.rest();
        self.outer.rest();
    }
}
