//! Files of the standard library.

use std::fs::{File, Metadata};
use std::io::{self, Seek as _, SeekFrom};
use std::path::Path;
use std::task::{Context, Poll};

use sessio_driver::Files;

use crate::reader::read;
use crate::runtime::Blocking;

impl Files for Blocking {
    type File = File;

    async fn open(path: &Path) -> io::Result<File> {
        File::open(path)
    }

    async fn metadata(file: &File) -> io::Result<Metadata> {
        file.metadata()
    }

    fn poll_read(file: &mut File, _: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        read(file, room)
    }

    fn poll_seek(file: &mut File, _: &mut Context<'_>, to: SeekFrom, _: &mut bool) -> Poll<io::Result<u64>> {
        Poll::Ready(file.seek(to))
    }
}
