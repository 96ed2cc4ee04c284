//! The jar of a session as a file.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sessio::cookie::{Format, Keep, Loaded, Saved};

use crate::draft::Draft;
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
    /// An error of the file system, with the path. The old file is unchanged then. Cookies that the
    /// format cannot express are no error: the returned value lists them.
    pub fn save_cookies(&self, path: impl AsRef<Path>, format: Format, keep: Keep) -> io::Result<Saved> {
        let mut text = Vec::new();
        let now = self.runtime().now().wall;
        let saved = self.cookies(|jar| jar.write(format, keep, now, &mut text));
        let path = path.as_ref();
        let written = Draft::of(path).and_then(|mut draft| {
            draft.write_all(&text)?;
            draft.publish()
        });
        written.map(|()| saved).map_err(|error| failure("write", path, error))
    }

    /// Adds the cookies of a file in any [`Format`] to the jar. They pass the same checks as
    /// cookies of responses. Expired cookies are skipped.
    ///
    /// The calling thread reads the file. Other requests of the session do not wait for it.
    ///
    /// # Errors
    /// An error of the file system, with the path. An unusable line is no error: the returned value
    /// lists it, and all other lines are read.
    pub fn load_cookies(&self, path: impl AsRef<Path>) -> io::Result<Loaded> {
        let path = path.as_ref();
        let text = fs::read(path).map_err(|error| failure("read", path, error))?;
        let now = self.runtime().now().wall;
        Ok(self.cookies(|jar| jar.read(&text, now)))
    }
}

/// An error of the file system, with its operation and path.
#[derive(Debug)]
struct FileFailure {
    act: &'static str,
    path: PathBuf,
    error: io::Error,
}

fn failure(act: &'static str, path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), FileFailure { act, path: path.to_owned(), error })
}

impl fmt::Display for FileFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} the cookies in {}: {}", self.act, self.path.display(), self.error)
    }
}

impl std::error::Error for FileFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
