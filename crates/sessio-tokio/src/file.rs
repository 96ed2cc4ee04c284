//! Files as bodies of requests and as parts of forms.

use std::future::poll_fn;
use std::io::{self, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use sessio_driver::multipart::Part;
use sessio_driver::{Feed, Source};
use tokio::fs::File;
use tokio::io::{AsyncRead as _, AsyncSeek as _, ReadBuf};

use crate::reader::ReaderSource;

/// A part from the file at `path`: its name is the last component of the path. No type is said unless
/// [asked for](Part::content_type) (rule P-50). See [`file()`].
///
/// # Errors
/// Why the file cannot be opened.
///
/// # Cancel safety
/// Nothing is lost but the file, which is closed.
pub async fn open(path: impl AsRef<Path>) -> io::Result<Part> {
    let path = path.as_ref();
    let part = file(File::open(path).await?).await?;
    Ok(match path.file_name() {
        Some(name) => part.file_name(name.to_string_lossy()),
        None => part,
    })
}

/// A part from an open file: see [`upload::file`](crate::upload::file).
///
/// # Errors
/// Whatever the system says.
///
/// # Cancel safety
/// Nothing is lost but the file, which is closed.
pub async fn file(file: File) -> io::Result<Part> {
    feed(file).await.map(Part::feed)
}

/// The file at `path`, for [`RequestBuilder::feed`](crate::RequestBuilder::feed). See [`file()`](crate::upload::file).
///
/// # Errors
/// Why the file cannot be opened.
///
/// # Cancel safety
/// Nothing is lost but the file, which is closed.
pub async fn open_feed(path: impl AsRef<Path>) -> io::Result<Feed> {
    feed(File::open(path).await?).await
}

/// An open file, for [`RequestBuilder::feed`](crate::RequestBuilder::feed): from where it stands to its end as it is now
/// (rule U-17), with that length; what is added to it later is not sent, and if it shrinks the request is aborted. It can
/// be sent again, as redirects and challenges want it. What is no regular file, such as a pipe, is read to its end, in
/// chunks and once.
///
/// # Errors
/// Whatever the system says.
///
/// # Cancel safety
/// Nothing is lost but the file, which is closed.
pub async fn feed(mut file: File) -> io::Result<Feed> {
    let metadata = file.metadata().await?;
    if !metadata.is_file() {
        return Ok(Feed::new(ReaderSource::new(file), None, false));
    }
    let start = {
        let mut is_seeking = false;
        poll_fn(|cx| poll_seek(&mut file, &mut is_seeking, SeekFrom::Current(0), cx)).await?
    };
    let length = metadata.len().saturating_sub(start);
    Ok(Feed::new(FileSource { file, start, length, left: length, is_seeking: false }, Some(length), true))
}

/// A stretch of a file.
struct FileSource {
    file: File,
    start: u64,
    length: u64,
    left: u64,
    is_seeking: bool,
}

impl Source for FileSource {
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let most = usize::try_from(self.left).map_or(room.len(), |left| left.min(room.len()));
        let mut room = ReadBuf::new(&mut room[..most]);
        ready!(Pin::new(&mut self.file).poll_read(cx, &mut room))?;
        let n = room.filled().len();
        self.left = self.left.saturating_sub(n as u64);
        Poll::Ready(Ok(n))
    }

    fn poll_rewind(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(poll_seek(&mut self.file, &mut self.is_seeking, SeekFrom::Start(self.start), cx))?;
        self.left = self.length;
        Poll::Ready(Ok(()))
    }
}

/// Goes to a place in the file, and says which one it is. What the file was doing before is brought to its end first.
fn poll_seek(
    file: &mut File,
    is_seeking: &mut bool,
    to: SeekFrom,
    cx: &mut Context<'_>,
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
