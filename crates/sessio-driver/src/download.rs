//! Saves a body to a file.

use std::io::Write as _;
use std::path::Path;

use sessio::Result;

use crate::atomic_file::AtomicFile;
use crate::file_failure::failure;
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
    /// - [`Kind::File`](sessio::Kind::File): an error of the file system, with the path.
    ///   [`Error::io_kind`](sessio::Error::io_kind) is its kind.
    /// - [`Kind::PartlyRead`](sessio::Kind::PartlyRead): a part of the body was read before.
    /// - The reason why the body is incomplete.
    async {
        /// ```no_run
        /// # async fn load<R: sessio_driver::Runtime>(session: sessio_driver::Session<R>) -> sessio::Result<()> {
        /// let response = session.get("http://localhost:8080/archive").send().await?;
        /// response.error_for_status()?.save("archive").await?;
        /// # Ok(())
        /// # }
        /// ```
        ///
        /// # Cancel safety
        /// Dropping the future drops the response, and leaves no file.
    }
    pub fn save[](self, path: impl AsRef<Path>) -> Result<u64> {
        let path = path.as_ref();
        let failed = |error| failure("write the body to", path, error);
        let mut response = self.unread()?;
        let mut draft = AtomicFile::ordinary(path).map_err(failed)?;
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
        draft.commit().map_err(failed)?;
        Ok(count)
    }
}
