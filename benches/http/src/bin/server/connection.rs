//! One connection of the server: it reads requests and writes responses without blocking.

use std::io::{self, Read as _, Write as _};
use std::rc::Rc;

use crate::answers::{BAD, LOGIN, Large, OK, UNKNOWN};
use crate::input::{Heard, Input};
use crate::route::Route;
use crate::socket::Socket;

/// A connection with the bytes that it still has to send.
pub struct Connection {
    socket: Socket,
    input: Input,
    output: Output,
    /// The number of connections that must arrive before any is served, and whether this one must
    /// still be reported to the gate. `None` if it does not wait.
    held: Option<(usize, bool)>,
    /// The response of the last route. Requests repeat, so it is made once.
    made: Option<(Route, Rc<Large>)>,
}

/// The response that is being written.
enum Output {
    Nothing,
    /// The rest of a small response.
    Small(&'static [u8]),
    /// A large response, the index of its piece, and the bytes of that piece already sent.
    Large {
        large: Rc<Large>,
        piece: usize,
        at: usize,
    },
}

impl Connection {
    pub fn new(socket: Socket) -> Self {
        Self { socket, input: Input::default(), output: Output::Nothing, held: None, made: None }
    }

    /// Reads and writes until the socket would block. Returns whether the connection is still open.
    ///
    /// A read that does not fill the buffer has taken all bytes, and later bytes cause a new event.
    /// So there is no second read, unless the end `is_near`.
    pub fn go_on(&mut self, is_near: bool, room: &mut [u8]) -> io::Result<bool> {
        loop {
            if !self.flush()? || self.held.is_some() {
                return Ok(true);
            }
            let n = match self.socket.read(room) {
                Ok(0) => return Ok(false),
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            };
            self.take(&room[..n])?;
            let is_all = n < room.len() && self.socket.is_read_whole();
            if is_all && !is_near && matches!(self.output, Output::Nothing) {
                return Ok(true);
            }
        }
    }

    /// The number of connections that must wait for each other. Each wait returns it once.
    pub fn arrival(&mut self) -> Option<usize> {
        let (many, is_new) = self.held.as_mut()?;
        std::mem::take(is_new).then_some(*many)
    }

    /// Ends the wait at the gate and writes the response.
    pub fn let_through(&mut self) -> io::Result<bool> {
        self.held = None;
        self.output = Output::Small(&OK);
        self.flush().map(|_| true)
    }

    fn take(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let Heard::Route(route, used) = self.input.hear(bytes) else { return Ok(()) };
            bytes = &bytes[used..];
            self.output = match route {
                Route::Small => Output::Small(&OK),
                Route::Bad => Output::Small(&BAD),
                Route::Login => Output::Small(&LOGIN),
                Route::Unknown => Output::Small(&UNKNOWN),
                Route::Gate(many) => {
                    self.held = Some((many, true));
                    Output::Nothing
                }
                Route::Length(..)
                | Route::Chunked(..)
                | Route::Upload(..)
                | Route::Redirects(..)
                | Route::Gzip(..)
                | Route::Br(..) => {
                    let (_, large) = match &mut self.made {
                        Some(made) if made.0 == route => made,
                        none => none.insert((route, Large::of(route))),
                    };
                    Output::Large { large: Rc::clone(large), piece: 0, at: 0 }
                }
            };
            // No client of these benches sends a request before it has received the previous
            // response.
            if !self.flush()? && !bytes.is_empty() {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        Ok(())
    }

    /// Writes the pending bytes. Returns whether all of them are sent.
    fn flush(&mut self) -> io::Result<bool> {
        loop {
            let bytes = match &self.output {
                Output::Nothing => match self.socket.flush() {
                    Ok(()) => return Ok(true),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                    Err(error) => return Err(error),
                },
                Output::Small(rest) => *rest,
                Output::Large { large, piece, at } => &large.piece(*piece)[*at..],
            };
            let n = match self.socket.write(bytes) {
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            };
            let is_out = n == bytes.len();
            match &mut self.output {
                Output::Nothing => {}
                Output::Small(rest) => *rest = &rest[n..],
                Output::Large { at, .. } => *at += n,
            }
            if is_out {
                self.output = match std::mem::replace(&mut self.output, Output::Nothing) {
                    Output::Large { large, piece, .. } if piece + 1 < large.pieces() => {
                        Output::Large { large, piece: piece + 1, at: 0 }
                    }
                    _ => Output::Nothing,
                };
            }
        }
    }
}
