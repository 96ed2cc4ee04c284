//! Cookies that outlive the process, in a file that curl and browsers' tools read as well.

use std::error::Error;
use std::io::ErrorKind;
use std::path::Path;

use sessio_tokio::cookie::{Format, Keep};
use sessio_tokio::mock::{Mock, Received, Reply};
use sessio_tokio::{Mount, Session};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("sessio-cookies-{}.txt", std::process::id()));
    assert_eq!(visit(&path).await?, "a new visitor");
    // As if the program had been started again.
    assert_eq!(visit(&path).await?, "welcome back");
    println!("{}", std::fs::read_to_string(&path)?);
    std::fs::remove_file(&path)?;
    Ok(())
}

/// Loads the cookies of an earlier run, sends a request, and saves the cookies of the session.
async fn visit(path: &Path) -> Result<String, Box<dyn Error>> {
    let session = Session::new();
    session.update(|s| s.mounts.add("https://shop.example/", Mount::new().transport(shop())))?;
    match session.load_cookies(path) {
        Ok(loaded) => loaded.problems.iter().for_each(|problem| eprintln!("{}: {problem}", path.display())),
        Err(error) if error.io_kind() == Some(ErrorKind::NotFound) => println!("no cookies yet"),
        Err(error) => return Err(error.into()),
    }
    let text = session.get("https://shop.example/").send().await?.error_for_status()?.text().await?;
    println!("{text}");
    // Replaces the file atomically. On Unix only its owner can read it. `Keep::All` also saves the
    // cookies that end with a browser's session.
    session.save_cookies(path, Format::CookiesTxt, Keep::All)?;
    Ok(text)
}

/// A server without sockets, for this example.
fn shop() -> Mock {
    Mock::new().on("GET", "/", |request: &Received| match request.header("Cookie") {
        Some("visitor=7") => Reply::ok("welcome back"),
        _ => Reply::ok("a new visitor").header("Set-Cookie", "visitor=7; Max-Age=86400; Secure; HttpOnly"),
    })
}

#[test]
fn runs() {
    main().unwrap();
}
