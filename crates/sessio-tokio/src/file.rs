//! Files of tokio.

use std::fs::Metadata;
use std::io::{self, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use sessio_driver::Files;
use tokio::fs::File;
use tokio::io::{AsyncRead as _, AsyncSeek as _, ReadBuf};

use crate::runtime::Tokio;

impl Files for Tokio {
    type File = File;

    async fn open(path: &Path) -> io::Result<File> {
        File::open(path).await
    }

    async fn metadata(file: &File) -> io::Result<Metadata> {
        file.metadata().await
    }

    fn poll_read(file: &mut File, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut room = ReadBuf::new(room);
        ready!(Pin::new(file).poll_read(cx, &mut room))?;
        Poll::Ready(Ok(room.filled().len()))
    }

    /// Completes the file's pending operation before the seek.
    fn poll_seek(
        file: &mut File,
        cx: &mut Context<'_>,
        to: SeekFrom,
        is_seeking: &mut bool,
    ) -> Poll<io::Result<u64>> {
        let mut file = Pin::new(file);
        if !*is_seeking {
            ready!(file.as_mut().poll_complete(cx))?;
            file.as_mut().start_seek(to)?;
            *is_seeking = true;
        }
        let place = ready!(file.poll_complete(cx));
        *is_seeking = false;
        Poll::Ready(place)
    }
}
