//! A reqwest client with this crate's jar, stored in a file. The async client accepts the same
//! `cookie_provider`.
//!
//! To run it: `cargo run -p sessio-cookie --example reqwest_jar --features _example -- FILE URL`
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "an example has a clock and files")]

use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use sessio_cookie::{Format, Jar, Keep, SharedJar, UnixTime};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, url] = &arguments[..] else { return Err("usage: reqwest_jar FILE URL".into()) };
    visit(Path::new(file), url).map(|text| println!("{text}"))
}

/// Sends one request with the cookies of the file, and saves those of the response in it.
pub(crate) fn visit(file: &Path, url: &str) -> Result<String, Box<dyn Error>> {
    let jar = Arc::new(SharedJar::new(load(file)?));
    let client = reqwest::blocking::Client::builder().cookie_provider(Arc::clone(&jar)).build()?;
    let text = client.get(url).send()?.text()?;
    save(&jar.lock(), file)?;
    Ok(text)
}

/// Reads the cookies of an earlier run, if there was one.
fn load(file: &Path) -> io::Result<Jar> {
    let text = fs::read(file).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(Vec::new()),
        _ => Err(error),
    })?;
    let mut jar = Jar::new();
    for problem in jar.read(&text, UnixTime::from(SystemTime::now())).problems {
        eprintln!("{}: {problem}", file.display());
    }
    Ok(jar)
}

/// Replaces the file in one step. Its owner alone can read it: a session cookie works like a
/// password.
fn save(jar: &Jar, file: &Path) -> io::Result<()> {
    let mut text = Vec::new();
    jar.write(Format::CookiesTxt, Keep::All, UnixTime::from(SystemTime::now()), &mut text);
    let draft = file.with_extension(format!("{}.new", std::process::id()));
    let mut out = create_private(&draft)?;
    let written = out.write_all(&text).and_then(|()| out.sync_all()).and_then(|()| fs::rename(&draft, file));
    written.inspect_err(|_| drop(fs::remove_file(&draft)))
}

/// Creates a file of mode 0600. `create_new` refuses a link that another user has planted.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true).open(path)
}
