//! Connections on which the calling thread waits for reads and writes.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use sessio_driver::Stream;
use sessio_driver::clock;
use sessio_driver::sessio::Instant;
use sessio_driver::socket2::{SockAddr, Socket as Plain};

use crate::wait::{forget, ready};

/// Flags of a write: it never blocks, and on a closed connection it returns an error and raises no
/// SIGPIPE, which would kill the process. On systems without such a flag the socket is configured
/// like that, or SIGPIPE does not exist.
const WRITE: SendFlags = {
    #[cfg(all(unix, not(target_vendor = "apple")))]
    {
        SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL)
    }
    #[cfg(target_vendor = "apple")]
    {
        SendFlags::DONTWAIT
    }
    #[cfg(not(unix))]
    {
        SendFlags::empty()
    }
};

/// Flags of a read that does not block.
const READ: RecvFlags = {
    #[cfg(unix)]
    {
        RecvFlags::DONTWAIT
    }
    #[cfg(not(unix))]
    {
        RecvFlags::empty()
    }
};

/// The read timeout of a socket is rounded to ticks of the system's clock. For less time than this,
/// `poll(2)` waits precisely.
const COARSE: Duration = Duration::from_millis(16);

/// A connection over TCP or to a Unix socket. On Unix the socket is in blocking mode, and single
/// operations do not block by a flag. So a read can wait without a separate system call for the
/// wait.
#[derive(Debug)]
pub struct Socket {
    socket: Arc<Plain>,
    /// The read timeout that the socket has now.
    timeout: Option<Duration>,
}

impl Socket {
    /// Connects over TCP. The thread can wait for other events meanwhile.
    pub(crate) async fn connect(socket: Plain, to: &SockAddr) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let connection = Self { socket: Arc::new(socket), timeout: None };
        let socket = &connection.socket;
        match socket.connect(to) {
            Err(error) if is_in_progress(&error) => {
                poll_fn(|_| match is_writable(socket) {
                    true => Poll::Ready(()),
                    false => {
                        ready(socket, PollFlags::OUT);
                        Poll::Pending
                    }
                })
                .await;
                if let Some(error) = socket.take_error()? {
                    return Err(error);
                }
            }
            done => done?,
        }
        if cfg!(unix) {
            socket.set_nonblocking(false)?;
        }
        Ok(connection)
    }

    /// Connects to a Unix socket. While its backlog is full, no event reports a free place, so the
    /// system call itself must wait.
    #[cfg(unix)]
    pub(crate) fn connect_unix(socket: Plain, to: &SockAddr, deadline: Option<Instant>) -> io::Result<Self> {
        loop {
            let left = deadline.map(|end| end.saturating_duration_since(clock::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            // Linux waits that long. A timeout of zero would mean no limit.
            socket.set_write_timeout(left.map(|left| left.max(Duration::from_micros(1))))?;
            match socket.connect(to) {
                Ok(()) => return Ok(Self { socket: Arc::new(socket), timeout: None }),
                // A signal, or a rounded timeout: the deadline decides.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && deadline.is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sets the socket's read timeout if it differs. Deadlines differ with every request. Timeouts
    /// are rounded down to powers of two, so a change rarely needs a system call.
    fn set_timeout(&mut self, left: Option<Duration>) -> io::Result<()> {
        let wanted = left.map(|left| Duration::from_millis(1 << left.as_millis().max(1).ilog2().min(16)));
        if wanted != self.timeout {
            self.socket.set_read_timeout(wanted)?;
            self.timeout = wanted;
        }
        Ok(())
    }

    /// The result of an operation. If it would block, the thread waits for the socket after all
    /// other futures that it polls are pending too.
    fn outcome(&self, done: Result<usize, rustix::io::Errno>, wants: PollFlags) -> Poll<io::Result<usize>> {
        match done {
            Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => {
                ready(&self.socket, wants);
                Poll::Pending
            }
            done => Poll::Ready(done.map_err(io::Error::from)),
        }
    }
}

impl Stream for Socket {
    const BLOCKS: bool = true;

    fn poll_read(&mut self, _: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let read = recv(&*self.socket, room, READ).map(|(_, n)| n);
        self.outcome(read, PollFlags::IN)
    }

    fn poll_write(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.outcome(send(&*self.socket, bytes, WRITE), PollFlags::OUT)
    }

    /// Blocks in the read itself. `poll(2)` waits for the last milliseconds before the deadline,
    /// and after a signal.
    fn poll_read_alone(
        &mut self,
        cx: &mut Context<'_>,
        room: &mut [u8],
        deadline: Option<Instant>,
    ) -> Poll<io::Result<usize>> {
        let left = deadline.map(|end| end.saturating_duration_since(clock::now()));
        if cfg!(not(unix)) || left.is_some_and(|left| left < COARSE) {
            return self.poll_read(cx, room);
        }
        self.set_timeout(left)?;
        let read = recv(&*self.socket, room, RecvFlags::empty()).map(|(_, n)| n);
        self.outcome(read, PollFlags::IN)
    }

    fn is_idle_open(&self) -> bool {
        let mut byte = [MaybeUninit::<u8>::uninit()];
        // The end of the stream and an unsolicited byte are both readable.
        let peeked = recv(&*self.socket, &mut byte, RecvFlags::PEEK | READ);
        peeked.is_err_and(|error| error == rustix::io::Errno::WOULDBLOCK)
    }
}

impl Drop for Socket {
    /// Closes the socket now, and not only when the thread waits for something else.
    fn drop(&mut self) {
        if Arc::strong_count(&self.socket) > 1 {
            forget(&self.socket);
        }
    }
}

/// Returns `true` once the system has decided whether the connection succeeds.
fn is_writable(socket: &Plain) -> bool {
    poll(&mut [PollFd::new(socket, PollFlags::OUT)], Some(&Timespec::default())).is_ok_and(|n| n > 0)
}

#[cfg(unix)]
fn is_in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
}

#[cfg(not(unix))]
fn is_in_progress(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
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
