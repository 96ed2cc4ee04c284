//! The jar of a session in a file.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sessio::cookie::{Format, Keep, Loaded, Saved};

use crate::draft::Draft;
use crate::runtime::Runtime;
use crate::session::Session;

impl<R: Runtime, M> Session<R, M> {
    /// Writes the jar to a file, whole or not at all: it is written beside the old one and takes its place at one
    /// stroke. On Unix only its owner may read it (mode 0600), for whoever does has the logins in it.
    /// What a process that was killed has left beside it is removed by the next `save_cookies` to it, on Unix.
    ///
    /// The calling thread writes the file, without holding up other requests of the session.
    ///
    /// # Errors
    /// What the file system says, with the path; the old file is as it was then. Cookies that the format cannot
    /// hold are no error: they are listed in what is returned.
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

    /// Adds the cookies of a file to the jar, whatever [`Format`] it is in. They pass the checks that cookies of
    /// responses pass; those that have ended are passed over.
    ///
    /// The calling thread reads the file, without holding up other requests of the session.
    ///
    /// # Errors
    /// What the file system says, with the path. A line that cannot be used is no error: it is listed in what is
    /// returned, and nothing else is lost.
    pub fn load_cookies(&self, path: impl AsRef<Path>) -> io::Result<Loaded> {
        let path = path.as_ref();
        let text = fs::read(path).map_err(|error| failure("read", path, error))?;
        let now = self.runtime().now().wall;
        Ok(self.cookies(|jar| jar.read(&text, now)))
    }
}

/// What the file system said, and of what.
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
