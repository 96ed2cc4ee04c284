//! Readers and writers of tokio.

use std::io;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use sessio_driver::{ReadFrom, Response, WriteTo};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use crate::runtime::Tokio;

impl<T: AsyncRead + Send + 'static> ReadFrom<T> for Tokio {
    type Reader = Pin<Box<T>>;

    fn reader(reader: T) -> Self::Reader {
        Box::pin(reader)
    }

    fn poll_read(reader: &mut Pin<Box<T>>, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut room = ReadBuf::new(room);
        ready!(reader.as_mut().poll_read(cx, &mut room))?;
        Poll::Ready(Ok(room.filled().len()))
    }
}

impl<W: AsyncWrite> WriteTo<W> for Tokio {
    type Writer = Pin<Box<W>>;

    fn writer(writer: W) -> Self::Writer {
        Box::pin(writer)
    }

    fn poll_write(writer: &mut Pin<Box<W>>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        writer.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(writer: &mut Pin<Box<W>>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        writer.as_mut().poll_flush(cx)
    }
}

/// A [`Response`] as an [`AsyncRead`] and [`AsyncBufRead`] of tokio. It dereferences to the
/// response.
///
/// The error of a truncated body has the [`io::ErrorKind`] of its [`Error`](crate::Error), and
/// contains that error.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = sessio_testkit::Server::start();
/// # let url = |path: &str| server.url(path);
/// use sessio_tokio::Reader;
/// use tokio::io::AsyncBufReadExt;
///
/// let response = sessio_tokio::get(url("/stream/3")).await?;
/// let mut lines = Reader::from(response).lines();
/// let mut count = 0;
/// while let Some(line) = lines.next_line().await? {
///     assert!(line.contains("\"id\""));
///     count += 1;
/// }
/// assert_eq!(count, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reader(Response<Tokio>);

impl Reader {
    /// Returns the response itself, with the unread rest of its body.
    #[must_use]
    pub fn into_response(self) -> Response<Tokio> {
        self.0
    }

    /// See [`Response::copy_to`].
    ///
    /// # Errors
    /// The reason why the body ends early, and errors of the writer. The bytes before that are
    /// written.
    ///
    /// # Cancel safety
    /// Dropping the future loses no bytes: those that the writer has not taken remain in the
    /// response.
    pub async fn copy_to(&mut self, writer: impl AsyncWrite) -> io::Result<u64> {
        self.0.copy_to(writer).await
    }
}

impl From<Response<Tokio>> for Reader {
    fn from(response: Response<Tokio>) -> Self {
        Self(response)
    }
}

impl Deref for Reader {
    type Target = Response<Tokio>;

    fn deref(&self) -> &Response<Tokio> {
        &self.0
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let bytes = ready!(self.0.poll_fill_buf(cx))?;
        let n = bytes.len().min(room.remaining());
        room.put_slice(&bytes[..n]);
        self.0.consume(n);
        Poll::Ready(Ok(()))
    }
}

/// Lends the buffer of the connection. No byte is copied.
impl AsyncBufRead for Reader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.get_mut().0.poll_fill_buf(cx).map_err(io::Error::from)
    }

    fn consume(mut self: Pin<&mut Self>, n: usize) {
        self.0.consume(n);
    }
}
