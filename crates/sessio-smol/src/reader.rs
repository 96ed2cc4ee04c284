//! Readers and writers of smol, which are those of `futures-io`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use sessio_driver::{ReadFrom, WriteTo};
use smol::io::{AsyncRead, AsyncWrite};

use crate::runtime::Smol;

impl<T: AsyncRead + Send + 'static> ReadFrom<T> for Smol {
    type Reader = Pin<Box<T>>;

    fn reader(reader: T) -> Self::Reader {
        Box::pin(reader)
    }

    fn poll_read(reader: &mut Pin<Box<T>>, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        reader.as_mut().poll_read(cx, room)
    }
}

impl<W: AsyncWrite> WriteTo<W> for Smol {
    type Writer = Pin<Box<W>>;

    fn writer(writer: W) -> Self::Writer {
        Box::pin(writer)
    }

    fn poll_write(writer: &mut Pin<Box<W>>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        writer.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(writer: &mut Pin<Box<W>>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        writer.as_mut().poll_flush(cx)
    }
}
