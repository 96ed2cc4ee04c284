//! Sockets and time of the standard library.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream as Socket, ToSocketAddrs as _};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use sessio_driver::sessio::{Now, UnixTime};
use sessio_driver::{Runtime, Sleep, Stream};

use crate::wait::alarm;

/// The calling thread.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Blocking;

impl Runtime for Blocking {
    type Stream = TcpStream;
    type Sleep = Timer;

    /// The system's resolver cannot be interrupted: a time limit is noticed once it has answered.
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        (host, port).to_socket_addrs().map(Iterator::collect)
    }

    async fn connect(&self, address: SocketAddr, deadline: Option<Instant>) -> io::Result<TcpStream> {
        let socket = match deadline {
            None => Socket::connect(address)?,
            Some(end) => {
                let left = end.saturating_duration_since(Instant::now());
                Socket::connect_timeout(&address, left.max(Duration::from_micros(1)))?
            }
        };
        socket.set_nodelay(true)?;
        // A write that the peer does not take lets the answer be read meanwhile.
        socket.set_write_timeout(Some(SLICE))?;
        Ok(TcpStream { socket, deadline: None, timeout: None, is_stuck: false })
    }

    fn sleep_until(&self, at: Instant) -> Timer {
        Timer(at)
    }

    fn now(&self) -> Now {
        Now { mono: Instant::now(), wall: UnixTime::from(SystemTime::now()) }
    }

    fn mono(&self) -> Instant {
        Instant::now()
    }
}

/// How long one direction waits while the other is wanted too.
const SLICE: Duration = Duration::from_millis(10);

/// A time at which the thread looks again.
#[derive(Debug)]
pub struct Timer(Instant);

impl Sleep for Timer {
    fn poll_elapsed(&mut self, _: &mut Context<'_>) -> Poll<()> {
        if self.0 <= Instant::now() {
            return Poll::Ready(());
        }
        alarm(self.0);
        Poll::Pending
    }

    fn reset(&mut self, at: Instant) {
        self.0 = at;
    }
}

/// A TCP connection that blocks.
#[derive(Debug)]
pub struct TcpStream {
    socket: Socket,
    deadline: Option<Instant>,
    /// The read timeout that the socket has.
    timeout: Option<Duration>,
    /// The peer did not take what was written last.
    is_stuck: bool,
}

impl TcpStream {
    /// Sets the socket's read timeout, if that is another one than it has. Deadlines differ with every
    /// request: in steps of powers of two, hardly any needs a system call.
    fn set_timeout(&mut self) -> io::Result<()> {
        let wanted = if self.is_stuck {
            Some(SLICE)
        } else {
            self.deadline.map(|end| {
                let left = end.saturating_duration_since(Instant::now()).as_millis().max(1);
                Duration::from_millis(1 << left.ilog2().min(16))
            })
        };
        if wanted != self.timeout {
            self.socket.set_read_timeout(wanted)?;
            self.timeout = wanted;
        }
        Ok(())
    }
}

impl Stream for TcpStream {
    const BLOCKS: bool = true;

    fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        self.set_timeout()?;
        pending(cx, || self.socket.read(room))
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
        let peeked = self.socket.set_nonblocking(true).and_then(|()| {
            let peeked = self.socket.peek(&mut [0]);
            self.socket.set_nonblocking(false).and(peeked)
        });
        // An end of stream and a byte out of turn are both something to read.
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
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
