//! The certificates of authorities that the environment names, read once per process and state of
//! the files.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use sessio::tls::Certificates;
use sessio::{CaBundle, Environment};

use crate::environment::contents;

/// Maximal number of cached bundles. A process rarely has more than one.
const MOST: usize = 8;

/// The cached bundles, by their paths and the state of the files.
static READ: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

struct Entry {
    authorities: CaBundle,
    state: Vec<Place>,
    read: Read,
}

/// The result of reading a bundle.
#[derive(Clone, Debug)]
struct Read {
    certificates: Certificates,
    passed_over: Vec<Box<str>>,
}

/// A file and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    path: PathBuf,
    /// `true` if the environment names the file, `false` if it names its folder.
    is_named: bool,
    modified: Option<SystemTime>,
    length: u64,
}

/// The environment with the certificates that it names. Files are read only if no session of this
/// process has read them in their current state. Sessions with the same files then share one
/// bundle.
pub(crate) fn with_certificates(environment: &Environment) -> Environment {
    let Some(authorities) = environment.unread() else { return environment.clone() };
    match certificates(authorities) {
        Ok(Read { certificates, passed_over }) => {
            environment.clone().with_certificates(Ok::<_, String>(certificates)).with_passed_over(passed_over)
        }
        Err(problem) => environment.clone().with_certificates(Err(problem)),
    }
}

fn certificates(authorities: &CaBundle) -> Result<Read, String> {
    let state = places(authorities)?;
    let is_same = |entry: &&Entry| entry.authorities == *authorities && entry.state == state;
    if let Some(known) = known().iter().find(is_same) {
        return Ok(known.read.clone());
    }
    // No lock is held while files are read.
    let read = read(authorities, &state)?;
    let mut known = known();
    if let Some(known) = known.iter().find(is_same) {
        // Another session was faster. All sessions share its bundle.
        return Ok(known.read.clone());
    }
    known.retain(|entry| entry.authorities != *authorities);
    if known.len() == MOST {
        known.remove(0);
    }
    known.push(Entry { authorities: authorities.clone(), state, read: read.clone() });
    Ok(read)
}

fn known() -> MutexGuard<'static, Vec<Entry>> {
    READ.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The files at these paths, and those in the folders at these paths, in the order of their names.
