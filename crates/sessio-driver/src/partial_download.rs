//! An incomplete file that is kept from one process to the next.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use sessio::range::{PartialFile, Validator};

use crate::atomic_file::AtomicFile;
use crate::beside::{Claim, Claimed, beside, claim, create, is_at, open_own, take_place, target_of};

/// The first line of a note.
const TITLE: &[u8] = b"sessio part 1";

/// Maximal length in bytes of a note that is written or read.
const LONGEST_NOTE: usize = 16 * 1024;

/// The first bytes of a file, in `.name.part` beside it, and a note in `.name.part-of`. The note
/// contains a mark of the resource, and the validator that shows whether the resource has changed.
///
/// A part without a note is unusable. So the note is removed before the part is started over, and
/// written before the first byte of the part. Both are trusted only if this user has written them
/// and no other user may write them. The part is locked meanwhile.
#[derive(Debug)]
pub(crate) struct PartialDownload {
    target: PathBuf,
    part: PathBuf,
    note: PathBuf,
    /// The mark of the resource.
    mark: String,
    /// The part, if there is one. Exactly this open file is published.
    file: Option<Claimed>,
}

impl PartialDownload {
    /// Finds the part of `target` for the resource with this mark. A link is kept.
    pub(crate) fn of(target: &Path, mark: String) -> io::Result<Self> {
        let target = target_of(target)?;
        // Checked before a request is sent: without the folder no byte can be stored.
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        fs::metadata(folder.unwrap_or_else(|| Path::new(".")))?;
        let (part, note) = (beside(&target, ".part")?, beside(&target, ".part-of")?);
        let file = find(&part)?;
        Ok(Self { part, note, target, mark, file })
    }

    /// The bytes of the part, if there are any that can be trusted.
    pub(crate) fn held(&self) -> io::Result<Option<PartialFile>> {
        let Some(length) =
            self.file.as_ref().map(|file| file.metadata()).transpose()?.map(|metadata| metadata.len())
        else {
            return Ok(None);
        };
        let Some(note) = self.read_note() else { return Ok(None) };
        let mut lines = note.split(|byte| *byte == b'\n');
        let is_ours = lines.next() == Some(TITLE) && lines.next() == Some(self.mark.as_bytes());
        let validator =
            lines.next().and_then(Validator::read).filter(|_| is_ours && lines.next() == Some(b""));
        Ok(validator.filter(|_| length > 0).map(|validator| PartialFile { length, validator }))
    }

    fn read_note(&self) -> Option<Vec<u8>> {
        let mut note = Vec::new();
        open_own(&self.note).ok()?.take(LONGEST_NOTE as u64 + 1).read_to_end(&mut note).ok()?;
        (note.len() <= LONGEST_NOTE).then_some(note)
    }

    /// Starts over with an empty part. Without a validator no later try can continue it.
    pub(crate) fn start_over(&mut self, validator: Option<&Validator>) -> io::Result<&File> {
        gone(&self.note)?;
        // Another try may have created the part meanwhile.
        if self.file.is_none() {
            self.file = find(&self.part)?;
        }
        let file = match self.file.take() {
            Some(mut file) => {
                file.set_len(0)?;
                file.rewind()?;
                file
            }
            None => {
                gone(&self.part)?;
                claimed(create(&self.part, true)?)?
            }
        };
        if let Some(validator) = validator {
            let text = [TITLE, self.mark.as_bytes(), validator.as_bytes(), b""].join(&b'\n');
            if text.len() <= LONGEST_NOTE {
                let mut note = AtomicFile::at(&self.note)?;
                note.write_all(&text)?;
                note.commit()?;
            }
        }
        Ok(self.file.insert(file))
    }

    /// Continues after the `length` bytes of the part.
    pub(crate) fn go_on(&mut self, length: u64) -> io::Result<&File> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        if file.seek(SeekFrom::End(0))? != length {
            return Err(busy());
        }
        Ok(file)
    }

    /// Replaces the target with the complete part in one step. The part receives the permissions of
    /// the target, or those of a new file.
    pub(crate) fn commit(self) -> io::Result<()> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let mode = AtomicFile::ordinary(&self.target)?.mode()?;
        file.set_permissions(mode)?;
        take_place(file, &self.part, &self.target)?;
        gone(&self.note).map(drop)
    }

    /// Removes the part and its note. Returns `false` if there was neither.
    pub(crate) fn discard(self) -> io::Result<bool> {
        let had_note = gone(&self.note)?;
        Ok(gone(&self.part)? || had_note)
    }
}

/// Opens and claims the existing part, if this user has written it.
fn find(part: &Path) -> io::Result<Option<Claimed>> {
    loop {
        let Ok(file) = open_own(part) else { return Ok(None) };
        let file = claimed(file)?;
        // Another try may have ended between the two operations.
        if is_at(&file, part) {
            return Ok(Some(file));
        }
    }
}

