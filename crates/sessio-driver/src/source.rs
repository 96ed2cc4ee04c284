//! Sources of request bodies that come piece by piece.

use std::fmt;
use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use sessio::Headers;

/// Where the bytes of a streamed request body come from.
///
/// It is polled by the request's own future, and only when the connection can take more: a slow server
/// slows the source down. After an early answer it is the [response](crate::Response) that polls it, while it is read.
pub trait Source: Send + 'static {
    /// Fills the start of `room` and says how much; 0 is the end of the body.
    ///
    /// # Errors
    /// They abort the request, so that no server takes the part for the whole.
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>>;

    /// The next piece of the body where it lies already in memory that can be shared: it goes out from there and is
    /// not copied. No bytes are the end of the body; `None` is a source that has no such memory now, and is asked to
    /// [fill](Self::poll_fill) some.
    ///
    /// # Errors
    /// As [`poll_fill`](Self::poll_fill).
    fn poll_piece(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        Poll::Ready(Ok(None))
    }

    /// The fields that come behind the body, asked for once it has ended; none, unless the source has some. They need a
    /// body of unknown length, and only some names may stand there (RFC 9110 section 6.5.1): others fail the request.
    fn trailers(&mut self) -> Headers {
        Headers::new()
    }

    /// Goes back to the start, for a redirect or a challenge that wants the body again. Called only where
    /// the body was declared to be replayable.
    ///
    /// # Errors
    /// They end the call; the source that cannot start over says so here.
    fn poll_rewind(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

/// A [`Source`], and what is known of it: for the [body](crate::RequestBuilder::feed) of a request, or a
/// [part](crate::multipart::Part::feed) of a form. A backend makes them of files.
pub struct Feed {
    pub(crate) source: Box<dyn Source>,
    pub(crate) length: Option<u64>,
    pub(crate) is_replayable: bool,
}

impl Feed {
    /// What comes piece by piece: `length` bytes, or as many as come. `is_replayable` says whether the source can start
    /// over.
    #[must_use]
    pub fn new(source: impl Source, length: Option<u64>, is_replayable: bool) -> Self {
        Self { source: Box::new(source), length, is_replayable }
    }

    /// How many bytes there are; `None` if that shows only at the end.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Whether it can be sent again, for a redirect or a challenge that wants it.
    #[must_use]
    pub fn is_replayable(&self) -> bool {
        self.is_replayable
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("length", &self.length)
            .field("is_replayable", &self.is_replayable)
            .finish_non_exhaustive()
    }
}
