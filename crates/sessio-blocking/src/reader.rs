//! Readers and writers of the standard library.

use std::io::{self, Read, Write};
use std::task::{Context, Poll};

use sessio_driver::{ReadFrom, WriteTo};

use crate::runtime::Blocking;

impl<T: Read + Send + 'static> ReadFrom<T> for Blocking {
    type Reader = T;

    fn reader(reader: T) -> T {
        reader
    }

    fn poll_read(reader: &mut T, _: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        read(reader, room)
    }
}

impl<W: Write> WriteTo<W> for Blocking {
    type Writer = W;

    fn writer(writer: W) -> W {
        writer
    }

    fn poll_write(writer: &mut W, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        uninterrupted(|| writer.write(bytes))
    }

    fn poll_flush(writer: &mut W, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        uninterrupted(|| writer.flush())
    }
}

/// Reads in the calling thread.
pub(crate) fn read(reader: &mut impl Read, room: &mut [u8]) -> Poll<io::Result<usize>> {
    uninterrupted(|| reader.read(room))
}

/// Repeats an operation as long as signals interrupt it.
fn uninterrupted<T>(mut act: impl FnMut() -> io::Result<T>) -> Poll<io::Result<T>> {
    loop {
        match act() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return Poll::Ready(done),
        }
    }
}
