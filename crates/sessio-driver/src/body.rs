//! The body of a response, read on demand.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use sessio::{Bytes, Error, Kind, Result};

use crate::response::Response;
use crate::runtime::Runtime;

impl<R: Runtime, M> Response<R, M> {
    async fn hand_to(&mut self, read: impl FnOnce(&[u8])) -> Result<bool> {
        let flight = &mut self.flight;
        if !poll_fn(|cx| flight.poll_body(cx)).await? {
            return Ok(false);
        }
        let bytes = flight.body();
        read(bytes);
        let n = bytes.len();
        self.flight.call.consume(n);
        Ok(true)
    }

    async fn peek(&mut self) -> Result<Option<&[u8]>> {
        let flight = &mut self.flight;
        if !poll_fn(|cx| flight.poll_body(cx)).await? {
            return Ok(None);
        }
        Ok(Some(flight.body()))
    }

    /// Polls for [`peek`](Self::peek). Empty bytes are the end.
    pub(crate) fn poll_peek(&mut self, cx: &mut Context<'_>) -> Poll<Result<&[u8]>> {
        self.flight.resume();
        if !ready!(self.flight.poll_body(cx))? {
            return Poll::Ready(Ok(&[]));
        }
        Poll::Ready(Ok(self.flight.body()))
    }

    /// The next bytes of the body, empty at its end. They stay until they are [taken](Self::take).
    pub(crate) async fn next_bytes(&mut self) -> Result<&[u8]> {
        self.flight.resume();
        self.peek().await.map(Option::unwrap_or_default)
    }

    /// Takes the first `n` of those bytes.
    pub(crate) fn take(&mut self, n: usize) {
        // A caller that reads to the end takes 0 bytes there, which is no misuse.
        if n > 0 {
            self.flight.call.consume(n);
        }
    }

    /// Reads the next bytes into `room`; 0 is the end.
    pub(crate) async fn read_into(&mut self, room: &mut [u8]) -> Result<usize> {
        self.flight.resume();
        let Some(bytes) = self.peek().await? else { return Ok(0) };
        let n = bytes.len().min(room.len());
        room[..n].copy_from_slice(&bytes[..n]);
        self.flight.call.consume(n);
        Ok(n)
    }

    /// Passes the body to `write` as it is received, and returns the number of bytes.
    pub(crate) async fn pump(
        &mut self,
        mut write: impl FnMut(&mut Context<'_>, &[u8]) -> Poll<io::Result<usize>>,
    ) -> io::Result<u64> {
        let mut count = 0;
        loop {
            let bytes = self.next_bytes().await?;
            if bytes.is_empty() {
                return Ok(count);
            }
            let n = poll_fn(|cx| write(cx, bytes)).await?;
            if n == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.take(n);
            count += n as u64;
        }
    }

    /// All unread bytes of the body.
    async fn unread_bytes(mut self) -> Result<Bytes> {
        // A length is only a claim of the server. Memory is allocated for received bytes, and up to
        // 1 MiB ahead.
        const AHEAD: u64 = 1024 * 1024;
        let expected = self.content_length().unwrap_or(0).min(AHEAD);
        let mut body = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
        self.flight.resume();
        while self.hand_to(|bytes| body.extend_from_slice(bytes)).await? {}
        Ok(body.into())
    }
}

in_both_modes! { Response:
    /// The next bytes of the body, from the buffer of the connection; `None` at its end.
    ///
    /// # Errors
    /// The reason why the body ends early.
    async {
        /// # Cancel safety
        /// Dropping the future loses nothing: the next call continues.
    }
    pub fn chunk[](&mut self) -> Result<Option<Bytes>> {
        self.flight.resume();
        let chunk = self.peek().await?.map(Bytes::copy_from_slice);
        if let Some(bytes) = &chunk {
            self.flight.call.consume(bytes.len());
        }
        Ok(chunk)
    }

    /// Passes the next bytes of the body to `read`, without a copy. Returns `false` at the end.
    ///
    /// # Errors
    /// The reason why the body ends early.
    async {
        /// # Cancel safety
        /// The same as for [`chunk`](Self::chunk).
    }
    pub fn read_with[](&mut self, read: impl FnOnce(&[u8])) -> Result<bool> {
        self.flight.resume();
        self.hand_to(read).await
    }

    /// The whole body.
    ///
    /// # Errors
    /// - The reason why the body is incomplete. Use [`chunk`](Self::chunk) to keep the bytes before
    ///   that.
    /// - [`Kind::PartlyRead`]: a part of it was read before. Use [`rest`](Self::rest) for the
    ///   remaining bytes.
    async {
        /// # Cancel safety
        /// Dropping the future drops the response, and closes the connection unless the body had
        /// ended.
    }
    pub fn bytes[](self) -> Result<Bytes> {
        self.unread()?.unread_bytes().await
    }

    /// The unread rest of the body.
    ///
    /// # Errors
    /// The reason why the body is incomplete.
    async {
        /// # Cancel safety
        /// The same as for [`bytes`](Self::bytes).
    }
    pub fn rest[](self) -> Result<Bytes> {
        self.unread_bytes().await
    }

    /// The whole body as text. The charset is that of its byte order mark, else UTF-8 for JSON,
    /// else that of the Content-Type, else UTF-8. Invalid bytes become U+FFFD, and a byte order
    /// mark is removed.
    ///
    /// Supported charsets are UTF-8 and ISO 8859-1, and with the feature `charset` all of the
    /// Encoding standard. Other charsets are read as UTF-8.
    ///
    /// # Errors
    /// Those of [`bytes`](Self::bytes).
    async {
        /// # Cancel safety
        /// The same as for [`bytes`](Self::bytes).
    }
    pub fn text[](self) -> Result<String> {
        let charset = self.charset().map(str::to_owned);
        let body = self.unread()?.unread_bytes().await?;
        Ok(sessio::text::decode(charset.as_deref(), &body))
    }

    /// The whole body as text in this charset, whatever its Content-Type is. A byte order mark
    /// takes precedence.
    ///
    /// # Errors
    /// - Those of [`bytes`](Self::bytes).
    /// - [`Kind::UnknownCharset`]: the charset is not [known](sessio::text::is_known).
    async {
        /// # Cancel safety
        /// The same as for [`bytes`](Self::bytes).
    }
    pub fn text_with_charset[](self, charset: &str) -> Result<String> {
        if !sessio::text::is_known(charset) {
            let detail = sessio::escape(charset.as_bytes());
            return Err(Error::new(Kind::UnknownCharset).with_detail(detail).with_url(self.url()));
        }
        let body = self.unread()?.unread_bytes().await?;
        Ok(sessio::text::decode(Some(charset), &body))
    }

    /// The whole body as JSON.
    ///
    /// # Errors
    /// - Those of [`bytes`](Self::bytes).
    /// - [`Kind::InvalidJson`]: the body is not JSON, or does not fit the expected type. The error
    ///   has the status, the content type and the start of a text that is no JSON, such as a page
    ///   for people. It shows nothing of a JSON object or list, which may contain secrets.
    #[cfg(feature = "json")]
    async {
        /// # Cancel safety
        /// The same as for [`bytes`](Self::bytes).
    }
    pub fn json[T: serde::de::DeserializeOwned](self) -> Result<T> {
        let (url, status) = (self.url().clone(), self.status());
        let media_type = self.headers().get("Content-Type").map(|kind| sessio::escape(kind.as_bytes()));
        let body = self.unread()?.unread_bytes().await?;
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body);
        serde_json::from_slice(body).map_err(|error| {
            let detail = not_json(status, media_type.as_deref(), body);
            Error::new(Kind::InvalidJson).with_detail(detail).with_url(&url).with_source(error)
        })
    }
}

