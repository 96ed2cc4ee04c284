//! Connections that block.

use std::io::{self, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use sessio_driver::Stream;
use sessio_driver::socket2::{SockAddr, Socket as Plain};

/// How long one direction waits while the other is wanted too.
const SLICE: Duration = Duration::from_millis(10);

/// No time at all would be for ever.
const SHORTEST: Duration = Duration::from_micros(1);

/// A connection that blocks: over TCP, or to a Unix socket.
#[derive(Debug)]
pub struct Socket {
    socket: Plain,
    deadline: Option<Instant>,
    /// The read timeout that the socket has.
    timeout: Option<Duration>,
    /// The peer did not take what was written last.
    is_stuck: bool,
}

impl Socket {
    /// Connects what is not connected yet.
    pub(crate) fn connect(socket: Plain, to: &SockAddr, deadline: Option<Instant>) -> io::Result<Self> {
        let left = deadline.map(|end| end.saturating_duration_since(Instant::now()).max(SHORTEST));
        if to.is_unix() {
            // That is how long Linux waits for a place in the backlog; there is nothing else to wait for.
            socket.set_write_timeout(left)?;
            while let Err(error) = socket.connect(to) {
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        } else {
            socket.connect_timeout(to, left.unwrap_or(Duration::MAX))?;
        }
        // A write that the peer does not take lets the answer be read meanwhile.
        socket.set_write_timeout(Some(SLICE))?;
        Ok(Self { socket, deadline: None, timeout: None, is_stuck: false })
    }

    /// Sets the socket's read timeout, if that is another one than it has; says whether there is any time to wait.
    /// Deadlines differ with every request: in steps of powers of two, hardly any needs a system call.
    fn set_timeout(&mut self) -> io::Result<bool> {
        let wanted = match self.deadline {
            _ if self.is_stuck => Some(SLICE),
            None => None,
            Some(end) => {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Ok(false);
                }
                Some(Duration::from_millis(1 << left.as_millis().max(1).ilog2().min(16)))
            }
        };
        if wanted != self.timeout {
            self.socket.set_read_timeout(wanted)?;
            self.timeout = wanted;
        }
        Ok(true)
    }

    /// Reads what is there. The shortest timeout of a socket is a tick of the system's clock, which is long for whoever
    /// sends a large body and only looks whether the peer has said something meanwhile.
    fn glance(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.look()?;
        self.socket.read(room)
    }

    /// How many bytes of at most one are there to be read at this moment: none at the end of the stream.
    #[cfg(unix)]
    fn look(&self) -> io::Result<usize> {
        self.socket.recv_with_flags(&mut [MaybeUninit::uninit()], libc::MSG_PEEK | libc::MSG_DONTWAIT)
    }

    /// How many bytes of at most one are there to be read at this moment: none at the end of the stream.
    #[cfg(not(unix))]
    fn look(&self) -> io::Result<usize> {
        self.socket.set_nonblocking(true)?;
        let peeked = self.socket.peek(&mut [MaybeUninit::uninit()]);
        self.socket.set_nonblocking(false).and(peeked)
    }
}

impl Stream for Socket {
    const BLOCKS: bool = true;

    fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        if self.set_timeout()? {
            pending(cx, || self.socket.read(room))
        } else {
            pending(cx, || self.glance(room))
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = pending(cx, || self.socket.write(bytes));
        self.is_stuck = written.is_pending();
        written
    }

    fn wait_until(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    fn is_idle_open(&self) -> bool {
        // An end of stream and a byte out of turn are both something to read.
        self.look().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// A time slice that ran out is nothing that anybody will be woken for: look again at once.
fn pending(cx: &Context<'_>, mut act: impl FnMut() -> io::Result<usize>) -> Poll<io::Result<usize>> {
    loop {
        match act() {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return Poll::Ready(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use sessio_driver::Runtime as _;
    use sessio_driver::sessio::{KeepAlive, Tcp};

    use crate::Blocking;

    #[test]
    fn a_connection_is_as_it_was_asked_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut tcp = Tcp::default();
        for is_plain in [true, false] {
            let socket = crate::wait(Blocking.connect(address, tcp, None)).unwrap();
            let options = &socket.socket;
            assert_eq!((options.tcp_nodelay().unwrap(), options.keepalive().unwrap()), (is_plain, !is_plain));
            let local = options.local_addr().unwrap().as_socket().unwrap();
            assert_eq!(listener.accept().unwrap().1, local);
            tcp.nodelay = false;
            tcp.keep_alive = Some(KeepAlive::after(Duration::from_secs(60)));
            tcp.local_address = Some(address.ip());
        }
    }
}
