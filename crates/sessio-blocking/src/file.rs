//! Files as bodies of requests and as parts of forms.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::task::{Context, Poll};

use sessio_driver::multipart::Part;
use sessio_driver::{Feed, Source};

use crate::reader::ReaderSource;

/// A part from the file at `path`: its name is the last component of the path. No type is said unless
/// [asked for](Part::content_type) (rule P-50). See [`file()`].
///
/// # Errors
/// Why the file cannot be opened.
pub fn open(path: impl AsRef<Path>) -> io::Result<Part> {
    let path = path.as_ref();
    let part = file(File::open(path)?)?;
    Ok(match path.file_name() {
        Some(name) => part.file_name(name.to_string_lossy()),
        None => part,
    })
}

/// A part from an open file: see [`upload::file`](crate::upload::file).
///
/// # Errors
/// Whatever the system says.
pub fn file(file: File) -> io::Result<Part> {
    feed(file).map(Part::feed)
}

/// The file at `path`, for [`RequestBuilder::feed`](crate::RequestBuilder::feed). See [`file()`](crate::upload::file).
///
/// # Errors
/// Why the file cannot be opened.
pub fn open_feed(path: impl AsRef<Path>) -> io::Result<Feed> {
    feed(File::open(path)?)
}

/// An open file, for [`RequestBuilder::feed`](crate::RequestBuilder::feed): from where it stands to its end as it is now
/// (rule U-17), with that length; what is added to it later is not sent, and if it shrinks the request is aborted. It can
/// be sent again, as redirects and challenges want it. What is no regular file, such as a pipe, is read to its end, in
/// chunks and once.
///
/// # Errors
/// Whatever the system says.
pub fn feed(mut file: File) -> io::Result<Feed> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(Feed::new(ReaderSource::new(file), None, false));
    }
    let start = file.stream_position()?;
    let length = metadata.len().saturating_sub(start);
    Ok(Feed::new(FileSource { file, start, length, left: length }, Some(length), true))
}

/// A stretch of a file.
struct FileSource {
    file: File,
    start: u64,
    length: u64,
    left: u64,
}

impl Source for FileSource {
    fn poll_fill(&mut self, _: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let most = usize::try_from(self.left).map_or(room.len(), |left| left.min(room.len()));
        loop {
            match self.file.read(&mut room[..most]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(n) => {
                    self.left = self.left.saturating_sub(n as u64);
                    return Poll::Ready(Ok(n));
                }
            }
        }
    }

    fn poll_rewind(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.left = self.length;
        Poll::Ready(self.file.seek(SeekFrom::Start(self.start)).map(drop))
    }
}
