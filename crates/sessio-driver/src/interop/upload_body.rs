//! A `http_body::Body` as the body of a request.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::Body;
use sessio::{Headers, Request, Result, http};

use crate::builder::RequestBuilder;
use crate::interop::ResponseBody;
use crate::runtime::Runtime;
use crate::session::Session;
use crate::source::Source;

/// A [`Body`] as a [`Source`]. [`RequestBuilder::http_body`] makes one, with the body's exact
/// length.
///
/// It is polled only when the connection can take more. It cannot start over. An error of the body
/// aborts the request, so that no server takes a part for the whole. Trailers are sent if the
/// length is not known in advance. Trailers of a body with an exact length are an error, because
/// they would be lost.
pub struct BodySource<B: Body> {
    body: Pin<Box<B>>,
    /// The rest of the last frame.
    piece: Option<B::Data>,
    trailers: Headers,
}

impl<B: Body> BodySource<B> {
    /// Reads from this body.
    #[must_use]
    pub fn new(body: B) -> Self {
        Self { body: Box::pin(body), piece: None, trailers: Headers::new() }
    }
}

impl<B> Source for BodySource<B>
where
    B: Body<Data: Send, Error: Into<Box<dyn StdError + Send + Sync>>> + Send + 'static,
{
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let Some(piece) = ready!(self.poll_next(cx))? else { return Poll::Ready(Ok(0)) };
        let n = piece.remaining().min(room.len());
        piece.copy_to_slice(&mut room[..n]);
        Poll::Ready(Ok(n))
    }

    /// Returns data of type [`Bytes`], which most bodies have, without a copy.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        let Some(piece) = ready!(self.poll_next(cx))? else { return Poll::Ready(Ok(Some(Bytes::new()))) };
        let piece: &mut dyn Any = piece;
        Poll::Ready(Ok(piece.downcast_mut().map(mem::take)))
    }

    fn trailers(&mut self) -> Headers {
        mem::take(&mut self.trailers)
    }
}

impl<B> BodySource<B>
where
    B: Body<Error: Into<Box<dyn StdError + Send + Sync>>>,
{
    /// The rest of the last frame, or the next one; never empty. `None` is the end.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<&mut B::Data>>> {
        loop {
            if self.piece.as_ref().is_some_and(Buf::has_remaining) {
                return Poll::Ready(Ok(self.piece.as_mut()));
            }
            match ready!(self.body.as_mut().poll_frame(cx)) {
                None => return Poll::Ready(Ok(None)),
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(piece) => self.piece = Some(piece),
                    // Frames of other kinds are ignored: the trait reserves them.
                    Err(frame) => {
                        if let Some(trailers) = frame.trailers_ref() {
                            self.trailers = Headers::try_from(trailers).map_err(io::Error::other)?;
                        }
                    }
                },
            }
        }
    }
}

impl<B: Body> fmt::Debug for BodySource<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodySource")
    }
}

impl<R: Runtime> RequestBuilder<R> {
    /// Sends a [`Body`]: with its length if that is exact, else in chunks. See [`BodySource`].
    pub fn http_body<B>(self, body: B) -> Self
    where
        B: Body<Data: Send, Error: Into<Box<dyn StdError + Send + Sync>>> + Send + 'static,
    {
        if body.is_end_stream() {
            return self.body(sessio::Body::empty());
        }
        let length = body.size_hint().exact();
        self.source(BodySource::new(body), length, false)
    }
}

impl<R: Runtime> Session<R> {
    /// Sends a request of the crate `http`. The defaults of the session are merged in, redirects
    /// are followed and cookies are stored, as for any request.
    ///
    /// # Errors
    /// The reason why there is no response.
    ///
    /// # Cancel safety
    /// Dropping the future closes its connection. Nothing else is lost, and the session continues.
    pub async fn send_http<B>(&self, request: http::Request<B>) -> Result<http::Response<ResponseBody<R>>>
    where
        B: Body<Data: Send, Error: Into<Box<dyn StdError + Send + Sync>>> + Send + 'static,
    {
        let (parts, body) = request.into_parts();
        let response = self.build(Request::from(parts)).http_body(body).send().await?;
        Ok(response.into())
    }
}
