//! A file that is not whole yet, kept from one process to the next.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sessio::range::{Held, Validator};

use crate::draft::Draft;

/// What the note begins with.
const TITLE: &[u8] = b"sessio part 1";

/// The first bytes of what is to become a file, in `.name.part` beside it, and a note in `.name.part-of`: of which
/// resource they are, and what tells that it is still the same.
///
/// Without its note a part is worth nothing; so the note goes before the part is begun anew, and comes before its first
/// byte.
#[derive(Debug)]
pub(crate) struct Partial {
    target: PathBuf,
    part: PathBuf,
    note: PathBuf,
    /// Of the resource.
    mark: String,
}

impl Partial {
    /// What there may be of `target`, if it is the resource of this mark. A link stays one.
    pub(crate) fn of(target: &Path, mark: String) -> io::Result<Self> {
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_owned());
        let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        // Before anything is asked for: where there is no folder, nothing can be kept.
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        fs::metadata(folder.unwrap_or_else(|| Path::new(".")))?;
        let beside = |suffix| {
            let mut beside = OsString::from(".");
            beside.push(name);
            beside.push(suffix);
            target.with_file_name(beside)
        };
        Ok(Self { part: beside(".part"), note: beside(".part-of"), target, mark })
    }

    /// The bytes that are there, if there are any that can be trusted.
    pub(crate) fn held(&self) -> io::Result<Option<Held>> {
        let note = match fs::read(&self.note) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            note => note?,
        };
        let mut lines = note.split(|byte| *byte == b'\n');
        let is_ours = lines.next() == Some(TITLE) && lines.next() == Some(self.mark.as_bytes());
        let validator =
            lines.next().and_then(Validator::read).filter(|_| is_ours && lines.next() == Some(b""));
        // What somebody has put in its place, such as a link, is not ours.
        let length = match fs::symlink_metadata(&self.part) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            _ => 0,
        };
        Ok(validator.filter(|_| length > 0).map(|validator| Held { length, validator }))
    }

    /// Begins anew, with nothing; without a validator, what comes to be held is worth nothing to others.
    pub(crate) fn start_over(&self, validator: Option<&Validator>) -> io::Result<File> {
        gone(&self.note)?;
        gone(&self.part)?;
        let file = OpenOptions::new().create_new(true).write(true).open(&self.part)?;
        if let Some(validator) = validator {
            let mut note = Draft::of(&self.note)?;
            for line in [TITLE, self.mark.as_bytes(), validator.as_bytes()] {
                note.write_all(line)?;
                note.write_all(b"\n")?;
            }
            note.publish()?;
        }
        Ok(file)
    }

    /// Goes on behind the `length` bytes that are there.
    pub(crate) fn go_on(&self, length: u64) -> io::Result<File> {
        let file = OpenOptions::new().append(true).open(&self.part)?;
        if file.metadata()?.len() != length {
            return Err(io::Error::other("somebody else writes to it"));
        }
        Ok(file)
    }

    /// It is whole: puts it in place of the target, at one stroke.
    pub(crate) fn publish(&self) -> io::Result<()> {
        File::open(&self.part)?.sync_all()?;
        fs::rename(&self.part, &self.target)?;
        gone(&self.note)?;
        // The new name is an entry of the folder. Not every system opens folders, and by now the file is there.
        if let Some(folder) = self.target.parent().and_then(|folder| File::open(folder).ok()) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

/// Sees to it that there is no such file.
fn gone(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
mod tests {
    use super::*;

    #[test]
    fn a_part_without_its_note_is_worth_nothing() {
        let folder = std::env::temp_dir().join(format!("sessio-partial-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        let target = folder.join("page");
        let partial = |mark: &str| Partial::of(&target, mark.to_owned()).unwrap();
        let tag = Validator::read(b"\"v1\"").unwrap();
        assert_eq!(partial("a").held().unwrap(), None);
        partial("a").start_over(Some(&tag)).unwrap().write_all(b"hello").unwrap();
        let held = Some(Held { length: 5, validator: tag.clone() });
        assert_eq!((partial("a").held().unwrap(), partial("b").held().unwrap()), (held, None));
        partial("a").go_on(5).unwrap().write_all(b"!").unwrap();
        partial("a").go_on(5).unwrap_err();
        assert_eq!(partial("a").held().unwrap().unwrap().length, 6);
        // The note is the whole note, or none.
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
        // Nothing is held of what was begun without a validator.
        partial("a").start_over(None).unwrap().write_all(b"whole").unwrap();
        assert_eq!(partial("a").held().unwrap(), None);
        partial("a").publish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"whole");
        assert!(!folder.join(".page.part").exists() && !note.exists());
        Partial::of(Path::new("/"), String::new()).unwrap_err();
        fs::remove_dir_all(&folder).unwrap();
    }
}
