//! Saves a body to a file.

use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::draft::Draft;
use crate::response::Response;

in_both_modes! { Response:
    /// Writes the whole body to a file, and returns its length in bytes. The file is written beside
    /// its target and moved there in one step, so it is complete or absent. A truncated body leaves
    /// the old file, or none.
    ///
    /// The file has the permissions of the one that it replaces, or of a new one. A link is kept,
    /// and its target is replaced. A device or a pipe is not replaced;
    /// [`copy_with`](Self::copy_with) can write to it. A killed process may leave an unfinished
    /// file beside the target. On Unix the next `save` to the same target removes it.
    ///
    /// The body is saved whatever the status is: see [`error_for_status`](Self::error_for_status).
    /// The calling thread waits for the file system.
    ///
    /// # Errors
    /// - An error of the file system, with the path.
    /// - An [`io::Error`] that contains the [`Error`](sessio::Error): the reason why the body is
    ///   incomplete, or [`Kind::PartlyRead`](sessio::Kind::PartlyRead) if a part of it was read
    ///   before.
    async {
        /// ```no_run
        /// # async fn load<R: sessio_driver::Runtime>(session: sessio_driver::Session<R>) -> Result<(), Box<dyn std::error::Error>>
        /// # where R::Stream: Send {
        /// let response = session.get("http://localhost:8080/archive").send().await?;
        /// response.error_for_status().map_err(sessio::Error::from)?.save("archive").await?;
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Cancel safety
        /// Dropping the future drops the response, and leaves no file.
    }
    pub fn save[](self, path: impl AsRef<Path>) -> io::Result<u64> {
        let path = path.as_ref();
        let failed = |error| failure(path, error);
        let mut response = self.unread()?;
        let mut draft = Draft::ordinary(path).map_err(failed)?;
        let mut count = 0;
        loop {
            let bytes = response.next_bytes().await?;
            if bytes.is_empty() {
                break;
            }
            draft.write_all(bytes).map_err(failed)?;
            let n = bytes.len();
            response.take(n);
            count += n as u64;
        }
        draft.publish().map_err(failed)?;
        Ok(count)
    }
}

/// An error of the file system, with its path.
#[derive(Debug)]
struct FileFailure {
    path: PathBuf,
    error: io::Error,
}

pub(crate) fn failure(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), FileFailure { path: path.to_owned(), error })
}

impl fmt::Display for FileFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write the body to {}: {}", self.path.display(), self.error)
    }
}

impl std::error::Error for FileFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