/// Describes a body that is not the expected JSON. An object, a list or a text in JSON may contain
/// secrets, so nothing of it is shown.
#[cfg(feature = "json")]
#[cold]
fn not_json(status: sessio::http::StatusCode, media_type: Option<&str>, body: &[u8]) -> String {
    const MOST: usize = 80;
    let media_type = media_type.unwrap_or("no content type");
    let text = body.trim_ascii_start();
    let start = match text {
        [] => "the body is empty".to_owned(),
        [b'{' | b'[' | b'"', ..] => format!("the body has {} bytes", body.len()),
        _ if text.len() > MOST => format!("it begins with \"{}...\"", sessio::escape(&text[..MOST])),
        _ => format!("it is \"{}\"", sessio::escape(text)),
    };
    format!("status {status}, {media_type}: {start}")
}

impl<R: Runtime> Response<R> {
    /// The available bytes of the body, lent from the buffer of the connection; empty at its end.
    /// They are returned again until they are [consumed](Self::consume).
    ///
    /// # Errors
    /// The reason why the body ends early. It is permanent.
    ///
    /// # Cancel safety
    /// The same as for [`chunk`](Self::chunk).
    pub async fn fill_buf(&mut self) -> Result<&[u8]> {
        self.flight.resume();
        self.peek().await.map(Option::unwrap_or_default)
    }

    /// Polls for [`fill_buf`](Self::fill_buf). Implementations of reading traits use it.
    ///
    /// # Errors
    /// Those of [`fill_buf`](Self::fill_buf).
    pub fn poll_fill_buf(&mut self, cx: &mut Context<'_>) -> Poll<Result<&[u8]>> {
        self.poll_peek(cx)
    }

    /// Marks the first `n` of the bytes of [`fill_buf`](Self::fill_buf) as read. If `n` is larger
    /// than their number, the next read fails with [`Kind::Misuse`].
    pub fn consume(&mut self, n: usize) {
        self.take(n);
    }

    /// Reads the next bytes of the body into `room`, which is not empty, and returns their number;
    /// 0 is its end.
    ///
    /// # Errors
    /// The reason why the body ends early.
    ///
    /// # Cancel safety
    /// The same as for [`chunk`](Self::chunk).
    pub async fn read(&mut self, room: &mut [u8]) -> Result<usize> {
        self.read_into(room).await
    }

    /// Passes the unread body to `write` as it is received, and returns the number of bytes.
    /// `write` is polled with bytes, and returns how many of them it took. The caller flushes the
    /// bytes that `write` buffers.
    ///
    /// # Errors
    /// The bytes before an error are written.
    ///
    /// - The reason why the body ends early.
    /// - Any error of `write`.
    /// - [`WriteZero`](std::io::ErrorKind::WriteZero): `write` took nothing.
    ///
    /// # Cancel safety
    /// Dropping the future loses no bytes: those that `write` has not taken remain in the response.
    pub async fn copy_with(
        &mut self,
        write: impl FnMut(&mut Context<'_>, &[u8]) -> Poll<io::Result<usize>>,
    ) -> io::Result<u64> {
        self.pump(write).await
    }
}
