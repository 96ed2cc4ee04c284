//! Bodies as readers of tokio, both ways.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use sessio_driver::Source;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use crate::Response;

/// A [`Response`] as an [`AsyncRead`] and [`AsyncBufRead`] of tokio. Its head is the response's.
///
/// A body that was cut short is an error of the kind that the [`Error`](crate::Error) says, and holds it.
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
pub struct Reader(Response);

impl Reader {
    /// The response itself, to be read further by its own functions.
    #[must_use]
    pub fn into_response(self) -> Response {
        self.0
    }

    /// Writes the body to `writer` as it comes, from here on, flushes it, and says how many bytes it was.
    ///
    /// # Errors
    /// Why the body ends before its end, and what the writer says: what was written until then was written.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing that the writer has not taken.
    pub async fn copy_to(&mut self, writer: impl AsyncWrite) -> io::Result<u64> {
        let mut writer = pin!(writer);
        let count = self.0.copy_with(|cx, bytes| writer.as_mut().poll_write(cx, bytes)).await?;
        poll_fn(|cx| writer.as_mut().poll_flush(cx)).await?;
        Ok(count)
    }
}

impl From<Response> for Reader {
    fn from(response: Response) -> Self {
        Self(response)
    }
}

impl Deref for Reader {
    type Target = Response;

    fn deref(&self) -> &Response {
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

/// The connection's buffer is the reader's: no byte is copied.
impl AsyncBufRead for Reader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.get_mut().0.poll_fill_buf(cx).map_err(io::Error::from)
    }

    fn consume(mut self: Pin<&mut Self>, n: usize) {
        self.0.consume(n);
    }
}

/// An [`AsyncRead`] of tokio as the body of a request, for
/// [`RequestBuilder::source`](crate::RequestBuilder::source). It is read only when the connection can take more,
/// and cannot start over.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = sessio_testkit::Server::start();
/// # let url = |path: &str| server.url(path);
/// use sessio_tokio::{ReaderSource, Session};
///
/// let reader = &b"as much as comes"[..]; // a file, a socket, the answer to another request
/// let echo = Session::new().post(url("/post")).source(ReaderSource::new(reader), None, false).send().await?;
/// assert!(echo.text().await?.contains("as much as comes"));
/// # Ok(())
/// # }
/// ```
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
        let mut room = ReadBuf::new(room);
        ready!(self.0.as_mut().poll_read(cx, &mut room))?;
        Poll::Ready(Ok(room.filled().len()))
    }
}

impl<T> fmt::Debug for ReaderSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReaderSource")
    }
}
