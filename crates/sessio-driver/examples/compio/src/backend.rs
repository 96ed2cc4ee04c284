//! A backend on compio: its runtime, and the names of every backend.

use std::io;
use std::net::SocketAddr;
use std::time::SystemTime;

use compio::net::{TcpSocket, ToSocketAddrsAsync as _};
use sessio_driver::sessio::{Instant, Now, Tcp};
use sessio_driver::{Runtime, clock, tcp_socket};

use crate::socket::Socket;
use crate::timer::Timer;

/// The compio runtime of this thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compio;

impl Runtime for Compio {
    type Stream = Socket;
    type Sleep = Timer;

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((host, port).to_socket_addrs_async().await?.collect())
    }

    async fn connect(&self, address: SocketAddr, tcp: Tcp, _: Option<Instant>) -> io::Result<Socket> {
        let socket = TcpSocket::from_std_stream(tcp_socket(address, &tcp)?.into())?;
        socket.connect(address).await.map(Socket::new)
    }

    fn sleep_until(&self, at: Instant) -> Timer {
        Timer::new(at)
    }

    fn now(&self) -> Now {
        Now { mono: clock::now(), wall: SystemTime::now().into() }
    }

    fn mono(&self) -> Instant {
        clock::now()
    }
}

sessio_driver::backend!(Compio);
