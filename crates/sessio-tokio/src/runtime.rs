//! Sockets and time of tokio.

use sessio_driver::clock;
use std::hash::{Hash as _, Hasher};
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::SystemTime;

use sessio_driver::sessio::{Instant, Now, Tcp, UnixTime};
use sessio_driver::{Runtime, Sleep, tcp_socket};
use tokio::net::TcpSocket;
use tokio::runtime::Handle;

use crate::socket::Socket;

/// The tokio runtime on which the future is polled. Its IO driver must be enabled, and its timer if
/// any time limit is set. Several runtimes can use one session: each has its own connections. Those
/// of a dropped runtime are closed when their idle time ends.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Tokio;

impl Runtime for Tokio {
    type Stream = Socket;
    type Sleep = Timer;

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }

    async fn connect(&self, address: SocketAddr, tcp: Tcp, _: Option<Instant>) -> io::Result<Socket> {
        let socket = tcp_socket(address, &tcp)?;
        socket.set_nonblocking(true)?;
        TcpSocket::from_std_stream(socket.into()).connect(address).await.map(Socket::tcp)
    }

    #[cfg(unix)]
    async fn connect_unix(&self, path: &Path, _: Option<Instant>) -> io::Result<Socket> {
        tokio::net::UnixStream::connect(path).await.map(Socket::unix)
    }

    fn reactor(&self) -> u64 {
        Handle::try_current().map_or(0, |handle| {
            let mut number = Number(0);
            handle.id().hash(&mut number);
            number.0
        })
    }

    fn sleep_until(&self, at: Instant) -> Self::Sleep {
        Timer(Box::pin(tokio::time::sleep_until(clock::to_std(at).into())))
    }

    fn now(&self) -> Now {
        Now { mono: clock::now(), wall: UnixTime::from(SystemTime::now()) }
    }

    fn mono(&self) -> Instant {
        clock::now()
    }
}

/// Extracts the number from the id of a runtime, which only hashers receive.
struct Number(u64);

impl Hasher for Number {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
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
        self.0.as_mut().reset(clock::to_std(at).into());
    }
}
