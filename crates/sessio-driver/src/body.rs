//! The body of a response, read on demand.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use sessio::{Bytes, Error, Kind, Result};

use crate::response::Response;
use crate::runtime::Runtime;

impl<R: Runtime, M> Response<R, M> {
    async fn hand_to(&mut self, read: impl FnOnce(&[u8])) -> Result<bool> {
        let Some(bytes) = self.peek().await? else { return Ok(false) };
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

    /// As [`peek`](Self::peek), for callers that are polled. No bytes are the end.
    pub(crate) fn poll_peek(&mut self, cx: &mut Context<'_>) -> Poll<Result<&[u8]>> {
        self.flight.resume();
        if !ready!(self.flight.poll_body(cx))? {
            return Poll::Ready(Ok(&[]));
        }
        Poll::Ready(Ok(self.flight.body()))
    }

    /// The next bytes of the body, no bytes at its end. They stay until they are [taken](Self::take).
    pub(crate) async fn next_bytes(&mut self) -> Result<&[u8]> {
        self.flight.resume();
        self.peek().await.map(Option::unwrap_or_default)
    }

    /// Takes the first `n` of those bytes.
    pub(crate) fn take(&mut self, n: usize) {
        // A caller that reads to the end takes no bytes of no bytes.
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

    /// Hands the body to `write` as it comes, and says how many bytes that was.
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

    /// All bytes of the body that were not read.
    async fn unread_bytes(mut self) -> Result<Bytes> {
        // A length is only a server's word: memory is taken for what has come, and a little ahead.
        const AHEAD: u64 = 1024 * 1024;
        let expected = self.content_length().unwrap_or(0).min(AHEAD);
        let mut body = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
        self.flight.resume();
        while self.hand_to(|bytes| body.extend_from_slice(bytes)).await? {}
        Ok(body.into())
    }
}

in_both_modes! { Response:
    /// The next bytes of the body, straight out of the connection's buffer; `None` at its end.
    ///
    /// # Errors
    /// The reason why the body ends early.
    async {
        /// # Cancel safety
        /// Dropping the future loses nothing: the next call goes on.
    }
    pub fn chunk[](&mut self) -> Result<Option<Bytes>> {
        self.flight.resume();
        let chunk = self.peek().await?.map(Bytes::copy_from_slice);
        if let Some(bytes) = &chunk {
            self.flight.call.consume(bytes.len());
        }
        Ok(chunk)
    }

    /// Hands the next bytes of the body to `read`, without copying them; says whether there were any.
    ///
    /// # Errors
    /// The reason why the body ends early.
    async {
        /// # Cancel safety
        /// As [`chunk`](Self::chunk).
    }
    pub fn read_with[](&mut self, read: impl FnOnce(&[u8])) -> Result<bool> {
        self.flight.resume();
        self.hand_to(read).await
    }

    /// The whole body.
    ///
    /// # Errors
    /// The reason why it is not whole. [`chunk`](Self::chunk) keeps what comes before that.
    /// [`Kind::PartlyRead`] if a part of it was read before: [`rest`](Self::rest) is what is left then.
    async {
        /// # Cancel safety
        /// Dropping the future drops the response, and closes the connection if the body was not at its end.
    }
    pub fn bytes[](self) -> Result<Bytes> {
        self.unread()?.unread_bytes().await
    }

    /// What is left of the body: all of it, less what was read before.
    ///
    /// # Errors
    /// The reason why it does not come to its end.
    async {
        /// # Cancel safety
        /// As [`bytes`](Self::bytes).
    }
    pub fn rest[](self) -> Result<Bytes> {
        self.unread_bytes().await
    }

    /// The whole body as text. The charset is that of its byte order mark, else UTF-8 if it is JSON, else that of
    /// the Content-Type, else UTF-8. What is not valid becomes U+FFFD, and a byte order mark goes.
    ///
    /// Known are UTF-8 and ISO 8859-1, and with the feature `charset` all of the Encoding standard; what is not
    /// known is read as UTF-8.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    async {
        /// # Cancel safety
        /// As [`bytes`](Self::bytes).
    }
    pub fn text[](self) -> Result<String> {
        let charset = self.charset().map(str::to_owned);
        let body = self.unread()?.unread_bytes().await?;
        Ok(sessio::text::decode(charset.as_deref(), &body))
    }

    /// The whole body as text in this charset, whatever the Content-Type says; a byte order mark still counts.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and [`Kind::InvalidBody`] if the charset is not [known](sessio::text::is_known).
    async {
        /// # Cancel safety
        /// As [`bytes`](Self::bytes).
    }
    pub fn text_with_charset[](self, charset: &str) -> Result<String> {
        if !sessio::text::is_known(charset) {
            let detail = format!("the charset {} is not known", sessio::escape(charset.as_bytes()));
            return Err(Error::new(Kind::InvalidBody).with_detail(detail).with_url(self.url()));
        }
        let body = self.unread()?.unread_bytes().await?;
        Ok(sessio::text::decode(Some(charset), &body))
    }

    /// The whole body as JSON.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes), and [`Kind::InvalidBody`] if it is not the JSON that was expected.
    #[cfg(feature = "json")]
    async {
        /// # Cancel safety
        /// As [`bytes`](Self::bytes).
    }
    pub fn json[T: serde::de::DeserializeOwned](self) -> Result<T> {
        let url = self.url().clone();
        let body = self.unread()?.unread_bytes().await?;
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&body);
        serde_json::from_slice(body)
            .map_err(|error| Error::new(Kind::InvalidBody).with_url(&url).with_source(error))
    }
}

impl<R: Runtime> Response<R> {
    /// The bytes of the body that are there, straight out of the connection's buffer; none at its end. They are
    /// told again until they are [consumed](Self::consume).
    ///
    /// # Errors
    /// Why the body ends before its end. It stays an error.
    ///
    /// # Cancel safety
    /// As [`chunk`](Self::chunk).
    pub async fn fill_buf(&mut self) -> Result<&[u8]> {
        self.flight.resume();
        self.peek().await.map(Option::unwrap_or_default)
    }

    /// As [`fill_buf`](Self::fill_buf), for whoever is polled: the door to every trait of reading.
    ///
    /// # Errors
    /// As [`fill_buf`](Self::fill_buf).
    pub fn poll_fill_buf(&mut self, cx: &mut Context<'_>) -> Poll<Result<&[u8]>> {
        self.poll_peek(cx)
    }

    /// The first `n` bytes of those that [`fill_buf`](Self::fill_buf) told were read. More of them than were
    /// told are [`Kind::Misuse`], of which the next read tells.
    pub fn consume(&mut self, n: usize) {
        self.take(n);
    }

    /// Reads the next bytes of the body into `room`, which is not empty, and says how many; 0 is its end.
    ///
    /// # Errors
    /// Why the body ends before its end.
    ///
    /// # Cancel safety
    /// As [`chunk`](Self::chunk).
    pub async fn read(&mut self, room: &mut [u8]) -> Result<usize> {
        self.read_into(room).await
    }

    /// Hands the body on as it comes, from here on: to `write`, which is polled with bytes and says how many of them it
    /// took. Says how many it was. What `write` holds back is for the caller to flush.
    ///
    /// # Errors
    /// Why the body ends before its end, and what `write` says: what was written until then was written.
    /// [`WriteZero`](std::io::ErrorKind::WriteZero) if it takes nothing.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing that `write` has not taken.
    pub async fn copy_with(
        &mut self,
        write: impl FnMut(&mut Context<'_>, &[u8]) -> Poll<io::Result<usize>>,
    ) -> io::Result<u64> {
        self.pump(write).await
    }
}
