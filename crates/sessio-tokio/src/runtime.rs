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
    type Sleep = Pin<Box<Timer>>;

    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let stream = tokio::net::TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(TcpStream(stream))
    }

    fn sleep_until(&self, at: Instant) -> Self::Sleep {
        Box::pin(Timer(tokio::time::sleep_until(at.into())))
    }

    fn now(&self) -> Now {
        Now { mono: Instant::now(), wall: UnixTime::from(SystemTime::now()) }
    }
}
