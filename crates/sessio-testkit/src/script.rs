//! Scripts: what the server does on a connection, step by step, instead of answering like a server.

use std::collections::VecDeque;
use std::time::Duration;

/// What to do on one connection. The steps are played in the order they are written in.
///
/// A connection whose steps are used up is held open: what the client still sends is recorded, and the
/// connection ends when the client ends it. That way [`wait_closed`](crate::Server::wait_closed) tells
/// whether the client closed. The script ends early when the client closes, when it sends something else than
/// the request a step expects, or when the server stops.
///
/// ```
/// use sessio_testkit::{Connection, Server};
///
/// // Half an answer in single bytes, then the end: the client must not take it for a whole one.
/// let truncated = Connection::new()
///     .expect_request()
///     .send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
///     .cut_every(1)
///     .close();
/// let server = Server::scripted([truncated]);
/// # drop(server);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Connection {
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    ReadHead,
    ReadBody,
    Read(usize),
    ReadToEnd,
    Send(Sending),
    HalfClose,
    Close,
    Reset,
    Stall,
    Gate(String),
    Routes,
}

#[derive(Debug, Clone)]
pub(crate) struct Sending {
    pub(crate) bytes: Vec<u8>,
    cuts: Cuts,
    pub(crate) times: u64,
    pub(crate) pace: Duration,
}

#[derive(Debug, Clone)]
enum Cuts {
    Every(usize),
    At(Vec<usize>),
}

impl Sending {
    /// The bytes, cut; empty pieces are left out.
    pub(crate) fn pieces(&self) -> Vec<&[u8]> {
        let offsets = match &self.cuts {
            Cuts::Every(size) => return self.bytes.chunks(*size).collect(),
            Cuts::At(offsets) => offsets,
        };
        let mut pieces = Vec::new();
        let mut rest = self.bytes.as_slice();
        for offset in offsets {
            let start = self.bytes.len() - rest.len();
            let (piece, tail) = rest.split_at(offset.saturating_sub(start).min(rest.len()));
            pieces.push(piece);
            rest = tail;
        }
        pieces.push(rest);
        pieces.retain(|piece| !piece.is_empty());
        pieces
    }
}

impl Connection {
    /// A connection that is accepted and held open in silence.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one whole request: its head, and the body that its framing gives it.
    ///
    /// A client that waits for `100 Continue` waits in vain: for that write [`read_head`](Self::read_head),
    /// `send`, [`read_body`](Self::read_body).
    #[must_use]
    pub fn expect_request(self) -> Self {
        self.read_head().read_body()
    }

    /// Reads exactly the head of a request. More may already have been received, and is kept for the steps
    /// that follow.
    ///
    /// A `send` next is an early answer: the body has not been read, nor waited for.
    #[must_use]
    pub fn read_head(self) -> Self {
        self.then(Step::ReadHead)
    }

    /// Reads the body of the request whose head was read last; without one, nothing.
    #[must_use]
    pub fn read_body(self) -> Self {
        self.then(Step::ReadBody)
    }

    /// Reads exactly so many bytes, whatever they are.
    #[must_use]
    pub fn read(self, count: usize) -> Self {
        self.then(Step::Read(count))
    }

    /// Reads until the client closes its side, and then goes on.
    #[must_use]
    pub fn read_to_end(self) -> Self {
        self.then(Step::ReadToEnd)
    }

    /// Sends these bytes, in one write as far as that goes (64 KiB).
    #[must_use]
    pub fn send(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref().to_vec();
        self.then(Step::Send(Sending { bytes, cuts: Cuts::At(Vec::new()), times: 1, pace: Duration::ZERO }))
    }

    /// Sends a faultless 200 with this body.
    #[must_use]
    pub fn ok(self, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        self.send([head.as_bytes(), body].concat())
    }

    /// Cuts the bytes of the `send` before into pieces of this size, each a write of its own.
    ///
    /// Nothing is delayed by the kernel (TCP_NODELAY is set) and the thread yields between the pieces, so
    /// that a client that reads as fast as it can sees most pieces alone. No more than that can be promised
    /// over TCP. Where a piece must have been read before the next is sent, put a [`gate`](Self::gate)
    /// between two `send`s.
    ///
    /// # Panics
    ///
    /// If the size is 0, or the step before is not a `send`.
    #[must_use]
    pub fn cut_every(self, size: usize) -> Self {
        assert!(size > 0, "pieces of no size");
        self.sending(|sending| sending.cuts = Cuts::Every(size))
    }

    /// Cuts the bytes of the `send` before at these ascending offsets; as [`cut_every`](Self::cut_every).
    ///
    /// # Panics
    ///
    /// If the step before is not a `send`.
    #[must_use]
    pub fn cut_at(self, offsets: impl Into<Vec<usize>>) -> Self {
        self.sending(|sending| sending.cuts = Cuts::At(offsets.into()))
    }

