//! Connections of smol.

use std::io::{self, Read as _};
use std::mem::MaybeUninit;
use std::task::{Context, Poll, ready};

use sessio_driver::Stream;
use sessio_driver::socket2::{SockAddr, Socket as Plain};
use smol::Async;

/// A connection of smol over TCP or to a Unix socket.
#[derive(Debug)]
pub struct Socket {
    socket: Async<Plain>,
    /// The last read filled its buffer: there is probably more.
    is_full: bool,
}

impl Socket {
    /// Connects the socket.
    pub(crate) async fn connect(plain: Plain, to: &SockAddr) -> io::Result<Self> {
        plain.set_nonblocking(true)?;
        let is_under_way = match plain.connect(to) {
            Ok(()) => false,
            Err(error) if is_in_progress(&error) => true,
            Err(error) => return Err(error),
        };
        let socket = Async::new(plain)?;
        if is_under_way {
            socket.writable().await?;
            if let Some(error) = socket.get_ref().take_error()? {
                return Err(error);
            }
        }
        Ok(Self { socket, is_full: false })
    }
}

/// Flags of a write: on a closed connection it returns an error and raises no SIGPIPE. The signal
/// would kill the process unless the program ignores it. On systems without such a flag the socket
/// is configured like that, or SIGPIPE does not exist.
#[cfg(all(unix, not(target_vendor = "apple")))]
const WRITE: i32 = libc::MSG_NOSIGNAL;
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
const WRITE: i32 = 0;

#[cfg(unix)]
fn is_in_progress(error: &io::Error) -> bool {
    // A Unix socket with a full backlog reports `WouldBlock`, and no event follows.
    error.raw_os_error() == Some(libc::EINPROGRESS)
}

#[cfg(not(unix))]
fn is_in_progress(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

impl Stream for Socket {
    /// Waits for the reactor before the first read. A response is rarely there when it is first
    /// requested, and a read that finds nothing is a wasted system call. Only after a full read it
    /// tries again at once.
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            if !self.is_full {
                ready!(self.socket.poll_readable(cx))?;
            }
            match self.socket.get_ref().read(room) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_full = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(n) => {
                    self.is_full = n == room.len();
                    return Poll::Ready(Ok(n));
                }
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.socket.get_ref().send_with_flags(bytes, WRITE) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                done => return Poll::Ready(done),
            }
            ready!(self.socket.poll_writable(cx))?;
        }
    }

    fn is_idle_open(&self) -> bool {
        // The end of the stream and an unsolicited byte are both readable.
        let peeked = self.socket.get_ref().peek(&mut [MaybeUninit::uninit()]);
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use sessio_driver::Runtime as _;
    use sessio_driver::sessio::{KeepAlive, Tcp};

    use crate::Smol;

    #[test]
    fn a_connection_is_as_it_was_asked_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut tcp = Tcp::default();
        for is_plain in [true, false] {
            let socket = smol::block_on(Smol.connect(address, tcp, None)).unwrap();
            let options = socket.socket.get_ref();
            assert_eq!((options.tcp_nodelay().unwrap(), options.keepalive().unwrap()), (is_plain, !is_plain));
            let local = options.local_addr().unwrap().as_socket().unwrap();
            assert_eq!(listener.accept().unwrap().1, local);
            tcp.nodelay = false;
            tcp.keep_alive = Some(KeepAlive::after(Duration::from_secs(60)));
            tcp.local_address = Some(address.ip());
        }
    }
}
