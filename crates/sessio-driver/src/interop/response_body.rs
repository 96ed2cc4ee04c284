//! Conversion to a response of the crate `http`, with a `http_body::Body`.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use sessio::http::{self, HeaderMap};
use sessio::{Bytes, Error};

use crate::response::Response;
use crate::runtime::Runtime;

/// The body of a [`Response`] as a [`Body`]: bytes as they are received, then the trailers, if any.
///
/// A truncated body is an error, on each later poll too. It never ends like a complete one.
/// Dropping the body before its end closes the connection. Else the connection returns to the pool
/// after the last byte.
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

    /// Returns the response itself, with the unread rest of its body.
    #[must_use]
    pub fn into_response(self) -> Response<R> {
        self.response
    }

    /// Returns `true` if the end is known without a read. Trailers may follow a chunked body.
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

    /// Cancel safe: the next poll returns the frame that this one has not returned.
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

/// Status, version and header fields are those of the response. Its trailers are the last frame of
/// the body. [`ResponseBody::response`] has everything else, such as URL and history.
impl<R: Runtime> From<Response<R>> for http::Response<ResponseBody<R>> {
    fn from(response: Response<R>) -> Self {
        let headers = HeaderMap::from(response.headers());
        let (status, version) = (response.status(), response.version());
        let mut converted = Self::new(response.into());
        *converted.status_mut() = status;
        *converted.version_mut() = version;
        *converted.headers_mut() = headers;
        converted
    }
}
