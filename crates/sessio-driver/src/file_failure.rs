//! Errors of the file system, with their path.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// An error of the file system, with its operation and path.
#[derive(Debug)]
struct FileFailure {
    act: &'static str,
    path: PathBuf,
    error: io::Error,
}

/// Adds the operation and the path to an error of the file system.
#[cold]
pub(crate) fn failure(act: &'static str, path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), FileFailure { act, path: path.to_owned(), error })
}

impl fmt::Display for FileFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.act, self.path.display(), self.error)
    }
}

impl std::error::Error for FileFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
