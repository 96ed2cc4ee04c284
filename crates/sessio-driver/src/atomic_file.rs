//! A file that replaces another one once it is complete.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::beside::{Claim, Claimed, beside, claim, create, is_at, mode_of, open_own, take_place, target_of};

/// Number of consecutive names without a draft after which no further name is tried.
const GAP: u32 = 8;

/// A new file beside its target. [`commit`](Self::commit) replaces the target. A draft that is
/// dropped before is removed, and the target stays as it was.
///
/// Drafts of one target are numbered, and each is locked by its process while it is written. An
/// unlocked draft belongs to a killed process, and the next draft removes it.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    file: Claimed,
    path: PathBuf,
    target: PathBuf,
    /// The permissions for the target, if they differ from those of the draft.
    mode: Option<Permissions>,
}

impl AtomicFile {
    /// Begins a draft of `target`, on Unix readable by its owner only (mode 0600). A link is kept,
    /// and its target is replaced.
    pub(crate) fn of(target: &Path) -> io::Result<Self> {
        Self::begin(target_of(target)?, true, None)
    }

    /// Begins a draft that replaces a link itself, and not its target.
    pub(crate) fn at(target: &Path) -> io::Result<Self> {
        Self::begin(target.to_owned(), true, None)
    }

    /// Begins a draft with the permissions of the file that it replaces, or else with those of new
    /// files of this process.
    pub(crate) fn ordinary(target: &Path) -> io::Result<Self> {
        let target = target_of(target)?;
        let mode = mode_of(&target);
        Self::begin(target, mode.is_some(), mode)
    }

    fn begin(target: PathBuf, is_private: bool, mode: Option<Permissions>) -> io::Result<Self> {
        let name = |number: u32| beside(&target, &format!(".{number}.tmp"));
        let mut number = 0;
        let (file, path) = loop {
            let path = name(number)?;
            match create(&path, is_private) {
                Ok(file) => match claim(file) {
                    // Another process has locked it first, taken it for abandoned and removed it.
                    Claim::Theirs => number += 1,
                    Claim::Ours(file) if !is_at(&file, &path) => {}
                    Claim::Ours(file) | Claim::Unknown(file) => break (file, path),
                },
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    number += u32::from(!remove_abandoned(&path));
                }
                Err(error) => return Err(error),
            }
        };
        let mut misses = 0;
        while misses < GAP {
            number += 1;
            misses = if remove_abandoned(&name(number)?) { 0 } else { misses + 1 };
        }
        Ok(Self { file, path, target, mode })
    }

    /// The permissions of the published file.
    pub(crate) fn mode(&self) -> io::Result<Permissions> {
        self.mode.clone().map_or_else(|| self.file.metadata().map(|metadata| metadata.permissions()), Ok)
    }

    /// Replaces the target in one step.
    pub(crate) fn commit(self) -> io::Result<()> {
        if let Some(mode) = &self.mode {
            self.file.set_permissions(mode.clone())?;
        }
        take_place(&self.file, &self.path, &self.target)
    }
}

