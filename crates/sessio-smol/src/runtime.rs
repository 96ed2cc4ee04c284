//! Sockets and time of smol.

use sessio_driver::clock;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
#[cfg(unix)]
use std::path::Path;
use std::task::{Context, Poll};
use std::time::SystemTime;

use sessio_driver::sessio::{Instant, Now, Tcp, UnixTime};
use sessio_driver::{Runtime, Sleep, tcp_socket};
use smol::Timer as SmolTimer;

use crate::socket::Socket;

/// The reactor of smol. It runs in its own thread, whatever executor polls the future.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Smol;

impl Runtime for Smol {
    type Stream = Socket;
    type Sleep = Timer;

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let host = host.to_owned();
        smol::unblock(move || (host, port).to_socket_addrs().map(Iterator::collect)).await
    }

    async fn connect(&self, address: SocketAddr, tcp: Tcp, _: Option<Instant>) -> io::Result<Socket> {
        Socket::connect(tcp_socket(address, &tcp)?, &address.into()).await
    }

    #[cfg(unix)]
    async fn connect_unix(&self, path: &Path, _: Option<Instant>) -> io::Result<Socket> {
        use sessio_driver::socket2::{Domain, SockAddr, Socket as Plain, Type};
        Socket::connect(Plain::new(Domain::UNIX, Type::STREAM, None)?, &SockAddr::unix(path)?).await
    }

    fn sleep_until(&self, at: Instant) -> Timer {
        Timer(SmolTimer::at(clock::to_std(at)))
    }

    fn now(&self) -> Now {
        Now { mono: clock::now(), wall: UnixTime::from(SystemTime::now()) }
    }

    fn mono(&self) -> Instant {
        clock::now()
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
        self.0.set_at(clock::to_std(at));
    }
}
