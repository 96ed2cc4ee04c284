//! Sockets and time of tokio.

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Instant, SystemTime};

use sessio_driver::sessio::{Now, UnixTime};
use sessio_driver::{Runtime, Sleep, Stream};
use socket2::SockRef;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

/// The tokio runtime that the future is polled on. Its IO driver must be enabled, and its timer if any time
/// limit is set.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Tokio;

impl Runtime for Tokio {
    type Stream = TcpStream;
    type Sleep = Timer;

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }

    async fn connect(&self, address: SocketAddr, _: Option<Instant>) -> io::Result<TcpStream> {
        let stream = tokio::net::TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(TcpStream(stream))
    }

    fn sleep_until(&self, at: Instant) -> Self::Sleep {
        Timer(Box::pin(tokio::time::sleep_until(at.into())))
    }

    fn now(&self) -> Now {
        Now { mono: Instant::now(), wall: UnixTime::from(SystemTime::now()) }
    }

    fn mono(&self) -> Instant {
        Instant::now()
    }
}

/// A timer of tokio.
#[derive(Debug)]
pub struct Timer(Pin<Box<tokio::time::Sleep>>);

impl Sleep for Timer {
    fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }

    fn reset(&mut self, at: Instant) {
        self.0.as_mut().reset(at.into());
    }
}

/// A TCP connection of tokio.
#[derive(Debug)]
pub struct TcpStream(tokio::net::TcpStream);

impl Stream for TcpStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut room = ReadBuf::new(room);
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut room))?;
        Poll::Ready(Ok(room.filled().len()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn is_idle_open(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        // An end of stream and a byte out of turn are both something to read.
        let peeked = SockRef::from(&self.0).peek(&mut byte);
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}
