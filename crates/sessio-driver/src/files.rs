//! Files of a runtime, as request bodies and as parts of forms.

use std::fs::Metadata;
use std::future::poll_fn;
use std::io::{self, SeekFrom};
use std::path::Path;
use std::task::{Context, Poll, ready};

use sessio::Result;

use crate::file_failure::failure;
use crate::multipart::Part;
use crate::runtime::Runtime;
use crate::source::{Feed, Source};

/// A runtime that reads files.
pub trait Files: Runtime {
    /// An open file.
    type File: Send + 'static;

    /// Opens the file at `path` for reading.
    ///
    /// # Errors
    /// Those of the system.
    fn open(path: &Path) -> impl Future<Output = io::Result<Self::File>>;

    /// Reads the metadata of a file.
    ///
    /// # Errors
    /// Those of the system.
    fn metadata(file: &Self::File) -> impl Future<Output = io::Result<Metadata>>;

    /// Reads into `room`, which is not empty; 0 is the end.
    ///
    /// # Errors
    /// Those of the system. Interrupted reads are repeated.
    fn poll_read(file: &mut Self::File, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Moves to a position in the file, and returns that position in bytes. `is_seeking` is `false`
    /// at the first poll of each seek. Until the last poll the runtime may use it as it needs.
    ///
    /// # Errors
    /// Those of the system.
    fn poll_seek(
        file: &mut Self::File,
        cx: &mut Context<'_>,
        to: SeekFrom,
        is_seeking: &mut bool,
    ) -> Poll<io::Result<u64>>;
}

/// The part of a form that [`backend!`](crate::backend)'s `multipart::open` makes.
#[doc(hidden)]
pub async fn open_part<R: Files>(path: &Path) -> Result<Part> {
    let part = Part::feed(open_feed::<R>(path).await?);
    Ok(match path.file_name() {
        Some(name) => part.file_name(name.to_string_lossy()),
        None => part,
    })
}

/// The part of a form that [`backend!`](crate::backend)'s `multipart::file` makes.
#[doc(hidden)]
pub async fn part<R: Files>(file: R::File) -> Result<Part> {
    feed::<R>(file).await.map(Part::feed)
}

/// The body that [`backend!`](crate::backend)'s `upload::open` makes.
#[doc(hidden)]
pub async fn open_feed<R: Files>(path: &Path) -> Result<Feed> {
    let failed = |error| failure("open", path, error);
    let file = R::open(path).await.map_err(failed)?;
    Ok(source::<R>(file).await.map_err(failed)?)
}

/// The body that [`backend!`](crate::backend)'s `upload::file` makes.
#[doc(hidden)]
pub async fn feed<R: Files>(file: R::File) -> Result<Feed> {
    Ok(source::<R>(file).await?)
}

/// The rest of a file as a body.
async fn source<R: Files>(mut file: R::File) -> io::Result<Feed> {
    let metadata = R::metadata(&file).await?;
    if !metadata.is_file() {
        return Ok(Feed::new(FileSource::<R>::endless(file), None, false));
    }
    let mut is_seeking = false;
    let here = SeekFrom::Current(0);
    let start = poll_fn(|cx| R::poll_seek(&mut file, cx, here, &mut is_seeking)).await?;
    let length = metadata.len().saturating_sub(start);
    let source = FileSource::<R> { file, start, length, left: length, is_seeking: false };
    Ok(Feed::new(source, Some(length), true))
}

/// A part of a file.
struct FileSource<R: Files> {
    file: R::File,
    start: u64,
    length: u64,
    left: u64,
    is_seeking: bool,
}

impl<R: Files> FileSource<R> {
    /// A file without length and positions, such as a pipe. It is read up to its end.
    fn endless(file: R::File) -> Self {
        Self { file, start: 0, length: u64::MAX, left: u64::MAX, is_seeking: false }
    }
}

impl<R: Files> Source for FileSource<R> {
    fn poll_fill(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let most = usize::try_from(self.left).map_or(room.len(), |left| left.min(room.len()));
        let n = ready!(R::poll_read(&mut self.file, cx, &mut room[..most]))?;
        self.left = self.left.saturating_sub(n as u64);
        Poll::Ready(Ok(n))
    }

    fn poll_rewind(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let start = SeekFrom::Start(self.start);
        ready!(R::poll_seek(&mut self.file, cx, start, &mut self.is_seeking))?;
        self.left = self.length;
        Poll::Ready(Ok(()))
    }
}
