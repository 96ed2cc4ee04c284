//! Folders that tests write into.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// An empty folder that no other test uses. It is removed on drop.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes a new folder.
    ///
    /// # Panics
    ///
    /// If the temporary folder of the system cannot be written to.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "one does not come by a folder by default")]
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("sessio-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        // Left over from a process with this id that was killed.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("a folder of our own");
        Self(path)
    }

    /// The path of a file in it.
    #[must_use]
    pub fn file(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }

    /// The names in the folder, sorted.
    ///
    /// # Panics
    ///
    /// If the folder is gone.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("the folder is there");
        let mut names: Vec<_> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