fn places(authorities: &CaBundle) -> Result<Vec<Place>, String> {
    let mut places = Vec::new();
    for path in &authorities.paths {
        let wrong = |error: io::Error| format!("{}: {}: {error}", authorities.variable, path.display());
        let about = fs::metadata(path).map_err(wrong)?;
        if !about.is_dir() {
            places.push(Place::of(path.clone(), true, &about));
            continue;
        }
        let mut files = Vec::new();
        for entry in fs::read_dir(path).map_err(wrong)? {
            let file = entry.map_err(wrong)?.path();
            // A broken link contains no certificate. It is skipped, so that the other files are
            // still trusted.
            if let Ok(about) = fs::metadata(&file)
                && about.is_file()
            {
                files.push(Place::of(file, false, &about));
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        places.append(&mut files);
    }
    Ok(places)
}

impl Place {
    fn of(path: PathBuf, is_named: bool, about: &fs::Metadata) -> Self {
        Self { path, is_named, modified: about.modified().ok(), length: about.len() }
    }
}

/// Reads the certificates. A named file must contain certificates. Unusable files of a folder are
/// skipped and reported.
fn read(authorities: &CaBundle, places: &[Place]) -> Result<Read, String> {
    let variable = authorities.variable;
    let (mut all, mut passed_over): (Vec<Vec<u8>>, Vec<Box<str>>) = (Vec::new(), Vec::new());
    for place in places {
        match of_file(&place.path) {
            Ok(certificates) => all.extend(certificates.iter().map(<[u8]>::to_vec)),
            Err(problem) => {
                let problem = format!("{variable}: {}: {problem}", place.path.display());
                if place.is_named {
                    return Err(problem);
                }
                passed_over.push(problem.into());
            }
        }
    }
    match Certificates::from_der(all) {
        Ok(certificates) => Ok(Read { certificates, passed_over }),
        Err(_) => {
            let paths: Vec<_> = authorities.paths.iter().map(|path| path.display().to_string()).collect();
            let first = passed_over.first().map(|problem| format!("; {problem}")).unwrap_or_default();
            Err(format!("{variable}: no certificates in {}{first}", paths.join(", ")))
        }
    }
}

fn of_file(path: &Path) -> Result<Certificates, String> {
    let pem = File::open(path).and_then(contents).map_err(|error| error.to_string())?;
    Certificates::from_pem(pem).map_err(|error| error.to_string())
}

#[allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]
#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test only.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("sessio-authorities-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        folder
    }

    fn of(variables: &[(&str, &Path)]) -> Environment {
        with_certificates(&Environment::new(variables.iter().copied()))
    }

    fn ders(environment: &Environment) -> Option<Vec<Vec<u8>>> {
        environment.certificates().map(|all| all.iter().map(<[u8]>::to_vec).collect())
    }

    fn pem(base64: &str) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
    }

    #[test]
    fn d08_e11_bundles_are_files_or_folders_and_what_is_wrong_is_said() {
        let folder = folder("bundle");
        fs::write(folder.join("b.pem"), pem("Yg==")).unwrap();
        fs::write(folder.join("a.pem"), pem("YQ==")).unwrap();
        let file = folder.join("b.pem");
        assert_eq!(ders(&of(&[("REQUESTS_CA_BUNDLE", &file)])), Some(vec![b"b".to_vec()]));
        assert_eq!(ders(&of(&[("CURL_CA_BUNDLE", &folder)])), Some(vec![b"a".to_vec(), b"b".to_vec()]));
        assert_eq!(ders(&of(&[("SSL_CERT_FILE", &file), ("SSL_CERT_DIR", &folder)])).unwrap().len(), 3);
        assert_eq!(ders(&of(&[])), None);
        for (name, text) in
            [("missing", None), ("empty", Some("")), ("broken", Some("-----BEGIN CERTIFICATE-----\n!"))]
        {
            let path = folder.join(name);
            if let Some(text) = text {
                fs::write(&path, text).unwrap();
            }
            let environment = of(&[("REQUESTS_CA_BUNDLE", &path)]);
            let problem = environment.certificates_problem().unwrap();
            assert!(problem.starts_with("REQUESTS_CA_BUNDLE: ") && problem.contains(name), "{problem}");
            assert!(environment.certificates().is_none());
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn fb5_of_a_folder_is_taken_what_can_be_used_and_the_rest_is_told() {
        let folder = folder("mixed");
        fs::write(folder.join("a.pem"), pem("YQ==")).unwrap();
        fs::write(folder.join("b.pem"), format!("\u{feff}{}", pem("Yg==").replace('\n', "\r"))).unwrap();
        let cut = pem("Yw==");
        fs::write(folder.join("cut.pem"), &cut[..cut.len() - 8]).unwrap();
        fs::write(folder.join("letter.txt"), "a letter").unwrap();
        fs::create_dir(folder.join("deeper")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("nowhere", folder.join("link.pem")).unwrap();
        let environment = of(&[("SSL_CERT_DIR", &folder)]);
        assert_eq!(ders(&environment), Some(vec![b"a".to_vec(), b"b".to_vec()]));
        assert_eq!(environment.certificates_problem(), None);
        let [one, other] = environment.passed_over() else { panic!("{:?}", environment.passed_over()) };
        assert!(one.contains("cut.pem") && one.contains("has no end"), "{one}");
        assert!(other.contains("letter.txt") && other.contains("no certificates"), "{other}");
        // A named file must be usable, and a folder must contain a certificate.
        let file = folder.join("cut.pem");
        let problem = of(&[("SSL_CERT_FILE", &file), ("SSL_CERT_DIR", &folder)]);
        assert!(problem.certificates_problem().unwrap().contains("cut.pem"));
        for name in ["a.pem", "b.pem"] {
            fs::remove_file(folder.join(name)).unwrap();
        }
        let environment = of(&[("SSL_CERT_DIR", &folder)]);
        let problem = environment.certificates_problem().unwrap();
        assert!(problem.contains("no certificates in") && problem.contains("cut.pem"), "{problem}");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn fs5_files_are_read_once_for_each_state() {
        let folder = folder("once");
        let file = folder.join("ca.pem");
        fs::write(&file, pem("YQ==")).unwrap();
        let read = || of(&[("SSL_CERT_FILE", &file)]);
        let first = read();
        // The same state of the files has the same bundle.
        assert_eq!(read().certificates(), first.certificates());
        assert_eq!(of(&[("SSL_CERT_FILE", &file), ("PATH", &folder)]).certificates(), first.certificates());
        fs::write(&file, pem("YWI=") + &pem("YQ==")).unwrap();
        let second = read();
        assert_eq!(ders(&second).unwrap().len(), 2);
        // The same length at another time.
        fs::write(&file, pem("YWM=") + &pem("YQ==")).unwrap();
        let later = SystemTime::now() + std::time::Duration::from_secs(5);
        File::options().write(true).open(&file).unwrap().set_modified(later).unwrap();
        let third = read();
        assert_eq!(ders(&third).unwrap()[0], b"ac");
        assert_ne!(third.certificates(), second.certificates());
        // An additional file changes the state of a folder.
        let in_folder = || of(&[("SSL_CERT_DIR", &folder)]);
        let one = in_folder();
        assert_eq!(in_folder().certificates(), one.certificates());
        fs::write(folder.join("more.pem"), pem("YQ==")).unwrap();
        assert_eq!(ders(&in_folder()).unwrap().len(), 3);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn fs5_few_are_remembered() {
        let folder = folder("few");
        for number in 0..2 * MOST {
            let file = folder.join(number.to_string());
            fs::write(&file, pem("YQ==")).unwrap();
            assert!(of(&[("SSL_CERT_FILE", &file)]).certificates().is_some());
        }
        assert!(known().len() <= MOST);
        fs::remove_dir_all(&folder).unwrap();
    }
}