/// Removes the draft of a killed process. Returns `false` if there was none.
fn remove_abandoned(path: &Path) -> bool {
    open_own(path).is_ok_and(|file| match claim(file) {
        Claim::Ours(file) => is_at(&file, path) && fs::remove_file(path).is_ok(),
        Claim::Theirs | Claim::Unknown(_) => false,
    })
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        // After `commit` the path does not exist, or names the file of another process.
        if is_at(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    /// A folder of this test only.
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
        let mut draft = AtomicFile::of(&target).unwrap();
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
        AtomicFile::of(&target).unwrap_err();
        AtomicFile::at(&target).unwrap().commit().unwrap_err();
        assert_eq!((names(&folder), names(&target)), (vec!["jar".into()], vec!["inside".into()]));
        for nowhere in [folder.join("missing/jar"), PathBuf::from("/"), PathBuf::new()] {
            AtomicFile::of(&nowhere).unwrap_err();
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
        let mut draft = AtomicFile::of(&link).unwrap();
        assert_eq!(
            draft.file.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "before a byte is in it"
        );
        draft.write_all(b"new").unwrap();
        draft.commit().unwrap();
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
        AtomicFile::ordinary(&target).unwrap().commit().unwrap();
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
                        let mut draft = AtomicFile::of(target).unwrap();
                        draft.write_all(&[thread; 10_000]).unwrap();
                        draft.commit().unwrap();
                        let seen = fs::read(target).unwrap();
                        assert!(seen.len() == 10_000 && seen.iter().all(|byte| *byte == seen[0]));
                    }
                });
            }
        });
        assert_eq!(names(&folder), ["jar"]);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn fa11_what_is_replaced_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder("kept");
        let target = folder.join("page");
        for mode in [0o600, 0o640, 0o666] {
            fs::write(&target, "old").unwrap();
            fs::set_permissions(&target, Permissions::from_mode(mode)).unwrap();
            let mut draft = AtomicFile::ordinary(&target).unwrap();
            assert_eq!(draft.file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            draft.write_all(b"new").unwrap();
            draft.commit().unwrap();
            assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, mode);
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn fa11_names_have_any_length_that_a_file_has() {
        let folder = folder("long");
        for length in [1, 200, 233, 234, 247, 248, 249, 250, 254, 255] {
            let target = folder.join("n".repeat(length));
            for draft in [AtomicFile::of, AtomicFile::at, AtomicFile::ordinary] {
                let mut draft = draft(&target).unwrap();
                draft.write_all(b"new").unwrap();
                draft.commit().unwrap();
                assert_eq!(fs::read(&target).unwrap(), b"new", "{length}");
            }
            fs::remove_file(&target).unwrap();
        }
        assert!(names(&folder).is_empty());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn fa11_what_was_put_in_place_of_a_draft_is_not_published() {
        use std::os::unix::fs::symlink;
        let folder = folder("planted");
        let (target, other) = (folder.join("page"), folder.join("other"));
        fs::write(&target, "old").unwrap();
        fs::write(&other, "planted").unwrap();
        for plant in
            [|from: &Path, to: &Path| symlink(from, to), |from: &Path, to: &Path| fs::hard_link(from, to)]
        {
            let draft = AtomicFile::of(&target).unwrap();
            let path = draft.path.clone();
            fs::remove_file(&path).unwrap();
            plant(&other, &path).unwrap();
            draft.commit().unwrap_err();
            assert_eq!(fs::read(&target).unwrap(), b"old");
            // The planted file is not removed, and does not stop the next draft.
            assert!(fs::symlink_metadata(&path).is_ok());
            AtomicFile::of(&target).unwrap().commit().unwrap();
            fs::remove_file(&path).unwrap();
            fs::write(&target, "old").unwrap();
        }
        // A pipe or a device is not replaced.
        AtomicFile::ordinary(Path::new("/dev/null")).unwrap_err();
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_draft_is_free_when_it_is_dropped_even_if_a_forked_child_holds_its_descriptor() {
        let folder = folder("forked");
        let target = folder.join("jar");
        let draft = AtomicFile::of(&target).unwrap();
        let (of_the_child, path) = (draft.file.try_clone().unwrap(), draft.path.clone());
        fs::hard_link(&path, folder.join("kept")).unwrap();
        drop(draft);
        fs::rename(folder.join("kept"), &path).unwrap();
        AtomicFile::of(&target).unwrap().commit().unwrap();
        assert_eq!(names(&folder), ["jar"]);
        drop(of_the_child);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn fs4_drafts_of_killed_processes_go_with_the_next_one() {
        let folder = folder("abandoned");
        let target = folder.join("jar");
        // A killed process leaves the file without its lock.
        let abandon = |number| drop(create(&folder.join(format!(".jar.{number}.tmp")), true).unwrap());
        let live: Vec<_> = (0..3).map(|_| AtomicFile::of(&target).unwrap()).collect();
        (3..12).for_each(abandon);
        abandon(18);
        assert_eq!(names(&folder).len(), 13);
        let draft = AtomicFile::of(&target).unwrap();
        assert_eq!(names(&folder), [".jar.0.tmp", ".jar.1.tmp", ".jar.2.tmp", ".jar.3.tmp"]);
        draft.commit().unwrap();
        drop(live);
        assert_eq!(names(&folder), ["jar"]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
