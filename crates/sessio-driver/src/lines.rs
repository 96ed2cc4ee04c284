//! The lines of a body.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use sessio::text::Decoder;
use sessio::{Error, Result};

use crate::mode::Async;
use crate::response::Response;
use crate::runtime::Runtime;

/// The lines of a response's body, each as soon as its end has been received: see
/// [`Response::lines`].
pub struct Lines<R: Runtime, M = Async> {
    response: Response<R, M>,
    decoder: Decoder,
    text: String,
    lines: sessio::lines::Lines,
    is_over: bool,
    /// A stream or an iterator has returned an error.
    pub(crate) has_failed: bool,
}

impl<R: Runtime, M> Response<R, M> {
    /// The unread body line by line. A line ends with LF, CRLF or CR. It is decoded to text as by
    /// [`text`](Self::text).
    #[must_use]
    pub fn lines(self) -> Lines<R, M> {
        Lines {
            decoder: Decoder::new(self.charset()),
            text: String::new(),
            lines: sessio::lines::Lines::new(self.options().limits.line_bytes),
            is_over: false,
            has_failed: false,
            response: self,
        }
    }
}

impl<R: Runtime, M> Lines<R, M> {
    /// The next line.
    pub(crate) fn poll_line(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<String>>> {
        loop {
            match self.lines.pop() {
                Ok(Some(line)) => return Poll::Ready(Ok(Some(String::from_utf8_lossy(line).into_owned()))),
                Ok(None) if self.is_over => return Poll::Ready(Ok(None)),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Err(Error::from(error).with_url(self.response.url()))),
            }
            let bytes = ready!(self.response.poll_peek(cx))?;
            let n = bytes.len();
            if n == 0 {
                self.decoder.finish(&mut self.text);
                self.is_over = true;
            } else {
                self.decoder.push(bytes, &mut self.text);
                self.response.take(n);
            }
            self.lines.push(self.text.as_bytes());
            self.text.clear();
            if self.is_over {
                self.lines.finish();
            }
        }
    }

    /// The response: its head and, after the last line, its trailers.
    #[must_use]
    pub fn response(&self) -> &Response<R, M> {
        &self.response
    }
}

impl<R: Runtime> Lines<R> {
    /// The next line, without its end; `None` after the last one.
    ///
    /// ```no_run
    /// # async fn read<R: sessio_driver::Runtime>(session: sessio_driver::Session<R>) -> sessio::Result<()> {
    /// let mut lines = session.get("http://localhost:8080/stream/3").send().await?.lines();
    /// while let Some(line) = lines.next().await? {
    ///     println!("{line}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// - The reason why the body ends early. A truncated line is never returned.
    /// - [`Kind::LineTooLong`](sessio::Kind::LineTooLong): a line exceeds `limits.line_bytes`.
    ///
    /// Both are permanent.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: the next call continues.
    #[allow(clippy::should_implement_trait, reason = "it is asynchronous")]
    pub async fn next(&mut self) -> Result<Option<String>> {
        poll_fn(|cx| self.poll_line(cx)).await
    }

    /// Polls for the next line, like [`next`](Self::next).
    ///
    /// # Errors
    /// Those of [`next`](Self::next).
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<String>>> {
        self.poll_line(cx)
    }
}

impl<R: Runtime, M> fmt::Debug for Lines<R, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("response", &self.response).finish_non_exhaustive()
    }
}