    /// Sends the bytes of the `send` before so many times in all.
    ///
    /// # Panics
    ///
    /// If the step before is not a `send`.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        self.sending(|sending| sending.times = times)
    }

    /// Sends the bytes of the `send` before again and again, until the client closes. All of them are
    /// recorded: this is for clients that are to give up soon.
    ///
    /// # Panics
    ///
    /// If the step before is not a `send`.
    #[must_use]
    pub fn forever(self) -> Self {
        self.times(u64::MAX)
    }

    /// Waits so long after each piece of the `send` before: a slow server, for tests of time limits alone.
    ///
    /// # Panics
    ///
    /// If the step before is not a `send`.
    #[must_use]
    pub fn pace(self, time: Duration) -> Self {
        self.sending(|sending| sending.pace = time)
    }

    /// Ends the sending side (FIN) and goes on reading.
    #[must_use]
    pub fn half_close(self) -> Self {
        self.then(Step::HalfClose)
    }

    /// Closes the connection (FIN). What the client has sent by then is read first, because closing over
    /// unread bytes would reset the connection; what it sends later is answered with a reset, as by any
    /// closed socket.
    #[must_use]
    pub fn close(self) -> Self {
        self.then(Step::Close)
    }

    /// Resets the connection (RST).
    ///
    /// The standard library has no `SO_LINGER`, so the reset comes from closing a socket that holds an unread
    /// byte: the server always leaves the last byte it has received in the kernel until more arrives. (It is
    /// recorded as received all the same, and read before any close that is to be a plain one.) If the client
    /// has sent nothing yet, the step waits for a byte. On Linux what was sent before the reset can still be
    /// read by the client; elsewhere it may be lost, and the close may be a plain one.
    #[must_use]
    pub fn reset(self) -> Self {
        self.then(Step::Reset)
    }

    /// Does nothing, not even read, until the test calls [`release`](crate::Server::release). The end of the
    /// connection goes unnoticed as well; for an idle connection that is watched simply end the script.
    #[must_use]
    pub fn stall(self) -> Self {
        self.then(Step::Stall)
    }

    /// Does nothing until the test calls [`open_gate`](crate::Server::open_gate) with this name. It may have
    /// done so before.
    #[must_use]
    pub fn gate(self, name: impl Into<String>) -> Self {
        self.then(Step::Gate(name.into()))
    }

    /// From here on answers by the routes; steps that follow are not played. After a CONNECT answered with
    /// 200 this makes a proxy's tunnel to the routes.
    #[must_use]
    pub fn routes(self) -> Self {
        self.then(Step::Routes)
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    fn sending(mut self, change: impl FnOnce(&mut Sending)) -> Self {
        match self.steps.last_mut() {
            Some(Step::Send(sending)) => change(sending),
            step => panic!("this says how to send, but the step before is {step:?}"),
        }
        self
    }
}

/// What happens to connections when a script has none left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Otherwise {
    /// They are accepted, closed at once and counted as [`unexpected`](crate::Server::unexpected).
    #[default]
    Close,
    /// The port is closed as soon as the last connection of the script was accepted, before anything is sent
    /// on it: clients that come later are refused. A server whose script is empty is an address that refuses.
    Refuse,
    /// The last connection of the script is played again.
    Repeat,
    /// They are served by the routes.
    Routes,
}

/// Connections for a server to play, one for each that is accepted, and what to do when they are used up.
#[derive(Debug, Clone, Default)]
pub struct Script {
    pub(crate) connections: VecDeque<Connection>,
    pub(crate) otherwise: Otherwise,
}

impl Script {
    /// No connections yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more connection.
    #[must_use]
    pub fn connection(mut self, connection: Connection) -> Self {
        self.connections.push_back(connection);
        self
    }

    /// What happens to connections that come later.
    #[must_use]
    pub fn otherwise(mut self, otherwise: Otherwise) -> Self {
        self.otherwise = otherwise;
        self
    }
}

impl From<Connection> for Script {
    fn from(connection: Connection) -> Self {
        Self::new().connection(connection)
    }
}

impl From<Vec<Connection>> for Script {
    fn from(connections: Vec<Connection>) -> Self {
        Self { connections: connections.into(), otherwise: Otherwise::default() }
    }
}

impl<const N: usize> From<[Connection; N]> for Script {
    fn from(connections: [Connection; N]) -> Self {
        Self { connections: connections.into(), otherwise: Otherwise::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_lose_nothing_and_leave_no_empty_piece() {
        let cut = |connection: Connection| match connection.steps().last() {
            Some(Step::Send(sending)) => sending.pieces().into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        let send = || Connection::new().send("abcdef");
        assert_eq!(cut(send()), [b"abcdef"]);
        assert_eq!(cut(send().cut_every(4)), [b"abcd".to_vec(), b"ef".to_vec()]);
        assert_eq!(cut(send().cut_at([0, 1, 1, 4, 99])), [b"a".to_vec(), b"bcd".to_vec(), b"ef".to_vec()]);
    }
}
