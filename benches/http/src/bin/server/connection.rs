//! One connection: requests in, answers out, as far as the socket goes.

use std::io::{self, Read as _, Write as _};
use std::rc::Rc;

use crate::answers::{BAD, LOGIN, Large, OK, UNKNOWN};
use crate::input::{Heard, Input};
use crate::route::Route;
use crate::socket::Socket;

/// A connection with what it has still to say.
pub struct Connection {
    socket: Socket,
    input: Input,
    output: Output,
    /// It waits until there are so many like it, and whether that is still to be told.
    held: Option<(usize, bool)>,
    /// The same is asked for again and again: it is made once.
    made: Option<(Route, Rc<Large>)>,
}

/// What is being written.
enum Output {
    Nothing,
    /// An answer, from that byte on.
    Small(&'static [u8]),
    /// A large one: which of its pieces, and how much of that is out.
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

    /// Reads and writes until the socket has no more or takes no more; says whether it is still open.
    ///
    /// A read that does not fill the room has taken all there was, and the next byte is told of anew: it is not asked
    /// for once more, unless the end `is_near`.
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

    /// So many connections have to wait for each other, said once.
    pub fn arrival(&mut self) -> Option<usize> {
        let (many, is_new) = self.held.as_mut()?;
        std::mem::take(is_new).then_some(*many)
    }

    /// It has waited long enough.
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
                | Route::Gzip(..)
                | Route::Br(..) => {
                    let (_, large) = match &mut self.made {
                        Some(made) if made.0 == route => made,
                        none => none.insert((route, Large::of(route))),
                    };
                    Output::Large { large: Rc::clone(large), piece: 0, at: 0 }
                }
            };
            // No client of these benches asks again before it is answered.
            if !self.flush()? && !bytes.is_empty() {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        Ok(())
    }

    /// Writes what there is; whether all of it is out.
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
