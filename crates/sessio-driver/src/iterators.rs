//! Bodies of blocking sessions, as readers of `std` and as iterators.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, BufRead, Read};

use sessio::sse::Event;
use sessio::{Bytes, Result};

use crate::events::Events;
use crate::lines::Lines;
use crate::mode::{BlockOn, Blocking};
use crate::response::Response;
use crate::runtime::Runtime;

/// Reads the body. The error of a truncated body has the [`io::ErrorKind`] of its
/// [`Error`](sessio::Error), and contains that error.
impl<R: BlockOn> Read for Response<R, Blocking> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        R::block_on(self.read_into(room)).map_err(io::Error::from)
    }
}

/// Lends the buffer of the connection. No byte is copied, and a line needs no system call.
impl<R: BlockOn> BufRead for Response<R, Blocking> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        R::block_on(self.next_bytes()).map_err(io::Error::from)
    }

    fn consume(&mut self, n: usize) {
        self.take(n);
    }
}

/// The pieces of a body as they are received: see [`Response::chunks`]. An error is the last item.
pub struct Chunks<R: Runtime> {
    response: Response<R, Blocking>,
    has_failed: bool,
}

impl<R: BlockOn> Response<R, Blocking> {
    /// The unread body in pieces as they are received. An error is the last item.
    #[must_use]
    pub fn chunks(self) -> Chunks<R> {
        Chunks { response: self, has_failed: false }
    }
}

impl<R: Runtime> Chunks<R> {
    /// The response: its head and, after the last piece, its trailers.
    #[must_use]
    pub fn response(&self) -> &Response<R, Blocking> {
        &self.response
    }
}

impl<R: BlockOn> Iterator for Chunks<R> {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        let response = &mut self.response;
        next(&mut self.has_failed, || response.chunk())
    }
}

/// Each line as soon as its end has been received. An error is the last item.
impl<R: BlockOn> Iterator for Lines<R, Blocking> {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut has_failed = self.has_failed;
        let line = next(&mut has_failed, || R::block_on(poll_fn(|cx| self.poll_line(cx))));
        self.has_failed = has_failed;
        line
    }
}

/// Each event as soon as it has been received. An error is the last item.
impl<R: BlockOn> Iterator for Events<R, Blocking> {
    type Item = Result<Event>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut has_failed = self.has_failed;
        let event = next(&mut has_failed, || R::block_on(poll_fn(|cx| self.poll_event(cx))));
        self.has_failed = has_failed;
        event
    }
}

/// Ends after the first error. An iterator that repeats its error would never end for a caller that
/// skips errors.
fn next<T>(has_failed: &mut bool, item: impl FnOnce() -> Result<Option<T>>) -> Option<Result<T>> {
    if *has_failed {
        return None;
    }
    let item = item();
    *has_failed = item.is_err();
    item.transpose()
}

impl<R: Runtime> fmt::Debug for Chunks<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").field("response", &self.response).finish_non_exhaustive()
    }
}
