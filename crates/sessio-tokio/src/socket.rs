//! Connections of tokio.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use sessio_driver::Stream;
use sessio_driver::socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

/// A connection of tokio over TCP or to a Unix socket.
#[derive(Debug)]
pub struct Socket(Inner);

#[derive(Debug)]
enum Inner {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// Applies one expression to either kind of socket.
macro_rules! either {
    ($inner:expr, $socket:ident => $act:expr) => {
        match $inner {
            Inner::Tcp($socket) => $act,
            #[cfg(unix)]
            Inner::Unix($socket) => $act,
        }
    };
}

impl Socket {
    pub(crate) fn tcp(stream: TcpStream) -> Self {
        Self(Inner::Tcp(stream))
    }

    #[cfg(unix)]
    pub(crate) fn unix(stream: UnixStream) -> Self {
        Self(Inner::Unix(stream))
    }
}

impl Stream for Socket {
    fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut room = ReadBuf::new(room);
        ready!(either!(&mut self.0, socket => Pin::new(socket).poll_read(cx, &mut room)))?;
        Poll::Ready(Ok(room.filled().len()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        either!(&mut self.0, socket => Pin::new(socket).poll_write(cx, bytes))
    }

    fn is_idle_open(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        // The end of the stream and an unsolicited byte are both readable.
        let peeked = either!(&self.0, socket => SockRef::from(socket).peek(&mut byte));
        peeked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use sessio_driver::Runtime as _;
    use sessio_driver::sessio::{KeepAlive, Tcp};

    use super::*;
    use crate::Tokio;

    #[tokio::test]
    async fn a_connection_is_as_it_was_asked_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut tcp = Tcp::default();
        for is_plain in [true, false] {
            let socket = Tokio.connect(address, tcp, None).await.unwrap();
            let options = either!(&socket.0, socket => SockRef::from(socket));
            assert_eq!((options.tcp_nodelay().unwrap(), options.keepalive().unwrap()), (is_plain, !is_plain));
            let local = options.local_addr().unwrap().as_socket().unwrap();
            assert_eq!(listener.accept().unwrap().1, local);
            tcp.nodelay = false;
            tcp.keep_alive = Some(KeepAlive::after(Duration::from_secs(60)));
            tcp.local_address = Some(address.ip());
        }
    }
}
