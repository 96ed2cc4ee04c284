//! Sockets and time of the standard library.

use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::task::{Context, Poll};
use std::time::SystemTime;

use sessio_driver::clock;
use sessio_driver::sessio::{Instant, Now, Tcp, UnixTime};
use sessio_driver::{BlockOn, Runtime, Sleep, tcp_socket};

use crate::lookup::Looking;
use crate::socket::Socket;
use crate::wait::{alarm, wait};

/// The calling thread.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Blocking;

impl Runtime for Blocking {
    type Stream = Socket;
    type Sleep = Timer;

    /// Asks the system's resolver in another thread: it cannot be interrupted, and time limits must
    /// hold.
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Looking::new(host, port).await
    }

    async fn connect(&self, address: SocketAddr, tcp: Tcp, _: Option<Instant>) -> io::Result<Socket> {
        Socket::connect(tcp_socket(address, &tcp)?, &address.into()).await
    }

    #[cfg(unix)]
    async fn connect_unix(&self, path: &Path, deadline: Option<Instant>) -> io::Result<Socket> {
        use sessio_driver::socket2::{Domain, SockAddr, Socket as Plain, Type};
        let plain = Plain::new(Domain::UNIX, Type::STREAM, None)?;
        Socket::connect_unix(plain, &SockAddr::unix(path)?, deadline)
    }

    fn process(&self) -> Option<u32> {
        Some(std::process::id())
    }

    fn sleep_until(&self, at: Instant) -> Timer {
        Timer(at)
    }

    fn now(&self) -> Now {
        Now { mono: clock::now(), wall: UnixTime::from(SystemTime::now()) }
    }

    fn mono(&self) -> Instant {
        clock::now()
    }
}

impl BlockOn for Blocking {
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        wait(future)
    }
}

/// A time at which the wait of the thread ends.
#[derive(Debug)]
pub struct Timer(Instant);

impl Sleep for Timer {
    fn poll_elapsed(&mut self, _: &mut Context<'_>) -> Poll<()> {
        if self.0 <= clock::now() {
            return Poll::Ready(());
        }
        alarm(self.0);
        Poll::Pending
    }

    fn reset(&mut self, at: Instant) {
        self.0 = at;
    }
}
