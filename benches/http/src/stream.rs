//! A connection of tokio, in clear text or over TLS.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Outcome;
use crate::plan::Plan;
use crate::tls;

/// A connection.
pub enum Stream {
    /// Clear text.
    Plain(TcpStream),
    /// By tokio-rustls.
    Tls(Box<TlsStream<TcpStream>>),
}

/// The maker of connections for a plan.
#[derive(Clone)]
pub struct Connector(Option<Arc<ClientConfig>>);

impl Connector {
    /// The connector of this plan.
    ///
    /// # Errors
    ///
    /// If the root is invalid.
    pub fn of(plan: &Plan) -> Outcome<Self> {
        let config = plan.workload.is_tls().then(|| tls::config(plan)).transpose()?;
        Ok(Self(config.map(Arc::new)))
    }

    /// A connection to `host:port`, with an address as the host.
    ///
    /// # Errors
    ///
    /// If it cannot be made.
    pub async fn connect(&self, authority: &str) -> Outcome<Stream> {
        let stream = TcpStream::connect(authority).await?;
        stream.set_nodelay(true)?;
        let Some(config) = &self.0 else { return Ok(Stream::Plain(stream)) };
        let host: IpAddr = authority.rsplit_once(':').ok_or("no port")?.0.parse()?;
        let tls = TlsConnector::from(Arc::clone(config));
        Ok(Stream::Tls(Box::new(tls.connect(ServerName::IpAddress(host.into()), stream).await?)))
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, room),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, room),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
