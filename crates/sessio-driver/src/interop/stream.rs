//! Response bodies as streams of `futures_core`, and such streams as request bodies.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use sessio::sse::Event;
use sessio::{Bytes, Result};

use crate::builder::RequestBuilder;
use crate::events::Events;
use crate::lines::Lines;
use crate::response::Response;
use crate::runtime::Runtime;
use crate::source::Source;

/// The body of a [`Response`] as a [`Stream`] of bytes as they are received: see
/// [`Response::bytes_stream`].
///
/// A truncated body ends with an error, and never like a complete one. Dropping the stream before
/// its end closes the connection. Else the connection returns to the pool after the last byte.
pub struct BytesStream<R: Runtime> {
    response: Response<R>,
    is_over: bool,
}

impl<R: Runtime> Response<R> {
    /// The unread body as a [`Stream`] of bytes. An error is its last item.
    #[must_use]
    pub fn bytes_stream(self) -> BytesStream<R> {
        BytesStream { response: self, is_over: false }
    }
}

impl<R: Runtime> BytesStream<R> {
    /// The response: its head and, after the last bytes, its trailers.
    #[must_use]
    pub fn response(&self) -> &Response<R> {
        &self.response
    }

    /// Returns the response itself, with the unread rest of its body.
    #[must_use]
    pub fn into_response(self) -> Response<R> {
        self.response
    }
}

/// Cancel safe: the next poll returns the bytes that this one has not returned.
impl<R: Runtime> Stream for BytesStream<R> {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let bytes = ready!(self.response.poll_fill_buf(cx)).map(Bytes::copy_from_slice);
        self.is_over = bytes.as_ref().map_or(true, Bytes::is_empty);
        if let Ok(bytes) = &bytes {
            let n = bytes.len();
            self.response.consume(n);
            if n == 0 {
                return Poll::Ready(None);
            }
        }
        Poll::Ready(Some(bytes))
    }
}

/// Each line as soon as its end has been received. An error is the last item.
impl<R: Runtime> Stream for Lines<R> {
    type Item = Result<String>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<String>>> {
        if self.has_failed {
            return Poll::Ready(None);
        }
        let line = ready!(self.poll_line(cx));
        self.has_failed = line.is_err();
        Poll::Ready(line.transpose())
    }
}

/// Each event as soon as it has been received. An error is the last item.
impl<R: Runtime> Stream for Events<R> {
    type Item = Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Event>>> {
        if self.has_failed {
            return Poll::Ready(None);
        }
        let event = ready!(self.poll_event(cx));
        self.has_failed = event.is_err();
        Poll::Ready(event.transpose())
    }
}

impl<R: Runtime> fmt::Debug for BytesStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BytesStream").field("response", &self.response).finish_non_exhaustive()
    }
}

/// A [`Stream`] of bytes as a [`Source`]. It is polled only when the connection can take more, and
/// it cannot start over. Empty items do not end it. An error ends it and aborts the request, so
/// that no server takes a part for the whole.
pub struct StreamSource<S, B> {
    stream: Pin<Box<S>>,
    piece: Option<B>,
    /// The number of bytes of `piece` that were taken.
    at: usize,
}

impl<S, B> StreamSource<S, B> {
    /// Reads from this stream.
    #[must_use]
    pub fn new(stream: S) -> Self {
        Self { stream: Box::pin(stream), piece: None, at: 0 }
    }
}

impl<S, B, E> Source for StreamSource<S, B>
where
    S: Stream<Item = Result<B, E>> + Send + 'static,
    B: AsRef<[u8]> + Send + Unpin + 'static,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let piece = self.piece.as_ref().map_or(&[][..], AsRef::as_ref);
            if let Some(rest) = piece.get(self.at..).filter(|rest| !rest.is_empty()) {
                let n = rest.len().min(room.len());
                room[..n].copy_from_slice(&rest[..n]);
                self.at += n;
                return Poll::Ready(Ok(n));
            }
            match ready!(self.stream.as_mut().poll_next(cx)) {
                None => return Poll::Ready(Ok(0)),
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                Some(Ok(piece)) => (self.piece, self.at) = (Some(piece), 0),
            }
        }
    }

    /// Returns an item of type [`Bytes`] without a copy.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        loop {
            let left = self.piece.as_ref().map_or(0, |piece| piece.as_ref().len().saturating_sub(self.at));
            if left > 0 {
                let piece: Option<&mut dyn Any> = self.piece.as_mut().map(|piece| piece as _);
                let bytes = piece.and_then(|piece| piece.downcast_mut()).map(mem::take);
                return Poll::Ready(Ok(bytes));
            }
            match ready!(self.stream.as_mut().poll_next(cx)) {
                None => return Poll::Ready(Ok(Some(Bytes::new()))),
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                Some(Ok(piece)) => (self.piece, self.at) = (Some(piece), 0),
            }
        }
    }
}

impl<S, B> fmt::Debug for StreamSource<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamSource")
    }
}

impl<R: Runtime> RequestBuilder<R> {
    /// Sends the items of `stream` as the body: `length` bytes, or chunks until the stream ends.
    /// See [`StreamSource`].
    pub fn stream<S, B, E>(self, stream: S, length: Option<u64>) -> Self
    where
        S: Stream<Item = Result<B, E>> + Send + 'static,
        B: AsRef<[u8]> + Send + Unpin + 'static,
        E: Into<Box<dyn StdError + Send + Sync>> + 'static,
    {
        self.source(StreamSource::new(stream), length, false)
    }
}
