//! The transport of a connection: a socket of the system, or a pipe in memory that behaves like
//! one.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::adapter::AdaptedSocket;
use crate::pipe::Pipe;

/// A transport that closes on drop. Received bytes that were not read make the close a reset.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Memory(Pipe),
    Adapted(Box<AdaptedSocket>),
}

impl Socket {
    /// Reads received bytes and leaves them in the socket.
    pub(crate) fn peek(&self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.peek(room),
            Self::Memory(pipe) => pipe.peek(room),
            Self::Adapted(adapted) => adapted.peek(room),
        }
    }

    /// Takes bytes that were peeked at.
    pub(crate) fn take(&self, count: usize) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => {
                let mut socket = socket;
                socket.read_exact(&mut vec![0; count])
            }
            Self::Memory(pipe) => {
                pipe.take(count);
                Ok(())
            }
            Self::Adapted(adapted) => {
                adapted.take(count);
                Ok(())
            }
        }
    }

    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => {
                let mut socket = socket;
                socket.write(bytes)
            }
            Self::Memory(pipe) => pipe.write(bytes),
            Self::Adapted(adapted) => adapted.write(bytes),
        }
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.shutdown(how),
            Self::Memory(pipe) => pipe.shutdown(how),
            Self::Adapted(adapted) => adapted.shutdown(how),
        }
    }

    pub(crate) fn set_read_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.set_read_timeout(limit),
            Self::Memory(pipe) => {
                pipe.set_read_timeout(limit);
                Ok(())
            }
            Self::Adapted(adapted) => adapted.socket.set_read_timeout(limit),
        }
    }

    /// Makes later reads return only bytes that have already been received.
    pub(crate) fn stop_waiting(&self) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.set_nonblocking(true),
            // A pipe supports a timeout of zero.
            Self::Memory(_) => self.set_read_timeout(Some(Duration::ZERO)),
            Self::Adapted(adapted) => adapted.socket.stop_waiting(),
        }
    }

    /// The current time on the network of the socket.
    pub(crate) fn now(&self) -> Instant {
        match self {
            Self::Tcp(_) => Instant::now(),
            Self::Memory(pipe) => pipe.now(),
            Self::Adapted(adapted) => adapted.socket.now(),
        }
    }

    /// The pipe, if it is one.
    pub(crate) fn pipe(&self) -> Option<&Pipe> {
        match self {
            Self::Tcp(_) => None,
            Self::Memory(pipe) => Some(pipe),
            Self::Adapted(adapted) => adapted.socket.pipe(),
        }
    }
}
