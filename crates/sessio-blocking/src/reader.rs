//! Readers as bodies of requests.

use std::fmt;
use std::io::{self, Read};
use std::task::{Context, Poll};

use sessio_driver::Source;

/// A [`Read`] as the body of a request or as a part of a form. It is read only when the connection can take more, and
/// cannot start over.
pub struct ReaderSource<T>(T);

impl<T: Read> ReaderSource<T> {
    /// Reads from this reader.
    #[must_use]
    pub const fn new(reader: T) -> Self {
        Self(reader)
    }
}

impl<T: Read + Send + 'static> Source for ReaderSource<T> {
    fn poll_fill(&mut self, _: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.0.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
    }
}

impl<T> fmt::Debug for ReaderSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReaderSource")
    }
}
