//! Responses as readers of `futures_io`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncBufRead, AsyncRead};

use crate::response::Response;
use crate::runtime::Runtime;

/// Reads the body. The error of a truncated body has the [`io::ErrorKind`] of its
/// [`Error`](sessio::Error), and contains that error.
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

/// Lends the buffer of the connection. No byte is copied.
impl<R: Runtime> AsyncBufRead for Response<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.get_mut().poll_fill_buf(cx).map_err(io::Error::from)
    }

    fn consume(self: Pin<&mut Self>, n: usize) {
        self.get_mut().consume(n);
    }
}
