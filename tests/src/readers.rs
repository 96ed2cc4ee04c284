//! Readers and writers of a runtime: those of `futures-io` on any backend.

use std::io;
use std::task::{Context, Poll};

use sessio_driver::{ReadFrom, Runtime, WriteTo};
use sessio_smol::Smol;

use crate::faulty_runtime::FaultyRuntime;

impl<R: Runtime, T> ReadFrom<T> for FaultyRuntime<R>
where
    Smol: ReadFrom<T>,
{
    type Reader = <Smol as ReadFrom<T>>::Reader;

    fn reader(reader: T) -> Self::Reader {
        Smol::reader(reader)
    }

    fn poll_read(
        reader: &mut Self::Reader,
        cx: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Smol::poll_read(reader, cx, room)
    }
}

impl<R: Runtime, W> WriteTo<W> for FaultyRuntime<R>
where
    Smol: WriteTo<W>,
{
    type Writer = <Smol as WriteTo<W>>::Writer;

    fn writer(writer: W) -> Self::Writer {
        Smol::writer(writer)
    }

    fn poll_write(writer: &mut Self::Writer, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Smol::poll_write(writer, cx, bytes)
    }

    fn poll_flush(writer: &mut Self::Writer, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Smol::poll_flush(writer, cx)
    }
}
