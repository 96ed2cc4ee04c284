//! Files beside their targets, in folders that others may write to.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

/// Maximal length in bytes of a file name on common file systems.
const LONGEST: usize = 255;

/// The path of the file to replace, with links resolved. A device or a pipe is an error.
pub(crate) fn target_of(path: &Path) -> io::Result<PathBuf> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&target) {
        Ok(metadata) if !metadata.is_file() => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
        }
        _ => Ok(target),
    }
}

/// The path of `.name` with this suffix, in the folder of `target`. A name that is too long for
/// that is replaced by its hash.
pub(crate) fn beside(target: &Path, suffix: &str) -> io::Result<PathBuf> {
    let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut beside = OsString::from(".");
    if name.as_encoded_bytes().len() + suffix.len() < LONGEST {
        beside.push(name);
    } else {
        beside.push(format!("{:016x}", number_of(name)));
    }
    beside.push(suffix);
    Ok(target.with_file_name(beside))
}

/// FNV-1a: it has the same value in every process.
fn number_of(name: &OsStr) -> u64 {
    name.as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325, |number, byte| {
        (number ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Creates a new file, readable by its owner only if `is_private` (mode 0600 on Unix).
pub(crate) fn create(path: &Path, is_private: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create_new(true).read(true).write(true);
    #[cfg(unix)]
    if is_private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let _ = is_private;
    options.open(path)
}

/// Opens a file for reading and writing, if this user has written it. It must be a regular file
/// with one name, no link, and writable by no other user. Opening never blocks.
pub(crate) fn open_own(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.cast_signed());
    }
    // Opening a device may have side effects. So the path is checked before, and the opened file
    // after.
    let is_own = |metadata: io::Result<Metadata>| metadata.is_ok_and(|metadata| is_own(&metadata));
    if !is_own(fs::symlink_metadata(path)) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let file = options.open(path)?;
    if !is_own(file.metadata()) {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(file)
}

fn is_own(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if metadata.uid() != rustix::process::geteuid().as_raw()
            || metadata.nlink() != 1
            || metadata.mode() & 0o022 != 0
        {
            return false;
        }
    }
    metadata.is_file()
}

/// A file with a claim: only this process writes to it. Dropping it ends the claim.
#[derive(Debug)]
pub(crate) struct Claimed(File);

impl Deref for Claimed {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl DerefMut for Claimed {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.0
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        // Closing the file is not enough. Another thread may have just forked a child process,
        // which holds a copy of the descriptor until it starts its program, and with it the lock.
        #[cfg(unix)]
        let _ = rustix::fs::flock(&self.0, rustix::fs::FlockOperation::Unlock);
    }
}

/// The owner of a claim.
#[derive(Debug)]
#[cfg_attr(not(unix), allow(dead_code, reason = "files are locked on Unix alone"))]
pub(crate) enum Claim {
    /// This process has the claim.
    Ours(Claimed),
    /// Another process has the claim, or another download of this one.
    Theirs,
    /// The file system has no locks.
    Unknown(Claimed),
}

/// Claims a file. A claim ends with its process, even if that is killed.
pub(crate) fn claim(file: File) -> Claim {
    #[cfg(unix)]
    {
        use rustix::fs::FlockOperation;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Claim::Ours(Claimed(file)),
            Err(error) if error == rustix::io::Errno::WOULDBLOCK => return Claim::Theirs,
            Err(_) => {}
        }
    }
    Claim::Unknown(Claimed(file))
}

/// Returns `true` if this open file is the one at `path`, and `path` is no link.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (ours.dev(), ours.ino()) == (there.dev(), there.ino())
    }
    #[cfg(not(unix))]
    {
        ours.is_file() && there.is_file()
    }
}

/// Moves an open file from its path to the target in one step. A reader of the target sees the
/// complete old file or the complete new one, even after a power failure.
pub(crate) fn take_place(file: &File, path: &Path, target: &Path) -> io::Result<()> {
    file.sync_all()?;
    if !is_at(file, path) {
        return Err(io::Error::other("somebody has put another file in place of the one that was written"));
    }
    fs::rename(path, target)?;
    // The new name is an entry of the folder, which is synced. Not every system can open a folder,
    // and the file is moved already.
    if let Some(folder) = target.parent().and_then(|folder| File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// The permissions of an existing file.
pub(crate) fn mode_of(path: &Path) -> Option<fs::Permissions> {
    let metadata = fs::symlink_metadata(path).ok().filter(Metadata::is_file)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        Some(fs::Permissions::from_mode(metadata.permissions().mode() & 0o777))
    }
    #[cfg(not(unix))]
    {
        Some(metadata.permissions())
    }
}
