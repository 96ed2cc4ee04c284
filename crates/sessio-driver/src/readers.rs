//! Readers and writers of a runtime: its asynchronous traits, or those of `std`.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use crate::builder::RequestBuilder;
use crate::response::Response;
use crate::runtime::Runtime;
use crate::source::Source;

/// A runtime that reads from `T`, by its asynchronous traits or those of `std`.
pub trait ReadFrom<T>: Runtime {
    /// The stored form of the reader, for example pinned.
    type Reader: Send + 'static;

    /// Converts a reader to its stored form.
    fn reader(reader: T) -> Self::Reader;

    /// Reads into `room`, which is not empty; 0 is the end.
    ///
    /// # Errors
    /// Those of the reader. Interrupted reads are repeated.
    fn poll_read(reader: &mut Self::Reader, cx: &mut Context<'_>, room: &mut [u8])
    -> Poll<io::Result<usize>>;
}

/// A runtime that writes to `W`, by its asynchronous traits or those of `std`.
pub trait WriteTo<W>: Runtime {
    /// The stored form of the writer, for example pinned.
    type Writer;

    /// Converts a writer to its stored form.
    fn writer(writer: W) -> Self::Writer;

    /// Writes from `bytes`, which is not empty.
    ///
    /// # Errors
    /// Those of the writer. Interrupted writes are repeated.
    fn poll_write(writer: &mut Self::Writer, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Flushes the writer.
    ///
    /// # Errors
    /// Those of the writer.
    fn poll_flush(writer: &mut Self::Writer, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// A reader as the body of a request, or as a part of a form. It is read only when the connection
/// can take more, and it cannot start over.
pub struct ReaderSource<R: ReadFrom<T>, T>(R::Reader);

impl<R: ReadFrom<T>, T> ReaderSource<R, T> {
    /// Reads from this reader.
    #[must_use]
    pub fn new(reader: T) -> Self {
        Self(R::reader(reader))
    }
}

impl<R: ReadFrom<T>, T: 'static> Source for ReaderSource<R, T> {
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        R::poll_read(&mut self.0, cx, room)
    }
}

impl<R: ReadFrom<T>, T> fmt::Debug for ReaderSource<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReaderSource")
    }
}

impl<R: Runtime, M> RequestBuilder<R, M> {
    /// Sends the bytes of `reader` as the body: `length` bytes, or chunks until the reader ends.
    pub fn reader<T: 'static>(self, reader: T, length: Option<u64>) -> Self
    where
        R: ReadFrom<T>,
    {
        self.source(ReaderSource::<R, T>::new(reader), length, false)
    }
}

in_both_modes! { Response:
    /// Writes the unread body to `writer` as it is received, flushes the writer, and returns the
    /// number of bytes.
    ///
    /// # Errors
    /// The reason why the body ends early, and errors of the writer. The bytes before that are
    /// written.
    async {
        /// # Cancel safety
        /// Dropping the future loses no bytes: those that the writer has not taken remain in the
        /// response.
    }
    pub fn copy_to[W](&mut self, writer: W) -> io::Result<u64> where [R: WriteTo<W>] {
        let mut writer = R::writer(writer);
        let count = self.pump(|cx, bytes| R::poll_write(&mut writer, cx, bytes)).await?;
        poll_fn(|cx| R::poll_flush(&mut writer, cx)).await?;
        Ok(count)
    }
}
