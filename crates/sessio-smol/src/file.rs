//! Files of smol.

use std::fs::Metadata;
use std::io::{self, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use sessio_driver::Files;
use smol::fs::File;
use smol::io::{AsyncRead as _, AsyncSeek as _};

use crate::runtime::Smol;

impl Files for Smol {
    type File = File;

    async fn open(path: &Path) -> io::Result<File> {
        File::open(path).await
    }

    async fn metadata(file: &File) -> io::Result<Metadata> {
        file.metadata().await
    }

    fn poll_read(file: &mut File, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(file).poll_read(cx, room)
    }

    fn poll_seek(file: &mut File, cx: &mut Context<'_>, to: SeekFrom, _: &mut bool) -> Poll<io::Result<u64>> {
        Pin::new(file).poll_seek(cx, to)
    }
}
