//! Scripts: the steps of the server on a connection, instead of normal responses.

use std::collections::VecDeque;
use std::time::Duration;

/// The steps of the server on one connection, played in order.
///
/// A connection whose steps are used up stays open. Bytes that the client still sends are recorded,
/// and the connection ends when the client ends it. So [`wait_closed`](crate::Server::wait_closed)
/// shows whether the client closed. The script ends early in three cases: the client closes, it
/// sends something else than the request a step expects, or the server stops.
///
/// ```
/// use sessio_testkit::{Connection, Server};
///
/// // Half a response in single bytes, then the end: the client must report an error.
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
    /// The bytes in their pieces, without empty ones.
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
    /// A connection that is accepted and held open without a byte.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one complete request: its head, and the body that its framing defines.
    ///
    /// It sends no `100 Continue`. For a client that waits for it, use
    /// [`read_head`](Self::read_head), `send` and [`read_body`](Self::read_body).
    #[must_use]
    pub fn expect_request(self) -> Self {
        self.read_head().read_body()
    }

    /// Reads exactly the head of a request. Bytes received after it are kept for the steps that
    /// follow.
    ///
    /// If a `send` is next, it is an early response: the body has neither been read nor waited for.
    #[must_use]
    pub fn read_head(self) -> Self {
        self.then(Step::ReadHead)
    }

    /// Reads the body of the request whose head was read last. Without such a head it does nothing.
    #[must_use]
    pub fn read_body(self) -> Self {
        self.then(Step::ReadBody)
    }

    /// Reads exactly `count` bytes of any content.
    #[must_use]
    pub fn read(self, count: usize) -> Self {
        self.then(Step::Read(count))
    }

    /// Reads until the client closes its side, then continues.
    #[must_use]
    pub fn read_to_end(self) -> Self {
        self.then(Step::ReadToEnd)
    }

    /// Sends these bytes in one write, up to 64 KiB per write.
    #[must_use]
    pub fn send(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref().to_vec();
        self.then(Step::Send(Sending { bytes, cuts: Cuts::At(Vec::new()), times: 1, pace: Duration::ZERO }))
    }

    /// Sends a correct 200 with this body.
    #[must_use]
    pub fn ok(self, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        self.send([head.as_bytes(), body].concat())
    }

    /// Cuts the bytes of the `send` before into pieces of `size` bytes, one write each.
    ///
    /// The kernel delays nothing (TCP_NODELAY is set), and the thread yields between the pieces. So
    /// a client that reads as fast as it can sees most pieces alone. TCP allows no stronger
    /// promise. If a piece must be read before the next is sent, put a [`gate`](Self::gate) between
    /// two `send`s.
    ///
    /// # Panics
    ///
    /// If the size is 0, or the step before is not a `send`.
    #[must_use]
    pub fn cut_every(self, size: usize) -> Self {
        assert!(size > 0, "pieces of no size");
        self.sending(|sending| sending.cuts = Cuts::Every(size))
    }

    /// Cuts the bytes of the `send` before at these ascending offsets, as
    /// [`cut_every`](Self::cut_every) does.
    ///
    /// # Panics
    ///
    /// If the step before is not a `send`.
    #[must_use]
    pub fn cut_at(self, offsets: impl Into<Vec<usize>>) -> Self {
        self.sending(|sending| sending.cuts = Cuts::At(offsets.into()))
    }

    /// Sends the bytes of the `send` before `times` times in total.
    ///
    /// # Panics
    ///
    /// If the step before is not a `send`.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        self.sending(|sending| sending.times = times)
    }

    /// Repeats the bytes of the `send` before until the client closes. All of them are recorded, so
    /// use it for clients that stop soon.
    ///
    /// # Panics
    ///
    /// If the step before is not a `send`.
    #[must_use]
    pub fn forever(self) -> Self {
        self.times(u64::MAX)
    }

    /// Waits for `time` after each piece of the `send` before. This plays a slow server, for tests
    /// of time limits only.
    ///
    /// # Panics
    ///
    /// If the step before is not a `send`.
    #[must_use]
    pub fn pace(self, time: Duration) -> Self {
        self.sending(|sending| sending.pace = time)
    }

    /// Ends the sending direction (FIN) and continues to read.
    #[must_use]
    pub fn half_close(self) -> Self {
        self.then(Step::HalfClose)
    }

    /// Closes the connection (FIN). Bytes that the client has sent are read first, because closing
    /// over unread bytes would reset the connection. Bytes that it sends later cause a reset, as on
    /// any closed socket.
    #[must_use]
    pub fn close(self) -> Self {
        self.then(Step::Close)
    }

    /// Resets the connection (RST).
    ///
    /// The standard library has no `SO_LINGER`, so the reset comes from closing a socket with an
    /// unread byte. The server always leaves the last byte it has received in the kernel until more
    /// arrive. That byte is recorded as received, and it is read before a plain close. If the
    /// client has sent nothing yet, the step waits for a byte. On Linux the client can still read
    /// the bytes sent before the reset. On other systems they may be lost, and the close may be a
    /// plain one.
    #[must_use]
    pub fn reset(self) -> Self {
        self.then(Step::Reset)
    }

    /// Does nothing, not even read, until the test calls [`release`](crate::Server::release). The
    /// end of the connection is not noticed either. To watch an idle connection, end the script
    /// instead.
    #[must_use]
    pub fn stall(self) -> Self {
        self.then(Step::Stall)
    }

    /// Does nothing until [`open_gate`](crate::Server::open_gate) is called with this name, now or
    /// before.
    #[must_use]
    pub fn gate(self, name: impl Into<String>) -> Self {
        self.then(Step::Gate(name.into()))
    }

    /// Serves the routes from here on. Steps that follow are not played. After a CONNECT with a 200
    /// this makes a proxy whose tunnel leads to the routes.
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

/// The treatment of connections after the script is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Otherwise {
    /// Accepts them, closes them at once and counts them as
    /// [`unexpected`](crate::Server::unexpected).
    #[default]
    Close,
    /// Closes the port when the last connection of the script was accepted, before anything is sent
    /// on it. Later clients are refused. A server with an empty script is an address that refuses.
    Refuse,
    /// Plays the last connection of the script again.
    Repeat,
    /// Serves them by the routes.
    Routes,
}

/// One [`Connection`] for each accepted connection, and the treatment of later ones.
#[derive(Debug, Clone, Default)]
pub struct Script {
    pub(crate) connections: VecDeque<Connection>,
    pub(crate) otherwise: Otherwise,
}

impl Script {
    /// A script without connections.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a connection.
    #[must_use]
    pub fn connection(mut self, connection: Connection) -> Self {
        self.connections.push_back(connection);
        self
    }

    /// Sets the treatment of later connections.
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