/// Claims the file. It fails if another download has claimed it.
fn claimed(file: File) -> io::Result<Claimed> {
    match claim(file) {
        Claim::Ours(file) | Claim::Unknown(file) => Ok(file),
        Claim::Theirs => Err(busy()),
    }
}

#[cold]
fn busy() -> io::Error {
    io::Error::new(io::ErrorKind::ResourceBusy, "another download writes to it")
}

/// Removes a file. Returns `false` if there was none.
fn gone(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        done => done.map(|()| true),
    }
}

#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_without_its_note_is_worth_nothing() {
        let folder = std::env::temp_dir().join(format!("sessio-partial-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        let target = folder.join("page");
        let partial = |mark: &str| PartialDownload::of(&target, mark.to_owned()).unwrap();
        let tag = Validator::read(b"\"v1\"").unwrap();
        assert_eq!(partial("a").held().unwrap(), None);
        partial("a").start_over(Some(&tag)).unwrap().write_all(b"hello").unwrap();
        let held = Some(PartialFile { length: 5, validator: tag.clone() });
        assert_eq!(partial("a").held().unwrap(), held);
        assert_eq!(partial("b").held().unwrap(), None);
        partial("a").go_on(5).unwrap().write_all(b"!").unwrap();
        partial("a").go_on(5).unwrap_err();
        assert_eq!(partial("a").held().unwrap().unwrap().length, 6);
        // A part of a note counts as no note.
        let note = folder.join(".page.part-of");
        let text = fs::read(&note).unwrap();
        for cut in 0..text.len() {
            fs::write(&note, &text[..cut]).unwrap();
            assert_eq!(partial("a").held().unwrap(), None, "{cut}");
        }
        fs::write(&note, &text).unwrap();
        assert!(partial("a").held().unwrap().is_some());
        #[cfg(unix)]
        {
            let (part, elsewhere) = (folder.join(".page.part"), folder.join("elsewhere"));
            fs::rename(&part, &elsewhere).unwrap();
            std::os::unix::fs::symlink(&elsewhere, &part).unwrap();
            assert_eq!(partial("a").held().unwrap(), None, "a link is not followed");
            partial("a").start_over(Some(&tag)).unwrap().write_all(b"new").unwrap();
            assert_eq!(fs::read(&elsewhere).unwrap(), b"hello!");
        }
        // A part that was begun without a validator is not held.
        partial("a").start_over(None).unwrap().write_all(b"whole").unwrap();
        assert_eq!(partial("a").held().unwrap(), None);
        partial("a").commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"whole");
        assert!(!folder.join(".page.part").exists() && !note.exists());
        PartialDownload::of(Path::new("/"), String::new()).unwrap_err();
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    mod fa11 {
        use std::os::unix::fs::{PermissionsExt, symlink};
        use std::process::Command;

        use super::*;

        fn tag() -> Validator {
            Validator::read(b"\"v1\"").unwrap()
        }

        /// A folder with a part of `page`.
        fn folder(name: &str) -> PathBuf {
            let folder = std::env::temp_dir().join(format!("sessio-partial-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir(&folder).unwrap();
            partial(&folder).start_over(Some(&tag())).unwrap().write_all(b"hello").unwrap();
            folder
        }

        fn partial(folder: &Path) -> PartialDownload {
            PartialDownload::of(&folder.join("page"), "mark".to_owned()).unwrap()
        }

        fn held(folder: &Path) -> u64 {
            partial(folder).held().unwrap().map_or(0, |held| held.length)
        }

        fn set_mode(path: &Path, mode: u32) {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }

        fn mode(path: &Path) -> u32 {
            fs::metadata(path).unwrap().permissions().mode() & 0o777
        }

        #[test]
        fn what_others_may_have_written_is_not_trusted() {
            let folder = folder("trust");
            let (part, note, other) =
                (folder.join(".page.part"), folder.join(".page.part-of"), folder.join("other"));
            assert_eq!((held(&folder), mode(&part), mode(&note)), (5, 0o600, 0o600));
            for path in [&part, &note] {
                for (bits, length) in [(0o620, 0), (0o602, 0), (0o644, 5), (0o600, 5)] {
                    set_mode(path, bits);
                    assert_eq!(held(&folder), length, "{bits:o} {path:?}");
                }
                // A second name allows others to continue writing.
                fs::hard_link(path, &other).unwrap();
                assert_eq!(held(&folder), 0);
                fs::rename(path, &other).unwrap();
                fs::remove_file(path).unwrap();
                symlink(&other, path).unwrap();
                assert_eq!(held(&folder), 0);
                // A pipe without a writer does not block.
                fs::remove_file(path).unwrap();
                assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
                assert_eq!(held(&folder), 0);
                fs::remove_file(path).unwrap();
                fs::rename(&other, path).unwrap();
                assert_eq!(held(&folder), 5);
            }
            // Pipes in place of both files are replaced.
            for path in [&part, &note] {
                fs::remove_file(path).unwrap();
                assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
            }
            partial(&folder).start_over(Some(&tag())).unwrap().write_all(b"hi").unwrap();
            assert_eq!(held(&folder), 2);
            fs::remove_dir_all(&folder).unwrap();
        }

        #[test]
        fn a_note_has_a_longest_length() {
            let folder = folder("note");
            let note = folder.join(".page.part-of");
            let mut text = fs::read(&note).unwrap();
            text.push(b'\n');
            text.resize(LONGEST_NOTE, b'x');
            fs::write(&note, &text).unwrap();
            assert_eq!(held(&folder), 5, "what stands behind its lines is passed over");
            text.push(b'x');
            fs::write(&note, &text).unwrap();
            assert_eq!(held(&folder), 0);
            // A note that is too long to be read is not written.
            let long = Validator::read(format!("\"{}\"", "v".repeat(LONGEST_NOTE)).as_bytes()).unwrap();
            partial(&folder).start_over(Some(&long)).unwrap();
            assert!(!note.exists());
            fs::remove_dir_all(&folder).unwrap();
        }

        #[test]
        fn what_was_opened_is_what_is_published() {
            let folder = folder("published");
            let (part, target, evil) = (folder.join(".page.part"), folder.join("page"), folder.join("evil"));
            fs::write(&evil, "evil").unwrap();
            let plants: [fn(&Path, &Path); 2] = [
                |evil, part| symlink(evil, part).unwrap(),
                |evil, part| assert!(fs::copy(evil, part).is_ok()),
            ];
            for plant in plants {
                let mut ours = partial(&folder);
                ours.start_over(Some(&tag())).unwrap().write_all(b"whole").unwrap();
                fs::remove_file(&part).unwrap();
                plant(&evil, &part);
                ours.commit().unwrap_err();
                assert!(fs::symlink_metadata(&target).is_err(), "nothing has taken the place");
                fs::remove_file(&part).unwrap();
            }
            fs::remove_dir_all(&folder).unwrap();
        }

        #[test]
        fn the_whole_has_the_permissions_of_what_it_replaces() {
            let folder = folder("mode");
            let (target, new) = (folder.join("page"), folder.join("new"));
            fs::write(&new, "").unwrap();
            partial(&folder).commit().unwrap();
            assert_eq!(mode(&target), mode(&new));
            set_mode(&target, 0o640);
            partial(&folder).start_over(None).unwrap();
            let mut whole = partial(&folder);
            whole.start_over(None).unwrap();
            whole.commit().unwrap();
            assert_eq!(mode(&target), 0o640);
            fs::remove_dir_all(&folder).unwrap();
        }

        #[test]
        fn a_part_is_free_when_it_is_dropped_even_if_a_forked_child_holds_its_descriptor() {
            let folder = folder("forked");
            let first = partial(&folder);
            let of_the_child = first.file.as_ref().unwrap().try_clone().unwrap();
            let busy = PartialDownload::of(&folder.join("page"), String::new()).unwrap_err();
            assert_eq!(busy.kind(), io::ErrorKind::ResourceBusy);
            drop(first);
            assert_eq!(held(&folder), 5);
            drop(of_the_child);
            fs::remove_dir_all(&folder).unwrap();
        }

        #[test]
        fn one_try_at_a_time_and_names_of_any_length() {
            let folder = folder("turns");
            let first = partial(&folder);
            let busy = |target: &Path| PartialDownload::of(target, String::new()).unwrap_err().kind();
            assert_eq!(busy(&folder.join("page")), io::ErrorKind::ResourceBusy);
            assert!(first.discard().unwrap());
            assert!(!partial(&folder).discard().unwrap());
            // Two tries began with nothing: the one that created the part continues.
            let (mut one, mut other) = (partial(&folder), partial(&folder));
            one.start_over(Some(&tag())).unwrap();
            assert_eq!(other.start_over(Some(&tag())).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
            one.commit().unwrap();
            fs::remove_file(folder.join("page")).unwrap();
            for length in [1, 233, 234, 246, 247, 254, 255] {
                let target = folder.join("n".repeat(length));
                let of = || PartialDownload::of(&target, "mark".to_owned()).unwrap();
                of().start_over(Some(&tag())).unwrap().write_all(b"hello").unwrap();
                assert_eq!(of().held().unwrap().unwrap().length, 5, "{length}");
                of().commit().unwrap();
                fs::remove_file(&target).unwrap();
            }
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
            fs::remove_dir_all(&folder).unwrap();
        }
    }
}
