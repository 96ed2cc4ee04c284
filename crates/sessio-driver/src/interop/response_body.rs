//! The answer as a response of the crate `http`, its body as a `http_body::Body`.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use sessio::http::{self, HeaderMap};
use sessio::{Bytes, Error};

use crate::response::Response;
use crate::runtime::Runtime;

/// The body of a [`Response`] as a [`Body`]: bytes as they come, then the trailers, if there are any.
///
/// A body that was cut short is an error, and stays one: it never ends as if it were whole. Dropping it before
/// its end closes the connection; otherwise that goes back to the pool as soon as its last byte has come.
pub struct ResponseBody<R: Runtime> {
    response: Response<R>,
    is_ended: bool,
}

impl<R: Runtime> ResponseBody<R> {
    /// The response itself: its URL and history, and its head as it was received.
    #[must_use]
    pub fn response(&self) -> &Response<R> {
        &self.response
    }

    /// The response itself, to be read further by its own functions.
    #[must_use]
    pub fn into_response(self) -> Response<R> {
        self.response
    }

    /// Nothing comes any more, and that can be told without asking: behind chunks there may be trailers.
    fn is_known_to_end(&self) -> bool {
        self.is_ended
            || (self.response.content_length() == Some(0)
                && !self.response.headers().contains("Transfer-Encoding"))
    }
}

impl<R: Runtime> From<Response<R>> for ResponseBody<R> {
    fn from(response: Response<R>) -> Self {
        Self { response, is_ended: false }
    }
}

impl<R: Runtime> Body for ResponseBody<R> {
    type Data = Bytes;
    type Error = Error;

    /// Cancel safe: what was not told is told next.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.is_ended {
            return Poll::Ready(None);
        }
        let bytes = Bytes::copy_from_slice(ready!(self.response.poll_fill_buf(cx))?);
        if !bytes.is_empty() {
            self.response.consume(bytes.len());
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        self.is_ended = true;
        let trailers = self.response.trailers();
        Poll::Ready((!trailers.is_empty()).then(|| Ok(Frame::trailers(HeaderMap::from(trailers)))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_known_to_end()
    }

    fn size_hint(&self) -> SizeHint {
        match self.response.content_length() {
            _ if self.is_known_to_end() => SizeHint::with_exact(0),
            Some(left) => SizeHint::with_exact(left),
            None => SizeHint::default(),
        }
    }
}

impl<R: Runtime> fmt::Debug for ResponseBody<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("left", &self.response.content_length())
            .field("is_ended", &self.is_ended)
            .finish_non_exhaustive()
    }
}

/// Status, version and header fields are the answer's, its trailers come as the last frame of the body. All
/// else that is known of it is in [`ResponseBody::response`].
impl<R: Runtime> From<Response<R>> for http::Response<ResponseBody<R>> {
    fn from(response: Response<R>) -> Self {
        let headers = HeaderMap::from(response.headers());
        let (status, version) = (response.status(), response.version());
        let mut told = Self::new(response.into());
        *told.status_mut() = status;
        *told.version_mut() = version;
        *told.headers_mut() = headers;
        told
    }
}
