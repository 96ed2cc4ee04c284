//! Readers and writers of a runtime: of its own traits, or of `std`.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use crate::builder::RequestBuilder;
use crate::response::Response;
use crate::runtime::Runtime;
use crate::source::Source;

/// A runtime that reads from `T`: its traits of asynchronous reading, or those of `std`.
pub trait ReadFrom<T>: Runtime {
    /// The reader, as it is kept: pinned, for one.
    type Reader: Send + 'static;

    /// Keeps a reader.
    fn reader(reader: T) -> Self::Reader;

    /// Reads into `room`, which is not empty; 0 is the end.
    ///
    /// # Errors
    /// Those of the reader. An interruption is none.
    fn poll_read(reader: &mut Self::Reader, cx: &mut Context<'_>, room: &mut [u8])
    -> Poll<io::Result<usize>>;
}

/// A runtime that writes to `W`: its traits of asynchronous writing, or those of `std`.
pub trait WriteTo<W>: Runtime {
    /// The writer, as it is kept: pinned, for one.
    type Writer;

    /// Keeps a writer.
    fn writer(writer: W) -> Self::Writer;

    /// Writes from `bytes`, which is not empty.
    ///
    /// # Errors
    /// Those of the writer. An interruption is none.
    fn poll_write(writer: &mut Self::Writer, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Flushes the writer.
    ///
    /// # Errors
    /// Those of the writer.
    fn poll_flush(writer: &mut Self::Writer, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// A reader as the body of a request, or as a part of a form. It is read only when the connection can take more, and
/// cannot start over.
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
    /// Sends what `reader` reads as the body: `length` bytes, or as many as come.
    pub fn reader<T: 'static>(self, reader: T, length: Option<u64>) -> Self
    where
        R: ReadFrom<T>,
    {
        self.source(ReaderSource::<R, T>::new(reader), length, false)
    }
}

in_both_modes! { Response:
    /// Writes the body to `writer` as it comes, from here on, flushes it, and says how many bytes it was.
    ///
    /// # Errors
    /// The reason why the body ends early, and errors of the writer. Bytes before that were written.
    async {
        /// # Cancel safety
        /// Dropping the future loses nothing that the writer has not taken.
    }
    pub fn copy_to[W](&mut self, writer: W) -> io::Result<u64> where [R: WriteTo<W>] {
        let mut writer = R::writer(writer);
        let count = self.pump(|cx, bytes| R::poll_write(&mut writer, cx, bytes)).await?;
        poll_fn(|cx| R::poll_flush(&mut writer, cx)).await?;
        Ok(count)
    }
}
