//! The jar of a session as a file.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use sessio::Result;
use sessio::cookie::{Format, Keep, Loaded, Saved};

use crate::atomic_file::AtomicFile;
use crate::file_failure::failure;
use crate::runtime::Runtime;
use crate::session::Session;

impl<R: Runtime, M> Session<R, M> {
    /// Writes the jar to a file. The file is written beside the old one and replaces it in one
    /// step, so it is complete or unchanged. On Unix only its owner may read it (mode 0600),
    /// because it contains logins. A killed process may leave an unfinished file beside it. On Unix
    /// the next `save_cookies` to the same path removes it.
    ///
    /// The calling thread writes the file. Other requests of the session do not wait for it.
    ///
    /// # Errors
    /// [`Kind::File`](sessio::Kind::File), with the path. The old file is unchanged then. Cookies that the
    /// format cannot express are no error: the returned value lists them.
    pub fn save_cookies(&self, path: impl AsRef<Path>, format: Format, keep: Keep) -> Result<Saved> {
        let mut text = Vec::new();
        let now = self.runtime().now().wall;
        let saved = self.cookies(|jar| jar.write(format, keep, now, &mut text));
        let path = path.as_ref();
        let written = AtomicFile::of(path).and_then(|mut draft| {
            draft.write_all(&text)?;
            draft.commit()
        });
        written.map_err(|error| failure("write the cookies to", path, error))?;
        Ok(saved)
    }

    /// Adds the cookies of a file in any [`Format`] to the jar. They pass the same checks as
    /// cookies of responses. Expired cookies are skipped.
    ///
    /// The calling thread reads the file. Other requests of the session do not wait for it.
    ///
    /// # Errors
    /// [`Kind::File`](sessio::Kind::File), with the path. An unusable line is no error: the returned value
    /// lists it, and all other lines are read.
    pub fn load_cookies(&self, path: impl AsRef<Path>) -> Result<Loaded> {
        let path = path.as_ref();
        let text = fs::read(path).map_err(|error| failure("read the cookies in", path, error))?;
        let now = self.runtime().now().wall;
        Ok(self.cookies(|jar| jar.read(&text, now)))
    }
}
