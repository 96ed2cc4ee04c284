//! Bodies as `futures_io` readers, both ways.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use futures_io::{AsyncBufRead, AsyncRead, AsyncWrite};

use crate::builder::RequestBuilder;
use crate::response::Response;
use crate::runtime::Runtime;
use crate::source::Source;

/// Reads the body. What cuts it short is an error of the kind that the [`Error`](sessio::Error) says, and holds
/// it.
impl<R: Runtime> AsyncRead for Response<R> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let response = self.get_mut();
        let bytes = ready!(response.poll_fill_buf(cx))?;
        let n = bytes.len().min(room.len());
        room[..n].copy_from_slice(&bytes[..n]);
        response.consume(n);
        Poll::Ready(Ok(n))
    }
}

/// The connection's buffer is the reader's: no byte is copied.
impl<R: Runtime> AsyncBufRead for Response<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.get_mut().poll_fill_buf(cx).map_err(io::Error::from)
    }

    fn consume(self: Pin<&mut Self>, n: usize) {
        self.get_mut().consume(n);
    }
}

impl<R: Runtime> Response<R> {
    /// Writes the body to `writer` as it comes, from here on, flushes it, and says how many bytes it was.
    ///
    /// # Errors
    /// Why the body ends before its end, and what the writer says: what was written until then was written.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing that the writer has not taken.
    pub async fn copy_to(&mut self, writer: impl AsyncWrite) -> io::Result<u64> {
        let mut writer = pin!(writer);
        let count = self.copy_with(|cx, bytes| writer.as_mut().poll_write(cx, bytes)).await?;
        poll_fn(|cx| writer.as_mut().poll_flush(cx)).await?;
        Ok(count)
    }
}

/// An [`AsyncRead`] as a [`Source`]. It is read only when the connection can take more, and cannot start over.
pub struct ReaderSource<T>(Pin<Box<T>>);

impl<T: AsyncRead> ReaderSource<T> {
    /// Reads from this reader.
    #[must_use]
    pub fn new(reader: T) -> Self {
        Self(Box::pin(reader))
    }
}

impl<T: AsyncRead + Send + 'static> Source for ReaderSource<T> {
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.as_mut().poll_read(cx, room)
    }
}

impl<T> fmt::Debug for ReaderSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReaderSource")
    }
}

impl<R: Runtime> RequestBuilder<R> {
    /// Sends what `reader` reads as the body: `length` bytes, or as many as come.
    pub fn reader(self, reader: impl AsyncRead + Send + 'static, length: Option<u64>) -> Self {
        self.source(ReaderSource::new(reader), length, false)
    }
}
