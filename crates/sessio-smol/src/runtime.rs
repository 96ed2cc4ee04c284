//! Sockets and time of smol.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream as Socket, ToSocketAddrs as _};
use std::task::{Context, Poll, ready};
use std::time::{Instant, SystemTime};

use sessio_driver::sessio::{Now, UnixTime};
use sessio_driver::{Runtime, Sleep, Stream};
use smol::{Async, Timer as SmolTimer};

/// The reactor of smol, which runs in a thread of its own wherever the future is polled.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Smol;

impl Runtime for Smol {
    type Stream = TcpStream;
    type Sleep = Timer;

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let host = host.to_owned();
        smol::unblock(move || (host, port).to_socket_addrs().map(Iterator::collect)).await
    }

    async fn connect(&self, address: SocketAddr, _: Option<Instant>) -> io::Result<TcpStream> {
        let socket = Async::<Socket>::connect(address).await?;
        socket.get_ref().set_nodelay(true)?;
        Ok(TcpStream { socket, is_full: false })
    }

    fn sleep_until(&self, at: Instant) -> Timer {
        Timer(SmolTimer::at(at))
    }

    fn now(&self) -> Now {
        Now { mono: Instant::now(), wall: UnixTime::from(SystemTime::now()) }
    }

    fn mono(&self) -> Instant {
        Instant::now()
    }
}

/// A timer of smol.
#[derive(Debug)]
pub struct Timer(SmolTimer);

impl Sleep for Timer {
    fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        std::pin::Pin::new(&mut self.0).poll(cx).map(drop)
    }

    fn reset(&mut self, at: Instant) {
        self.0.set_at(at);
    }
}

/// A TCP connection of smol.
#[derive(Debug)]
pub struct TcpStream {
    socket: Async<Socket>,
    /// The last read filled its room: there is probably more.
    is_full: bool,
}

impl Stream for TcpStream {
    /// Waits for the reactor first: an answer is hardly ever there when it is first asked for, and a read that
    /// finds nothing is a system call for nothing. Only after a full read it tries again at once.
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
            match self.socket.get_ref().write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                done => return Poll::Ready(done),
            }
            ready!(self.socket.poll_writable(cx))?;
        }
    }

    fn is_idle_open(&self) -> bool {
        // An end of stream and a byte out of turn are both something to read.
        self.socket.get_ref().peek(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}
