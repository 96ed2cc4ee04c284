//! Adapters between HTTP and the socket of a server, such as TLS. The testkit itself has none.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::net::Shutdown;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::socket::Socket;

/// The server's end of a byte filter, such as TLS, for one connection.
pub trait Adapter: fmt::Debug + Send {
    /// Takes bytes from the client's end. Appends their plain text to `plain`, and bytes to be sent
    /// back to `out`.
    ///
    /// # Errors
    ///
    /// If the client breaks the rules of the filter. The connection ends after `out` is sent.
    fn decode(&mut self, sealed: &[u8], plain: &mut Vec<u8>, out: &mut Vec<u8>) -> io::Result<()>;

    /// Encodes plain bytes for the client and appends them to `out`.
    ///
    /// # Errors
    ///
    /// If nothing more can be sent.
    fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> io::Result<()>;

    /// Appends the closing message to `out`, if the filter has one.
    fn finish(&mut self, out: &mut Vec<u8>);

    /// Whether the handshake is complete. Default: `true`. See [`AdapterFactory::handshake_first`].
    fn is_established(&self) -> bool {
        true
    }
}

/// A factory of [`Adapter`]s: each connection of a server gets one.
#[derive(Clone)]
pub struct AdapterFactory {
    make: Arc<Make>,
    /// The longest piece of one write, in bytes. 0 writes all at once.
    piece: usize,
    is_clear: bool,
    is_handshake_first: bool,
}

type Make = dyn Fn() -> Box<dyn Adapter> + Send + Sync;

impl AdapterFactory {
    /// A factory that calls `make` for each connection.
    pub fn new(make: impl Fn() -> Box<dyn Adapter> + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(make), piece: 0, is_clear: false, is_handshake_first: false }
    }

    /// Declares that the adapters do not encrypt: the URLs of the server are `http`.
    #[must_use]
    pub fn clear(mut self) -> Self {
        self.is_clear = true;
        self
    }

    /// Writes at most `size` bytes at once, wherever that cuts the output of the adapter. 0 cuts
    /// nothing.
    #[must_use]
    pub fn cut_every(mut self, size: usize) -> Self {
        self.piece = size;
        self
    }

    /// Completes the handshake before the first step of a script is played, as a server does that
    /// hands HTTP to another program. Without it an adapter reads and writes only when the script
    /// does.
    #[must_use]
    pub fn handshake_first(mut self) -> Self {
        self.is_handshake_first = true;
        self
    }

    /// Whether the URLs of its servers are `http`.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.is_clear
    }

    /// Makes the adapter of one connection.
    #[must_use]
    pub fn adapter(&self) -> Box<dyn Adapter> {
        (self.make)()
    }

    pub(crate) fn adapt(&self, socket: Socket) -> Socket {
        let state = Mutex::new(State::of(self.adapter()));
        Socket::Adapted(Box::new(AdaptedSocket {
            socket,
            piece: self.piece,
            is_handshake_first: self.is_handshake_first,
            state,
        }))
    }
}

impl fmt::Debug for AdapterFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdapterFactory")
    }
}

/// Maps the adapters that a server would have to those that it gets, within [`with_adapters`].
type Replacement = dyn Fn(Option<AdapterFactory>) -> Option<AdapterFactory>;

thread_local! {
    static REPLACEMENT: RefCell<Option<Box<Replacement>>> = const { RefCell::new(None) };
}

/// Runs a function. Each server that this thread starts within it gets the adapters that `replace`
/// returns for its own. So one test runs over TLS or through a proxy without a change.
pub fn with_adapters<T>(
    replace: impl Fn(Option<AdapterFactory>) -> Option<AdapterFactory> + 'static,
    run: impl FnOnce() -> T,
) -> T {
    /// Restores the previous value, also if a test panics.
    struct Restore(Option<Box<Replacement>>);

    impl Drop for Restore {
        fn drop(&mut self) {
            REPLACEMENT.set(self.0.take());
        }
    }

    let _restore = Restore(REPLACEMENT.replace(Some(Box::new(replace))));
    run()
}

/// The adapters of a server that is started now and would have `own`.
pub(crate) fn replaced(own: Option<AdapterFactory>) -> Option<AdapterFactory> {
    REPLACEMENT.with_borrow(|replacement| match replacement {
        Some(replace) => replace(own),
        None => own,
    })
}

/// A socket with an adapter. It is reset like any other if it closes over unread bytes. The last byte
/// received stays in the socket until more come, or until all of it was read.
#[derive(Debug)]
pub(crate) struct AdaptedSocket {
    pub(crate) socket: Socket,
    piece: usize,
    is_handshake_first: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    adapter: Box<dyn Adapter>,
    /// Plain bytes received and not yet taken.
    plain: Vec<u8>,
    /// Whether the last byte received is still in the socket.
    held: bool,
    is_finished: bool,
}

impl State {
    fn of(adapter: Box<dyn Adapter>) -> Self {
        Self { adapter, plain: Vec::new(), held: false, is_finished: false }
    }

    fn let_go(&mut self, socket: &Socket) {
        if std::mem::take(&mut self.held) {
            let _ = socket.take(1);
        }
    }
}

impl AdaptedSocket {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the handshake is complete, if that is wanted, or until no more bytes come.
    pub(crate) fn finish_handshake(&self) {
        let mut state = self.state();
        while self.is_handshake_first
            && !state.adapter.is_established()
            && matches!(self.receive(&mut state), Ok(true))
        {}
    }

    /// Waits for bytes from the client. `false` is the end of the stream.
    fn receive(&self, state: &mut State) -> io::Result<bool> {
        state.let_go(&self.socket);
        let mut sealed = [0; 16 << 10];
        let count = self.socket.peek(&mut sealed)?;
        let Some(last) = count.checked_sub(1) else { return Ok(false) };
        self.socket.take(last)?;
        state.held = true;
        let mut out = Vec::new();
        let State { adapter, plain, .. } = state;
        let decoded = adapter.decode(&sealed[..count], plain, &mut out);
        self.write_all(&out)?;
        decoded?;
        Ok(true)
    }

    pub(crate) fn peek(&self, room: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        while state.plain.is_empty() {
            if !self.receive(&mut state)? {
                return Ok(0);
            }
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
        self.state().adapter.encode(bytes, &mut out)?;
        self.write_all(&out)?;
        Ok(bytes.len())
    }

    fn write_all(&self, out: &[u8]) -> io::Result<()> {
        let piece = if self.piece == 0 { out.len().max(1) } else { self.piece };
        for mut out in out.chunks(piece) {
            while !out.is_empty() {
                match self.socket.write(out) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => out = &out[count..],
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Closes one direction or both. `Both` comes from another thread while this one is busy, so it
    /// sends no closing message.
    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        if how == Shutdown::Write {
            self.finish(&mut self.state());
        }
        self.socket.shutdown(how)
    }

    fn finish(&self, state: &mut State) {
        if !std::mem::replace(&mut state.is_finished, true) {
            let mut out = Vec::new();
            state.adapter.finish(&mut out);
            let _ = self.write_all(&out);
        }
    }
}

impl Drop for AdaptedSocket {
    fn drop(&mut self) {
        let mut out = Vec::new();
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !state.plain.is_empty() {
            // Unread bytes make this close a reset, which sends no closing message.
            return;
        }
        state.let_go(&self.socket);
        if !state.is_finished {
            state.adapter.finish(&mut out);
        }
        let _ = self.write_all(&out);
    }
}
