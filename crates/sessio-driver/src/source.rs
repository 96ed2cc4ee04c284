//! Sources of request bodies that are read piece by piece.

use std::fmt;
use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use sessio::Headers;

/// The source of a streamed request body.
///
/// The future of the request polls it, only when the connection can take more: a slow server slows
/// the source down. After an early response, reads of the [response](crate::Response) poll it.
pub trait Source: Send + 'static {
    /// Fills the start of `room` and returns the number of bytes; 0 is the end of the body.
    ///
    /// # Errors
    /// Any error aborts the request, so that no server takes a part for the whole.
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>>;

    /// The next piece of the body, if it is in memory that can be shared. It is sent without a
    /// copy. Empty bytes are the end of the body. `None` means that there is no such memory now,
    /// and [`poll_fill`](Self::poll_fill) is called. Default: `None`.
    ///
    /// # Errors
    /// Those of [`poll_fill`](Self::poll_fill).
    fn poll_piece(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<Option<Bytes>>> {
        Poll::Ready(Ok(None))
    }

    /// The trailer fields, requested once the body has ended. They need a body of unknown length.
    /// Only some names are allowed in trailers (RFC 9110 section 6.5.1), and others fail the
    /// request. Default: none.
    fn trailers(&mut self) -> Headers {
        Headers::new()
    }

    /// Goes back to the start, for a redirect, a challenge or a retry that needs the body again. It
    /// is called only if the body was declared to be replayable.
    ///
    /// # Errors
    /// Any error ends the call. The default is [`Unsupported`](io::ErrorKind::Unsupported): the
    /// source cannot start over.
    fn poll_rewind(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

/// A [`Source`] with its length: for the [body](crate::RequestBuilder::feed) of a request, or a
/// [part](crate::multipart::Part::feed) of a form. A backend makes one of a file.
pub struct Feed {
    pub(crate) source: Box<dyn Source>,
    pub(crate) length: Option<u64>,
    pub(crate) is_replayable: bool,
}

impl Feed {
    /// A source of `length` bytes; `None` if the length is unknown. `is_replayable` means that the
    /// source can start over.
    #[must_use]
    pub fn new(source: impl Source, length: Option<u64>, is_replayable: bool) -> Self {
        Self { source: Box::new(source), length, is_replayable }
    }

    /// The length in bytes; `None` if it is unknown before the end.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Whether it can be sent again, for a redirect, a challenge or a retry.
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
