//! Reads the environment of this process.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use sessio::Environment;
use sessio::netrc::Netrc;

/// Maximal size in bytes of a netrc file or a bundle of certificates.
const MOST: u64 = 16 * 1024 * 1024;

/// The environment variables and the netrc file. Certificates are read when TLS is first needed.
pub(crate) fn read() -> Environment {
    read_from(std::env::vars_os())
}

fn read_from(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Environment {
    let mut environment = Environment::new(variables);
    if let Some(netrc) = environment.netrc_paths().iter().find_map(|path| netrc(path)) {
        environment = environment.with_netrc(netrc);
    }
    environment
}

/// The netrc file at this path. An unreadable file counts as none (rule A-17). A file that others
/// may read by its mode is marked. Its owner is not checked: only the owner or root can open a file
/// that is private to its owner.
fn netrc(path: &Path) -> Option<Netrc> {
    let file = File::open(path).ok()?;
    let about = file.metadata().ok()?;
    let netrc = Netrc::parse(&contents(file).ok()?);
    Some(if is_open_to_others(&about) { netrc.exposed() } else { netrc })
}

#[cfg(unix)]
fn is_open_to_others(about: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(about) & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

pub(crate) fn contents(file: File) -> io::Result<Vec<u8>> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file"));
    }
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it has more than 16 MiB"));
    }
    Ok(bytes)
}

#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A folder of this test only.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("sessio-environment-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        folder
    }

    fn of(variables: &[(&str, &Path)]) -> Environment {
        read_from(variables.iter().map(|(name, path)| ((*name).into(), path.as_os_str().to_owned())))
    }

    fn write(path: &Path, text: &str, mode: u32) {
        fs::write(path, text).unwrap();
        #[cfg(unix)]
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        let _ = mode;
    }

    #[test]
    fn a17_the_first_netrc_file_that_can_be_read() {
        let folder = folder("netrc");
        let user = |variables: &[(&str, &Path)]| {
            let environment = of(variables);
            let login = environment.netrc()?.of("a.test")?;
            Some(String::from_utf8(login.user().to_vec()).unwrap())
        };
        assert_eq!(user(&[("HOME", &folder)]), None);
        write(&folder.join("_netrc"), "machine a.test login second", 0o600);
        assert_eq!(user(&[("HOME", &folder)]).as_deref(), Some("second"));
        write(&folder.join(".netrc"), "machine a.test login first", 0o600);
        assert_eq!(user(&[("HOME", &folder)]).as_deref(), Some("first"));
        write(&folder.join("own"), "machine a.test login own", 0o600);
        assert_eq!(user(&[("HOME", &folder), ("NETRC", &folder.join("own"))]).as_deref(), Some("own"));
        assert_eq!(user(&[("HOME", &folder), ("NETRC", &folder.join("missing"))]), None);
        assert_eq!(user(&[("NETRC", &folder)]), None, "a folder is no file");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_netrc_file_that_others_can_read_is_marked() {
        let folder = folder("mode");
        let path = folder.join(".netrc");
        for (mode, is_exposed) in
            [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o644, true)]
        {
            write(&path, "machine a.test login a password p", mode);
            assert_eq!(of(&[("HOME", &folder)]).netrc().unwrap().is_exposed(), is_exposed, "{mode:o}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
