//! What a server wears between HTTP and its sockets: TLS, for one. The kit itself has none.

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::socket::Socket;

/// The server's end of a filter of bytes, for one connection.
pub trait Coat: fmt::Debug + Send {
    /// Takes what the client's end has sent, appends what it says to `plain`, and what is to be answered to `out`.
    ///
    /// # Errors
    /// If the client breaks the filter's rules: the connection ends after `out`.
    fn hear(&mut self, sealed: &[u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) -> io::Result<()>;

    /// Appends what says this to the client to `out`.
    ///
    /// # Errors
    /// If nothing can be said any more.
    fn say(&mut self, plain: &[u8], out: &mut Vec<u8>) -> io::Result<()>;

    /// Appends the closing word to `out`, if there is one.
    fn finish(&mut self, out: &mut Vec<u8>);
}

/// Where each connection of a server gets its coat.
#[derive(Clone)]
pub struct Wardrobe(Arc<dyn Fn() -> Box<dyn Coat> + Send + Sync>);

impl Wardrobe {
    /// One that makes a new coat for each.
    pub fn new(make: impl Fn() -> Box<dyn Coat> + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }

    pub(crate) fn dress(&self, socket: Socket) -> Socket {
        Socket::Coated(Box::new(Coated { socket, state: Mutex::new(State::of((self.0)())) }))
    }
}

impl fmt::Debug for Wardrobe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wardrobe")
    }
}

/// A socket that wears one. Closed over unread bytes it is not reset: what was read of the filter was read of the
/// socket.
#[derive(Debug)]
pub(crate) struct Coated {
    pub(crate) socket: Socket,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    coat: Box<dyn Coat>,
    /// Heard, and not yet taken.
    plain: Vec<u8>,
    is_finished: bool,
}

impl State {
    fn of(coat: Box<dyn Coat>) -> Self {
        Self { coat, plain: Vec::new(), is_finished: false }
    }
}

impl Coated {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn peek(&self, room: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        let mut sealed = [0; 16 << 10];
        while state.plain.is_empty() {
            let count = self.socket.peek(&mut sealed)?;
            if count == 0 {
                return Ok(0);
            }
            self.socket.take(count)?;
            let mut out = Vec::new();
            let State { coat, plain, .. } = &mut *state;
            let heard = coat.hear(&sealed[..count], plain, &mut out);
            self.write_all(&out)?;
            heard?;
        }
        let count = room.len().min(state.plain.len());
        room[..count].copy_from_slice(&state.plain[..count]);
        Ok(count)
    }

    pub(crate) fn take(&self, count: usize) {
        self.state().plain.drain(..count);
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut out = Vec::new();
        self.state().coat.say(bytes, &mut out)?;
        self.write_all(&out)?;
        Ok(bytes.len())
    }

    fn write_all(&self, mut out: &[u8]) -> io::Result<()> {
        while !out.is_empty() {
            match self.socket.write(out) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => out = &out[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Both ways at once is what another thread does while this one is in the midst of something: without a word.
    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        if how == Shutdown::Write {
            self.finish(&mut self.state());
        }
        self.socket.shutdown(how)
    }

    fn finish(&self, state: &mut State) {
        if !std::mem::replace(&mut state.is_finished, true) {
            let mut out = Vec::new();
            state.coat.finish(&mut out);
            let _ = self.write_all(&out);
        }
    }
}

impl Drop for Coated {
    fn drop(&mut self) {
        let mut out = Vec::new();
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !state.is_finished {
            state.coat.finish(&mut out);
        }
        let _ = self.write_all(&out);
    }
}
