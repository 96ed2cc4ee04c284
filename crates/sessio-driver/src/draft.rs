//! A file that takes another's place once it is whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A new file beside the one that it is to replace. Unless it is [published](Self::publish) it goes, and the old one is
/// as it was.
#[derive(Debug)]
pub(crate) struct Draft {
    file: File,
    path: PathBuf,
    target: PathBuf,
}

impl Draft {
    /// Begins what is to become `target`, on Unix for its owner alone (mode 0600). A link stays one: what it points to
    /// is replaced.
    pub(crate) fn of(target: &Path) -> io::Result<Self> {
        Self::begin(target, &owners_alone())
    }

    /// The same for whoever may read new files of this process.
    pub(crate) fn ordinary(target: &Path) -> io::Result<Self> {
        Self::begin(target, &OpenOptions::new())
    }

    fn begin(target: &Path, options: &OpenOptions) -> io::Result<Self> {
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
        let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        loop {
            let path = target.with_file_name(draft_name(name));
            match options.clone().create_new(true).write(true).open(&path) {
                Ok(file) => return Ok(Self { file, path, target }),
                // Left behind by a process of this number that was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Puts it in place of the target, at one stroke: whoever opens that sees the old file or the new one, whole,
    /// even after a power failure.
    pub(crate) fn publish(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.target)?;
        // The new name is an entry of the folder. Not every system opens folders, and by now the file is there.
        if let Some(folder) = self.target.parent().and_then(|folder| File::open(folder).ok()) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Once published there is nothing of this name.
        let _ = fs::remove_file(&self.path);
    }
}

/// A name that no other draft of this machine has.
fn draft_name(target: &std::ffi::OsStr) -> OsString {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut name = OsString::from(".");
    name.push(target);
    name.push(format!(".{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    name
}

fn owners_alone() -> OpenOptions {
    #[allow(unused_mut, reason = "other systems have no modes")]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
mod tests {
    use super::*;

    /// A folder of this test alone.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("sessio-draft-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        folder
    }

    fn names(folder: &Path) -> Vec<OsString> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_not_published_leaves_no_trace() {
        let folder = folder("dropped");
        let target = folder.join("jar");
        fs::write(&target, "old").unwrap();
        let mut draft = Draft::of(&target).unwrap();
        draft.write_all(b"ne").unwrap();
        assert_eq!(names(&folder).len(), 2);
        drop(draft);
        assert_eq!(names(&folder), ["jar"]);
        assert_eq!(fs::read(&target).unwrap(), b"old");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_cannot_take_the_place_leaves_no_trace() {
        let folder = folder("taken");
        let target = folder.join("jar");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("inside"), "old").unwrap();
        Draft::of(&target).unwrap().publish().unwrap_err();
        assert_eq!((names(&folder), names(&target)), (vec!["jar".into()], vec!["inside".into()]));
        for nowhere in [folder.join("missing/jar"), PathBuf::from("/"), PathBuf::new()] {
            Draft::of(&nowhere).unwrap_err();
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn it_is_the_owners_alone_and_a_link_stays_one() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = folder("mode");
        let (target, link) = (folder.join("jar"), folder.join("link"));
        fs::write(&target, "old").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).unwrap();
        symlink(&target, &link).unwrap();
        let mut draft = Draft::of(&link).unwrap();
        assert_eq!(
            draft.file.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "before a byte is in it"
        );
        draft.write_all(b"new").unwrap();
        draft.publish().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(&folder), ["jar", "link"]);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn an_ordinary_one_is_as_new_files_are() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder("ordinary");
        let (target, other) = (folder.join("page"), folder.join("other"));
        fs::write(&other, "").unwrap();
        Draft::ordinary(&target).unwrap().publish().unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&target), mode(&other));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn of_many_at_once_one_is_there_whole() {
        let folder = folder("many");
        let target = folder.join("jar");
        std::thread::scope(|scope| {
            for thread in b'a'..=b'h' {
                let target = &target;
                scope.spawn(move || {
                    for _ in 0..20 {
                        let mut draft = Draft::of(target).unwrap();
                        draft.write_all(&[thread; 10_000]).unwrap();
                        draft.publish().unwrap();
                        let seen = fs::read(target).unwrap();
                        assert!(seen.len() == 10_000 && seen.iter().all(|byte| *byte == seen[0]));
                    }
                });
            }
        });
        assert_eq!(names(&folder), ["jar"]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
